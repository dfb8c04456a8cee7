import { findLocalServer, removeLocalServer, startLocalServer } from '@mcp-hub/postgres';
import type { CommandContext, CommandDefinition } from '../../commands/command.ts';
import { migrateTarget } from '../../commands/migrate.ts';
import { openSession } from '../../connection.ts';
import { assertNotProduction, type DatabaseTarget, findTarget } from '../../environment.ts';
import { exitCodes, MigrateError } from '../../errors.ts';

export const resetCommand: CommandDefinition = {
  name: 'reset',
  summary: 'make the local database new and apply all migrations; every row is lost',
  yes: 'really empty the database that POSTGRES_URL names',
  run,
};

async function run(context: CommandContext): Promise<undefined> {
  const { environment, output } = context;
  assertNotProduction(environment, 'reset');
  const target = await findTarget(environment);
  if (target.local !== undefined) {
    const before = await findLocalServer({ root: environment.root });
    await removeLocalServer({ root: environment.root });
    const server = await startLocalServer({
      root: environment.root,
      ...(before === undefined ? {} : { major: before.major, port: before.port }),
    });
    output.line(
      `The local server is new: PostgreSQL ${server.major} on 127.0.0.1:${server.port}, with other passwords.`,
    );
    output.line(`POSTGRES_URL=${server.ownerUrl}`);
    output.line(`POSTGRES_SERVICE_URL=${server.serviceUrl}`);
    const fresh: DatabaseTarget = { ownerUrl: server.ownerUrl, serviceUrl: server.serviceUrl, local: server };
    output.result(await migrateTarget(context, fresh, {}));
    return undefined;
  }
  refuseRemote(target.ownerUrl);
  if (!context.yes) {
    throw new MigrateError(
      'needs_yes',
      `db:reset drops everything in the database that POSTGRES_URL names, with all its rows: say so with --yes.`,
      exitCodes.usage,
    );
  }
  await emptyDatabase(target.ownerUrl);
  output.line('The database is empty now.');
  output.result(await migrateTarget(context, target, {}));
  return undefined;
}

function refuseRemote(url: string): void {
  const { hostname } = new URL(url);
  if (['', 'localhost', '127.0.0.1', '[::1]'].includes(hostname)) return;
  throw new MigrateError('not_local', `db:reset works on a local server only; ${hostname} is none.`);
}

async function emptyDatabase(url: string): Promise<void> {
  const session = await openSession(url);
  try {
    // The owner of the database is a member of pg_database_owner, which owns the schema from the beginning.
    await session.run(`
      begin;
      drop schema if exists public cascade;
      create schema public authorization pg_database_owner;
      grant usage on schema public to public;
      commit`);
  } finally {
    await session.end();
  }
}
