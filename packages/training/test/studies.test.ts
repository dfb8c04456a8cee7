import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type CreateStudyInput,
  createRun,
  createStudy,
  deleteRun,
  deleteStudy,
  enqueueTrials,
  findBestTrial,
  findStudy,
  getBestTrial,
  getStudy,
  getTrial,
  listParetoTrials,
  listStudies,
  listStudyEvents,
  listTrials,
  listTrialValues,
  purgeRuns,
  purgeStudies,
  reportTrialValue,
  restoreStudy,
  resumeStudy,
  setTrialRun,
  stopStudy,
  TRAINING_LIMITS,
  tellTrial,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { ask, makeStudy, space } from './support/studies.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const never = '01890000-0000-7000-8000-000000000000';

describe('createStudy', () => {
  it('fills in what was not said', async () => {
    const tenant = freshTenant();
    const study = await training.run(tenant, (tx) => createStudy(tx, { name: 's', searchSpace: space }), {
      actor: 'ada',
    });
    expect(study).toMatchObject({
      name: 's',
      status: 'running',
      searchSpace: space,
      objectives: [{ name: 'value', direction: 'minimize' }],
      sampler: { kind: 'tpe' },
      pruner: null,
      seed: expect.any(Number),
      maxTrials: null,
      deadlineAt: null,
      maxAttempts: 1,
      leaseMs: 60_000,
      nextTrialNumber: 0,
      actor: 'ada',
    });
    expect(await training.run(tenant, (tx) => getStudy(tx, { studyId: study.id }))).toEqual(study);
    expect(await training.run(tenant, (tx) => getStudy(tx, { name: 's' }))).toEqual(study);
    expect(Object.keys(study)).not.toContain('nextSweepAt');
  });

  it.each<[string, Partial<CreateStudyInput>, string]>([
    ['an empty space', { searchSpace: {} }, 'searchSpace'],
    ['a pruner beside two objectives', twoObjectives({ pruner: { kind: 'median' } }), 'pruner'],
    ['an objective named twice', twoObjectives({}, 'loss'), 'objectives'],
    ['two ends', { timeBudgetMs: 1_000, deadlineAt: new Date() }, ''],
    ['a lease below the limit', { leaseMs: TRAINING_LIMITS.leaseMsMin - 1 }, 'leaseMs'],
    ['no trial', { maxTrials: 0 }, 'maxTrials'],
    ['a percentile above 100', { pruner: { kind: 'percentile', percentile: 101 } }, 'pruner.percentile'],
    ['a space that is too long as JSON', { searchSpace: longSpace() }, 'searchSpace'],
  ])('refuses %s', async (_, input, field) => {
    expect(await refusalOf(makeStudy(training, freshTenant(), input))).toMatchObject({
      code: 'invalid_input',
      details: { field },
    });
  });

  it('gives a name once, to one of those who want it at the same time', async () => {
    const tenant = freshTenant();
    const made = await Promise.allSettled(Array.from({ length: 4 }, () => makeStudy(training, tenant)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await refusalOf(makeStudy(training, tenant))).toMatchObject({ code: 'already_exists' });
  });

  it('gives the first study again for the same idempotency key, and refuses another input', async () => {
    const tenant = freshTenant();
    const input = { idempotencyKey: 'k', deadlineAt: new Date('2040-01-01T00:00:00Z') };
    const first = await makeStudy(training, tenant, input);
    expect(await makeStudy(training, tenant, input)).toEqual(first);
    expect(await refusalOf(makeStudy(training, tenant, { ...input, seed: 9 }))).toMatchObject({ code: 'conflict' });
    const enqueue = (x: number) =>
      training.run(tenant, (tx) =>
        enqueueTrials(tx, { studyId: first.id, trials: [{ params: { x } }], idempotencyKey: 'k' }),
      );
    expect(await enqueue(1)).toEqual(await enqueue(1));
    expect(await refusalOf(enqueue(2))).toMatchObject({ code: 'conflict' });
    expect((await training.run(tenant, (tx) => getStudy(tx, { studyId: first.id }))).nextTrialNumber).toBe(1);
  });
});

function twoObjectives(input: Partial<CreateStudyInput>, second = 'recall'): Partial<CreateStudyInput> {
  const objectives = [
    { name: 'loss', direction: 'minimize' },
    { name: second, direction: 'maximize' },
  ] as const;
  return { ...input, objectives };
}

function longSpace(): CreateStudyInput['searchSpace'] {
  const choices = Array.from({ length: 20 }, (_, n) => String(n).padStart(TRAINING_LIMITS.paramValueLength, '.'));
  return { x: { type: 'categorical', choices } };
}

describe('a study', () => {
  it('tells of each of its changes once, in its history and its events', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const trial = await ask(training, tenant, studyId);
    const changes: readonly ((tx: TenantTx) => Promise<unknown>)[] = [
      (tx) => stopStudy(tx, { studyId, reason: 'enough' }),
      (tx) => stopStudy(tx, { studyId }),
      (tx) => resumeStudy(tx, { studyId, maxTrials: 9 }),
      (tx) => resumeStudy(tx, { studyId }),
      (tx) => reportTrialValue(tx, { lease: trial.lease, step: 1, value: 1 }),
      (tx) => tellTrial(tx, { lease: trial.lease, values: 1 }),
      (tx) => deleteStudy(tx, { studyId }),
      (tx) => restoreStudy(tx, { studyId }),
      (tx) => restoreStudy(tx, { studyId }),
      (tx) => deleteStudy(tx, { studyId }),
    ];
    for (const change of changes) await training.run(tenant, change, { actor: 'ada' });
    await purgeStudies(training.db, tenant, { deletedBefore: new Date('2100-01-01T00:00:00Z') });

    const kinds = ['created', 'stopped', 'resumed', 'deleted', 'restored', 'deleted', 'purged'];
    const { items } = await training.run(tenant, (tx) => listStudyEvents(tx, { studyId }));
    expect(items.map(({ kind, changeNumber }) => [changeNumber, kind]).toReversed()).toEqual(
      kinds.map((kind, place) => [place + 1, kind]),
    );
    expect(items.at(-2)).toMatchObject({ kind: 'stopped', reason: 'enough', name: 'study', actor: 'ada' });
    const events = await training.run(tenant, (tx) =>
      tx.execute(sql`select topic, subject_id, payload from outbox_events order by id`),
    );
    expect(events).toEqual(
      kinds.map((kind, place) => ({
        topic: `study.${kind}`,
        subject_id: studyId,
        payload: { name: 'study', changeNumber: place + 1 },
      })),
    );
  });

  it('is hidden while it is deleted, keeps its name, and comes back as it was', async () => {
    const tenant = freshTenant();
    const study = await makeStudy(training, tenant);
    const { id: studyId } = study;
    const { lease, trialId } = await ask(training, tenant, studyId);
    await training.run(tenant, async (tx) => {
      await reportTrialValue(tx, { lease, step: 1, value: 1 });
      await tellTrial(tx, { lease, values: 1 });
      await deleteStudy(tx, { studyId });
    });
    await training.run(tenant, async (tx) => {
      expect(await findStudy(tx, { studyId })).toBeUndefined();
      expect(await findStudy(tx, { name: study.name })).toBeUndefined();
      expect((await listStudies(tx)).items).toEqual([]);
      expect((await listStudies(tx, { deleted: true })).items.map(({ id }) => id)).toEqual([studyId]);
      expect((await listTrials(tx, { studyId })).items).toEqual([]);
      expect((await listTrialValues(tx, { trialId })).items).toEqual([]);
      expect((await listParetoTrials(tx, { studyId })).items).toEqual([]);
      expect(await findBestTrial(tx, { studyId })).toBeUndefined();
    });
    for (const refused of [
      () => training.run(tenant, (tx) => getTrial(tx, { trialId })),
      () => training.run(tenant, (tx) => stopStudy(tx, { studyId })),
      () => training.run(tenant, (tx) => deleteStudy(tx, { studyId })),
      () => training.run(tenant, (tx) => setTrialRun(tx, { trialId, runId: null })),
      () => training.run(tenant, (tx) => restoreStudy(tx, { studyId: never })),
    ]) {
      expect(await refusalOf(refused())).toMatchObject({ code: 'not_found' });
    }
    expect(await refusalOf(makeStudy(training, tenant))).toMatchObject({ code: 'already_exists' });
    await training.run(tenant, async (tx) => {
      expect(await restoreStudy(tx, { studyId })).toMatchObject({
        ...study,
        nextTrialNumber: 1,
        updatedAt: expect.any(Date),
      });
      expect((await findBestTrial(tx, { studyId }))?.number).toBe(0);
    });
  });

  it('is purged in small transactions, another call taking up what one left, and its runs stay', async () => {
    const tenant = freshTenant();
    const [gone, kept] = [await makeStudy(training, tenant), await makeStudy(training, tenant, { name: 'kept' })];
    for (const { id: studyId } of [gone, kept]) {
      for (let trials = 0; trials < 3; trials += 1) {
        const { lease } = await ask(training, tenant, studyId);
        await training.run(tenant, async (tx) => {
          for (let step = 1; step <= 5; step += 1) await reportTrialValue(tx, { lease, step, value: step });
        });
      }
    }
    await training.run(tenant, (tx) => deleteStudy(tx, { studyId: gone.id }));
    const deletedBefore = new Date('2100-01-01T00:00:00Z');
    const stop = new AbortController();
    stop.abort();
    const none = await purgeStudies(training.db, tenant, { deletedBefore, signal: stop.signal });
    expect(none).toEqual({ studies: 0, trials: 0, values: 0 });
    const purged = await Promise.all(
      [1, 2].map(() => purgeStudies(training.db, tenant, { deletedBefore, batchSize: 4 })),
    );
    const sum = (of: 'studies' | 'trials' | 'values') => purged.reduce((total, one) => total + one[of], 0);
    expect([sum('studies'), sum('trials'), sum('values')]).toEqual([1, 3, 15]);
    const rows = await training.run(tenant, (tx) =>
      tx.execute(sql`
        select (select count(*)::int from hyperparameter_studies) as studies,
               (select count(*)::int from hyperparameter_trials) as trials,
               (select count(*)::int from hyperparameter_trial_values) as values`),
    );
    expect(rows).toEqual([{ studies: 1, trials: 3, values: 15 }]);
    await makeStudy(training, tenant);
  });
});

describe('listTrials', () => {
  it('filters and orders trials by what came of them, by pages', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    for (const value of [3, 1, 2, 5, 4]) {
      const { lease } = await ask(training, tenant, studyId);
      await training.run(tenant, (tx) => tellTrial(tx, { lease, values: value }));
    }
    await ask(training, tenant, studyId);
    const list = async (input: object) => {
      const { items } = await training.run(tenant, (tx) => listTrials(tx, { studyId, ...input }));
      return items.map(({ number }) => number);
    };
    expect(await list({})).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await list({ orderBy: 'value DESC' })).toEqual([3, 4, 0, 2, 1, 5]);
    expect(await list({ filter: "status = 'complete' AND value < 4", orderBy: 'value' })).toEqual([1, 2, 0]);
    const first = await training.run(tenant, (tx) => listTrials(tx, { studyId, orderBy: 'value', limit: 4 }));
    const cursor = first.nextCursor ?? '';
    expect(await list({ orderBy: 'value', limit: 4, cursor })).toEqual([3, 5]);
  });
});

describe('findBestTrial and listParetoTrials', () => {
  it('give the trials with the best value where there is one objective, the first of them as the best', async () => {
    for (const direction of ['minimize', 'maximize'] as const) {
      const tenant = freshTenant();
      const objectives = [{ name: 'score', direction }];
      const { id: studyId } = await makeStudy(training, tenant, { objectives });
      const find = () => training.run(tenant, (tx) => findBestTrial(tx, { studyId }));
      expect(await find()).toBeUndefined();
      expect(await refusalOf(training.run(tenant, (tx) => getBestTrial(tx, { studyId })))).toMatchObject({
        code: 'not_found',
      });
      for (const value of [2, 1, 3, 1, 3, Number.NaN]) {
        const { lease } = await ask(training, tenant, studyId);
        await training.run(tenant, (tx) => tellTrial(tx, { lease, values: value }));
      }
      const front = (await training.run(tenant, (tx) => listParetoTrials(tx, { studyId, limit: 1 }))).items;
      const all = (await training.run(tenant, (tx) => listParetoTrials(tx, { studyId }))).items;
      expect([(await find())?.number, front.map(({ number }) => number), all.map(({ number }) => number)]).toEqual(
        direction === 'minimize' ? [1, [1], [1, 3]] : [2, [2], [2, 4]],
      );
    }
  });

  it('find the best of any objective', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, twoObjectives({}));
    for (const values of [
      [1, 5],
      [0, 2],
      [3, 9],
    ]) {
      const { lease } = await ask(training, tenant, studyId);
      await training.run(tenant, (tx) => tellTrial(tx, { lease, values }));
    }
    const best = async (objective: number) =>
      (await training.run(tenant, (tx) => findBestTrial(tx, { studyId, objective })))?.number;
    expect([await best(0), await best(1), await best(2)]).toEqual([1, 2, undefined]);
  });
});

describe('setTrialRun', () => {
  it('links a trial to a run, which is then kept from being purged', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const { trialId } = await ask(training, tenant, studyId);
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    expect(await training.run(tenant, (tx) => setTrialRun(tx, { trialId, runId }))).toMatchObject({ runId });
    for (const input of [
      { trialId, runId: never },
      { trialId: never, runId },
    ]) {
      expect(await refusalOf(training.run(tenant, (tx) => setTrialRun(tx, input)))).toMatchObject({
        code: 'not_found',
      });
    }
    await training.run(tenant, (tx) => deleteRun(tx, { runId }));
    const deletedBefore = new Date('2100-01-01T00:00:00Z');
    const purged = await purgeRuns(training.db, tenant, { deletedBefore });
    expect(purged).toMatchObject({ runs: 0, kept: { hyperparameter_trials: 1 } });
    expect(await refusalOf(training.run(tenant, (tx) => setTrialRun(tx, { trialId, runId })))).toMatchObject({
      code: 'not_found',
    });
    await training.run(tenant, (tx) => setTrialRun(tx, { trialId, runId: null }));
    expect(await purgeRuns(training.db, tenant, { deletedBefore })).toMatchObject({ runs: 1, kept: {} });
  });
});
