import { connect, withTenant } from '@mcp-hub/db-core';
import { barrier, freshTenant, startProgram } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { flushCacheUsage, getCacheStats, invalidateCache, PREDICTION_LIMITS, withCache } from '../../src/index.ts';
import { markedVersion, storedEntries } from '../support/cache-world.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();

const statsOf = (tenant: string, versionId: string) =>
  predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));

const ask = (tenant: string, versionId: string, minutes = 0, input: unknown = 1, db = predictions.db) =>
  withCache(
    db,
    tenant,
    { versionId, input, compute: () => 'output' },
    { now: () => new Date(Date.UTC(2030, 0, 1) + minutes * 60_000) },
  );

/** The transactions that have written rows of the tenant's cache and policies, which each leave their id in them. */
const writersOf = async (tenant: string) =>
  (
    await predictions.run(tenant, (tx) =>
      tx.execute<{ xmin: string }>(sql`
        select xmin::text from prediction_cache union select xmin::text from prediction_cache_policies order by 1`),
    )
  ).map(({ xmin }) => xmin);

describe('the counters', () => {
  it('are written in batches: no hit writes anything', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    await ask(tenant, versionId);
    await flushCacheUsage(predictions.db);
    const before = await writersOf(tenant);
    for (let hit = 0; hit < 100; hit += 1) await ask(tenant, versionId, 10);
    expect(await writersOf(tenant)).toEqual(before);
    expect(await statsOf(tenant, versionId)).toMatchObject({ hits: 0, misses: 1 });
    await flushCacheUsage(predictions.db);
    expect(await statsOf(tenant, versionId)).toMatchObject({ hits: 100, misses: 1 });
    const [row] = await predictions.run(tenant, (tx) =>
      tx.execute<{ compute_ms: number }>(sql`select compute_ms from prediction_cache`),
    );
    expect((await statsOf(tenant, versionId)).savedMs).toBeCloseTo(100 * (row?.compute_ms ?? Number.NaN), 6);
    // Nothing is counted twice.
    await flushCacheUsage(predictions.db);
    expect(await statsOf(tenant, versionId)).toMatchObject({ hits: 100, misses: 1 });
  });

  it('are written by themselves after an interval', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    await ask(tenant, versionId);
    await ask(tenant, versionId);
    await expect
      .poll(async () => (await statsOf(tenant, versionId)).hits, { timeout: 2 * PREDICTION_LIMITS.cacheUsageMs })
      .toBe(1);
  }, 30_000);

  it('add up over pools and versions that write at the same time', async () => {
    const tenant = freshTenant();
    const versions = await Promise.all([1, 2, 3].map(() => markedVersion(predictions.db, tenant)));
    const pools = await Promise.all([1, 2, 3].map(() => connect({ url: predictions.serviceUrl, max: 2 })));
    try {
      for (const versionId of versions) await ask(tenant, versionId);
      await flushCacheUsage(predictions.db);
      for (let round = 0; round < 5; round += 1) {
        for (const db of pools) for (const versionId of versions) await ask(tenant, versionId, 10 * round, 1, db);
        await Promise.all(pools.map((db) => flushCacheUsage(db)));
      }
      for (const versionId of versions) expect(await statsOf(tenant, versionId)).toMatchObject({ hits: 15, misses: 1 });
    } finally {
      await Promise.all(pools.map((db) => db.close()));
    }
  });

  it('are kept for the next time where they cannot be written', async () => {
    const [tenant, neighbour] = [freshTenant(), freshTenant()];
    const versionId = await markedVersion(predictions.db, tenant);
    const theirs = await markedVersion(predictions.db, neighbour);
    await ask(tenant, versionId);
    await ask(tenant, versionId);
    await ask(neighbour, theirs);
    const [isHeld, mayCommit] = [barrier(), barrier()];
    const invalidating = predictions.run(tenant, async (tx) => {
      await invalidateCache(tx, { versionId });
      isHeld.open();
      await mayCommit.passed;
    });
    await isHeld.passed;
    expect(await refusalOf(flushCacheUsage(predictions.db))).toMatchObject({ code: 'unavailable' });
    // Whose row is free does not wait for the next time.
    expect(await statsOf(neighbour, theirs)).toMatchObject({ misses: 1 });
    await ask(tenant, versionId);
    mayCommit.open();
    await invalidating;
    await flushCacheUsage(predictions.db);
    expect(await statsOf(tenant, versionId)).toMatchObject({ hits: 2, misses: 1 });
    expect(await statsOf(neighbour, theirs)).toMatchObject({ misses: 1 });
  });

  it('of one tenant can be written inside a transaction of another', async () => {
    const [tenant, neighbour] = [freshTenant(), freshTenant()];
    const versionId = await markedVersion(predictions.db, tenant);
    await ask(tenant, versionId);
    await withTenant(predictions.db, neighbour, async (tx) => {
      await tx.execute(sql`select 1`);
      await flushCacheUsage(predictions.db);
    });
    expect(await statsOf(tenant, versionId)).toMatchObject({ misses: 1 });
  });

  it('keep no process alive, and one that ends without a flush loses its own only', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    await withCache(predictions.db, tenant, { versionId, input: 1, compute: () => 'output' });
    await flushCacheUsage(predictions.db);
    const program = startProgram({
      file: new URL('../programs/hit-and-end.ts', import.meta.url),
      environment: { SERVICE_URL: predictions.serviceUrl, TENANT: tenant, VERSION_ID: versionId },
    });
    expect(await program.nextLine()).toBe('output');
    const printedAt = performance.now();
    expect(await program.ended).toEqual({ exitCode: 0, signal: null });
    expect(performance.now() - printedAt).toBeLessThan(PREDICTION_LIMITS.cacheUsageMs - 1_000);
    expect(await statsOf(tenant, versionId)).toMatchObject({ hits: 0, misses: 1 });
  }, 30_000);

  it('of a version that lost its mark go with it', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    await ask(tenant, versionId);
    await predictions.run(tenant, (tx) => tx.execute(sql`delete from prediction_cache_policies`));
    await flushCacheUsage(predictions.db);
    expect(await storedEntries(predictions.db, tenant)).toEqual([]);
  });
});

describe('the last use', () => {
  it('is known to within a minute, and never goes back', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const lastUsed = async () => {
      await flushCacheUsage(predictions.db);
      const [entry] = await storedEntries(predictions.db, tenant);
      return new Date(entry?.last_used ?? Number.NaN).getUTCMinutes();
    };
    await ask(tenant, versionId, 10);
    expect(await lastUsed()).toBe(10);
    await ask(tenant, versionId, 10.5);
    expect(await lastUsed()).toBe(10);
    await ask(tenant, versionId, 12);
    await ask(tenant, versionId, 15);
    await ask(tenant, versionId, 13);
    expect(await lastUsed()).toBe(15);
    await ask(tenant, versionId, 14);
    expect(await lastUsed()).toBe(15);
  });
});
