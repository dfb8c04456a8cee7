import { findLocalServer, PostgresToolError } from '@mcp-hub/postgres';
import { type CliHost, runCli } from '../cli.ts';
import type { CommandDefinition } from '../commands/command.ts';
import { type DatabaseTarget, findTarget, loadEnvironment } from '../environment.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import type { OutputStreams } from '../output.ts';
import { checkCommand } from './commands/check.ts';
import { downCommand } from './commands/down.ts';
import { generateCommand } from './commands/generate.ts';
import { releaseCommand } from './commands/release.ts';
import { resetCommand } from './commands/reset.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { studioCommand } from './commands/studio.ts';
import { upCommand } from './commands/up.ts';

const findLocal = (root: string) => findLocalServer({ root });

const repositoryCommands: readonly CommandDefinition[] = [
  generateCommand,
  checkCommand,
  rollbackCommand,
  releaseCommand,
  resetCommand,
  upCommand,
  downCommand,
  studioCommand,
];

const repository: CliHost = { findLocal, explain };

/** `runCli` with the commands that need the repository, and `more`, which need packages that this one may not import. */
export async function runRepositoryCli(
  parameters: readonly string[],
  streams?: OutputStreams,
  more: readonly CommandDefinition[] = [],
): Promise<number> {
  return await runCli(parameters, streams, { ...repository, commands: [...repositoryCommands, ...more] });
}

/** The database of a checkout: POSTGRES_URL, else its local server. */
export async function findRepositoryTarget(root: string): Promise<DatabaseTarget> {
  return await findTarget(loadEnvironment({ directory: root, findLocal }));
}

function explain(error: unknown): unknown {
  if (!(error instanceof PostgresToolError)) return error;
  const exitCode = error.code === 'bad_option' ? exitCodes.usage : exitCodes.unreachable;
  return new MigrateError(error.code, error.message, exitCode, { cause: error });
}
