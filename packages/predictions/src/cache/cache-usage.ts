import { AsyncResource } from 'node:async_hooks';
import {
  type Database,
  float8Array,
  int8Array,
  type TenantTx,
  tenantOf,
  textArray,
  timestampArray,
  uuidArray,
  withTenant,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { PREDICTION_LIMITS } from '../limits.ts';
import type { CachePlace } from './cache-entries.ts';
import { predictionCache, predictionCachePolicies } from './schema.ts';

interface Counters {
  hits: number;
  misses: number;
  savedMs: number;
}

interface TenantUsage {
  readonly byVersion: Map<string, Counters>;
  readonly lastUsed: Map<string, { readonly place: CachePlace; atMs: number }>;
}

/** What one pool's calls have counted and not written yet. */
interface Usage {
  byTenant: Map<string, TenantUsage>;
  marks: number;
  timer: NodeJS.Timeout | undefined;
  failures: number;
  /** Writes one after another, so that whoever flushes also waits for the write under way. */
  writing: Promise<void>;
}

const usages = new WeakMap<Database, Usage>();

function usageOf(db: Database): Usage {
  const known = usages.get(db);
  if (known !== undefined) return known;
  const usage = { byTenant: new Map(), marks: 0, timer: undefined, failures: 0, writing: Promise.resolve() };
  usages.set(db, usage);
  return usage;
}

/** Entries of which the last use waits to be written; more are written at once. */
const MARKS_MAX = 5_000;

/** A pool that has been closed fails for ever: the timer stops, what was counted stays for the next hit or flush. */
const FAILURES_MAX = 10;

// What is counted inside one tenant's transaction is written later, with that of others: outside of any.
const outside = new AsyncResource('PredictionCacheUsage');

/** Counts a call that was answered without computing, and what that saved. No query. */
export function noteHit(db: Database, tenant: string, place: CachePlace, savedMs: number, usedAt: Date): void {
  const usage = usageOf(db);
  const counted = tenantUsage(usage, tenant);
  const counters = countersOf(counted, place.versionId);
  counters.hits += 1;
  counters.savedMs += savedMs;
  const id = `${place.versionId} ${place.key}`;
  const last = counted.lastUsed.get(id);
  if (last === undefined) {
    counted.lastUsed.set(id, { place, atMs: usedAt.getTime() });
    usage.marks += 1;
  } else last.atMs = Math.max(last.atMs, usedAt.getTime());
  if (usage.marks >= MARKS_MAX) void flushCacheUsage(db).catch(() => {});
  else setTimer(db, usage);
}

/** Counts a call that computed. No query. */
export function noteMiss(db: Database, tenant: string, { versionId }: CachePlace): void {
  const usage = usageOf(db);
  countersOf(tenantUsage(usage, tenant), versionId).misses += 1;
  setTimer(db, usage);
}

/**
 * Writes what this process has counted for the pool: hits, misses, saved time, last uses. Otherwise a timer does so
 * `cacheUsageMs` after the first of them; it does not keep the process alive, so call this before the pool is closed. A
 * process that dies loses what it counted since the last write. One transaction a tenant, and a pair of statements in it.
 *
 * @throws what the database gives; what could not be written is kept for the next time.
 */
export async function flushCacheUsage(db: Database): Promise<void> {
  const usage = usageOf(db);
  const written = usage.writing.then(() => outside.runInAsyncScope(() => writeUsage(db, usage)));
  usage.writing = written.catch(() => {});
  await written;
}

function setTimer(db: Database, usage: Usage): void {
  if (usage.timer !== undefined) return;
  usage.timer = outside.runInAsyncScope(() =>
    setTimeout(() => {
      usage.timer = undefined;
      flushCacheUsage(db).catch(() => {
        usage.failures += 1;
        if (usage.failures < FAILURES_MAX) setTimer(db, usage);
        else usage.failures = 0;
      });
    }, PREDICTION_LIMITS.cacheUsageMs),
  );
  usage.timer.unref();
}

async function writeUsage(db: Database, usage: Usage): Promise<void> {
  const waiting = usage.byTenant;
  usage.byTenant = new Map();
  usage.marks = 0;
  const failures: unknown[] = [];
  for (const [tenant, counted] of waiting) {
    try {
      // An invalidation in a long transaction holds the policy's row: what was counted can wait, the connection not.
      await withTenant(db, tenant, (tx) => writeTenantUsage(tx, counted), { lockTimeoutMs: 1_000 });
    } catch (error) {
      takeBack(usage, tenant, counted);
      failures.push(error);
    }
  }
  for (const error of failures) throw error;
  usage.failures = 0;
}

async function writeTenantUsage(tx: TenantTx, { byVersion, lastUsed }: TenantUsage): Promise<void> {
  const tenant = tenantOf(tx);
  const counters = [...byVersion.values()];
  const used = [...lastUsed.values()];
  await Promise.all([
    tx.execute(sql`
      with counted as materialized (
        select * from unnest(${uuidArray([...byVersion.keys()])},
                             ${int8Array(counters.map(({ hits }) => hits))},
                             ${int8Array(counters.map(({ misses }) => misses))},
                             ${float8Array(counters.map(({ savedMs }) => savedMs))})
                        as c (version_id, hits, misses, saved_ms)
      ), locked as materialized (
        select p.model_version_id as version_id
          from ${predictionCachePolicies} p
         where p.tenant_id = ${tenant} and p.model_version_id in (select version_id from counted)
         order by p.model_version_id
           for no key update
      )
      update ${predictionCachePolicies} p
         set hits = p.hits + counted.hits, misses = p.misses + counted.misses,
             saved_ms = p.saved_ms + counted.saved_ms
        from counted join locked using (version_id)
       where p.tenant_id = ${tenant} and p.model_version_id = counted.version_id`),
    // A minute is close enough for eviction, and spares what is hit all the time a write each interval. Whoever holds an
    // entry is about to replace or delete it.
    tx.execute(sql`
      with used as materialized (
        select version_id, key::bytea, used_at
          from unnest(${uuidArray(used.map(({ place }) => place.versionId))},
                      ${textArray(used.map(({ place }) => `\\x${place.key}`))},
                      ${timestampArray(used.map(({ atMs }) => new Date(atMs)))}) as u (version_id, key, used_at)
      ), locked as materialized (
        select e.model_version_id as version_id, e.key, used.used_at
          from used
          join ${predictionCache} e
            on e.tenant_id = ${tenant} and e.model_version_id = used.version_id and e.key = used.key
           and e.last_used_at <= used.used_at - interval '1 minute'
         order by e.model_version_id, e.key
           for no key update of e skip locked
      )
      update ${predictionCache} e
         set last_used_at = locked.used_at
        from locked
       where e.tenant_id = ${tenant} and e.model_version_id = locked.version_id and e.key = locked.key`),
  ]);
}

function takeBack(usage: Usage, tenant: string, counted: TenantUsage): void {
  const now = tenantUsage(usage, tenant);
  for (const [versionId, { hits, misses, savedMs }] of counted.byVersion) {
    const counters = countersOf(now, versionId);
    counters.hits += hits;
    counters.misses += misses;
    counters.savedMs += savedMs;
  }
  // Last uses are only hints; without a bound they would grow for as long as the database is away.
  for (const [id, { place, atMs }] of counted.lastUsed) {
    if (usage.marks >= MARKS_MAX / 2) break;
    if (now.lastUsed.has(id)) continue;
    now.lastUsed.set(id, { place, atMs });
    usage.marks += 1;
  }
}

function tenantUsage(usage: Usage, tenant: string): TenantUsage {
  const known = usage.byTenant.get(tenant);
  if (known !== undefined) return known;
  const counted = { byVersion: new Map<string, Counters>(), lastUsed: new Map() };
  usage.byTenant.set(tenant, counted);
  return counted;
}

function countersOf({ byVersion }: TenantUsage, versionId: string): Counters {
  const known = byVersion.get(versionId);
  if (known !== undefined) return known;
  const counters = { hits: 0, misses: 0, savedMs: 0 };
  byVersion.set(versionId, counters);
  return counters;
}
