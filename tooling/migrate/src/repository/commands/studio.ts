import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { checkTenant } from '../../check-tenant.ts';
import type { CommandContext, CommandDefinition, CommandInput } from '../../commands/command.ts';
import { errorCodeOf } from '../../connection-error.ts';
import { findTarget } from '../../environment.ts';
import { exitCodes, MigrateError } from '../../errors.ts';
import { tenantOf, urlWithSettings } from '../../tenant-url.ts';

export const studioCommand: CommandDefinition = {
  name: 'studio',
  summary: 'look at one tenant in drizzle-kit studio, as app_readonly',
  options: [
    ['--tenant <id>', 'the tenant to look at; DEFAULT_TENANT when not given'],
    ['--port <number>', 'the port of the studio; 4983 when not given'],
  ],
  without: ['json'],
  run,
};

async function run({ environment, output }: CommandContext, input: CommandInput): Promise<number> {
  const tenant = tenantOf(environment, input.text('tenant'));
  if (tenant === undefined) {
    throw new MigrateError('missing_tenant', 'Name a tenant with --tenant, or set DEFAULT_TENANT.', exitCodes.usage);
  }
  const target = await findTarget(environment);
  await checkTenant(target.ownerUrl, tenant);
  const url = urlWithSettings(target.ownerUrl, { role: 'app_readonly', 'app.tenant': tenant });
  await refuseTakenPort(input.text('port') ?? '4983');
  output.line(`Tenant ${tenant}, as app_readonly: reading only. Ctrl+C ends it.`);
  return await runKit(environment.root, url, input.text('port'));
}

/** drizzle-kit would end with the stack of its server. */
async function refuseTakenPort(port: string): Promise<void> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new MigrateError('invalid_port', `--port takes a number up to 65535; "${port}" is none.`, exitCodes.usage);
  }
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port), '127.0.0.1', resolve);
  }).catch((cause: unknown) => {
    throw new MigrateError(
      'port_taken',
      `Port ${port} cannot be used (${errorCodeOf(cause) ?? 'unknown'}): another studio may run there. End it, or name another port with --port.`,
      exitCodes.refused,
      { cause },
    );
  });
  await new Promise((resolve) => server.close(resolve));
}

/** The command line holds no password: the URL goes by the environment, where drizzle.config.ts reads it. */
async function runKit(root: string, url: string, port: string | undefined): Promise<number> {
  const kit = dirname(createRequire(import.meta.url).resolve('drizzle-kit'));
  const child = spawn(
    process.execPath,
    [join(kit, 'bin.cjs'), 'studio', ...(port === undefined ? [] : ['--port', port])],
    {
      cwd: root,
      env: {
        ...process.env,
        POSTGRES_URL: url,
        NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --conditions=@mcp-hub/source`,
      },
      stdio: 'inherit',
    },
  );
  const stop = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      // Ended by Ctrl+C is ended well.
      child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 0) : 0));
    });
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
