import { SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type TenantTx, tenantOf } from '../context/tenant-tx.ts';
import { tenantWork } from '../schema.ts';
import { timeParameter } from '../value/parameters.ts';
import { parseInput } from '../value/parse-input.ts';
import { WorkName } from './work-name.ts';

export const ScheduleWorkInput = z.strictObject({
  ...WorkName.shape,
  /** Default: at once. As SQL, a timestamptz; where it is null, nothing is asked for. */
  dueAt: z.union([z.date(), z.instanceof(SQL)]).optional(),
});
export type ScheduleWorkInput = Readonly<z.input<typeof ScheduleWorkInput>>;

/**
 * Asks for work at `dueAt`. Asking again for work that waits changes nothing, but that an earlier time wins; for work
 * that failed the back-off stays; for work that runs, it runs once more after that; and dead work comes to life.
 *
 * What this transaction wrote is visible to the run that serves it: that run is claimed after the commit. It waits for no
 * lock, and nobody waits for it: neither others that ask nor the run under way, and those who ask without a gap do not
 * keep work from being claimed.
 */
export async function scheduleWork(tx: TenantTx, input: ScheduleWorkInput): Promise<void> {
  await tx.execute(sql`with ${workRequest(tx, input)} select`);
}

/**
 * scheduleWork as part of another statement: CTEs whose names begin with `work_`. Asks where `condition` holds, for
 * instance `exists (select from recorded)`, with the CTE that says what was written.
 *
 * A request is a row of its own, unless one serves that waits already. That one is locked FOR SHARE until this
 * transaction ends, which keeps the claim off: the claim deletes what it serves, and could not have seen what is written
 * here. It serves until it is due. From then on the one that comes next is left to the claim, so that it is free when
 * the transactions that were open have ended, however many follow; those behind it serve, so that they do not pile up
 * where nobody claims. Rows that others hold are passed over, and a new one conflicts with none.
 */
export function workRequest(tx: TenantTx, input: ScheduleWorkInput, condition: SQL = sql`true`): SQL {
  const { kind, workKey = '', dueAt } = parseInput(ScheduleWorkInput, input);
  const tenant = tenantOf(tx);
  const wanted = dueAt === undefined ? sql`app_now()` : dueAt instanceof SQL ? dueAt : timeParameter(dueAt);
  const ofKey = (row: SQL) =>
    sql`${row}.tenant_id = ${tenant} and ${row}.kind = ${kind} and ${row}.work_key = ${workKey}`;
  return sql`
  work_wanted as materialized (
    select (${wanted})::timestamptz(3) as due_at
  ), work_serving as materialized (
    select from ${tenantWork} w
     where ${ofKey(sql`w`)} and w.leased_until is null and w.dead_at is null
       and (w.attempts > 0 or w.due_at <= (select due_at from work_wanted))
       and (w.due_at >= (select app_now())
            or w.attempts = 0 and exists (
                 select from ${tenantWork} sooner
                  where ${ofKey(sql`sooner`)} and sooner.dead_at is null
                    and (sooner.attempts > 0 or (sooner.due_at, sooner.request_id) < (w.due_at, w.request_id))))
     limit 1
       for share skip locked
  ), work_late as materialized (
    select w.request_id from ${tenantWork} w
     where ${ofKey(sql`w`)} and w.leased_until is null
       and (w.dead_at is not null or w.attempts = 0 and w.due_at > (select due_at from work_wanted))
       and (select due_at is not null from work_wanted) and not exists (select from work_serving)
     limit 1
       for no key update skip locked
  ), work_moved as (
    update ${tenantWork} w
       set due_at = (select due_at from work_wanted), attempts = 0, dead_at = null
     where ${ofKey(sql`w`)} and w.request_id = (select request_id from work_late) and ${condition}
    returning 1
  ), work_asked as (
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenant}, ${kind}, ${workKey}, due_at
      from work_wanted
     where due_at is not null and ${condition}
       and not exists (select from work_serving) and not exists (select from work_moved)
  )`;
}
