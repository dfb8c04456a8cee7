import { connect, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  deleteRun,
  finishRun,
  getRun,
  heartbeatRun,
  type KeptRun,
  linkRunModel,
  listRunEvents,
  logBatch,
  purgeRuns,
  recordArtifacts,
  restoreRun,
  sweepStaleRuns,
  unlinkRunModel,
  updateRun,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const later = new Date('2100-01-01T00:00:00Z');

const pointsOf = (count: number, key = 'loss') =>
  Array.from({ length: count }, (_, step) => ({ key, step, value: step }));

/** A run with something in each of its tables. */
async function fullRun(tx: TenantTx, name: string, count = 10): Promise<string> {
  const { id: runId } = await createRun(tx, { name, params: { lr: '0.1' }, tags: { k: 'v' }, start: true });
  await logBatch(tx, { runId, points: [...pointsOf(count), ...pointsOf(count, 'auc')], goals: { loss: 'minimize' } });
  await recordArtifacts(tx, { runId, artifacts: [{ path: 'a' }] });
  return runId;
}

const rowsLeft = (tenant: string) =>
  training.run(tenant, async (tx) => {
    const counts: Record<string, number> = {};
    for (const table of ['runs', 'params', 'tags', 'metric_keys', 'metrics', 'artifacts', 'run_models', 'purges']) {
      const [row] = await tx.execute<{ n: number }>(
        sql`select count(*)::int as n from ${sql.identifier(`training_${table}`)}`,
      );
      if (row !== undefined && row.n > 0) counts[table] = row.n;
    }
    return counts;
  });

describe('a deleted run', () => {
  it('is hidden, refuses writers, and comes back with all its data', async () => {
    await training.run(freshTenant(), async (tx) => {
      const runId = await fullRun(tx, 'r');
      const before = await getRun(tx, { runId });
      await deleteRun(tx, { runId, reason: 'a mistake' });
      expect((await refusalOf(getRun(tx, { runId }))).code).toBe('not_found');
      const hidden = await getRun(tx, { runId, includeDeleted: true });
      expect(hidden).toMatchObject({ params: before.params, metrics: before.metrics });
      expect(hidden.deletedAt).toBeInstanceOf(Date);

      const refused = [
        await refusalOf(logBatch(tx, { runId, points: pointsOf(1) })),
        await refusalOf(recordArtifacts(tx, { runId, artifacts: [] })),
        await refusalOf(finishRun(tx, { runId })),
        await refusalOf(updateRun(tx, { runId, description: 'd' })),
        await refusalOf(createRun(tx, { name: 'child', parentRunId: runId })),
      ];
      for (const error of refused) {
        expect(error).toMatchObject({ code: 'failed_precondition', details: { reason: 'run_deleted' } });
      }

      await deleteRun(tx, { runId });
      await restoreRun(tx, { runId });
      await restoreRun(tx, { runId });
      const { updatedAt: _, ...same } = before;
      expect(await getRun(tx, { runId })).toMatchObject(same);
      const { items } = await listRunEvents(tx, { runId });
      expect(items.map(({ kind, reason }) => [kind, reason]).slice(0, 2)).toEqual([
        ['restored', null],
        ['deleted', 'a mistake'],
      ]);
    });
  });

  it('whose worker sends heartbeats is refused them, and goes stale', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId, fencingToken } = await createRun(tx, { name: 'r', start: true, leaseMs: 1_000 });
      await deleteRun(tx, { runId });
      const refused = await refusalOf(heartbeatRun(tx, { runId, fencingToken, leaseMs: 1_000 }));
      expect(refused.details).toEqual({ reason: 'run_deleted' });
      await tx.execute(sql`update training_runs set leased_until = app_now()`);
      expect(await sweepStaleRuns(tx)).toHaveLength(1);
    });
  });

  it('is not deleted while a live version is what it produced', async () => {
    await training.run(freshTenant(), async (tx) => {
      const base = await registerVersion(tx, { name: 'base' });
      const made = await registerVersion(tx, { name: 'm' });
      const { id: runId } = await createRun(tx, { name: 'r' });
      await linkRunModel(tx, { runId, versionId: base.id, role: 'input' });
      await linkRunModel(tx, { runId, versionId: made.id });
      const refused = await refusalOf(deleteRun(tx, { runId }));
      expect([refused.code, refused.details]).toEqual(['failed_precondition', { reason: 'model_linked' }]);
      await tx
        .transaction(async (savepoint) => {
          await deleteVersion(savepoint, { name: 'm', version: '1' });
          await deleteRun(savepoint, { runId });
          throw new Error('undo');
        })
        .catch((error: unknown) => expect(error).toMatchObject({ message: 'undo' }));
      await unlinkRunModel(tx, { runId, versionId: made.id });
      await deleteRun(tx, { runId });
    });
  });
});

describe('purgeRuns', () => {
  it('deletes for good what was deleted before the time, and leaves the history', async () => {
    const tenant = freshTenant();
    const [old, young, live] = await training.run(
      tenant,
      async (tx) => [await fullRun(tx, 'old', 1_000), await fullRun(tx, 'young'), await fullRun(tx, 'live')] as const,
    );
    const at = (iso: string) => ({ now: new Date(iso) });
    await training.run(tenant, (tx) => deleteRun(tx, { runId: old }), at('2090-01-01T00:00:00Z'));
    await training.run(tenant, (tx) => deleteRun(tx, { runId: young }), at('2091-01-01T00:00:00Z'));

    const deletedBefore = new Date('2090-06-01T00:00:00Z');
    const purged = await purgeRuns(training.db, tenant, { deletedBefore, batchSize: 300 });
    expect(purged).toEqual({ runs: 1, points: 2_000, kept: {} });
    expect(await rowsLeft(tenant)).toEqual({
      ...{ runs: 2, params: 2, tags: 2, metric_keys: 4, metrics: 40, artifacts: 2 },
    });
    await training.run(tenant, async (tx) => {
      expect((await refusalOf(restoreRun(tx, { runId: old }))).code).toBe('not_found');
      expect((await listRunEvents(tx, { runId: old })).items[0]).toMatchObject({ kind: 'purged', name: 'old' });
      await restoreRun(tx, { runId: young });
      expect((await getRun(tx, { runId: live })).metrics['loss']?.pointCount).toBe(10);
    });
    expect(await purgeRuns(training.db, tenant, { deletedBefore })).toEqual({ runs: 0, points: 0, kept: {} });
  });

  it('keeps what something refers to, whatever table that is, whole, and reports it', async () => {
    const tenant = freshTenant();
    const ids = await training.run(tenant, async (tx) => {
      const made = await registerVersion(tx, { name: 'm' });
      await deleteVersion(tx, { name: 'm', version: '1' });
      const parent = await fullRun(tx, 'parent');
      await createRun(tx, { name: 'child', parentRunId: parent });
      const origin = await fullRun(tx, 'origin');
      const trial = await fullRun(tx, 'trial');
      const free = await fullRun(tx, 'free');
      for (const runId of [parent, origin, trial, free]) await deleteRun(tx, { runId });
      // A link that was made while the version was deleted counts as soon as the version is restored.
      await tx.execute(sql`insert into training_run_models (run_id, version_id) values (${origin}, ${made.id})`);
      await tx.execute(sql`update model_registry set deleted_at = null`);
      await tx.execute(sql`
        with study as (
          insert into hyperparameter_studies (name, search_space, objectives, sampler, seed, lease_ms)
          values ('s', '{}', '[]', '{}', 1, 1000) returning id
        )
        insert into hyperparameter_trials (study_id, number, status, run_id)
        select id, 0, 'waiting', ${trial}::uuid from study`);
      return { parent, origin, trial, free };
    });
    const before = await rowsLeft(tenant);
    const kept: KeptRun[] = [];
    const purged = await purgeRuns(training.db, tenant, { deletedBefore: later, onKept: (run) => kept.push(run) });
    const reported = { hyperparameter_trials: 1, training_run_models: 1, training_runs: 1 };
    expect(purged).toEqual({ runs: 1, points: 20, kept: reported });
    expect(Object.fromEntries(kept.map(({ runId, referredToBy }) => [runId, referredToBy]))).toEqual({
      [ids.parent]: 'training_runs',
      [ids.origin]: 'training_run_models',
      [ids.trial]: 'hyperparameter_trials',
    });
    expect(await rowsLeft(tenant)).toEqual({
      ...before,
      ...{ runs: 4, params: 3, tags: 3, metric_keys: 6, metrics: 60, artifacts: 3 },
    });
  });

  it('that ends in the middle is taken up by the next', async () => {
    const tenant = freshTenant();
    await training.run(tenant, async (tx) => {
      for (const name of ['a', 'b']) await deleteRun(tx, { runId: await fullRun(tx, name, 500) });
    });
    const deletedBefore = later;
    // Aborted while the first run is purged: after that run's row, and a batch of its points, has gone.
    let [runs, points] = [0, 0];
    for (let calls = 0; calls < 100 && (await rowsLeft(tenant))['metrics'] !== undefined; calls += 1) {
      const stop = new AbortController();
      const db = await connect({ url: training.serviceUrl, max: 1 });
      let transactions = 0;
      const counted = new Proxy(stop.signal, {
        get: (signal, property) => {
          if (property !== 'aborted') return Reflect.get(signal, property) as unknown;
          transactions += 1;
          return transactions > 2;
        },
      });
      const purged = await purgeRuns(db, tenant, { deletedBefore, batchSize: 150, signal: counted });
      await db.close();
      runs += purged.runs;
      points += purged.points;
    }
    expect([runs, points]).toEqual([2, 2_000]);
    await purgeRuns(training.db, tenant, { deletedBefore });
    expect(await rowsLeft(tenant)).toEqual({});
  });

  it('by several at once deletes each run and point once', async () => {
    const tenant = freshTenant();
    await training.run(tenant, async (tx) => {
      for (let index = 0; index < 6; index += 1) await deleteRun(tx, { runId: await fullRun(tx, `r${index}`, 100) });
    });
    const purged = await Promise.all(
      [70, 110, 40].map((batchSize) => purgeRuns(training.db, tenant, { deletedBefore: later, batchSize })),
    );
    expect(purged.reduce((sum, { runs }) => sum + runs, 0)).toBe(6);
    expect(purged.reduce((sum, { points: count }) => sum + count, 0)).toBe(1_200);
    expect(await rowsLeft(tenant)).toEqual({});
  });

  it('passes over a run that a transaction holds, and one that it restores stays', async () => {
    const tenant = freshTenant();
    const runId = await training.run(tenant, async (tx) => {
      const id = await fullRun(tx, 'r');
      await deleteRun(tx, { runId: id });
      return id;
    });
    const other = await connect({ url: training.serviceUrl });
    await withTenant(other, tenant, async (tx) => {
      await restoreRun(tx, { runId });
      expect(await purgeRuns(training.db, tenant, { deletedBefore: later })).toMatchObject({ runs: 0 });
    });
    await other.close();
    expect(await purgeRuns(training.db, tenant, { deletedBefore: later })).toMatchObject({ runs: 0 });
    expect(await rowsLeft(tenant)).toMatchObject({ runs: 1, metrics: 20 });
  });
});
