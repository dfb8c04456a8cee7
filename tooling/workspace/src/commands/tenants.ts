import type { Database, Tenant } from '@mcp-hub/db-core';
import {
  assertMayWrite,
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  exitCodes,
  formatCount,
  formatTable,
  MigrateError,
} from '@mcp-hub/migrate/repository';
import { withDatabase } from './with-database.ts';

export const tenantsCommand: CommandDefinition = {
  name: 'tenants',
  summary: 'list tenants; create ID [--name TEXT]; set-status ID active|suspended|archived',
  arguments: [['[action...]', 'create ID, or set-status ID STATUS; a list when not given']],
  options: [['--name <text>', 'what a created tenant is called']],
  yes: 'really write to production',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<undefined> {
  const { environment, output } = context;
  const [action, tenant, status, ...rest] = input.arguments;
  if (action === undefined || action === 'list') {
    const tenants = await withDatabase(context, listAll);
    const rows = tenants.map((row) => [row.tenantId, row.status, row.createdAt.toISOString(), row.displayName ?? '']);
    for (const line of formatTable(rows)) output.line(line);
    const active = tenants.filter((row) => row.status === 'active').length;
    output.line(`${formatCount(tenants.length, 'tenant')}, ${active} active.`);
    output.result({ tenants });
    return undefined;
  }
  if (tenant === undefined || rest.length > 0) throw usage();
  assertMayWrite(environment, 'tenants', context.yes);
  if (action === 'create' && status === undefined) {
    const displayName = input.text('name');
    await withDatabase(context, (db, { createTenant }) =>
      createTenant(db, { tenant, ...(displayName === undefined ? {} : { displayName }) }),
    );
    output.line(`Tenant ${tenant} was created.`);
    output.result({ created: tenant });
    return undefined;
  }
  if (action !== 'set-status' || status === undefined) throw usage();
  await withDatabase(context, (db, { setTenantStatus, tenantStatuses }) => {
    const known = tenantStatuses.find((name) => name === status);
    if (known !== undefined) return setTenantStatus(db, { tenant, status: known });
    throw new MigrateError(
      'invalid_status',
      `A tenant's status is one of ${tenantStatuses.join(', ')}.`,
      exitCodes.usage,
    );
  });
  output.line(`Tenant ${tenant} is ${status}.`);
  output.result({ tenant, status });
  return undefined;
}

async function listAll(db: Database, { listTenants }: typeof import('@mcp-hub/db-core')): Promise<readonly Tenant[]> {
  const tenants: Tenant[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await listTenants(db, { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    tenants.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) return tenants;
  }
}

function usage(): MigrateError {
  return new MigrateError(
    'usage',
    'db:tenants, db:tenants create ID [--name TEXT], or db:tenants set-status ID STATUS.',
    exitCodes.usage,
  );
}
