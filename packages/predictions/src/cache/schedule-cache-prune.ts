import { newId, type TenantTx, tenantOf, tenantWork } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';

/** Of the work rows that say: this tenant has cached outputs that are due to be deleted. */
export const CACHE_PRUNE_KIND = 'predictions.pruneCache';

/**
 * CTEs by which a writing statement asks the dispatcher for a prune at the `due_at` of `wanted`'s one row; where that is null,
 * nothing is asked. They wait for no lock: work that is due by then anyway is only locked FOR SHARE, which keeps its claim
 * off until what this transaction wrote can be seen, and where there is none a row of its own is left. A work row that all
 * who store share would make them wait for each other.
 */
export const scheduledPrune = (tx: TenantTx, wanted: SQL): SQL => sql`
  wanted as materialized (${wanted}), serving as materialized (
    select from ${tenantWork} w
     where w.tenant_id = ${tenantOf(tx)} and w.kind = ${CACHE_PRUNE_KIND} and w.dead_at is null
       and w.leased_until is null and w.due_at <= (select due_at from wanted)
     limit 1
       for share skip locked
  ), scheduled as (
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenantOf(tx)}, ${CACHE_PRUNE_KIND}, ${newId()}, wanted.due_at
      from wanted
     where wanted.due_at is not null and not exists (select from serving)
  )`;
