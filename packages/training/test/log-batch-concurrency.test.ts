import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { createRun, deleteRun, getRun, listMetricPoints, logBatch } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const at = new Date('2026-01-01T00:00:00Z');

/** In an order of its own for each seed. */
function shuffled<Item>(items: readonly Item[], seed: number): readonly Item[] {
  let state = seed;
  const rank = items.map((item) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return [state, item] as const;
  });
  return rank.sort(([left], [right]) => left - right).map(([, item]) => item);
}

it('four workers log 2,000 keys to two runs in any order: every point is there once, and none fails', async () => {
  const tenant = freshTenant();
  const runIds = await training.run(tenant, async (tx) => [
    (await createRun(tx, { name: 'one' })).id,
    (await createRun(tx, { name: 'two' })).id,
  ]);
  const keys = Array.from({ length: 2_000 }, (_, index) => `metric ${index}`);
  const start = barrier(4);
  let sent = 0;
  const work = async (worker: number) => {
    start.arrive();
    await start.passed;
    for (let round = 0; round < 12; round += 1) {
      const step = worker * 100 + round;
      const [runId = ''] = round % 2 === worker % 2 ? runIds : runIds.slice(1);
      const batch = shuffled(keys, step + 1).slice(0, [1, 2_000, 100][round % 3]);
      const points = batch.map((key) => ({ key, value: step, step, at }));
      sent += points.length;
      await training.run(tenant, (tx) => logBatch(tx, { runId, points }));
    }
  };
  await Promise.all([0, 1, 2, 3].map(work));
  await training.run(tenant, async (tx) => {
    const [stored] = await tx.execute(sql`
      select count(*)::int as points, sum(s.point_count)::int as counted, count(distinct (s.run_id, s.key_id))::int as ids,
             max(s.key_id) as last_id
        from (select m.run_id, m.key_id, count(*) as points from training_metrics m group by 1, 2) counts
        join training_metric_keys s using (run_id, key_id)`);
    expect(stored).toMatchObject({ points: 4_000, counted: sent, ids: 4_000, last_id: 2_000 });
    const wrong = await tx.execute(sql`
      select from training_metric_keys k
       where point_count <> (select count(*) from training_metrics m where m.run_id = k.run_id and m.key_id = k.key_id)
          or latest_step <> (select max(step) from training_metrics m where m.run_id = k.run_id and m.key_id = k.key_id)`);
    expect(wrong).toHaveLength(0);
  });
}, 60_000);

it('two first batches of a run give each key one id', async () => {
  const tenant = freshTenant();
  const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
  const [first, second] = [barrier(), barrier()];
  const points = ['b', 'a', 'c'].map((key, index) => ({ key, value: index, step: 1, at }));
  const early = training.run(tenant, async (tx) => {
    await logBatch(tx, { runId, points });
    first.open();
    await second.passed;
  });
  await first.passed;
  // It waits for the first one's transaction, which is let go when this one stands at the lock.
  const late = training.run(tenant, (tx) =>
    logBatch(tx, { runId, points: points.toReversed().map((point) => ({ ...point, step: 2 })) }),
  );
  await waitForLock(tenant);
  second.open();
  await Promise.all([early, late]);
  const { metrics } = await training.run(tenant, (tx) => getRun(tx, { runId }));
  expect(Object.values(metrics).map(({ pointCount, latest }) => [pointCount, latest.step])).toEqual([
    [2, 2],
    [2, 2],
    [2, 2],
  ]);
});

it('of two that log another value of one param at the same time, one is refused whole', async () => {
  const tenant = freshTenant();
  const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
  const [first, second] = [barrier(), barrier()];
  const early = training.run(tenant, async (tx) => {
    await logBatch(tx, { runId, params: { lr: '0.1' } });
    first.open();
    await second.passed;
  });
  await first.passed;
  const late = refusalOf(
    training.run(tenant, (tx) => logBatch(tx, { runId, params: { lr: '0.2' }, points: [{ key: 'm', value: 1 }] })),
  );
  await waitForLock(tenant);
  second.open();
  await early;
  expect((await late).code).toBe('conflict');
  expect(await training.run(tenant, (tx) => getRun(tx, { runId }))).toMatchObject({
    params: { lr: '0.1' },
    metrics: {},
  });
});

it('a batch that waited while its run was deleted is refused', async () => {
  const tenant = freshTenant();
  const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
  const [first, second] = [barrier(), barrier()];
  const early = training.run(tenant, async (tx) => {
    await deleteRun(tx, { runId });
    first.open();
    await second.passed;
  });
  await first.passed;
  const late = refusalOf(training.run(tenant, (tx) => logBatch(tx, { runId, points: [{ key: 'm', value: 1 }] })));
  await waitForLock(tenant);
  second.open();
  await early;
  expect((await late).code).toBe('failed_precondition');
  expect((await training.run(tenant, (tx) => listMetricPoints(tx, { runId, key: 'm' }))).items).toEqual([]);
});

/** Until a transaction of this test's database waits for another. */
async function waitForLock(tenant: string): Promise<void> {
  for (;;) {
    const [waiting] = await training.run(tenant, (tx) =>
      tx.execute(sql`
        select from pg_locks l join pg_stat_activity a using (pid)
         where not l.granted and a.datname = current_database()`),
    );
    if (waiting !== undefined) return;
  }
}
