import postgres, { type Sql } from 'postgres';
import { errorCodeOf, toUnreachable } from './connection-error.ts';
import { exitCodes, MigrateError } from './errors.ts';

const tenantStatuses = ['active', 'suspended', 'archived'] as const;

export type TenantStatus = (typeof tenantStatuses)[number];

export interface TenantRow {
  readonly tenantId: string;
  readonly displayName: string | null;
  readonly status: string;
  readonly createdAt: Date;
}

/** All tenants that were created, as app_dispatcher, by id. */
export async function listTenants(url: string): Promise<readonly TenantRow[]> {
  return await withClient(url, (sql) =>
    sql.begin(async (tx) => {
      await tx`set local role app_dispatcher`;
      return await tx<TenantRow[]>`
        select tenant_id as "tenantId", display_name as "displayName", status, created_at as "createdAt"
          from tenants
         order by tenant_id`;
    }),
  );
}

/** Refuses an id that exists (`already_exists`). */
export async function createTenant(url: string, tenant: string, displayName: string | undefined): Promise<void> {
  await withClient(url, async (sql) => {
    await sql.begin(async (tx) => {
      await tx`select app_set_tenant(${tenant})`;
      await tx`insert into tenants (tenant_id, display_name) values (${tenant}, ${displayName ?? null})`;
    });
  });
}

/** Refuses a tenant that was never created (`not_found`). */
export async function setTenantStatus(url: string, tenant: string, status: TenantStatus): Promise<void> {
  await withClient(url, async (sql) => {
    await sql.begin(async (tx) => {
      await tx`select app_set_tenant(${tenant})`;
      const { count } = await tx`
        update tenants set status = ${status}, updated_at = app_now() where tenant_id = ${tenant}`;
      if (count === 0)
        throw new MigrateError('not_found', `There is no tenant ${tenant}. db:tenants create makes one.`);
    });
  });
}

export function toTenantStatus(text: string): TenantStatus {
  const status = tenantStatuses.find((known) => known === text);
  if (status === undefined) {
    throw new MigrateError(
      'invalid_status',
      `A tenant's status is one of ${tenantStatuses.join(', ')}, not "${text}".`,
      exitCodes.usage,
    );
  }
  return status;
}

/** Not a session of the runner: row security has to hold here. */
async function withClient<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    connect_timeout: 10,
    connection: { application_name: 'mcp-hub-tenants' },
  });
  try {
    return await work(sql);
  } catch (error) {
    throw toUnreachable(error, url) ?? explain(error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function explain(error: unknown): unknown {
  switch (errorCodeOf(error)) {
    case '23505':
      return new MigrateError('already_exists', 'A tenant with this id was created before.');
    case '42P01':
    case '42883':
    case '42704':
      return new MigrateError('not_migrated', 'The migrations are not applied here. Run db:migrate first.');
    case '22023':
      return new MigrateError(
        'invalid_tenant',
        'A tenant id has 1 to 128 characters and no control characters.',
        exitCodes.usage,
      );
    default:
      return error;
  }
}
