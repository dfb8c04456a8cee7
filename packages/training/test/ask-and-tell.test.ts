import { isLeaseLost } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  askTrial,
  countTrials,
  deleteStudy,
  enqueueTrial,
  enqueueTrials,
  getStudy,
  getTrial,
  heartbeatTrial,
  listTrials,
  releaseTrial,
  reportTrialValue,
  resumeStudy,
  stopStudy,
  tellTrial,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { ask, makeStudy } from './support/studies.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

describe('askTrial', () => {
  it('numbers 2,000 trials 0 to 1,999 for 50 workers, gives each that was enqueued to one of them, and then no more', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 2_000 });
    const enqueued = await training.run(tenant, (tx) =>
      enqueueTrials(tx, { studyId, trials: Array.from({ length: 100 }, (_, n) => ({ params: { x: n / 100 } })) }),
    );
    const given: { number: number; x: unknown }[] = [];
    const ends: string[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        for (;;) {
          const asked = await askTrial(training.db, tenant, { studyId });
          if (asked.trial === undefined) {
            ends.push(asked.reason);
            return;
          }
          const { number, params, lease } = asked.trial;
          given.push({ number, x: params['x'] });
          if (number % 2 === 0) await training.run(tenant, (tx) => tellTrial(tx, { lease, values: number }));
        }
      }),
    );
    expect(given.map(({ number }) => number).sort((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
    expect(enqueued.map(({ number }) => given.find((one) => one.number === number)?.x)).toEqual(
      Array.from({ length: 100 }, (_, n) => n / 100),
    );
    expect(ends).toEqual(Array.from({ length: 50 }, () => 'trials'));
    expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({
      complete: 1_000,
      running: 1_000,
      waiting: 0,
    });
    const { nextTrialNumber } = await training.run(tenant, (tx) => getStudy(tx, { studyId }));
    expect(nextTrialNumber).toBe(2_000);
  }, 120_000);

  it('gives the same parameters for the same seed and number, whoever asks', async () => {
    const tenant = freshTenant();
    const [one, other] = await Promise.all([
      makeStudy(training, tenant, { name: 'one', seed: 42 }),
      makeStudy(training, tenant, { name: 'other', seed: 42 }),
    ]);
    const first = [await ask(training, tenant, one.id), await ask(training, tenant, one.id)];
    const second = await Promise.all([ask(training, tenant, other.id), ask(training, tenant, other.id)]);
    expect(second.toSorted((a, b) => a.number - b.number).map(({ params }) => params)).toEqual(
      first.map(({ params }) => params),
    );
  });
});
