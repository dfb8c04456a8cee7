import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { versionNotFound } from '../not-found.ts';
import { scheduledPrune } from './schedule-cache-prune.ts';
import { predictionCachePolicies } from './schema.ts';

export const SetCachePolicyInput = z
  .strictObject({
    ...versionSubject,
    /** The caller's word that the same input and parameters always give the same output. */
    deterministic: z.literal(true),
    /** How long an output serves. Default, and null: until it is evicted. */
    ttlMs: z.int().min(1).max(PREDICTION_LIMITS.cacheTtlMs).nullish(),
    /** Of the outputs together, as JSON in UTF-8. Default 100,000,000. */
    maxBytes: z.int().min(1).max(PREDICTION_LIMITS.cacheMaxBytes).optional(),
    /** Default 100,000. */
    maxEntries: z.int().min(1).max(PREDICTION_LIMITS.cacheMaxEntries).optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type SetCachePolicyInput = Readonly<z.input<typeof SetCachePolicyInput>>;

/** How the outputs of a version are kept. */
export interface CachePolicy {
  readonly versionId: Id<'ModelVersion'>;
  readonly ttlMs: number | null;
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * Marks a version deterministic, so that withCache keeps its outputs, and says for how long and how many. Again, it sets
 * the limits anew, those that are not given to their defaults: a new ttlMs holds for what is stored from then on, and what
 * is too much is evicted by the next prune or store. Entries and counters stay.
 *
 * One round trip, under the lock of the version.
 *
 * @throws DomainError `not_found`.
 */
export async function setCachePolicy(tx: TenantTx, input: SetCachePolicyInput): Promise<CachePolicy> {
  const {
    deterministic: _,
    ttlMs = null,
    maxBytes = 100_000_000,
    maxEntries = 100_000,
    ...subject
  } = parseInput(SetCachePolicyInput, input);
  const tenant = tenantOf(tx);
  const [row] = await tx.execute<PolicyRow>(sql`
    with version as materialized (
      select id from ${modelRegistry}
       where tenant_id = ${tenant} and id = ${versionIdOf(tx, subject)} and deleted_at is null
         for no key update
    ), kept as (
      insert into ${predictionCachePolicies} as p (tenant_id, model_version_id, generation, ttl_ms, max_bytes, max_entries)
      select ${tenant}, id, (extract(epoch from clock_timestamp()) * 1000000)::bigint, ${ttlMs}::bigint, ${maxBytes}::bigint,
             ${maxEntries}::int
        from version
          on conflict (tenant_id, model_version_id) do update
         set ttl_ms = excluded.ttl_ms, max_bytes = excluded.max_bytes, max_entries = excluded.max_entries,
             updated_at = app_now()
      returning p.*
    ), ${scheduledPrune(tx, sql`select app_now() as due_at from kept where created_at < updated_at`)}
    select model_version_id as version_id, ttl_ms::float8, max_bytes::float8, max_entries,
           (extract(epoch from created_at) * 1000)::float8 as created_ms,
           (extract(epoch from updated_at) * 1000)::float8 as updated_ms
      from kept`);
  if (row === undefined) throw versionNotFound();
  return {
    versionId: row.version_id,
    ttlMs: row.ttl_ms,
    maxBytes: row.max_bytes,
    maxEntries: row.max_entries,
    createdAt: new Date(row.created_ms),
    updatedAt: new Date(row.updated_ms),
  };
}

interface PolicyRow extends Record<string, unknown> {
  readonly version_id: Id<'ModelVersion'>;
  readonly ttl_ms: number | null;
  readonly max_bytes: number;
  readonly max_entries: number;
  readonly created_ms: number;
  readonly updated_ms: number;
}

export const RemoveCachePolicyInput = z.strictObject(versionSubject).refine(namesOneVersion, ONE_VERSION);
export type RemoveCachePolicyInput = Readonly<z.input<typeof RemoveCachePolicyInput>>;

/**
 * Takes the mark from a version, with all of its entries and counters: withCache refuses the version from then on, and
 * what is being computed is not stored. Where there is no mark nothing changes. By `versionId` also of a version that is
 * deleted, which has to lose its mark before it can be erased. One round trip; it waits for who is just storing.
 *
 * @returns whether there was one.
 */
export async function removeCachePolicy(tx: TenantTx, input: RemoveCachePolicyInput): Promise<boolean> {
  const subject = parseInput(RemoveCachePolicyInput, input);
  const rows = await tx
    .delete(predictionCachePolicies)
    .where(
      and(
        eq(predictionCachePolicies.tenantId, tenantOf(tx)),
        subject.versionId === undefined
          ? sql`${predictionCachePolicies.modelVersionId} = ${versionIdOf(tx, subject)}`
          : sql`${predictionCachePolicies.modelVersionId} = ${subject.versionId}::uuid`,
      ),
    )
    .returning({ versionId: predictionCachePolicies.modelVersionId });
  return rows.length > 0;
}
