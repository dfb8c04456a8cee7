import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { checkTenant } from '../check-tenant.ts';
import { assertMayWrite, findTarget } from '../environment.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import type { Output } from '../output.ts';
import { formatSqlResult, runSql } from '../run-sql.ts';
import { startupOptions, tenantOf, urlWithSettings, warnWithoutTenant } from '../tenant-url.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const psqlCommand: CommandDefinition = {
  name: 'psql',
  summary: 'psql as the owner, with app.tenant set; its own options follow',
  arguments: [['[parameters...]', 'handed on to psql']],
  options: [['--tenant <id>', 'the tenant; DEFAULT_TENANT when not given']],
  passThrough: true,
  yes: 'on production, where the statements may write',
  without: ['json'],
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<number> {
  const { environment, output } = context;
  const tenant = tenantOf(environment, input.text('tenant'));
  assertMayWrite(environment, 'psql', context.yes);
  const { ownerUrl } = await findTarget(environment);
  await checkTenant(ownerUrl, tenant);
  warnWithoutTenant(output, tenant);
  if (hasPsql()) return await runPsql(ownerUrl, tenant, input.arguments);
  output.warn(
    'psql is not on PATH: the statements are run by postgres.js, one after the other; \\ commands need psql.',
  );
  return await runWithoutPsql(output, urlWithSettings(ownerUrl, { 'app.tenant': tenant }), input.arguments);
}

function hasPsql(): boolean {
  return spawnSync('psql', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The password goes by the environment: a command line is everybody's to read. */
async function runPsql(url: string, tenant: string | undefined, parameters: readonly string[]): Promise<number> {
  const address = new URL(url);
  const password = decodeURIComponent(address.password);
  address.password = '';
  const options = [process.env['PGOPTIONS'] ?? '', startupOptions({ 'app.tenant': tenant })].filter(
    (part) => part !== '',
  );
  const child = spawn('psql', ['-d', address.toString(), ...parameters], {
    env: {
      ...process.env,
      ...(password === '' ? {} : { PGPASSWORD: password }),
      ...(options.length === 0 ? {} : { PGOPTIONS: options.join(' ') }),
    },
    stdio: 'inherit',
  });
  // In psql Ctrl+C ends a statement, not the program.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? exitCodes.unexpected));
    });
  } finally {
    process.off('SIGINT', ignore);
  }
}

async function runWithoutPsql(output: Output, url: string, parameters: readonly string[]): Promise<number> {
  const statements = await readStatements(parameters);
  const command = /^\s*\\\w*/m.exec(statements)?.[0].trim();
  if (command !== undefined) {
    throw new MigrateError(
      'needs_psql',
      `${command} is a command of psql, which is not on PATH. Install a PostgreSQL client.`,
      exitCodes.usage,
    );
  }
  const well = await runSql(url, statements, ({ result, error }) => {
    if (error !== undefined) output.error(`ERROR:  ${error}`);
    else if (result !== undefined) for (const line of formatSqlResult(result)) output.line(line);
  });
  return well ? 0 : exitCodes.unexpected;
}

/** `-c` and `-f` in their order, else what stdin holds. */
async function readStatements(parameters: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (let index = 0; index < parameters.length; index += 2) {
    const [option, value] = [parameters[index], parameters[index + 1]];
    if (value === undefined || (option !== '-c' && option !== '-f')) {
      throw new MigrateError(
        'needs_psql',
        `Without psql only -c STATEMENTS and -f FILE are known, not ${option ?? ''}.`,
        exitCodes.usage,
      );
    }
    parts.push(option === '-c' ? value : readFileSync(value, 'utf8'));
  }
  if (parts.length > 0) return parts.join(';\n');
  if (process.stdin.isTTY) {
    throw new MigrateError(
      'needs_psql',
      'psql is not on PATH. Give statements with -c, with -f or on stdin, or install a PostgreSQL client.',
      exitCodes.usage,
    );
  }
  return await readAll(process.stdin);
}
