import { type TenantTx, tenantOf, tenantWork } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';

/** Of the work rows that say: this tenant has events that its aggregates do not know of yet. */
export const TELEMETRY_REFRESH_KIND = 'telemetry.refresh';

/** How long events wait for others to be refreshed with: the minute that they fall into is read once for all of them. */
const REFRESH_DELAY = '10 seconds';

/** Due rows of a tenant from which on recorders make no more: nobody refreshes, or cannot keep up. */
const DUE_ROWS = 3;

/**
 * The part of a writing statement by which the dispatcher finds the tenant: CTEs, of which `noted` leaves a work row where
 * none serves and `recorded` has rows.
 *
 * Not scheduleWork. Its one row a kind makes recorders wait for each other while a refresh runs, and recorders that
 * follow each other closely would hold that row FOR SHARE for ever, so that it is never claimed. Here a row serves only
 * until it is due: whoever finds none makes one of its own, under a key that conflicts with nothing. So nobody waits,
 * and a row that is due is held by nobody but the transactions that were open then. Where three are due, the youngest
 * serves again, so that they do not pile up without a dispatcher; the others can be claimed. A row that serves cannot be
 * claimed before this transaction ends.
 */
export const noteRefresh = (tx: TenantTx, recorded: SQL = sql`(select) as always`): SQL => {
  const waiting = sql`
    w.tenant_id = ${tenantOf(tx)} and w.kind = ${TELEMETRY_REFRESH_KIND} and w.dead_at is null and w.leased_until is null`;
  return sql`
  serving as materialized (
    select from ${tenantWork} w
     where ${waiting}
       and (w.due_at > (select app_now())
            or (select count(*) = ${DUE_ROWS}
                  from (select from ${tenantWork} w
                         where ${waiting} and w.due_at <= (select app_now()) limit ${DUE_ROWS}) due))
     order by w.due_at desc
     limit 1
       for share skip locked
  ), noted as (
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenantOf(tx)}, ${TELEMETRY_REFRESH_KIND}, gen_random_uuid()::text,
           app_now() + ${REFRESH_DELAY}::text::interval
     where not exists (select from serving) and exists (select from ${recorded})
  )`;
};
