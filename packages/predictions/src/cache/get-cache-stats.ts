import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { versionNotFound } from '../not-found.ts';
import { notDeterministic } from './not-deterministic.ts';
import { predictionCache, predictionCachePolicies } from './schema.ts';

export const GetCacheStatsInput = z.strictObject(versionSubject).refine(namesOneVersion, ONE_VERSION);
export type GetCacheStatsInput = Readonly<z.input<typeof GetCacheStatsInput>>;

/** What the cache of a version holds, and what it was good for since the version was marked. */
export interface CacheStats {
  readonly versionId: Id<'ModelVersion'>;
  readonly ttlMs: number | null;
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Outputs that serve. */
  readonly entries: number;
  readonly bytes: number;
  /** Outputs that have expired or were invalidated, and wait to be deleted. */
  readonly staleEntries: number;
  /** Computations under a lease. */
  readonly computing: number;
  /** Calls that got an output without computing it, those that waited for another's among them. */
  readonly hits: number;
  /** Calls that computed. */
  readonly misses: number;
  /** What the hits would have taken to compute. */
  readonly savedMs: number;
}

/**
 * Reads the limits, the sizes and the counters of a version's cache. Counters are written in batches: those of the last
 * `cacheUsageMs` of each process are missing. One statement over the version's entries, no lock.
 *
 * @throws DomainError `not_found`, `failed_precondition` for a version that is not marked deterministic.
 */
export async function getCacheStats(tx: TenantTx, input: GetCacheStatsInput): Promise<CacheStats> {
  const subject = parseInput(GetCacheStatsInput, input);
  const tenant = tenantOf(tx);
  const [row] = await tx.execute<StatsRow>(sql`
    select version.id as version_id, p.ttl_ms::float8, p.max_bytes::float8, p.max_entries,
           p.hits::float8, p.misses::float8, p.saved_ms, e.*
      from (select ${versionIdOf(tx, subject)} as id) version
      left join ${predictionCachePolicies} p on p.tenant_id = ${tenant} and p.model_version_id = version.id
      left join lateral (
             select count(*) filter (where serves)::int as entries,
                    coalesce(sum(output_bytes) filter (where serves), 0)::float8 as bytes,
                    count(*) filter (where status = 'ready' and not serves)::int as stale_entries,
                    count(*) filter (where status = 'computing' and expires_at > app_now())::int as computing
               from (select status, output_bytes, expires_at,
                            status = 'ready' and generation = p.generation
                              and (expires_at is null or expires_at > app_now()) as serves
                       from ${predictionCache}
                      where tenant_id = ${tenant} and model_version_id = version.id) entry
           ) e on p.model_version_id is not null
     where version.id is not null`);
  if (row === undefined) throw versionNotFound();
  if (row.max_bytes === null) throw notDeterministic();
  return {
    versionId: row.version_id,
    ttlMs: row.ttl_ms,
    maxBytes: row.max_bytes,
    maxEntries: row.max_entries,
    entries: row.entries,
    bytes: row.bytes,
    staleEntries: row.stale_entries,
    computing: row.computing,
    hits: row.hits,
    misses: row.misses,
    savedMs: row.saved_ms,
  };
}

interface StatsRow extends Record<string, unknown> {
  readonly version_id: Id<'ModelVersion'>;
  readonly ttl_ms: number | null;
  /** Null: there is no policy, and nothing of the rest. */
  readonly max_bytes: number | null;
  readonly max_entries: number;
  readonly entries: number;
  readonly bytes: number;
  readonly stale_entries: number;
  readonly computing: number;
  readonly hits: number;
  readonly misses: number;
  readonly saved_ms: number;
}
