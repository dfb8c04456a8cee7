import { randomUUID } from 'node:crypto';
import { type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type VersionSubject, versionIdOf } from '@mcp-hub/registry';
import { type SQL, sql } from 'drizzle-orm';
import { versionNotFound } from '../not-found.ts';
import { notDeterministic } from './not-deterministic.ts';
import { scheduledPrune } from './schedule-cache-prune.ts';
import { predictionCache, predictionCachePolicies } from './schema.ts';

/** Where an output lies, or would. */
export interface CachePlace {
  readonly versionId: Id<'ModelVersion'>;
  /** SHA-256 as hex. */
  readonly key: string;
}

/** What a look at a place found. */
export interface CacheLook extends CachePlace {
  readonly generation: number;
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly at: Date;
  /** Null: there is none that serves. */
  readonly output: { readonly text: string; readonly computeMs: number } | null;
  /** Somebody computes it under a lease. */
  readonly isTaken: boolean;
}

// By way of text, because the driver would take the text of a bytea for its bytes.
const keyParameter = (key: string): SQL => sql`${`\\x${key}`}::text::bytea`;

const isAt = (tx: TenantTx, { versionId, key }: CachePlace): SQL => sql`
  tenant_id = ${tenantOf(tx)} and model_version_id = ${versionId}::uuid and key = ${keyParameter(key)}`;

/**
 * Follows the version, and reads its policy and the entry, all in one statement: whoever moves an alias and invalidates in
 * one transaction is seen to have done both or neither.
 *
 * @throws DomainError `not_found`, `failed_precondition` for a version that is not marked deterministic.
 */
export async function lookUpEntry(tx: TenantTx, subject: VersionSubject, key: string): Promise<CacheLook> {
  const tenant = tenantOf(tx);
  const [row] = await tx.execute<LookRow>(sql`
    select version.id as version_id, p.generation::float8, p.max_bytes::float8, p.max_entries, e.status, e.compute_ms,
           case e.status when 'ready' then e.output end as output,
           (extract(epoch from app_now()) * 1000)::float8 as at_ms
      from (select ${versionIdOf(tx, subject)} as id) version
      left join ${predictionCachePolicies} p on p.tenant_id = ${tenant} and p.model_version_id = version.id
      left join ${predictionCache} e
             on e.tenant_id = ${tenant} and e.model_version_id = version.id and e.key = ${keyParameter(key)}
            and e.generation = p.generation and (e.expires_at is null or e.expires_at > app_now())
     where version.id is not null`);
  if (row === undefined) throw versionNotFound();
  if (row.generation === null) throw notDeterministic();
  return {
    versionId: row.version_id,
    key,
    generation: row.generation,
    maxBytes: row.max_bytes,
    maxEntries: row.max_entries,
    at: new Date(row.at_ms),
    output: row.output === null ? null : { text: row.output, computeMs: row.compute_ms ?? 0 },
    isTaken: row.status === 'computing',
  };
}

interface LookRow extends Record<string, unknown> {
  readonly version_id: Id<'ModelVersion'>;
  /** Null: there is no policy. */
  readonly generation: number | null;
  readonly max_bytes: number;
  readonly max_entries: number;
  readonly status: string | null;
  readonly compute_ms: number | null;
  readonly output: string | null;
  readonly at_ms: number;
}

/**
 * Takes the place to compute its output, where nothing there serves and nobody holds it. Undefined where another was
 * faster, or the mark was taken away: look again.
 *
 * The policy's row is held FOR KEY SHARE before the entry's, in the order in which removeCachePolicy takes them; that waits
 * for a removal under way and then finds no row, where the foreign key would throw.
 */
export async function claimEntry(tx: TenantTx, place: CachePlace, leaseMs: number): Promise<string | undefined> {
  const claim = randomUUID();
  const rows = await tx.execute(sql`
    with policy as materialized (
      select generation from ${predictionCachePolicies}
       where tenant_id = ${tenantOf(tx)} and model_version_id = ${place.versionId}::uuid
         for key share
    )
    insert into ${predictionCache} as e
           (tenant_id, model_version_id, key, generation, status, claim, last_used_at, expires_at)
    select ${tenantOf(tx)}, ${place.versionId}::uuid, ${keyParameter(place.key)}, generation, 'computing', ${claim}::uuid,
           app_now(), ${leaseEnd(leaseMs)}
      from policy
        on conflict (tenant_id, model_version_id, key) do update
       set generation = excluded.generation, status = 'computing', claim = excluded.claim, output = null,
           output_bytes = 0, compute_ms = null, last_used_at = excluded.last_used_at, expires_at = excluded.expires_at
     -- Not where it is of a later generation than this statement saw: somebody has invalidated and claimed since.
     where e.generation < excluded.generation or e.expires_at <= app_now()
    returning 1`);
  return rows.length > 0 ? claim : undefined;
}

/** Holds a claim for longer. False where it was given to another, or removed. */
export async function extendClaim(tx: TenantTx, place: CachePlace, claim: string, leaseMs: number): Promise<boolean> {
  const rows = await tx.execute(sql`
    update ${predictionCache} set expires_at = ${leaseEnd(leaseMs)} where ${isAt(tx, place)} and claim = ${claim}::uuid
    returning 1`);
  return rows.length > 0;
}

/** Gives a claim up, where it is still held. */
export async function releaseClaim(tx: TenantTx, place: CachePlace, claim: string): Promise<void> {
  await tx.execute(sql`delete from ${predictionCache} where ${isAt(tx, place)} and claim = ${claim}::uuid`);
}

export interface NewOutput {
  readonly text: string;
  readonly bytes: number;
  readonly computeMs: number;
}

/**
 * Stores an output in the place of its claim, and asks for the prune at its end. Nothing is stored where the claim was
 * given to another, or removed with the mark; nor where the version was invalidated since the claim, which then goes.
 *
 * @returns whether it was stored. Should an invalidation commit in this moment, the row that is left serves nobody.
 */
export async function storeOutput(tx: TenantTx, place: CachePlace, claim: string, output: NewOutput): Promise<boolean> {
  const [row] = await tx.execute<{ stored: boolean }>(sql`
    with policy as materialized (
      select generation, ttl_ms from ${predictionCachePolicies}
       where tenant_id = ${tenantOf(tx)} and model_version_id = ${place.versionId}::uuid
    ), stored as (
      update ${predictionCache} e
         set status = 'ready', claim = null, output = ${output.text}, output_bytes = ${output.bytes}::int,
             compute_ms = ${output.computeMs}::float8, last_used_at = app_now(),
             expires_at = app_now() + interval '1 millisecond' * policy.ttl_ms
        from policy
       where ${isAt(tx, place)} and claim = ${claim}::uuid and e.generation = policy.generation
      returning e.expires_at
    ), given_up as (
      delete from ${predictionCache} e
       using policy
       where ${isAt(tx, place)} and claim = ${claim}::uuid and e.generation < policy.generation
    ), ${scheduledPrune(tx, sql`select expires_at as due_at from stored`)}
    select exists (select from stored) as stored`);
  return row?.stored === true;
}

const leaseEnd = (leaseMs: number): SQL => sql`app_now() + interval '1 millisecond' * ${leaseMs}::float8`;
