import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  getModel,
  getVersion,
  listAliasMoves,
  registerVersion,
  removeAlias,
  setAlias,
  setModelTag,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

/** A tenant with model m and the versions 1 and 2. */
async function tenantWithModel(): Promise<string> {
  const tenant = freshTenant();
  await registry.run(tenant, async (tx) => {
    await registerVersion(tx, { name: 'm' });
    await registerVersion(tx, { name: 'm' });
  });
  return tenant;
}

describe('setAlias', () => {
  it('shows on the model and on the version, and moves', async () => {
    const tenant = await tenantWithModel();
    await registry.run(tenant, async (tx) => {
      expect(await setAlias(tx, { name: 'm', alias: 'test_alias', version: '2' })).toEqual({
        alias: 'test_alias',
        fromVersion: null,
        toVersion: '2',
      });
      expect((await getModel(tx, { name: 'm' })).aliases).toEqual({ test_alias: '2' });
      expect((await getVersion(tx, { name: 'm', version: '1' })).aliases).toEqual([]);
      expect((await getVersion(tx, { name: 'm', version: '2' })).aliases).toEqual(['test_alias']);

      await setAlias(tx, { name: 'm', alias: 'test_alias', version: '1' });
      expect((await getModel(tx, { name: 'm' })).aliases).toEqual({ test_alias: '1' });
      expect((await getVersion(tx, { name: 'm', version: '2' })).aliases).toEqual([]);
    });
  });

  it.each([['latest'], ['LATEST'], ['v12'], ['V1'], ['a b'], [''], ['a/b'], ['ä'], ['x'.repeat(257)]])(
    'refuses the name %j',
    async (alias) => {
      const tenant = await tenantWithModel();
      const refusal = await refusalOf(registry.run(tenant, (tx) => setAlias(tx, { name: 'm', alias, version: '1' })));
      expect([refusal.code, refusal.details['field']]).toEqual(['invalid_input', 'alias']);
    },
  );

  it('does not point to a version that is not there', async () => {
    const tenant = await tenantWithModel();
    const refusal = await refusalOf(
      registry.run(tenant, (tx) => setAlias(tx, { name: 'm', alias: 'champion', version: '3' })),
    );
    expect(refusal.code).toBe('not_found');
  });

  it('refuses a change that expects another version, or none', async () => {
    const tenant = await tenantWithModel();
    await registry.run(tenant, async (tx) => {
      const set = (version: string, expectedVersion: string | null) =>
        setAlias(tx, { name: 'm', alias: 'champion', version, expectedVersion });
      expect((await refusalOf(set('1', '2'))).code).toBe('conflict');
      await set('1', null);
      expect((await refusalOf(set('2', null))).code).toBe('conflict');
      expect((await refusalOf(set('2', '2'))).code).toBe('conflict');
      expect(await set('2', '1')).toMatchObject({ fromVersion: '1', toVersion: '2' });
    });
  });

  it('writes nothing where it points there already', async () => {
    const tenant = await tenantWithModel();
    await registry.run(tenant, async (tx) => {
      await setAlias(tx, { name: 'm', alias: 'champion', version: '1' });
      expect(await setAlias(tx, { name: 'm', alias: 'champion', version: '1' })).toMatchObject({ fromVersion: '1' });
      expect((await listAliasMoves(tx, { name: 'm' })).items).toHaveLength(1);
    });
  });

  it('lets one of many compare-and-sets at the same time win', async () => {
    const tenant = await tenantWithModel();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        registry.run(tenant, (tx) =>
          setAlias(tx, { name: 'm', alias: 'champion', version: index % 2 === 0 ? '1' : '2', expectedVersion: null }),
        ),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('the lock of a model', () => {
  it('lets two transactions tag the model and then change its aliases without a deadlock', async () => {
    const tenant = await tenantWithModel();
    let arrived = 0;
    let open = () => {};
    const bothHaveTagged = new Promise<void>((resolve) => {
      open = resolve;
    });
    await Promise.all(
      ['1', '2'].map((version) =>
        registry.run(tenant, async (tx) => {
          await setModelTag(tx, { name: 'm', key: version, value: '' }).finally(() => {
            arrived += 1;
            if (arrived === 2) open();
          });
          await bothHaveTagged;
          await setAlias(tx, { name: 'm', alias: 'champion', version });
        }),
      ),
    );
    const { tags } = await registry.run(tenant, (tx) => getModel(tx, { name: 'm' }));
    expect(tags).toEqual({ '1': '', '2': '' });
  });
});

describe('removeAlias', () => {
  it('may be called twice', async () => {
    const tenant = await tenantWithModel();
    await registry.run(tenant, async (tx) => {
      await setAlias(tx, { name: 'm', alias: 'champion', version: '1' });
      expect(await removeAlias(tx, { name: 'm', alias: 'champion' })).toMatchObject({ fromVersion: '1' });
      expect(await removeAlias(tx, { name: 'm', alias: 'champion' })).toMatchObject({ fromVersion: null });
      expect((await getModel(tx, { name: 'm' })).aliases).toEqual({});
    });
  });

  it('refuses where the alias does not point to the expected version', async () => {
    const tenant = await tenantWithModel();
    await registry.run(tenant, async (tx) => {
      await setAlias(tx, { name: 'm', alias: 'champion', version: '1' });
      const refusal = await refusalOf(removeAlias(tx, { name: 'm', alias: 'champion', expectedVersion: '2' }));
      expect(refusal.code).toBe('conflict');
    });
  });
});
