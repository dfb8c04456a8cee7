import { PostgresToolError } from '@mcp-hub/postgres';
import { Command, CommanderError } from 'commander';
import { baselineCommand } from './commands/baseline.ts';
import { checkCommand } from './commands/check.ts';
import type { CommandDefinition, CommandInput } from './commands/command.ts';
import { downCommand } from './commands/down.ts';
import { generateCommand } from './commands/generate.ts';
import { grantRuntimeCommand } from './commands/grant-runtime.ts';
import { maintainCommand } from './commands/maintain.ts';
import { migrateCommand } from './commands/migrate.ts';
import { psqlCommand } from './commands/psql.ts';
import { releaseCommand } from './commands/release.ts';
import { resetCommand } from './commands/reset.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { sqlCommand } from './commands/sql.ts';
import { statusCommand } from './commands/status.ts';
import { studioCommand } from './commands/studio.ts';
import { tenantsCommand } from './commands/tenants.ts';
import { upCommand } from './commands/up.ts';
import { urlCommand } from './commands/url.ts';
import { verifyCommand } from './commands/verify.ts';
import { loadEnvironment } from './environment.ts';
import { exitCodes, MigrateError } from './errors.ts';
import { createOutput, errorResult, type OutputStreams, processStreams } from './output.ts';

/** Runs one command and gives its exit code. */
export async function runCli(parameters: readonly string[], streams: OutputStreams = processStreams): Promise<number> {
  let exitCode = 0;
  const program = createProgram(streams, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(withoutSeparator(parameters), { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed its message; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (parameters.includes('--json')) streams.out(`${JSON.stringify(errorResult(error), undefined, 2)}\n`);
    else streams.error(`${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof MigrateError) return error.exitCode;
  if (!(error instanceof PostgresToolError)) return exitCodes.unexpected;
  return error.code === 'bad_option' ? exitCodes.usage : exitCodes.unreachable;
}

/** `pnpm db:migrate -- --dry-run` hands the `--` on. */
function withoutSeparator(parameters: readonly string[]): string[] {
  return parameters.filter((parameter, index) => !(parameter === '--' && index === 1));
}

function describeError(error: unknown): string {
  if (error instanceof MigrateError || error instanceof PostgresToolError) return `error: ${error.message}`;
  return error instanceof Error ? `error: ${error.stack ?? error.message}` : `error: ${String(error)}`;
}

const commands: readonly CommandDefinition[] = [
  migrateCommand,
  statusCommand,
  generateCommand,
  checkCommand,
  verifyCommand,
  rollbackCommand,
  baselineCommand,
  releaseCommand,
  resetCommand,
  maintainCommand,
  grantRuntimeCommand,
  tenantsCommand,
  upCommand,
  downCommand,
  urlCommand,
  psqlCommand,
  sqlCommand,
  studioCommand,
];

const exitCodeHelp = `
Exit codes: 0 done, 1 unexpected (a statement failed), 2 bad usage or configuration, 3 refused, 4 database not reachable,
5 check or verify found differences.`;

function createProgram(streams: OutputStreams, finish: (exitCode: number) => void): Command {
  const program = new Command('mcp-hub-migrate')
    .description('Migrations of MCP Hub ML: compose, apply, check, verify, roll back')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: streams.out, writeErr: streams.error })
    .addHelpText('after', exitCodeHelp);
  for (const definition of commands) addCommand(program, definition, streams, finish);
  return program;
}

function addCommand(
  program: Command,
  definition: CommandDefinition,
  streams: OutputStreams,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command(definition.name)
    .description(definition.summary)
    .option('--env <name>', 'read .env.NAME; production asks for --yes')
    .option('--directory <path>', 'the root of the project, where .env and migrations/ are')
    .option('--json', 'print one JSON document instead of lines')
    .option('--yes', 'really write to production')
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
    const environment = loadEnvironment({ name: input.text('env'), directory: input.text('directory') });
    const output = createOutput(input.flag('json'), streams);
    finish((await definition.run({ environment, output, yes: input.flag('yes') }, input)) ?? 0);
  });
}
