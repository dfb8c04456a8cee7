import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  deleteVersion,
  findModel,
  getModel,
  getVersion,
  listAliasMoves,
  listStageTransitions,
  registerVersion,
  renameModel,
  resolveModel,
  restoreVersion,
  setAlias,
  setModelTag,
  setVersionTag,
  transitionStage,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();
const register = async (tx: TenantTx, count: number, name = 'm') => {
  for (let made = 0; made < count; made += 1) await registerVersion(tx, { name });
};

describe('deleteVersion', () => {
  it('does not give a number again', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 6);
      await deleteVersion(tx, { name: 'm', version: '3', permanently: true });
      await deleteVersion(tx, { name: 'm', version: '6', permanently: true });
      expect((await registerVersion(tx, { name: 'm' })).version).toBe('7');
    });
  });

  it('does not give a number again that was inserted by hand', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await tx.execute(sql`insert into model_registry (name, version) values ('m', '5')`);
      await deleteVersion(tx, { name: 'm', version: '5', permanently: true });
      expect((await registerVersion(tx, { name: 'm' })).version).toBe('6');
    });
  });

  it.each([false, true])('takes aliases along and leaves the history (permanently: %j)', async (permanently) => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2);
      await setVersionTag(tx, { name: 'm', version: '2', key: 'k', value: 'v' });
      await setAlias(tx, { name: 'm', alias: 'champion', version: '2' });
      const { id: modelId } = await getModel(tx, { name: 'm' });
      await deleteVersion(tx, { name: 'm', version: '2', permanently, reason: 'broken' });

      const subject = { name: 'm', version: '2' };
      expect((await refusalOf(getVersion(tx, subject))).code).toBe('not_found');
      expect((await refusalOf(deleteVersion(tx, subject))).code).toBe('not_found');
      expect((await refusalOf(resolveModel(tx, 'm@champion'))).code).toBe('not_found');
      expect((await refusalOf(setAlias(tx, { ...subject, alias: 'a' }))).code).toBe('not_found');
      expect((await refusalOf(transitionStage(tx, { ...subject, stage: 'staging' }))).code).toBe('not_found');
      expect((await refusalOf(setVersionTag(tx, { ...subject, key: 'k', value: '' }))).code).toBe('not_found');
      expect((await getModel(tx, { name: 'm' })).aliases).toEqual({});

      const transitions = await listStageTransitions(tx, { modelId: modelId ?? undefined, version: '2' });
      expect(transitions.items[0]).toMatchObject({ fromStage: 'development', toStage: null, reason: 'broken' });
      expect((await listAliasMoves(tx, { name: 'm' })).items[0]).toMatchObject({ fromVersion: '2', toVersion: null });
      if (permanently) expect(await tx.execute(sql`select 1 from model_tags`)).toHaveLength(0);
    });
  });

  it('can be taken back while the row is there; what served comes back archived', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2);
      await setVersionTag(tx, { name: 'm', version: '1', key: 'k', value: 'v' });
      await transitionStage(tx, { name: 'm', version: '1', stage: 'production' });
      await deleteVersion(tx, { name: 'm', version: '1' });
      expect(await restoreVersion(tx, { name: 'm', version: '1' })).toMatchObject({
        stage: 'archived',
        deletedAt: null,
        tags: { k: 'v' },
      });
      await deleteVersion(tx, { name: 'm', version: '2', permanently: true });
      expect((await refusalOf(restoreVersion(tx, { name: 'm', version: '2' }))).code).toBe('not_found');
    });
  });
});

describe('renameModel', () => {
  it('takes versions, aliases, tags and the history along and frees the old name', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2, 'original name');
      await setAlias(tx, { name: 'original name', alias: 'champion', version: '1' });
      await setModelTag(tx, { name: 'original name', key: 'k', value: 'v' });
      await setVersionTag(tx, { name: 'original name', version: '1', key: 'k', value: 'v1' });
      const renamed = await renameModel(tx, { name: 'original name', newName: 'new name' });
      expect(renamed).toMatchObject({ name: 'new name', tags: { k: 'v' }, aliases: { champion: '1' } });
      expect((await getVersion(tx, { name: 'new name', version: '1' })).tags).toEqual({ k: 'v1' });
      expect((await resolveModel(tx, 'new name@champion')).version).toBe('1');
      expect((await listAliasMoves(tx, { name: 'new name' })).items).toHaveLength(1);
      expect(await findModel(tx, { name: 'original name' })).toBeUndefined();
      expect((await registerVersion(tx, { name: 'new name' })).version).toBe('3');
      expect((await registerVersion(tx, { name: 'original name' })).version).toBe('1');
      expect((await listAliasMoves(tx, { name: 'original name' })).items).toEqual([]);
    });
  });

  it('refuses a name that is taken, changes nothing, and the transaction can go on', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 1, 'a');
      await createModel(tx, { name: 'b' });
      await tx.execute(sql`insert into model_registry (name, version) values ('by hand', 'v1')`);
      for (const newName of ['b', 'by hand']) {
        expect((await refusalOf(renameModel(tx, { name: 'a', newName }))).code).toBe('already_exists');
      }
      expect((await getVersion(tx, { name: 'a', version: '1' })).name).toBe('a');
      expect(await tx.execute(sql`select 1 from model_renames`)).toHaveLength(0);
    });
  });

  it('lets one of two renames to one name win', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await register(tx, 1, 'a');
      await register(tx, 1, 'b');
    });
    const outcomes = await Promise.allSettled(
      ['a', 'b'].map((name) => registry.run(tenant, (tx) => renameModel(tx, { name, newName: 'c' }))),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
