import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { claimEntry, extendClaim, lookUpEntry, releaseClaim, storeOutput } from '../../src/cache/cache-entries.ts';
import { cacheKey } from '../../src/cache/cache-key.ts';
import { invalidateCache } from '../../src/index.ts';
import { markedVersion } from '../support/cache-world.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const ENTRIES = 10_000;
const key = cacheKey(1, undefined);
const claim = '019df26b-6cf8-7000-8000-000000000001';
let tenant: string;
let place: { readonly versionId: Awaited<ReturnType<typeof markedVersion>>; readonly key: string };

beforeAll(async () => {
  tenant = freshTenant();
  const versionId = await markedVersion(predictions.db, tenant, { ttlMs: 60_000 });
  place = { versionId, key };
  await predictions.run(tenant, (tx) =>
    tx.execute(sql`
      insert into prediction_cache (model_version_id, key, generation, status, output, output_bytes, expires_at)
      select model_version_id, sha256(n::text::bytea), generation, 'ready', '1', 1, app_now() + interval '1 day'
        from prediction_cache_policies, generate_series(1, ${ENTRIES}::int) n`),
  );
});

/** Rows of the cache that a piece of work reads, all of them by an index; nothing of it stays. */
async function rowsReadBy(work: (tx: TenantTx) => Promise<unknown>): Promise<number> {
  const undo = new Error('undo');
  let rows = Number.NaN;
  await predictions
    .run(tenant, async (tx) => {
      await tx.execute(sql`
        insert into prediction_cache (model_version_id, key, generation, status, claim, expires_at)
        select model_version_id, ${`\\x${key}`}::text::bytea, generation, 'computing', ${claim}::uuid, app_now()
          from prediction_cache_policies`);
      const read = async () => {
        const [row] = await tx.execute<{ whole: number; by_index: number }>(sql`
          select seq_scan::int as whole, idx_tup_fetch::int as by_index
            from pg_stat_xact_user_tables where relname = 'prediction_cache'`);
        expect(row?.whole).toBe(0);
        return row?.by_index ?? Number.NaN;
      };
      const before = await read();
      await work(tx);
      rows = (await read()) - before;
      throw undo;
    })
    .catch((error: unknown) => expect(error).toBe(undo));
  return rows;
}

describe('of 10,000 entries of a version', () => {
  it.each<readonly [string, (tx: TenantTx) => Promise<unknown>]>([
    ['a look by id', (tx) => lookUpEntry(tx, { versionId: place.versionId }, key)],
    ['a look by reference', (tx) => lookUpEntry(tx, { reference: 'churn/1' }, key)],
    ['a claim', (tx) => claimEntry(tx, place, 1_000)],
    ['its renewal', (tx) => extendClaim(tx, place, claim, 1_000)],
    ['its end without an output', (tx) => releaseClaim(tx, place, claim)],
    ['a store', (tx) => storeOutput(tx, place, claim, { text: '1', bytes: 1, computeMs: 1 })],
    ['an invalidation', (tx) => invalidateCache(tx, { versionId: place.versionId })],
  ])('%s reads its own alone', async (_, work) => {
    // A store looks for the row twice: to fill it, or to give it up.
    expect(await rowsReadBy(work)).toBeLessThanOrEqual(2);
  });
});
