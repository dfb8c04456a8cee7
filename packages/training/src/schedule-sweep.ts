import { newId, type TenantTx, tenantOf, tenantWork } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';

/**
 * Asks the dispatcher to sweep this tenant at `dueAt`, the end of a lease; where `dueAt` is null, nothing is asked. One
 * statement that waits for no lock: work that is due by then anyway is only locked FOR SHARE, which keeps its claim off
 * until this transaction's lease can be seen, and where there is none a row of its own is left. A work row that all
 * leases of a tenant move would make transactions that take several leases deadlock on it.
 */
export async function scheduleSweep(tx: TenantTx, kind: string, dueAt: SQL): Promise<void> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    with wanted as materialized (
      select ${dueAt} as due_at
    ), serving as materialized (
      select from ${tenantWork} w
       where w.tenant_id = ${tenant} and w.kind = ${kind} and w.dead_at is null and w.leased_until is null
         and w.due_at <= (select due_at from wanted)
       limit 1
         for share skip locked
    )
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenant}, ${kind}, ${newId()}, wanted.due_at
      from wanted
     where wanted.due_at is not null and not exists (select from serving)`);
}
