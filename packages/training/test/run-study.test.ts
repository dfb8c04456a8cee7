import { connect } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  countTrials,
  findBestTrial,
  listTrials,
  type ObjectiveTrial,
  runStudy,
  stopStudy,
  sweepStaleTrials,
  TrialPruned,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { ask, makeStudy } from './support/studies.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('runStudy', () => {
  it('runs all trials of a budget with workers at the same time, and keeps to it in several processes', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 40 });
    const numbers: number[] = [];
    let [running, most] = [0, 0];
    const objective = async ({ number, params }: ObjectiveTrial) => {
      numbers.push(number);
      running += 1;
      most = Math.max(most, running);
      await tick();
      running -= 1;
      return (Number(params['x']) - 2) ** 2;
    };
    const runs = await Promise.all(
      [3, 4].map((workers) => runStudy(training.db, tenant, { studyId, objective, workers })),
    );
    expect(runs.reduce((sum, { complete }) => sum + complete, 0)).toBe(40);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, number) => number));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(7);
    const best = await training.run(tenant, (tx) => findBestTrial(tx, { studyId }));
    const { items } = await training.run(tenant, (tx) => listTrials(tx, { studyId, orderBy: 'value', limit: 1 }));
    expect(best).toEqual(items[0]);
    expect(await runStudy(training.db, tenant, { studyId, objective })).toMatchObject({ complete: 0 });
  });

  it('ends a trial that throws TrialPruned as pruned, by the word of the pruner', async () => {
    const tenant = freshTenant();
    const pruner = { kind: 'asha', reductionFactor: 2 } as const;
    const { id: studyId } = await makeStudy(training, tenant, { pruner, maxTrials: 6 });
    const objective = async (trial: ObjectiveTrial) => {
      for (let step = 1; step <= 8; step += 1) {
        await trial.report(trial.number, step);
        if (trial.shouldPrune()) throw new TrialPruned();
      }
      return trial.number;
    };
    expect(await runStudy(training.db, tenant, { studyId, objective })).toMatchObject({ complete: 1, pruned: 5 });
  });

  it('records what an objective throws, goes on, and has it tried again while attempts are left', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 3, maxAttempts: 2 });
    const told: unknown[] = [];
    const run = await runStudy(training.db, tenant, {
      studyId,
      workers: 2,
      objective: async ({ number, attempt }) => {
        if (number === 1 || (number === 2 && attempt === 1)) throw new RangeError(`No memory for ${number}\0`);
        if (number === 0) return attempt === 1 ? Number.NaN : [1, 2];
        return 1;
      },
      onTrial: ({ number, status }, error) => told.push([number, status, error instanceof RangeError]),
    });
    expect(run).toEqual({ complete: 1, pruned: 0, failed: 5, lost: 0, released: 0 });
    expect(told).toHaveLength(6);
    expect(told).toContainEqual([1, 'failed', true]);
    const { items } = await training.run(tenant, (tx) => listTrials(tx, { studyId }));
    expect(items.map(({ status, attempt, error }) => [status, attempt, error])).toEqual([
      ['failed', 2, expect.stringContaining('values must be one number an objective')],
      ['failed', 2, 'RangeError: No memory for 1�'],
      ['complete', 2, null],
    ]);
  });

  it('waits for trials of other workers that may come back', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 2, maxAttempts: 2, leaseMs: 2_000 });
    const lost = await ask(training, tenant, studyId);
    const run = await runStudy(training.db, tenant, { studyId, objective: ({ attempt }) => attempt });
    expect(run).toMatchObject({ complete: 2 });
    const { items } = await training.run(tenant, (tx) => listTrials(tx, { studyId }));
    expect(items.map(({ values }) => values)).toEqual([[2], [1]]);
    expect(items[0]?.id).toBe(lost.trialId);
  });

  it('holds the lease while an objective runs longer than it', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 1, leaseMs: 300 });
    const objective = async () => {
      await expect
        .poll(
          async () => {
            const rows = await training.run(tenant, (tx) =>
              tx.execute<{ beaten: boolean }>(
                sql`select leased_until > started_at + interval '1 second' as beaten from hyperparameter_trials`,
              ),
            );
            await training.run(tenant, (tx) => sweepStaleTrials(tx, { studyId }));
            return rows[0]?.beaten;
          },
          { timeout: 20_000 },
        )
        .toBe(true);
      return 1;
    };
    expect(await runStudy(training.db, tenant, { studyId, objective })).toMatchObject({ complete: 1, lost: 0 });
  });

  it('tells an objective that its trial was given to another, and drops what it returns', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 1, leaseMs: 300 });
    const objective = async ({ signal }: ObjectiveTrial) => {
      await training.run(tenant, (tx) => sweepStaleTrials(tx, { studyId }), { now: new Date('2100-01-01') });
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 1;
    };
    expect(await runStudy(training.db, tenant, { studyId, objective })).toMatchObject({ complete: 0, lost: 1 });
    expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({ stale: 1 });
  });

  it('stops by its signal: a trial that is given up waits for the next call, without costing an attempt', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 4 });
    const stop = new AbortController();
    const objective = async ({ number, signal }: ObjectiveTrial) => {
      if (number === 0) return 0;
      stop.abort();
      signal.throwIfAborted();
      return 1;
    };
    const first = await runStudy(training.db, tenant, { studyId, objective, signal: stop.signal });
    expect(first).toEqual({ complete: 1, pruned: 0, failed: 0, lost: 0, released: 1 });
    expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({ complete: 1, waiting: 1 });
    const attempts: number[] = [];
    const second = await runStudy(training.db, tenant, {
      studyId,
      objective: ({ attempt }) => attempts.push(attempt),
    });
    expect(second).toMatchObject({ complete: 3 });
    expect(attempts).toEqual([1, 1, 1]);
  });

  it('tells again what the database could not take at once', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 1 });
    const impatient = await connect({ url: training.serviceUrl, lockTimeoutMs: 50 });
    let release = () => {};
    const isOver = new Promise<void>((resolve) => {
      release = resolve;
    });
    let holder: Promise<void> = isOver;
    const objective = async ({ trialId }: ObjectiveTrial) => {
      await new Promise<void>((isHeld) => {
        holder = training.run(tenant, async (tx) => {
          await tx.execute(sql`select from hyperparameter_trials where id = ${trialId}::uuid for no key update`);
          isHeld();
          await isOver;
        });
      });
      // Longer than a statement of runStudy waits for a lock here.
      setTimeout(release, 300);
      return 1;
    };
    try {
      expect(await runStudy(impatient, tenant, { studyId, objective })).toMatchObject({ complete: 1, failed: 0 });
    } finally {
      release();
      await holder;
      await impatient.close();
    }
  });

  it('runs as many trials as a call may, and ends when the study is stopped', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const run = async (maxTrials?: number, objective = () => 1 as number | Promise<number>) =>
      await runStudy(training.db, tenant, { studyId, objective, workers: 2, ...(maxTrials ? { maxTrials } : {}) });
    expect(await run(5)).toMatchObject({ complete: 5 });
    const stopping = await run(undefined, async () => {
      await training.run(tenant, (tx) => stopStudy(tx, { studyId }));
      return 1;
    });
    expect(stopping.complete).toBeLessThanOrEqual(2);
    const unknown = runStudy(training.db, freshTenant(), { studyId, objective: () => 1 });
    expect(await refusalOf(unknown)).toMatchObject({ code: 'not_found' });
  });

  it('ends with what onTrial throws, after its workers', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const enough = new Error('enough');
    const onTrial = () => {
      throw enough;
    };
    await expect(runStudy(training.db, tenant, { studyId, objective: () => 1, workers: 3, onTrial })).rejects.toBe(
      enough,
    );
    expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({ running: 0 });
  });
});
