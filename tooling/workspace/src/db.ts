import { runRepositoryCli } from '@mcp-hub/migrate/repository';
import { maintainCommand } from './commands/maintain.ts';
import { tenantsCommand } from './commands/tenants.ts';

// `npm run db:…`: the commands of @mcp-hub/migrate, and those that run functions of db-core.
process.exitCode = await runRepositoryCli(process.argv.slice(2), undefined, [maintainCommand, tenantsCommand]);
