import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  getModel,
  getVersion,
  registerVersion,
  removeModelTag,
  removeVersionTag,
  setModelTag,
  setVersionTag,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

describe('a tag', () => {
  it('is overwritten when it is set again, on its own model only', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await createModel(tx, { name: 'm', tags: { key: 'old' } });
      await createModel(tx, { name: 'other', tags: { key: 'old' } });
      await setModelTag(tx, { name: 'm', key: 'key', value: 'new' });
      expect((await getModel(tx, { name: 'm' })).tags).toEqual({ key: 'new' });
      expect((await getModel(tx, { name: 'other' })).tags).toEqual({ key: 'old' });
    });
  });

  it('of a version is apart from that of its model', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await registerVersion(tx, { name: 'm' });
      await setVersionTag(tx, { name: 'm', version: '1', key: 'key', value: 'of the version' });
      await setModelTag(tx, { name: 'm', key: 'key', value: '' });
      expect((await getVersion(tx, { name: 'm', version: '1' })).tags).toEqual({ key: 'of the version' });
      expect((await getModel(tx, { name: 'm' })).tags).toEqual({ key: '' });
      await removeVersionTag(tx, { name: 'm', version: '1', key: 'key' });
      expect((await getVersion(tx, { name: 'm', version: '1' })).tags).toEqual({});
      expect((await getModel(tx, { name: 'm' })).tags).toEqual({ key: '' });
    });
  });

  it('has a value of up to 8,000 characters; the error of a longer one names the limit', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await createModel(tx, { name: 'm' });
      await setModelTag(tx, { name: 'm', key: 'k'.repeat(250), value: '\u{1f600}'.repeat(4_000) });
      const value = await refusalOf(setModelTag(tx, { name: 'm', key: 'key', value: 'x'.repeat(8_001) }));
      expect([value.code, value.message]).toEqual([
        'invalid_input',
        'value must have at most 8000 characters, not 8001.',
      ]);
      const key = await refusalOf(setModelTag(tx, { name: 'm', key: 'k'.repeat(251), value: '' }));
      expect(key.details).toMatchObject({ field: 'key', limit: 250 });
    });
  });

  it('that is not there may be removed', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await registerVersion(tx, { name: 'm' });
      await removeModelTag(tx, { name: 'm', key: 'key' });
      await removeVersionTag(tx, { name: 'm', version: '1', key: 'key' });
      await removeModelTag(tx, { name: 'no model', key: 'key' });
    });
  });

  it('is not set on what is not there', async () => {
    await registry.run(freshTenant(), async (tx) => {
      expect((await refusalOf(setModelTag(tx, { name: 'm', key: 'k', value: '' }))).code).toBe('not_found');
      const version = await refusalOf(setVersionTag(tx, { name: 'm', version: '1', key: 'k', value: '' }));
      expect(version.code).toBe('not_found');
    });
  });

  it('can be set on a model whose versions were inserted by hand', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await tx.execute(sql`insert into model_registry (name, version) values ('m', 'v1')`);
      await setModelTag(tx, { name: 'm', key: 'key', value: 'value' });
      expect((await getModel(tx, { name: 'm' })).tags).toEqual({ key: 'value' });
    });
  });

  it('set by many at the same time is there once', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, (tx) => createModel(tx, { name: 'm' }));
    await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        registry.run(tenant, (tx) => setModelTag(tx, { name: 'm', key: 'key', value: String(index) })),
      ),
    );
    const { tags } = await registry.run(tenant, (tx) => getModel(tx, { name: 'm' }));
    expect(Object.keys(tags)).toEqual(['key']);
  });
});
