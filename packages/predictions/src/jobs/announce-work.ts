import { scheduleWork, type TenantTx, tenantOf, tenantWork } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { batchJobChunks, batchJobs, batchLimits } from './schema.ts';

/** Of the row of tenant_work that says: this tenant has chunks to claim. Workers look at it, and nobody leases it. */
export const BATCH_KIND = 'predictions.batch';

/**
 * Tells workers that the tenant has a chunk to claim at `dueAt`, by default now. Called last: it may lock the row that all
 * of the tenant's announcements share, and whoever holds it waits for no chunk and no job.
 */
export async function announceWork(tx: TenantTx, dueAt?: Date): Promise<void> {
  await scheduleWork(tx, { kind: BATCH_KIND, ...(dueAt === undefined ? {} : { dueAt }) });
}

/** How long a worker that found all chunks of a tenant held by caps leaves it alone. */
const CAPPED_MS = 1_000;

/**
 * Notes when the tenant is to be looked at next, where nothing could be claimed: when a chunk is due, or a lease ends that
 * somebody may have lost. Undefined where there is nothing to wait for. Two round trips.
 *
 * Who submits holds the row FOR SHARE until it commits, or inserts it: what it submits is either seen here, or announced
 * after this. Where the row is held, nothing is noted and the next look comes soon.
 */
export async function noteNextLook(tx: TenantTx): Promise<Date | undefined> {
  const tenant = tenantOf(tx);
  const own = sql`tenant_id = ${tenant} and kind = ${BATCH_KIND} and work_key = ''`;
  // Two statements: the second must see what the one that held the row has committed.
  const [held, [next]] = await Promise.all([
    tx.execute(sql`select 1 from ${tenantWork} where ${own} for update skip locked`),
    tx.execute<{ next_ms: number | null }>(sql`
      with open as materialized (
        select id from ${batchJobs}
         where tenant_id = ${tenant} and status in ('queued', 'running') and submitted_at is not null
      ), due as (
        select min(c.due_at) as at
          from open cross join lateral (
            select due_at from ${batchJobChunks} c
             where c.tenant_id = ${tenant} and c.job_id = open.id and c.status = 'queued'
             order by due_at, number
             limit 1) c
      ), lost as (
        select min(c.leased_until) as at
          from ${batchJobChunks} c
         where c.tenant_id = ${tenant} and c.status = 'running'
      )
      select (extract(epoch from case
               when due.at <= app_now() or lost.at <= app_now()
                 then app_now() + interval '1 millisecond' * ${CAPPED_MS}::int
               else least(due.at, lost.at) end) * 1000)::float8 as next_ms
        from due, lost`),
  ]);
  const at = next?.next_ms == null ? undefined : new Date(next.next_ms);
  if (held.length === 0) return at;
  if (at === undefined) await tx.execute(sql`delete from ${tenantWork} where ${own}`);
  else {
    await tx.execute(sql`
      update ${tenantWork}
         set due_at = ${at.toISOString()}::text::timestamptz, leased_until = null, dead_at = null, attempts = 0
       where ${own}`);
  }
  return at;
}

/** The lock under which the tenant's capped claims are made; makes its row for the first cap. */
export async function makeLimitsRow(tx: TenantTx): Promise<void> {
  await tx.execute(sql`
    insert into ${batchLimits} (tenant_id) values (${tenantOf(tx)}) on conflict (tenant_id) do nothing`);
}
