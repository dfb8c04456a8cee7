import { Command, CommanderError, Option } from 'commander';
import { baselineCommand } from './commands/baseline.ts';
import type { CommandDefinition, CommandInput } from './commands/command.ts';
import { grantRuntimeCommand } from './commands/grant-runtime.ts';
import { migrateCommand } from './commands/migrate.ts';
import { psqlCommand } from './commands/psql.ts';
import { sqlCommand } from './commands/sql.ts';
import { statusCommand } from './commands/status.ts';
import { urlCommand } from './commands/url.ts';
import { verifyCommand } from './commands/verify.ts';
import { type EnvironmentOptions, loadEnvironment } from './environment.ts';
import { exitCodes, MigrateError } from './errors.ts';
import { createOutput, errorResult, type OutputStreams, processStreams } from './output.ts';

/** What a checkout of the repository has beyond an installed package, or the other way round. */
export interface CliHost {
  /** Commands that need the repository. */
  readonly commands?: readonly CommandDefinition[];
  readonly findLocal?: EnvironmentOptions['findLocal'];
  /** The folder of the migrations that an installed package brings. */
  readonly migrations?: string;
  /** Makes a MigrateError of what its commands throw. */
  readonly explain?: (error: unknown) => unknown;
}

/** Runs one command and gives its exit code. */
export async function runCli(
  parameters: readonly string[],
  streams: OutputStreams = processStreams,
  host: CliHost = {},
): Promise<number> {
  let exitCode = 0;
  const program = createProgram(streams, host, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(withoutSeparator(parameters), { from: 'user' });
    return exitCode;
  } catch (thrown) {
    const error = host.explain?.(thrown) ?? thrown;
    // Commander has printed its message; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (parameters.includes('--json')) streams.out(`${JSON.stringify(errorResult(error), undefined, 2)}\n`);
    else streams.error(`${describeError(error)}\n`);
    return error instanceof MigrateError ? error.exitCode : exitCodes.unexpected;
  }
}

/** `pnpm db:migrate -- --dry-run` hands the `--` on, npm does not. */
function withoutSeparator(parameters: readonly string[]): string[] {
  return parameters.filter((parameter, index) => !(parameter === '--' && index === 1));
}

function describeError(error: unknown): string {
  if (error instanceof MigrateError) return `error: ${error.message}`;
  return error instanceof Error ? `error: ${error.stack ?? error.message}` : `error: ${String(error)}`;
}

const commands: readonly CommandDefinition[] = [
  migrateCommand,
  statusCommand,
  verifyCommand,
  baselineCommand,
  grantRuntimeCommand,
  urlCommand,
  psqlCommand,
  sqlCommand,
];

/** Of the repository: they work on the sources of the packages, or on the server of a checkout. */
const repositoryCommands: readonly string[] = [
  'generate',
  'check',
  'rollback',
  'release',
  'reset',
  'up',
  'down',
  'studio',
];

/** They run functions of db-core, which this package does not depend on. */
const domainCommands: Readonly<Record<string, string>> = {
  maintain: 'maintainPartitions({ url }) of @mcp-hub/migrate and pruneTenants(db)',
  tenants: 'createTenant, listTenants and setTenantStatus',
};

const exitCodeHelp = `
Exit codes: 0 done, 1 unexpected (a statement failed), 2 bad usage or configuration, 3 refused, 4 database not reachable,
5 check or verify found differences.`;

function createProgram(streams: OutputStreams, host: CliHost, finish: (exitCode: number) => void): Command {
  const program = new Command('mcp-hub-migrate')
    .description(
      `Migrations of MCP Hub ML: ${host.commands === undefined ? '' : 'compose, check, roll back, '}apply, verify`,
    )
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp(host.commands === undefined ? {} : { commandUsage: usageByNpm })
    .configureOutput({ writeOut: streams.out, writeErr: streams.error })
    .addHelpText('after', exitCodeHelp);
  for (const definition of [...commands, ...(host.commands ?? [])])
    addCommand(program, definition, streams, host, finish);
  if (host.commands === undefined) {
    for (const name of repositoryCommands) {
      addRefusal(
        program,
        name,
        `${name} works on the sources of the packages, which only a checkout of the repository of MCP Hub ML has: npm run db:${name} there.`,
      );
    }
    for (const [name, functions] of Object.entries(domainCommands)) {
      addRefusal(
        program,
        name,
        `${name} is a command of the repository of MCP Hub ML: npm run db:${name} there, or call ${functions} of @mcp-hub/db-core in a program of yours.`,
      );
    }
  }
  return program;
}

/** npm keeps the options that do not stand behind `--`. */
function usageByNpm(command: Command): string {
  return command.parent === null
    ? 'npm run db:COMMAND -- [options]'
    : `npm run db:${command.name()} -- ${command.usage()}`;
}

function addRefusal(program: Command, name: string, message: string): void {
  program
    .command(name, { hidden: true })
    .argument('[parameters...]')
    .allowUnknownOption()
    .action(() => {
      throw new MigrateError('needs_repository', message, exitCodes.usage);
    });
}

function addCommand(
  program: Command,
  definition: CommandDefinition,
  streams: OutputStreams,
  host: CliHost,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command(definition.name)
    .description(definition.summary)
    .addOption(
      new Option(
        '--env <name>',
        `read .env.NAME${definition.yes === undefined ? '' : '; production asks for --yes'}`,
      ).hideHelp(definition.without?.includes('env')),
    )
    .option(
      '--directory <path>',
      `the folder where .env and migrations/ are${host.migrations === undefined ? '' : '; without it, .env here and the migrations of this package'}`,
    )
    .addOption(
      new Option('--json', 'print one JSON document instead of lines').hideHelp(definition.without?.includes('json')),
    )
    .addOption(new Option('--yes', definition.yes ?? '').hideHelp(definition.yes === undefined))
    .passThroughOptions(definition.passThrough === true)
    .allowUnknownOption(definition.passThrough === true)
    .addHelpText('after', exitCodeHelp);
  for (const [syntax, text] of definition.arguments ?? []) command.argument(syntax, text);
  for (const [syntax, text] of definition.options ?? []) command.option(syntax, text);
  command.action(async () => {
    const options: Readonly<Record<string, unknown>> = command.opts();
    const input: CommandInput = {
      arguments: command.args,
      text: (name) => (typeof options[name] === 'string' ? options[name] : undefined),
      list: (name) => {
        const given = options[name];
        return Array.isArray(given) ? given.map(String) : [];
      },
      flag: (name) => options[name] === true,
    };
    const environment = loadEnvironment({
      name: input.text('env'),
      directory: input.text('directory'),
      migrations: host.migrations,
      findLocal: host.findLocal,
    });
    const output = createOutput(input.flag('json'), streams);
    finish((await definition.run({ environment, output, yes: input.flag('yes') }, input)) ?? 0);
  });
}
