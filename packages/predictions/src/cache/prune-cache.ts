import { type Database, parseInput, type TenantTx, tenantOf, type WorkHandler, withTenant } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { evictOver } from './evict-cache.ts';
import { CACHE_PRUNE_KIND, scheduledPrune } from './schedule-cache-prune.ts';
import { predictionCache, predictionCachePolicies } from './schema.ts';

export const PruneCacheInput = z.strictObject({
  /** Rows of one transaction. Default 1,000. */
  batchSize: z.int().min(1).max(PREDICTION_LIMITS.cachePruneBatch).optional(),
});
export type PruneCacheInput = Readonly<z.input<typeof PruneCacheInput>>;

/** How many rows were deleted, and why. */
export interface PrunedCache {
  /** Outputs past their time, and computations whose lease has ended. */
  readonly expired: number;
  /** Of an earlier generation. */
  readonly invalidated: number;
  /** Over a limit of their version. */
  readonly evicted: number;
}

export interface PruneCacheOptions {
  /** Ends it after the transaction that runs. */
  readonly signal?: AbortSignal;
  /** What `app_now()` answers in its transactions. Default: the database's clock. */
  readonly now?: () => Date;
}

/** A tenant's own transactions may hold a policy for long, and handlers that wait for it are few. */
const LOCK_TIMEOUT_MS = 1_000;

/**
 * Deletes a tenant's cached outputs that serve nobody or are too many, in small transactions and as often as it takes. Nobody
 * who reads waits. May be ended at any point by `signal` and run again; cachePruneHandler runs it where it is due.
 *
 * @throws DomainError `unavailable` where a transaction of the tenant's own holds a policy for more than a second.
 */
export async function pruneCache(
  db: Database,
  tenant: string,
  input: PruneCacheInput = {},
  options: PruneCacheOptions = {},
): Promise<PrunedCache> {
  const { batchSize = 1_000 } = parseInput(PruneCacheInput, input);
  const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
    withTenant(db, tenant, work, {
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      ...(options.now === undefined ? {} : { now: options.now() }),
    });
  const drain = async (batch: (tx: TenantTx) => Promise<number>): Promise<number> => {
    for (let total = 0; ; ) {
      if (options.signal?.aborted === true) return total;
      const deleted = await inTenant(batch);
      total += deleted;
      if (deleted < batchSize) return total;
    }
  };
  const expired = await drain((tx) => deleteEntries(tx, expiredEntries(tx, batchSize)));
  const invalidated = await drain((tx) => deleteEntries(tx, invalidatedEntries(tx, batchSize)));
  let evicted = 0;
  for (const versionId of await inTenant(listMarkedVersions)) {
    let hasBegun = false;
    evicted += await drain(async (tx) => {
      const count = (await evictOver(tx, versionId, { limit: batchSize, wait: true, hasBegun })) ?? 0;
      hasBegun ||= count > 0;
      return count;
    });
  }
  return { expired, invalidated, evicted };
}

const expiredEntries = (tx: TenantTx, limit: number): SQL => sql`
  select model_version_id, key from ${predictionCache}
   where tenant_id = ${tenantOf(tx)} and expires_at <= (select app_now())
   order by expires_at
   limit ${limit}
     for update skip locked`;

const invalidatedEntries = (tx: TenantTx, limit: number): SQL => sql`
  select e.model_version_id, e.key
    from ${predictionCachePolicies} p
    join ${predictionCache} e
      on e.tenant_id = ${tenantOf(tx)} and e.model_version_id = p.model_version_id and e.generation < p.generation
   where p.tenant_id = ${tenantOf(tx)}
   limit ${limit}
     for update of e skip locked`;

async function deleteEntries(tx: TenantTx, entries: SQL): Promise<number> {
  const rows = await tx.execute(sql`
    with doomed as materialized (${entries})
    delete from ${predictionCache} e
     using doomed
     where e.tenant_id = ${tenantOf(tx)} and e.model_version_id = doomed.model_version_id and e.key = doomed.key
    returning 1`);
  return rows.length;
}

async function listMarkedVersions(tx: TenantTx): Promise<readonly string[]> {
  const rows = await tx.execute<{ id: string }>(sql`
    select model_version_id as id from ${predictionCachePolicies} where tenant_id = ${tenantOf(tx)} order by 1`);
  return rows.map(({ id }) => id);
}

export interface CachePruneOptions
  extends Pick<WorkHandler, 'concurrency' | 'tenantConcurrency' | 'leaseMs'>,
    PruneCacheInput {
  /** What the prune takes as now, for tests. Default: the transaction's clock. */
  readonly now?: () => Date;
}

/**
 * The dispatcher's part in the cache: give it to `runDispatcher` among the other handlers. A store with a time to live asks
 * for it at the output's end, an invalidation and a change of limits at once; it asks for the next at the end that
 * comes first, a minute from now at the earliest.
 */
export function cachePruneHandler({ batchSize, now, ...shares }: CachePruneOptions = {}): WorkHandler {
  return {
    ...shares,
    kind: CACHE_PRUNE_KIND,
    handle: async (_, { db, tenant, signal }) => {
      await pruneCache(db, tenant, batchSize === undefined ? {} : { batchSize }, {
        signal,
        ...(now === undefined ? {} : { now }),
      });
      signal.throwIfAborted();
      return async (tx) => {
        const next = sql`
          select greatest((select expires_at from ${predictionCache}
                            where tenant_id = ${tenantOf(tx)} and expires_at is not null
                            order by expires_at limit 1),
                          app_now() + interval '1 minute') as due_at
            from (select) as always
           where exists (select from ${predictionCache} where tenant_id = ${tenantOf(tx)} and expires_at is not null)`;
        await tx.execute(sql`with ${scheduledPrune(tx, next)} select`);
      };
    },
  };
}
