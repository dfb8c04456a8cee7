import postgres from 'postgres';
import { errorCodeOf, toUnreachable } from './connection-error.ts';
import { exitCodes, MigrateError } from './errors.ts';

/**
 * Refuses an id that no transaction could enter: psql and Studio get it as a setting of their session, which holds
 * anything. The rule is the database's own, app_set_tenant; where that is not there yet, neither are the tables.
 */
export async function checkTenant(url: string, tenant: string | undefined): Promise<void> {
  if (tenant === undefined) return;
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    connect_timeout: 10,
    connection: { application_name: 'mcp-hub-tenant' },
  });
  try {
    await sql`select app_set_tenant(${tenant})`;
  } catch (error) {
    switch (errorCodeOf(error)) {
      case '22023':
        throw new MigrateError(
          'invalid_tenant',
          'A tenant id has 1 to 128 characters, no white space at its ends, and no control characters.',
          exitCodes.usage,
        );
      // No such function, no such role, or a login that may not become it.
      case '42883':
      case '42704':
      case '42501':
        return;
      default:
        throw toUnreachable(error, url) ?? error;
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}
