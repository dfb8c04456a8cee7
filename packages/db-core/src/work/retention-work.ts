import { type SQL, sql } from 'drizzle-orm';
import { type TenantTx, tenantOf } from '../context/tenant-tx.ts';
import { idempotencyKeys, tenantWork } from '../schema.ts';

/** Of the work rows that say: this tenant has idempotency keys, look at it when this is due. No kind of a service's own. */
export const RETENTION_KIND = 'db-core.retention';

/**
 * The part of a writing statement that leaves a work row behind, by which `pruneTenants` finds a tenant that was never
 * created: `written` is the CTE whose rows say that a key was written.
 *
 * No row is updated or conflicts, so that no two transactions of a tenant wait for each other here; two at once leave two
 * rows. A row is trusted only for the first 12 of its 24 hours: retention deletes it when it is due, and would not see a
 * key whose transaction trusted it and still runs. So a transaction of less than 12 hours cannot be missed. What is due
 * further on than that was left by a transaction whose `now` lies in the future, or by retention itself.
 */
export function noteForRetention(tenant: string, written: SQL): SQL {
  return sql`
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenant}, ${RETENTION_KIND}, gen_random_uuid()::text, app_now() + interval '24 hours'
     where exists (select from ${written})
       and not exists (
         select from ${tenantWork} w
          where w.tenant_id = ${tenant} and w.kind = ${RETENTION_KIND} and w.dead_at is null
            and w.due_at > app_now() + interval '12 hours' and w.due_at < app_now() + interval '25 hours')`;
}

/** Puts the time of the first key that is left in the place of the rows that are due; none where no key is left. */
export async function renewRetention(tx: TenantTx): Promise<void> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    with due as (
      delete from ${tenantWork} w
       where w.tenant_id = ${tenant} and w.kind = ${RETENTION_KIND} and w.due_at <= app_now()
      returning 1
    )
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenant}, ${RETENTION_KIND}, gen_random_uuid()::text, next.at
      from (select min(k.expires_at) as at from ${idempotencyKeys} k where k.tenant_id = ${tenant}) next
     where next.at is not null and exists (select from due)`);
}
