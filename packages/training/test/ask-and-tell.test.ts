import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
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

  it('sends none of the workers that ask at once away while as many trials wait', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 8 });
    const trials = Array.from({ length: 8 }, (_, n) => ({ params: { x: n / 8, depth: 1 } }));
    await training.run(tenant, (tx) => enqueueTrials(tx, { studyId, trials }));
    const given = await Promise.all(trials.map(() => ask(training, tenant, studyId)));
    expect(given.map(({ number }) => number).sort((a, b) => a - b)).toEqual(trials.map((_, n) => n));
  });

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

  it('claims what was enqueued first, in its order, with the given parameters and those that the sampler adds', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    await ask(training, tenant, studyId);
    const enqueued = await training.run(tenant, async (tx) => [
      await enqueueTrial(tx, { studyId, params: { depth: 7 }, metadata: { why: 'known to be good' } }),
      await enqueueTrial(tx, { studyId, params: { x: 1.5, depth: 2 } }),
    ]);
    expect(enqueued.map(({ number }) => number)).toEqual([1, 2]);
    const [first, second, third] = [
      await ask(training, tenant, studyId),
      await ask(training, tenant, studyId),
      await ask(training, tenant, studyId),
    ];
    expect([first.number, second.number, third.number]).toEqual([1, 2, 3]);
    expect(first.params).toEqual({ depth: 7, x: expect.any(Number) });
    expect(second.params).toEqual({ x: 1.5, depth: 2 });
    expect(await training.run(tenant, (tx) => getTrial(tx, { studyId, number: 1 }))).toMatchObject({
      status: 'running',
      attempt: 1,
      fixedParams: { depth: 7 },
      metadata: { why: 'known to be good' },
    });
  });

  it('refuses to enqueue what the space does not have, what a grid does not go by, and more than the budget', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxTrials: 2 });
    const enqueue = (trials: { params: Record<string, number> }[], study = studyId) =>
      refusalOf(training.run(tenant, (tx) => enqueueTrials(tx, { studyId: study, trials })));
    expect(await enqueue([{ params: { x: 1 } }, { params: { y: 1 } }])).toMatchObject({
      code: 'invalid_input',
      details: { field: 'trials[1].params' },
    });
    expect(await enqueue([{ params: { depth: 0.5 } }])).toMatchObject({ code: 'invalid_input' });
    expect(await enqueue([{ params: {} }, { params: {} }, { params: {} }])).toMatchObject({
      code: 'failed_precondition',
      details: { maxTrials: 2, trials: 0, got: 3 },
    });
    const searchSpace = { depth: { type: 'int', low: 1, high: 3 } } as const;
    const grid = await makeStudy(training, tenant, { name: 'grid', sampler: { kind: 'grid' }, searchSpace });
    expect(await enqueue([{ params: {} }], grid.id)).toMatchObject({ code: 'failed_precondition' });
  });

  it('goes through a grid once, and then ends', async () => {
    const tenant = freshTenant();
    const searchSpace = {
      depth: { type: 'int', low: 1, high: 3 },
      loss: { type: 'categorical', choices: ['l1', 'l2'] },
    } as const;
    const { id: studyId, maxTrials } = await makeStudy(training, tenant, { sampler: { kind: 'grid' }, searchSpace });
    expect(maxTrials).toBe(6);
    const cells = new Set<string>();
    for (let cell = 0; cell < 6; cell += 1) cells.add(JSON.stringify((await ask(training, tenant, studyId)).params));
    expect(cells.size).toBe(6);
    expect(await askTrial(training.db, tenant, { studyId })).toMatchObject({ trial: undefined, reason: 'trials' });
  });

  it('is asked by TPE for what came before: pruned, running and of several objectives too', async () => {
    const tenant = freshTenant();
    const objectives = [
      { name: 'loss', direction: 'minimize' },
      { name: 'recall', direction: 'maximize' },
    ] as const;
    for (const [name, few] of [
      ['one', objectives.slice(0, 1)],
      ['two', objectives],
    ] as const) {
      const { id: studyId } = await makeStudy(training, tenant, {
        name,
        sampler: { kind: 'tpe', startupTrials: 4 },
        objectives: few,
      });
      const near: number[] = [];
      for (let number = 0; number < 40; number += 1) {
        const { lease, params } = await ask(training, tenant, studyId);
        const x = Number(params['x']);
        near.push(Math.abs(x - 2));
        if (number % 13 === 12) continue;
        await training.run(tenant, async (tx) => {
          if (number % 9 === 8) {
            await reportTrialValue(tx, { lease, step: 1, value: (x - 2) ** 2 });
            await tellTrial(tx, { lease, state: 'pruned' });
          } else {
            await tellTrial(tx, { lease, values: few.map((_, place) => (place === 0 ? 1 : -1) * (x - 2) ** 2) });
          }
        });
      }
      const mean = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0) / some.length;
      expect(mean(near.slice(-20))).toBeLessThan(mean(near.slice(0, 10)));
    }
  });

  it('gives nothing while the study is stopped or after its deadline, and goes on when it is resumed', async () => {
    const tenant = freshTenant();
    const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second));
    const { id: studyId } = await makeStudy(training, tenant, { timeBudgetMs: 10_000, maxTrials: 2 }, { now: at(0) });
    const asked = async (second: number) => {
      const { trial, ...end } = await askTrial(training.db, tenant, { studyId }, { now: at(second) });
      return trial?.number ?? (end as { reason: string }).reason;
    };
    expect(await asked(9)).toBe(0);
    expect(await asked(10)).toBe('deadline');
    await training.run(tenant, (tx) => resumeStudy(tx, { studyId, timeBudgetMs: 10_000 }), { now: at(20) });
    await training.run(tenant, (tx) => stopStudy(tx, { studyId, reason: 'enough' }));
    expect(await asked(21)).toBe('stopped');
    await training.run(tenant, (tx) => resumeStudy(tx, { studyId }));
    expect(await asked(29)).toBe(1);
    expect(await asked(29)).toBe('trials');
    const fewer = training.run(tenant, (tx) => resumeStudy(tx, { studyId, maxTrials: 1 }));
    expect(await refusalOf(fewer)).toMatchObject({ code: 'failed_precondition', details: { trials: 2 } });
    await training.run(tenant, (tx) => resumeStudy(tx, { studyId, maxTrials: 3, deadlineAt: null }));
    expect(await asked(1_000)).toBe(2);
  });

  it('does not hold the study while the sampler thinks', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { sampler: { kind: 'tpe', startupTrials: 0 } });
    // The history is read between the two transactions: while that waits, others use the study.
    const owner = postgres(training.ownerUrl, { max: 1, onnotice: () => {} });
    const thinking = await owner.begin(async (locked) => {
      await locked`lock table hyperparameter_trial_values in access exclusive mode`;
      const asking = ask(training, tenant, studyId);
      await expect.poll(async () => (await training.run(tenant, (tx) => countTrials(tx, { studyId }))).running).toBe(1);
      await training.run(tenant, (tx) => enqueueTrial(tx, { studyId, params: { x: 0, depth: 1 } }));
      await training.run(tenant, (tx) => stopStudy(tx, { studyId }));
      return { asking };
    });
    expect((await thinking.asking).number).toBe(0);
    await owner.end();
  });

  it('gives a trial back whose sampler throws, and says what is wrong', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    await training.run(tenant, (tx) =>
      tx.execute(sql`update hyperparameter_studies set search_space = '{"x": {"type": "float", "low": 2, "high": 1}}'`),
    );
    expect(await refusalOf(askTrial(training.db, tenant, { studyId }))).toMatchObject({ code: 'invalid_input' });
    expect(await refusalOf(askTrial(training.db, tenant, { studyId }))).toMatchObject({ code: 'invalid_input' });
    expect(await training.run(tenant, (tx) => getTrial(tx, { studyId, number: 0 }))).toMatchObject({
      status: 'waiting',
      attempt: 0,
    });
  });
});

describe('tellTrial', () => {
  const objectives = [
    { name: 'loss', direction: 'minimize' },
    { name: 'recall', direction: 'maximize' },
  ] as const;

  it('takes one number an objective, in their order or by their names, and nothing else', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { objectives });
    const tell = async (values: Parameters<typeof tellTrial>[1]['values']) => {
      const { lease } = await ask(training, tenant, studyId);
      return await training.run(tenant, (tx) => tellTrial(tx, { lease, values }));
    };
    expect((await tell([1, 0.5])).values).toEqual([1, 0.5]);
    expect((await tell({ recall: 0.5, loss: 1 })).values).toEqual([1, 0.5]);
    expect((await tell([Number.POSITIVE_INFINITY, -0])).values).toEqual([Number.POSITIVE_INFINITY, -0]);
    for (const values of [1, [1], [1, 2, 3], { loss: 1 }, { loss: 1, recal: 2 }, { loss: 1, recall: 2, f1: 3 }]) {
      const refusal = await refusalOf(tell(values));
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: 'values', objectives: 2 } });
    }
  });

  it('fails a trial with NaN, and has a failed one tried again with the same parameters while attempts are left', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { maxAttempts: 3, maxTrials: 1 });
    const first = await ask(training, tenant, studyId);
    const failed = await training.run(tenant, (tx) => tellTrial(tx, { lease: first.lease, values: Number.NaN }));
    expect(failed).toMatchObject({ status: 'waiting', values: null, error: 'The objective gave NaN.', endedAt: null });
    const second = await ask(training, tenant, studyId);
    expect(second).toMatchObject({ trialId: first.trialId, attempt: 2, params: first.params });
    const how = { lease: second.lease, state: 'failed', error: 'out of memory' } as const;
    expect(await training.run(tenant, (tx) => tellTrial(tx, how))).toMatchObject({ status: 'waiting' });
    const third = await ask(training, tenant, studyId);
    const told = await training.run(tenant, (tx) => tellTrial(tx, { ...how, lease: third.lease }));
    expect(told).toMatchObject({ status: 'failed', attempt: 3, error: 'out of memory', endedAt: expect.any(Date) });
    expect(await askTrial(training.db, tenant, { studyId })).toMatchObject({ reason: 'trials', nextLeaseEnd: null });
  });

  it('stays as it is when it is told again in the same way, and refuses another', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { objectives });
    const told = { values: { loss: 1, recall: 2 }, metadata: { host: 'a' } };
    const { lease } = await ask(training, tenant, studyId);
    const first = await training.run(tenant, (tx) => tellTrial(tx, { lease, ...told }));
    expect(first).toMatchObject({ status: 'complete', values: [1, 2], metadata: { host: 'a' }, leasedUntil: null });
    expect(await training.run(tenant, (tx) => tellTrial(tx, { lease, ...told }))).toEqual(first);
    expect(await training.run(tenant, (tx) => tellTrial(tx, { lease, values: [1, 2] }))).toEqual(first);
    for (const other of [{ values: [1, 3] }, { state: 'pruned' }, { state: 'failed' }] as const) {
      const refusal = await refusalOf(training.run(tenant, (tx) => tellTrial(tx, { lease, ...other })));
      expect(refusal).toMatchObject({ code: 'conflict', details: { reason: 'already_told' } });
    }
    for (const state of ['pruned', 'failed'] as const) {
      const trial = await ask(training, tenant, studyId);
      const tell = () => training.run(tenant, (tx) => tellTrial(tx, { lease: trial.lease, state }));
      expect(await tell()).toEqual(await tell());
    }
  });

  it('may be told while the study is stopped, and not while it is deleted', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const [one, other] = [await ask(training, tenant, studyId), await ask(training, tenant, studyId)];
    await training.run(tenant, (tx) => stopStudy(tx, { studyId }));
    await training.run(tenant, (tx) => tellTrial(tx, { lease: one.lease, values: 1 }));
    await training.run(tenant, (tx) => deleteStudy(tx, { studyId }));
    const { lease } = other;
    for (const refused of [
      () => training.run(tenant, (tx) => tellTrial(tx, { lease, values: 1 })),
      () => training.run(tenant, (tx) => reportTrialValue(tx, { lease, step: 1, value: 1 })),
      () => training.run(tenant, (tx) => heartbeatTrial(tx, lease)),
      () => training.run(tenant, (tx) => releaseTrial(tx, lease)),
    ]) {
      expect(await refusalOf(refused())).toMatchObject({ code: 'failed_precondition' });
    }
    expect(await refusalOf(askTrial(training.db, tenant, { studyId }))).toMatchObject({ code: 'not_found' });
    expect((await training.run(tenant, (tx) => listTrials(tx, { studyId }))).items).toEqual([]);
  });
});
