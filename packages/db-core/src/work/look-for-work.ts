import { asDispatcher } from '../context/as-dispatcher.ts';
import type { Database } from '../context/database.ts';

export interface Look {
  /** Tenants that have due work, whoever has waited longest first. */
  readonly tenants: readonly string[];
  /** Where the next look goes on; undefined when this one saw the last tenant. */
  readonly next: string | undefined;
}

/**
 * Asks which tenants behind `after` have due work of a kind.
 *
 * It steps from tenant to tenant through the index (kind, tenant_id, due_at), one row each, so that a tenant with a
 * million rows costs as much as one with one. Suspended and archived tenants are passed over; those that were never
 * created are served.
 */
export async function lookForWork(
  db: Database,
  query: {
    readonly kind: string;
    /** A tenant id, or '' for the first look. */
    readonly after: string;
    /** Tenants to step over at the most. */
    readonly limit: number;
    readonly inOrder: boolean;
    readonly now: Date | undefined;
  },
): Promise<Look> {
  const { kind, after, limit, inOrder, now } = query;
  const rows = await asDispatcher(db, lookSql, [kind, after, limit, inOrder, now?.toISOString() ?? null]);
  const last = rows.at(-1);
  return {
    tenants: rows
      .filter((row) => row['due'] === true)
      .sort((a, b) => Number(a['due_ms']) - Number(b['due_ms']))
      .map((row) => String(row['tenant_id'])),
    next: last === undefined || rows.length < limit ? undefined : String(last['tenant_id']),
  };
}

// In order, a tenant's due rows are no news while its head is leased or backs off.
const lookSql = `
  with recursive step (tenant_id, due_at, n) as (
    (select w.tenant_id, w.due_at, 1
       from tenant_work w
      where w.kind = $1 and w.dead_at is null and w.tenant_id > $2
      order by w.tenant_id, w.due_at
      limit 1)
    union all
    select following.tenant_id, following.due_at, step.n + 1
      from step
     cross join lateral (
       select w.tenant_id, w.due_at
         from tenant_work w
        where w.kind = $1 and w.dead_at is null and w.tenant_id > step.tenant_id
        order by w.tenant_id, w.due_at
        limit 1) following
     where step.n < $3::int
  )
  select step.tenant_id,
         (extract(epoch from step.due_at) * 1000)::float8 as due_ms,
         case when $4::boolean
              then (select head.due_at
                      from tenant_work head
                     where head.tenant_id = step.tenant_id and head.kind = $1 and head.dead_at is null
                     order by head.work_key, head.due_at
                     limit 1)
              else step.due_at end <= coalesce($5::text::timestamptz, app_now())
           and not exists (select from tenants t where t.tenant_id = step.tenant_id and t.status <> 'active') as due
    from step
   order by step.tenant_id`;
