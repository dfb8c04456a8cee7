import { type Database, type TenantOptions, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import type { CacheLook } from './cache-entries.ts';
import { predictionCache, predictionCachePolicies } from './schema.ts';

/** Entries that one transaction evicts where a store set it off. */
const STORE_BATCH = 1_000;

/** What this process has stored of a version since it last looked at its size. */
interface Stored {
  entries: number;
  bytes: number;
}

const storedOf = new WeakMap<Database, Map<string, Stored>>();

/** Versions that a process remembers; a forgotten one is looked at with its next store. */
const VERSIONS_MAX = 10_000;

/**
 * Evicts, after a store, where that may have been too much. Only a twentieth of a limit on does a process look at the size,
 * which costs as many rows as there are entries: n processes may so exceed a limit by n twentieths.
 *
 * What goes wrong here is no matter of whoever stores; the next store or prune tries again.
 */
export async function evictAfterStore(
  db: Database,
  tenant: string,
  look: CacheLook,
  bytes: number,
  options: Pick<TenantOptions, 'now'>,
): Promise<void> {
  const versions = storedOf.get(db) ?? new Map<string, Stored>();
  storedOf.set(db, versions);
  const id = `${look.versionId} ${tenant}`;
  // The first of a process counts as a twentieth: it knows nothing of the processes before it.
  const stored = versions.get(id) ?? { entries: look.maxEntries, bytes: 0 };
  if (versions.size >= VERSIONS_MAX) versions.clear();
  stored.entries += 1;
  stored.bytes += bytes;
  versions.set(id, stored);
  if (stored.entries * 20 < look.maxEntries && stored.bytes * 20 < look.maxBytes) return;
  try {
    const evict = (hasBegun: boolean) =>
      withTenant(
        db,
        tenant,
        (tx) => evictOver(tx, look.versionId, { limit: STORE_BATCH, wait: false, hasBegun }),
        options,
      );
    let evicted = await evict(false);
    while (evicted === STORE_BATCH) evicted = await evict(true);
    // Where another held the policy the next store looks again.
    if (evicted !== undefined) versions.set(id, { entries: 0, bytes: 0 });
  } catch {
    // So does it here.
  }
}

/**
 * Deletes up to `limit` outputs of a version that is over one of its limits, down to nine tenths of it: those of earlier
 * generations first, then what was not used for longest. The one that was used last always stays.
 *
 * Under the lock of the policy's row: two that evict at once would choose the same outputs and could deadlock over them.
 * Where another holds it `wait: false` gives undefined. The sizes are read by a statement of its own, because one that
 * waited for a lock goes on reading the other table as it was before.
 */
export async function evictOver(
  tx: TenantTx,
  versionId: string,
  { limit, wait, hasBegun }: { readonly limit: number; readonly wait: boolean; readonly hasBegun: boolean },
): Promise<number | undefined> {
  const tenant = tenantOf(tx);
  const [policy] = await tx.execute<{ bytes: string; entries: number }>(sql`
    select max_bytes as bytes, max_entries as entries
      from ${predictionCachePolicies}
     where tenant_id = ${tenant} and model_version_id = ${versionId}::uuid
       for no key update ${wait ? sql`` : sql`skip locked`}`);
  if (policy === undefined) return undefined;
  const rows = await tx.execute(sql`
    with ranked as materialized (
      select key, output_bytes,
             row_number() over oldest_first as place,
             sum(output_bytes) over (oldest_first rows unbounded preceding) as bytes_so_far,
             count(*) over () as entries,
             sum(output_bytes) over () as bytes
        from ${predictionCache}
       where tenant_id = ${tenant} and model_version_id = ${versionId}::uuid and status = 'ready'
      window oldest_first as (order by generation, last_used_at, key)
    ), evicted as materialized (
      select key
        from ranked
       where (${hasBegun}::boolean or entries > ${policy.entries}::int or bytes > ${policy.bytes}::bigint)
         -- Of what is left with this one: more than nine tenths.
         and (entries - place + 1 > ${policy.entries}::int * 0.9
              or bytes - bytes_so_far + output_bytes > ${policy.bytes}::bigint * 0.9)
         and place < entries
       order by place
       limit ${limit}
    )
    delete from ${predictionCache}
     where tenant_id = ${tenant} and model_version_id = ${versionId}::uuid and status = 'ready'
       and key = any (array(select key from evicted))
    returning 1`);
  return rows.length;
}
