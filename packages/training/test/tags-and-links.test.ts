import { isLeaseLost } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  deleteRun,
  getRun,
  linkRunModel,
  listRunEvents,
  listRunModels,
  logBatch,
  removeRunTag,
  restoreRun,
  setRunTag,
  unlinkRunModel,
} from '../src/index.ts';
import { nobodys } from './support/every-function.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

describe('a tag of a run', () => {
  it('is set, overwritten and removed, in whatever status the run is and without its token', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r', tags: { a: '1' }, start: true, leaseMs: 60_000 });
      await setRunTag(tx, { runId, key: 'a', value: '2' });
      await setRunTag(tx, { runId, key: 'b c.d/é', value: '' });
      expect((await getRun(tx, { runId })).tags).toEqual({ a: '2', 'b c.d/é': '' });
      await removeRunTag(tx, { runId, key: 'a' });
      expect((await getRun(tx, { runId })).tags).toEqual({ 'b c.d/é': '' });
    });
  });

  it('cannot be removed where it is not there', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      const missing = await refusalOf(removeRunTag(tx, { runId, key: 'a' }));
      const nobody = await refusalOf(removeRunTag(tx, { runId: nobodys.runId, key: 'a' }));
      expect([missing.code, nobody.code]).toEqual(['not_found', 'not_found']);
      expect(missing.message).not.toBe(nobody.message);
    });
  });

  it('of a deleted run stays as it is', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r', tags: { a: '1' } });
      await deleteRun(tx, { runId });
      const refused = [
        await refusalOf(setRunTag(tx, { runId, key: 'a', value: '2' })),
        await refusalOf(removeRunTag(tx, { runId, key: 'a' })),
      ];
      for (const error of refused) expect(error).toMatchObject({ details: { reason: 'run_deleted' } });
      expect((await getRun(tx, { runId, includeDeleted: true })).tags).toEqual({ a: '1' });
    });
  });

  it('set while another transaction restores the run waits for that, and is set', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    await training.run(tenant, (tx) => deleteRun(tx, { runId }));
    let setting: Promise<void> | undefined;
    await training.run(tenant, async (tx) => {
      await restoreRun(tx, { runId });
      setting = training.run(tenant, (other) => setRunTag(other, { runId, key: 'a', value: '1' }));
      const waiting = sql`select 1 from pg_locks join pg_stat_activity using (pid)
                           where not granted and datname = current_database()`;
      while ((await tx.execute(waiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    await setting;
    expect((await training.run(tenant, (tx) => getRun(tx, { runId }))).tags).toEqual({ a: '1' });
  });

  it('set by several transactions in different orders never makes them deadlock', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const keys = ['a', 'b', 'c'];
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        training.run(tenant, async (tx) => {
          if (index % 3 === 0) return void (await logBatch(tx, { runId, tags: { c: '0', a: '0', b: '0' } }));
          for (const key of index % 3 === 1 ? keys : keys.toReversed()) {
            await setRunTag(tx, { runId, key, value: String(index) });
          }
        }),
      ),
    );
    const { tags } = await training.run(tenant, (tx) => getRun(tx, { runId }));
    expect(new Set(Object.values(tags)).size).toBe(1);
  });
});

describe('a link between a run and a model version', () => {
  it('is found from both sides, in both roles, and taken back', async () => {
    await training.run(
      freshTenant(),
      async (tx) => {
        const base = await registerVersion(tx, { name: 'base' });
        const made = await registerVersion(tx, { name: 'm' });
        const { id: runId, name: runName } = await createRun(tx, { name: 'r' });
        await linkRunModel(tx, { runId, versionId: base.id, role: 'input' });
        await linkRunModel(tx, { runId, versionId: made.id });
        await linkRunModel(tx, { runId, versionId: made.id });
        const input = { modelName: 'base', modelVersion: '1', role: 'input', versionId: base.id, runId, runName };
        const output = { modelName: 'm', modelVersion: '1', role: 'output', versionId: made.id, runId, runName };
        expect(new Set((await listRunModels(tx, { runId })).items.map(({ role }) => role))).toEqual(
          new Set(['input', 'output']),
        );
        expect((await listRunModels(tx, { versionId: base.id })).items).toMatchObject([{ ...input, actor: 'ada' }]);
        expect((await listRunModels(tx, { runId, role: 'output' })).items).toMatchObject([output]);

        await unlinkRunModel(tx, { runId, versionId: made.id });
        expect((await listRunModels(tx, { runId })).items).toMatchObject([input]);
        expect((await refusalOf(unlinkRunModel(tx, { runId, versionId: made.id }))).code).toBe('not_found');
        const { items } = await listRunEvents(tx, { runId });
        expect(items.map(({ kind, modelName }) => [kind, modelName])).toEqual([
          ['model_unlinked', 'm'],
          ['model_linked', 'm'],
          ['model_linked', 'base'],
          ['created', null],
        ]);
      },
      { actor: 'ada' },
    );
  });

  it('by pages', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      const ids: string[] = [];
      for (let count = 0; count < 5; count += 1) {
        const { id } = await registerVersion(tx, { name: 'm' });
        await linkRunModel(tx, { runId, versionId: id });
        ids.push(id);
      }
      const first = await listRunModels(tx, { runId, limit: 3 });
      const second = await listRunModels(tx, { runId, limit: 3, cursor: first.nextCursor ?? '' });
      expect([...first.items, ...second.items].map(({ versionId }) => versionId).sort()).toEqual(ids.sort());
      expect(second.nextCursor).toBeUndefined();
      const neither = { role: 'output' as const };
      expect((await refusalOf(listRunModels(tx, neither))).code).toBe('invalid_input');
    });
  });

  it('is made only to a version that is there, by whoever has not lost the run', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: versionId } = await registerVersion(tx, { name: 'm' });
      const { id: runId, fencingToken } = await createRun(tx, { name: 'r', start: true, leaseMs: 60_000 });
      const zombie = linkRunModel(tx, { runId, versionId, fencingToken: fencingToken - 1 });
      expect(isLeaseLost(await refusalOf(zombie))).toBe(true);
      await linkRunModel(tx, { runId, versionId, fencingToken });
      await deleteVersion(tx, { name: 'm', version: '1' });
      expect((await listRunModels(tx, { runId })).items).toEqual([]);
      expect((await refusalOf(linkRunModel(tx, { runId, versionId }))).code).toBe('not_found');
      await unlinkRunModel(tx, { runId, versionId });
      expect((await refusalOf(linkRunModel(tx, { runId, versionId: nobodys.versionId }))).code).toBe('not_found');
    });
  });

  it('is not lost where run and version are deleted at the same time', async () => {
    const tenant = freshTenant();
    for (let round = 0; round < 10; round += 1) {
      const name = `m${round}`;
      const { runId, versionId } = await training.run(tenant, async (tx) => ({
        versionId: (await registerVersion(tx, { name })).id,
        runId: (await createRun(tx, { name: 'r' })).id,
      }));
      const [linked, deleted] = await Promise.allSettled([
        training.run(tenant, (tx) => linkRunModel(tx, { runId, versionId })),
        training.run(tenant, (tx) => deleteRun(tx, { runId })),
      ]);
      // Whoever came first keeps the other out.
      expect([linked.status, deleted.status].sort()).toEqual(['fulfilled', 'rejected']);
    }
  });
});
