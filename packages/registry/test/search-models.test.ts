import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  deleteModel,
  deleteVersion,
  findModel,
  registerVersion,
  type SearchModelsInput,
  searchModels,
  setModelTag,
} from '../src/index.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

const byHand = (tx: TenantTx, name: string, version: string) =>
  tx.execute(sql`insert into model_registry (name, version) values (${name}, ${version})`);

async function names(tx: TenantTx, input: SearchModelsInput = {}): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await searchModels(tx, { limit: 2, ...input, cursor });
    found.push(...page.items.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

describe('searchModels', () => {
  it('lists a model once of which there are only versions inserted by hand', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await byHand(tx, 'b', 'v1');
      await byHand(tx, 'b', 'v2');
      await byHand(tx, 'd', '1');
      await registerVersion(tx, { name: 'a' });
      await registerVersion(tx, { name: 'c', tags: { of: 'version' } });
      await byHand(tx, 'c', 'v1');
      expect(await names(tx)).toEqual(['a', 'b', 'c', 'd']);
      expect(await names(tx, { orderBy: 'name DESC', limit: 1 })).toEqual(['d', 'c', 'b', 'a']);
      expect(await names(tx, { orderBy: 'created_at' })).toEqual(await names(tx, { orderBy: 'created_at', limit: 1 }));
      const { items } = await searchModels(tx);
      for (const item of items) expect(item).toEqual(await findModel(tx, { name: item.name }));
    });
  });

  it('filters them as it does others, and finds no tags of their versions', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await byHand(tx, 'by hand', 'v1');
      await tx.execute(sql`insert into model_tags (version_id, key, value) select id, 'k', 'v' from model_registry`);
      await createModel(tx, { name: 'other', description: 'd' });
      expect(await names(tx, { filter: "name LIKE 'by%' AND description IS NULL" })).toEqual(['by hand']);
      expect(await names(tx, { filter: "tags.k = 'v'" })).toEqual([]);
      expect((await searchModels(tx, { filter: "name = 'by hand'" })).items).toMatchObject([{ id: null, tags: {} }]);
      await setModelTag(tx, { name: 'by hand', key: 'k', value: 'v' });
      expect(await names(tx, { filter: "tags.k = 'v'" })).toEqual(['by hand']);
      expect(await names(tx)).toEqual(['by hand', 'other']);
    });
  });

  it('does not list what was deleted', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await byHand(tx, 'a', 'v1');
      await byHand(tx, 'b', 'v1');
      await byHand(tx, 'b', 'v2');
      await deleteModel(tx, { name: 'a' });
      await tx.execute(sql`update model_registry set deleted_at = now() where name = 'b' and version = 'v1'`);
      expect(await names(tx)).toEqual(['b']);
      await deleteVersion(tx, { name: 'b', version: 'v2' });
      // The model remains, without versions.
      expect(await names(tx)).toEqual(['b']);
    });
  });
});
