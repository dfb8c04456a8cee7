import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  listVersions,
  registerVersion,
  type SearchVersionsInput,
  searchVersions,
  transitionStage,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

async function found(tx: TenantTx, input: SearchVersionsInput): Promise<readonly string[]> {
  const references: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await searchVersions(tx, { limit: 2, ...input, ...(cursor === undefined ? {} : { cursor }) });
    references.push(...page.items.map(({ name, version }) => `${name}/${version}`));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return references;
}

describe('searchVersions', () => {
  it('filters by attribute and tag, and orders by any field', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'a', tags: { team: 'ops' }, artifactBytes: 30 });
      await registerVersion(tx, { name: 'b', tags: { team: 'ops' }, artifactBytes: 10 });
      await registerVersion(tx, { name: 'b', tags: { team: 'ads' } });
      await registerVersion(tx, { name: 'c', artifactBytes: 20 });
      await transitionStage(tx, { name: 'b', version: '1', stage: 'production' });
    });
    await registry.run(tenant, async (tx) => {
      expect(await found(tx, { filter: "tags.team = 'ops'", orderBy: 'name' })).toEqual(['a/1', 'b/1']);
      expect(await found(tx, { filter: "stage = 'Production' OR name = 'c'", orderBy: 'name DESC' })).toEqual([
        'c/1',
        'b/1',
      ]);
      expect(await found(tx, { orderBy: 'artifact_bytes' })).toEqual(['b/1', 'c/1', 'a/1', 'b/2']);
      expect(await found(tx, { orderBy: 'tags.team DESC, name' })).toEqual(['a/1', 'b/1', 'b/2', 'c/1']);
      expect(await found(tx, { filter: "name = 'b'", orderBy: 'created_at DESC' })).toEqual(['b/2', 'b/1']);
      expect((await refusalOf(searchVersions(tx, { filter: 'name LIKE' }))).code).toBe('invalid_input');
    });
  });

  it('gives tags and aliases with each version', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await registerVersion(tx, { name: 'a', tags: { k: 'v' } });
      expect((await searchVersions(tx)).items).toMatchObject([{ name: 'a', tags: { k: 'v' }, aliases: [] }]);
    });
  });

  it('neither skips nor repeats a version while others are registered', async () => {
    const tenant = freshTenant();
    const register = (count: number) =>
      registry.run(tenant, async (tx) => {
        for (let made = 0; made < count; made += 1) await registerVersion(tx, { name: 'm' });
      });
    await register(9);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const input = { name: 'm', limit: 3, ...(cursor === undefined ? {} : { cursor }) };
      const page = await registry.run(tenant, (tx) => listVersions(tx, input));
      seen.push(...page.items.map(({ version }) => version));
      cursor = page.nextCursor;
      await register(2);
    } while (cursor !== undefined);
    expect(seen).toEqual(['9', '8', '7', '6', '5', '4', '3', '2', '1']);
  });
});

describe('listVersions', () => {
  it('is empty where there is no model', async () => {
    await registry.run(freshTenant(), async (tx) => {
      expect(await listVersions(tx, { name: 'm' })).toEqual({ items: [], nextCursor: undefined });
    });
  });
});
