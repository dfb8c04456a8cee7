import { dispatchWork } from '@mcp-hub/db-core';
import { setAlias } from '@mcp-hub/registry';
import { barrier, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  cachePruneHandler,
  flushCacheUsage,
  getCacheStats,
  invalidateCache,
  pruneCache,
  removeCachePolicy,
  setCachePolicy,
  withCache,
} from '../../src/index.ts';
import { markedVersion } from '../support/cache-world.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const now = () => new Date('2030-01-01Z');
const later = () => new Date('2090-01-01Z');
const unused = () => {
  throw new Error('It was computed.');
};

const contentOf = (tenant: string) =>
  predictions.run(tenant, async (tx) => {
    const content: unknown[] = [];
    for (const table of ['prediction_cache_policies', 'prediction_cache', 'tenant_work']) {
      content.push([...(await tx.execute(sql`select t::text as row from ${sql.identifier(table)} t order by 1`))]);
    }
    return content;
  });

const nobodys = { versionId: '019df26b-6cf8-7000-8000-00000000dead', reference: 'nobodys@champion' };

describe("tenant B, using tenant A's version", () => {
  let owner: string;
  let versionId: string;

  beforeAll(async () => {
    owner = freshTenant();
    versionId = await markedVersion(predictions.db, owner, { ttlMs: 60_000 });
    await predictions.run(owner, (tx) => setAlias(tx, { name: 'churn', alias: 'champion', version: '1' }));
    const call = { versionId, input: 1, compute: () => "A's" };
    await withCache(predictions.db, owner, call, { now });
    await flushCacheUsage(predictions.db);
  });

  const calls: Readonly<
    Record<string, (tenant: string, version: { versionId: string } | { reference: string }) => Promise<unknown>>
  > = {
    withCache: (tenant, version) =>
      withCache(predictions.db, tenant, { ...version, input: 1, compute: unused }, { now }),
    setCachePolicy: (tenant, version) =>
      predictions.run(tenant, (tx) => setCachePolicy(tx, { ...version, deterministic: true, maxEntries: 1 })),
    removeCachePolicy: (tenant, version) => predictions.run(tenant, (tx) => removeCachePolicy(tx, version)),
    invalidateCache: (tenant, version) => predictions.run(tenant, (tx) => invalidateCache(tx, version)),
    getCacheStats: (tenant, version) => predictions.run(tenant, (tx) => getCacheStats(tx, version)),
  };

  it.each(Object.keys(calls))('%s cannot tell it from one that nobody has', async (name) => {
    const before = await contentOf(owner);
    for (const [theirs, other] of [
      [{ versionId }, { versionId: nobodys.versionId }],
      [{ reference: 'churn@champion' }, { reference: nobodys.reference }],
    ] as const) {
      const outcome = await outcomeOf(calls[name]?.(freshTenant(), theirs) ?? Promise.resolve());
      expect(outcome).toEqual(await outcomeOf(calls[name]?.(freshTenant(), other) ?? Promise.resolve()));
      expect(outcome).toMatchObject(name === 'removeCachePolicy' ? { value: false } : { code: 'not_found' });
    }
    expect(await contentOf(owner)).toEqual(before);
  });

  it('pruneCache and its handler go into one tenant each', async () => {
    const before = await contentOf(owner);
    const pruned = await pruneCache(predictions.db, freshTenant(), {}, { now: later });
    expect(pruned).toEqual({ expired: 0, invalidated: 0, evicted: 0 });
    const handler = cachePruneHandler({ now: later });
    const stranger = freshTenant();
    const theirs = await markedVersion(predictions.db, stranger, { ttlMs: 1_000 });
    await withCache(
      predictions.db,
      stranger,
      { versionId: theirs, input: 1, compute: () => 1 },
      { now: () => new Date('2029-01-01Z') },
    );
    // Only the stranger's work is due.
    await dispatchWork(predictions.db, { ...handler, now: () => new Date('2029-02-01Z') });
    expect((await contentOf(stranger))[1]).toEqual([]);
    expect(await contentOf(owner)).toEqual(before);
  });

  it('flushCacheUsage counts for the tenant whose calls they were', async () => {
    const stranger = freshTenant();
    const theirs = await markedVersion(predictions.db, stranger);
    const call = { versionId: theirs, input: 1, compute: () => "B's" };
    expect(await withCache(predictions.db, stranger, call)).toMatchObject({ output: "B's", isHit: false });
    expect(await withCache(predictions.db, stranger, call)).toMatchObject({ output: "B's", isHit: true });
    const ofOwner = () => predictions.run(owner, (tx) => getCacheStats(tx, { versionId }), { now: now() });
    const before = await ofOwner();
    expect(before).toMatchObject({ entries: 1, hits: 0, misses: 1 });
    await flushCacheUsage(predictions.db);
    expect(await ofOwner()).toEqual(before);
    const stats = await predictions.run(stranger, (tx) => getCacheStats(tx, { versionId: theirs }));
    expect(stats).toMatchObject({ entries: 1, hits: 1, misses: 1 });
  });

  it('the same id and key are two tenants’ two outputs, also where they are asked for at the same moment', async () => {
    const stranger = freshTenant();
    // By hand: an id is unique in its tenant only.
    await predictions.run(stranger, async (tx) => {
      await tx.execute(sql`insert into model_registry (id, name, version) values (${versionId}::uuid, 'churn', '1')`);
      await setCachePolicy(tx, { versionId, deterministic: true });
    });
    const bothCompute = barrier(2);
    const ask = (tenant: string, input: number) =>
      withCache(
        predictions.db,
        tenant,
        {
          versionId,
          input,
          compute: async () => {
            bothCompute.arrive();
            await bothCompute.passed;
            return `${tenant} ${input}`;
          },
        },
        { now },
      );
    const both = await Promise.all([owner, stranger, owner, stranger].map((tenant) => ask(tenant, 2)));
    expect(both.map(({ output }) => output)).toEqual([owner, stranger, owner, stranger].map((tenant) => `${tenant} 2`));
    expect((await ask(owner, 1)).output).toBe("A's");
    expect((await ask(stranger, 1)).output).toBe(`${stranger} 1`);
    await predictions.run(stranger, (tx) => invalidateCache(tx, { versionId }));
    expect((await ask(owner, 2)).isHit).toBe(true);
    expect(await predictions.run(stranger, (tx) => removeCachePolicy(tx, { versionId }))).toBe(true);
    expect((await ask(owner, 2)).isHit).toBe(true);
  });

  it('rows written by hand reach no other tenant', async () => {
    const before = await contentOf(owner);
    const stranger = freshTenant();
    const theirs = await outcomeOf(
      predictions.run(stranger, (tx) =>
        tx.execute(sql`
          insert into prediction_cache_policies (model_version_id, generation, max_bytes, max_entries)
          values (${versionId}::uuid, 1, 1, 1)`),
      ),
    );
    expect(theirs).toMatchObject({ name: 'DomainError', code: 'failed_precondition' });
    for (const table of ['prediction_cache_policies', 'prediction_cache']) {
      await predictions.run(stranger, (tx) => tx.execute(sql`delete from ${sql.identifier(table)}`));
    }
    expect(await contentOf(owner)).toEqual(before);
  });
});
