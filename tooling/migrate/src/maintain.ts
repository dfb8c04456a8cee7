import postgres, { type Sql } from 'postgres';
import { toUnreachable } from './connection-error.ts';

export interface MaintainReport {
  readonly tenants: number;
  readonly expiredIdempotencyKeys: number;
  readonly partitionedTables: number;
}

const batch = 5_000;

/**
 * Deletes idempotency keys that have expired, each tenant's as that tenant and in batches of 5,000 rows a transaction.
 * Delivered outbox rows are deleted where they are delivered.
 */
export async function maintain(options: { readonly url: string }): Promise<MaintainReport> {
  // Not a session of the runner: row security has to hold here.
  const sql = postgres(options.url, {
    max: 1,
    fetch_types: false,
    connect_timeout: 10,
    connection: { application_name: 'mcp-hub-maintain' },
  });
  try {
    const tenants = await tenantsOf(sql);
    let expired = 0;
    for (const tenant of tenants) expired += await deleteExpired(sql, tenant);
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count
        from pg_catalog.pg_partitioned_table p
        join pg_catalog.pg_class c on c.oid = p.partrelid
       where c.relnamespace = 'public'::regnamespace`;
    return { tenants: tenants.length, expiredIdempotencyKeys: expired, partitionedTables: row?.count ?? 0 };
  } catch (error) {
    throw toUnreachable(error, options.url) ?? error;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Those that were created, and those that have work. */
async function tenantsOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.begin(async (tx) => {
    await tx`set local role app_dispatcher`;
    return await tx<{ tenant: string }[]>`
      select tenant_id as tenant from tenants
       union
      select tenant_id from tenant_work
       order by 1`;
  });
  return rows.map((row) => row.tenant);
}

async function deleteExpired(sql: Sql, tenant: string): Promise<number> {
  let expired = 0;
  for (;;) {
    const { count } = await sql.begin(async (tx) => {
      await tx`select app_set_tenant(${tenant})`;
      return await tx`
        delete from idempotency_keys
         where tenant_id = ${tenant}
           and (scope, key) in (select scope, key from idempotency_keys
                                 where tenant_id = ${tenant} and expires_at < app_now()
                                 order by expires_at limit ${batch})`;
    });
    expired += count;
    if (count < batch) return expired;
  }
}
