import { dispatchWork, isLeaseLost } from '@mcp-hub/db-core';
import { failureOf, freshTenant, startProgram } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type AskedTrial,
  askTrial,
  countTrials,
  getTrial,
  heartbeatTrial,
  listTrialValues,
  releaseTrial,
  reportTrialValue,
  staleTrialsHandler,
  sweepStaleTrials,
  tellTrial,
} from '../src/index.ts';
import { ask, makeStudy } from './support/studies.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, seconds));
const leaseMs = 10_000;

/** All sweeps that are due at that time, of all tenants. */
const sweepAt = (now: Date) => dispatchWork(training.db, { ...staleTrialsHandler({ now: () => now }), now: () => now });
const sweepsOf = async (tenant: string) => {
  const rows = await training.run(tenant, (tx) =>
    tx.execute<{ due: number }>(sql`
      select (extract(epoch from due_at) * 1000)::float8 as due from tenant_work
       where kind = 'training.staleTrials' order by due_at`),
  );
  return rows.map(({ due }) => new Date(due));
};
const trialOf = (tenant: string, { trialId }: AskedTrial) => training.run(tenant, (tx) => getTrial(tx, { trialId }));

/** What a worker that has lost its trial may still try. */
const lateWrites = (tenant: string, { lease }: AskedTrial) => [
  () => training.run(tenant, (tx) => reportTrialValue(tx, { lease, step: 9, value: 1 })),
  () => training.run(tenant, (tx) => heartbeatTrial(tx, lease)),
  () => training.run(tenant, (tx) => releaseTrial(tx, lease)),
  () => training.run(tenant, (tx) => tellTrial(tx, { lease, state: 'pruned' })),
  () => training.run(tenant, (tx) => tellTrial(tx, { lease, values: 1 })),
];

describe('the sweep', () => {
  it('gives a lost trial to the next worker with its parameters while attempts are left, and then calls it stale', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs, maxAttempts: 2 });
    const first = await ask(training, tenant, studyId, at(0));
    expect(first.leasedUntil).toEqual(at(10));
    expect(await sweepsOf(tenant)).toEqual([at(10)]);
    await sweepAt(at(9));
    expect((await trialOf(tenant, first)).status).toBe('running');
    await sweepAt(at(10));
    expect(await trialOf(tenant, first)).toMatchObject({ status: 'waiting', attempt: 1, params: first.params });
    expect(await sweepsOf(tenant)).toEqual([]);

    const second = await ask(training, tenant, studyId, at(20));
    expect(second).toMatchObject({ trialId: first.trialId, attempt: 2, params: first.params });
    for (const late of lateWrites(tenant, first)) expect(isLeaseLost(await failureOf(late()))).toBe(true);
    expect(await sweepsOf(tenant)).toEqual([at(30)]);
    await sweepAt(at(30));
    expect(await trialOf(tenant, second)).toMatchObject({ status: 'stale', attempt: 2, endedAt: at(30), values: null });
    for (const late of lateWrites(tenant, second)) expect(isLeaseLost(await failureOf(late()))).toBe(true);
    expect((await ask(training, tenant, studyId, at(31))).number).toBe(1);
  });

  it('comes back where heartbeats and reports have moved the end', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs });
    const trial = await ask(training, tenant, studyId, at(0));
    const { lease } = trial;
    expect(await training.run(tenant, (tx) => heartbeatTrial(tx, lease), { now: at(5) })).toEqual(at(15));
    await sweepAt(at(12));
    expect(await sweepsOf(tenant)).toEqual([at(15)]);
    const report = (step: number, now: Date) =>
      training.run(tenant, (tx) => reportTrialValue(tx, { lease, step, value: 1 }), { now });
    // More than half of the lease is left; then less.
    await report(1, at(9));
    expect((await trialOf(tenant, trial)).leasedUntil).toEqual(at(15));
    await report(2, at(14));
    expect((await trialOf(tenant, trial)).leasedUntil).toEqual(at(24));
    await sweepAt(at(15));
    expect((await trialOf(tenant, trial)).status).toBe('running');
    await sweepAt(at(24));
    expect((await trialOf(tenant, trial)).status).toBe('stale');
  });

  it('does not count an attempt that ended before the trial had parameters', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs, maxTrials: 1 });
    const trial = await ask(training, tenant, studyId, at(0));
    await training.run(tenant, (tx) => tx.execute(sql`update hyperparameter_trials set params = null`));
    await sweepAt(at(10));
    expect(await trialOf(tenant, trial)).toMatchObject({ status: 'waiting', attempt: 0 });
    expect(await ask(training, tenant, studyId, at(11))).toMatchObject({ number: 0, attempt: 1, params: trial.params });
  });

  it('passes over a trial that is just being told, and looks again', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs });
    const trial = await ask(training, tenant, studyId, at(0));
    await training.run(tenant, async (tx) => {
      await tellTrial(tx, { lease: trial.lease, values: 1 });
      await sweepAt(at(20));
    });
    expect((await trialOf(tenant, trial)).status).toBe('complete');
    expect(await sweepsOf(tenant)).toEqual([at(21)]);
    await sweepAt(at(21));
    expect(await sweepsOf(tenant)).toEqual([]);
  });

  it('is asked for again where its work was lost', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs });
    await ask(training, tenant, studyId, at(0));
    await training.run(tenant, (tx) => tx.execute(sql`delete from tenant_work`));
    await ask(training, tenant, studyId, at(60));
    expect(await sweepsOf(tenant)).toEqual([]);
    await ask(training, tenant, studyId, at(80));
    expect(await sweepsOf(tenant)).toEqual([at(90)]);
    expect(await training.run(tenant, (tx) => sweepStaleTrials(tx, { studyId }), { now: at(85) })).toEqual({
      waiting: 0,
      stale: 2,
    });
  });
});

describe('askTrial', () => {
  it('takes over a lost trial by itself where no dispatcher runs', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs, maxAttempts: 2, maxTrials: 1 });
    const first = await ask(training, tenant, studyId, at(0));
    const end = await askTrial(training.db, tenant, { studyId }, { now: at(9) });
    expect(end).toEqual({ trial: undefined, reason: 'trials', nextLeaseEnd: at(10) });
    const second = await ask(training, tenant, studyId, at(10));
    expect(second).toMatchObject({ trialId: first.trialId, attempt: 2, params: first.params });
    for (const late of lateWrites(tenant, first)) expect(isLeaseLost(await failureOf(late()))).toBe(true);
    await training.run(tenant, (tx) => tellTrial(tx, { lease: second.lease, values: 1 }));
    expect(await askTrial(training.db, tenant, { studyId }, { now: at(30) })).toMatchObject({ nextLeaseEnd: null });
  });

  it('gives a lost trial to one of many, however many ask at once, and stays within the budget', async () => {
    const tenant = freshTenant();
    const input = { leaseMs, maxAttempts: 2, maxTrials: 12 };
    const { id: studyId } = await makeStudy(training, tenant, input);
    for (let lost = 0; lost < 5; lost += 1) await ask(training, tenant, studyId, at(0));
    const asked = await Promise.all(
      Array.from({ length: 50 }, () => askTrial(training.db, tenant, { studyId }, { now: at(60) })),
    );
    const numbers = asked.flatMap(({ trial }) => trial?.number ?? []).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, number) => number));
    expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({ running: 12 });
  });

  it('makes a new trial where the lost worker tells its own in the same moment', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs, maxAttempts: 2 });
    const lost = await ask(training, tenant, studyId, at(0));
    const { made } = await training.run(tenant, async (tx) => {
      await tellTrial(tx, { lease: lost.lease, values: 1 });
      const asking = ask(training, tenant, studyId, at(60));
      await expect
        .poll(async () => {
          const rows = await tx.execute<{ waiting: number }>(
            sql`select count(*)::int as waiting from pg_locks where not granted`,
          );
          return rows[0]?.waiting;
        })
        .toBeGreaterThan(0);
      return { made: asking };
    });
    expect((await made).number).toBe(1);
    expect(await trialOf(tenant, lost)).toMatchObject({ status: 'complete', attempt: 1, values: [1] });
  });
});

it('the sweep and askTrial do not wait for each other crosswise', async () => {
  const tenant = freshTenant();
  const { id: studyId } = await makeStudy(training, tenant, { leaseMs, maxAttempts: 9 });
  await ask(training, tenant, studyId, at(0));
  // Each time the sweep is so late that askTrial asks for it again while it runs.
  for (let round = 1; round <= 5; round += 1) {
    const now = at(round * 300);
    await Promise.all([sweepAt(now), ...[1, 2, 3].map(() => ask(training, tenant, studyId, now))]);
  }
  expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({ stale: 0, failed: 0 });
});

describe('releaseTrial', () => {
  it('gives the trial to the next without counting the attempt or what it reported', async () => {
    const tenant = freshTenant();
    const pruner = { kind: 'asha' } as const;
    const { id: studyId } = await makeStudy(training, tenant, { pruner });
    const first = await ask(training, tenant, studyId);
    await training.run(tenant, async (tx) => {
      await reportTrialValue(tx, { lease: first.lease, step: 5, value: 3 });
      await releaseTrial(tx, first.lease);
    });
    const second = await ask(training, tenant, studyId);
    expect(second).toMatchObject({ trialId: first.trialId, attempt: 1, params: first.params });
    await training.run(tenant, (tx) => reportTrialValue(tx, { lease: second.lease, step: 5, value: 4 }));
    const { items } = await training.run(tenant, (tx) => listTrialValues(tx, { trialId: first.trialId }));
    expect(items.map(({ step, value }) => [step, value])).toEqual([[5, 4]]);
  });
});

describe('a worker process', () => {
  const hour = 3_600_000;
  const startWorker = (tenant: string, studyId: string, more: Readonly<Record<string, string>> = {}) =>
    startProgram({
      file: new URL('programs/try-trials.ts', import.meta.url),
      environment: { SERVICE_URL: training.serviceUrl, TENANT: tenant, STUDY_ID: studyId, ...more },
    });
  const afterLease = () => new Date(Date.now() + hour + 1_000);

  it('that is killed loses its trial, which the next worker is given once', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs: hour, maxAttempts: 2, maxTrials: 1 });
    const worker = startWorker(tenant, studyId);
    expect(JSON.parse(await worker.nextLine())).toEqual({ number: 0, attempt: 1 });
    expect(await worker.nextLine()).toBe('reported 0');
    worker.signal('SIGKILL');
    expect((await worker.ended).signal).toBe('SIGKILL');
    await sweepAt(new Date());
    expect(await training.run(tenant, (tx) => countTrials(tx, { studyId }))).toMatchObject({ running: 1, waiting: 0 });
    await expect
      .poll(async () => {
        await sweepAt(afterLease());
        return await training.run(tenant, (tx) => countTrials(tx, { studyId }));
      })
      .toMatchObject({ running: 0, waiting: 1 });
    const second = startWorker(tenant, studyId);
    expect(JSON.parse(await second.nextLine())).toEqual({ number: 0, attempt: 2 });
    expect(await askTrial(training.db, tenant, { studyId })).toMatchObject({ reason: 'trials', nextLeaseEnd: null });
    second.signal('SIGKILL');
    await second.ended;
  });

  it('that stood still meanwhile is refused what it writes late', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { leaseMs: hour, maxAttempts: 2, maxTrials: 1 });
    const zombie = startWorker(tenant, studyId, { STAND_STILL: 'yes' });
    await zombie.nextLine();
    await zombie.nextLine();
    const sweep = () => training.run(tenant, (tx) => sweepStaleTrials(tx, { studyId }), { now: afterLease() });
    expect(await sweep()).toEqual({ waiting: 1, stale: 0 });
    const next = await ask(training, tenant, studyId);
    const before = await trialOf(tenant, next);
    zombie.signal('SIGCONT');
    let line = await zombie.nextLine();
    while (line.startsWith('reported')) line = await zombie.nextLine();
    expect([line, await zombie.nextLine()]).toEqual(['lost', 'lost']);
    expect((await zombie.ended).exitCode).toBe(0);
    expect(await trialOf(tenant, next)).toEqual(before);
    await training.run(tenant, (tx) => tellTrial(tx, { lease: next.lease, values: 1 }));
  });
});
