import { setTimeout as pause } from 'node:timers/promises';
import { connect, dispatchWork } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  cachePruneHandler,
  flushCacheUsage,
  getCacheStats,
  invalidateCache,
  PREDICTION_LIMITS,
  pruneCache,
  setCachePolicy,
  withCache,
} from '../../src/index.ts';
import { markedVersion, storedEntries } from '../support/cache-world.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const start = Date.UTC(2030, 0, 1);
const minute = (count: number) => new Date(start + count * 60_000);

/** An output of so many bytes for an input, stored or used at that minute. */
const use = (tenant: string, versionId: string, input: number, at: number, bytes = 10, db = predictions.db) =>
  withCache(
    db,
    tenant,
    { versionId, input, compute: () => `${input} ${'x'.repeat(bytes - 3 - String(input).length)}` },
    { now: () => minute(at) },
  );

const inputsOf = async (tenant: string) =>
  (await storedEntries(predictions.db, tenant)).map(({ output }) => Number.parseInt(JSON.parse(output ?? '""'), 10));

const prune = (tenant: string, at: number, batchSize?: number) =>
  pruneCache(predictions.db, tenant, batchSize === undefined ? {} : { batchSize }, { now: () => minute(at) });

describe('a limit', () => {
  it('of entries evicts what was not used for longest, down to nine tenths', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { maxEntries: 10 });
    for (let input = 1; input <= 10; input += 1) await use(tenant, versionId, input, input);
    expect(await use(tenant, versionId, 1, 20)).toMatchObject({ isHit: true });
    await flushCacheUsage(predictions.db);
    await use(tenant, versionId, 11, 21);
    // 2 and 3 went; 1 is the older one, and was used since.
    expect(await inputsOf(tenant)).toEqual([4, 5, 6, 7, 8, 9, 10, 1, 11]);
    expect(await use(tenant, versionId, 2, 22)).toMatchObject({ isHit: false, isStored: true });
  });

  it('of bytes does so too, however large the outputs are', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { maxBytes: 1_000 });
    for (let input = 1; input <= 10; input += 1) await use(tenant, versionId, input, input, 100);
    expect(await inputsOf(tenant)).toHaveLength(10);
    await use(tenant, versionId, 11, 11, 350);
    // 1,350 bytes, of which at most 900 stay.
    expect(await inputsOf(tenant)).toEqual([6, 7, 8, 9, 10, 11]);
    // As large as the limit: it alone stays.
    await use(tenant, versionId, 12, 12, 1_000);
    expect(await inputsOf(tenant)).toEqual([12]);
    const stats = await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));
    expect(stats).toMatchObject({ entries: 1, bytes: 1_000, maxBytes: 1_000, maxEntries: 100_000 });
  });

  it('of one entry keeps the last one', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { maxEntries: 1 });
    for (const input of [1, 2, 3]) await use(tenant, versionId, input, input);
    expect(await inputsOf(tenant)).toEqual([3]);
  });

  it('is that of one version, and is kept while several processes store at once', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { maxEntries: 40 });
    const neighbour = await markedVersion(predictions.db, tenant);
    const pools = await Promise.all([1, 2, 3].map(() => connect({ url: predictions.serviceUrl, max: 4 })));
    try {
      for (let input = 0; input < 50; input += 1) await use(tenant, neighbour, input, 0);
      let most = 0;
      await Promise.all(
        pools.map(async (db, pool) => {
          for (let input = 0; input < 60; input += 1) {
            await use(tenant, versionId, pool * 1_000 + input, input, 20, db);
            const { entries } = await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));
            most = Math.max(most, entries);
          }
        }),
      );
      // A twentieth of 40 is 2: three processes exceed the limit by 6, and by what two store while the third evicts, which
      // is a matter of the machine. Of 180 outputs that were stored, a third more than the limit is far from too many.
      expect(most).toBeLessThanOrEqual(40 + 6 + 14);
      const end = await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));
      // No eviction took twice as much.
      expect(end.entries).toBeGreaterThanOrEqual(36);
      expect(await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId: neighbour }))).toMatchObject({
        entries: 50,
      });
    } finally {
      await Promise.all(pools.map((db) => db.close()));
    }
  });

  it('that is lowered is kept by the next prune, of several at once by no more than one', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    for (let input = 1; input <= 100; input += 1) await use(tenant, versionId, input, input);
    await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true, maxEntries: 50 }), {
      now: minute(1_000),
    });
    const pruned = await Promise.all([7, 7, 1_000, 3].map((batchSize) => prune(tenant, 1_000, batchSize)));
    expect(pruned.reduce((sum, { evicted }) => sum + evicted, 0)).toBe(55);
    expect(await inputsOf(tenant)).toEqual(Array.from({ length: 45 }, (_, index) => 56 + index));
  });

  it('is gone below by one tenth, also in batches of which one keeps the limit already', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    for (let input = 1; input <= 60; input += 1) await use(tenant, versionId, input, input);
    await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true, maxEntries: 50 }), {
      now: minute(1_000),
    });
    expect(await prune(tenant, 1_000, 5)).toMatchObject({ evicted: 15 });
  });

  it('has bounds of its own', async () => {
    const tenant = freshTenant();
    const { id: versionId } = await predictions.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
    const set = (limits: object) =>
      predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true, ...limits }));
    for (const [field, limit] of [
      ['ttlMs', PREDICTION_LIMITS.cacheTtlMs],
      ['maxBytes', PREDICTION_LIMITS.cacheMaxBytes],
      ['maxEntries', PREDICTION_LIMITS.cacheMaxEntries],
    ] as const) {
      expect(await set({ [field]: limit })).toMatchObject({ [field]: limit, versionId });
      expect(await refusalOf(set({ [field]: limit + 1 }))).toMatchObject({ code: 'invalid_input', details: { field } });
      expect(await refusalOf(set({ [field]: 0 }))).toMatchObject({ code: 'invalid_input', details: { field } });
    }
    for (const leaseMs of [PREDICTION_LIMITS.cacheLeaseMsMin - 1, PREDICTION_LIMITS.cacheLeaseMs + 1]) {
      const asked = withCache(predictions.db, tenant, { versionId, input: 1, leaseMs, compute: () => 1 });
      expect(await refusalOf(asked)).toMatchObject({ code: 'invalid_input', details: { field: 'leaseMs' } });
    }
    const batch = pruneCache(predictions.db, tenant, { batchSize: PREDICTION_LIMITS.cachePruneBatch + 1 });
    expect(await refusalOf(batch)).toMatchObject({ code: 'invalid_input', details: { field: 'batchSize' } });
  });

  it('that is not given goes back to its default', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { ttlMs: 1, maxBytes: 1, maxEntries: 1 });
    const policy = await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true }));
    expect(policy).toMatchObject({ ttlMs: null, maxBytes: 100_000_000, maxEntries: 100_000 });
  });
});

describe('pruneCache', () => {
  it('deletes what has expired, what was invalidated and what lost its holder, and says how many', async () => {
    const tenant = freshTenant();
    const short = await markedVersion(predictions.db, tenant, { ttlMs: 10 * 60_000 });
    const long = await markedVersion(predictions.db, tenant);
    for (const input of [1, 2, 3]) await use(tenant, short, input, input);
    for (const input of [4, 5, 6, 7]) await use(tenant, long, input, 4);
    await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId: long }));
    await use(tenant, long, 7, 8);
    // As a process leaves it that was killed.
    await predictions.run(tenant, (tx) =>
      tx.execute(sql`
        insert into prediction_cache (model_version_id, key, generation, status, claim, expires_at)
        select model_version_id, sha256(minute::bytea), generation, 'computing', gen_random_uuid(),
               ('2030-01-01 00:' || minute || ':00Z')::timestamptz
          from prediction_cache_policies, unnest(array['11', '13']) minute
         where model_version_id = ${short}::uuid`),
    );
    expect(await prune(tenant, 12, 2)).toEqual({ expired: 3, invalidated: 3, evicted: 0 });
    const left = await storedEntries(predictions.db, tenant);
    expect(left.map(({ status, output }) => [status, output?.slice(1, 2)])).toEqual(
      expect.arrayContaining([
        ['ready', '3'],
        ['ready', '7'],
        ['computing', undefined],
      ]),
    );
    expect(left).toHaveLength(3);
    expect(await prune(tenant, 12)).toEqual({ expired: 0, invalidated: 0, evicted: 0 });
  });

  it('evicts what was invalidated before what serves', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { maxEntries: 10 });
    for (let input = 1; input <= 9; input += 1) await use(tenant, versionId, input, 50);
    await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId }));
    await use(tenant, versionId, 10, 1);
    await use(tenant, versionId, 11, 1);
    const serving = (await storedEntries(predictions.db, tenant)).filter(({ is_current: isCurrent }) => isCurrent);
    expect(serving).toHaveLength(2);
    expect(await storedEntries(predictions.db, tenant)).toHaveLength(9);
  });

  it('can be ended after each transaction and be run again', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { ttlMs: 60_000 });
    for (let input = 1; input <= 5; input += 1) await use(tenant, versionId, input, 0);
    const stop = AbortSignal.abort();
    const none = await pruneCache(predictions.db, tenant, {}, { signal: stop, now: () => minute(5) });
    expect(none).toEqual({ expired: 0, invalidated: 0, evicted: 0 });
    expect((await prune(tenant, 5)).expired).toBe(5);
  });

  it('passes over what others hold', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { ttlMs: 60_000 });
    await use(tenant, versionId, 1, 0);
    await use(tenant, versionId, 2, 0);
    const [isHeld, mayCommit] = [barrier(), barrier()];
    const holding = predictions.run(tenant, async (tx) => {
      await tx.execute(sql`select from prediction_cache where output like '"1%' for update`);
      isHeld.open();
      await mayCommit.passed;
    });
    await isHeld.passed;
    expect((await prune(tenant, 5)).expired).toBe(1);
    mayCommit.open();
    await holding;
    expect((await prune(tenant, 5)).expired).toBe(1);
  });
});

describe('the dispatcher', () => {
  const dispatchAt = (at: number) =>
    dispatchWork(predictions.db, { ...cachePruneHandler({ now: () => minute(at) }), now: () => minute(at) });
  const duesOf = async (tenant: string) =>
    (
      await predictions.run(tenant, (tx) =>
        tx.execute<{ due: number }>(sql`
          select (extract(epoch from due_at) * 1000)::float8 as due from tenant_work
           where kind = 'predictions.pruneCache' order by 1`),
      )
    ).map(({ due }) => (due - start) / 60_000);

  it('prunes when outputs expire, as long as there are any', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { ttlMs: 10 * 60_000 });
    await use(tenant, versionId, 1, 0);
    await use(tenant, versionId, 2, 5);
    await use(tenant, versionId, 3, 5);
    expect(await duesOf(tenant)).toEqual([10]);
    await dispatchAt(9);
    expect(await inputsOf(tenant)).toHaveLength(3);
    await dispatchAt(10);
    expect((await inputsOf(tenant)).toSorted((one, other) => one - other)).toEqual([2, 3]);
    expect(await duesOf(tenant)).toEqual([15]);
    await dispatchAt(15);
    expect([await inputsOf(tenant), await duesOf(tenant)]).toEqual([[], []]);
    await use(tenant, versionId, 4, 20);
    expect(await duesOf(tenant)).toEqual([30]);
  });

  it('prunes at once where a version was invalidated or its limits were changed, and asks for nothing else', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    for (let input = 1; input <= 5; input += 1) await use(tenant, versionId, input, 0);
    expect(await duesOf(tenant)).toEqual([]);
    await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId }), { now: minute(1) });
    await use(tenant, versionId, 6, 1);
    await dispatchAt(1);
    expect([await inputsOf(tenant), await duesOf(tenant)]).toEqual([[6], []]);
    for (let input = 7; input <= 9; input += 1) await use(tenant, versionId, input, 2);
    await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true, maxEntries: 2 }), {
      now: new Date('2100-01-01Z'),
    });
    const far = () => new Date('2100-01-01Z');
    await dispatchWork(predictions.db, { ...cachePruneHandler({ now: far }), now: far });
    expect(await inputsOf(tenant)).toHaveLength(1);
  });

  it('does not wait for a policy that a transaction of its tenant holds', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, {});
    await use(tenant, versionId, 1, 0);
    const pool = await connect({ url: predictions.serviceUrl, max: 1 });
    const [isHeld, letGo] = [barrier(), barrier()];
    const holding = predictions.run(tenant, async (tx) => {
      await tx.execute(sql`select from prediction_cache_policies for update`);
      isHeld.open();
      await letGo.passed;
    });
    await isHeld.passed;
    const pruning = refusalOf(pruneCache(pool, tenant));
    const refusal = await Promise.race([pruning, pause(7_000, undefined)]);
    letGo.open();
    await Promise.all([holding, pruning]);
    await pool.close();
    expect(refusal).toMatchObject({ code: 'unavailable', details: { sqlState: '55P03' } });
  });
});
