import { sql } from 'drizzle-orm';
import { type PgPolicy, pgPolicy } from 'drizzle-orm/pg-core';

// The subselect is evaluated once a statement; a bare call costs 2.3x on a sequential scan. After a SET LOCAL has ended
// the setting reads '' and not NULL: hence nullif, which makes a missing context see nothing.
const ownRows = sql`tenant_id = (select nullif(current_setting('app.tenant', true), ''))`;

/**
 * The policy that every table has: a transaction sees and writes the rows of its own tenant.
 *
 * PERMISSIVE and for all commands, with USING = WITH CHECK: Citus turns RESTRICTIVE policies into permissive ones on
 * its shards, and an INSERT policy of its own once planted rows in another tenant.
 */
export function tenantPolicy(table: string): PgPolicy {
  return pgPolicy(`${table}_tenant_policy`, { as: 'permissive', for: 'all', using: ownRows, withCheck: ownRows });
}

/**
 * Lets the dispatcher look (only look) at all tenants' rows, for tables that hold no user data.
 *
 * By name and not `TO app_dispatcher`: a policy TO a role also opens to whoever inherits that role.
 */
export function dispatcherPolicy(table: string): PgPolicy {
  return pgPolicy(`${table}_dispatcher_policy`, {
    as: 'permissive',
    for: 'select',
    using: sql`current_user = 'app_dispatcher'`,
  });
}
