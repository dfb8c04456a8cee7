import { assertMayWrite, findTarget } from '../environment.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import { formatCount, formatTable } from '../output.ts';
import { createTenant, listTenants, setTenantStatus, toTenantStatus } from '../tenants.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const tenantsCommand: CommandDefinition = {
  name: 'tenants',
  summary: 'list tenants; create ID [--name TEXT]; set-status ID active|suspended|archived',
  arguments: [['[action...]', 'create ID, or set-status ID STATUS; a list when not given']],
  options: [['--name <text>', 'what a created tenant is called']],
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<undefined> {
  const { environment, output } = context;
  const [action, tenant, status, ...rest] = input.arguments;
  const target = await findTarget(environment);
  if (action === undefined || action === 'list') {
    const tenants = await listTenants(target.ownerUrl);
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
    await createTenant(target.ownerUrl, tenant, input.text('name'));
    output.line(`Tenant ${tenant} was created.`);
    output.result({ created: tenant });
    return undefined;
  }
  if (action !== 'set-status' || status === undefined) throw usage();
  await setTenantStatus(target.ownerUrl, tenant, toTenantStatus(status));
  output.line(`Tenant ${tenant} is ${status}.`);
  output.result({ tenant, status });
  return undefined;
}

function usage(): MigrateError {
  return new MigrateError(
    'usage',
    'db:tenants, db:tenants create ID [--name TEXT], or db:tenants set-status ID STATUS.',
    exitCodes.usage,
  );
}
