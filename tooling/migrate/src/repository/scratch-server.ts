import { findLocalServer, parsePostgresMajor, startTestServer } from '@mcp-hub/postgres';
import { openSession } from '../connection.ts';
import { type Environment, variableOf } from '../environment.ts';

/**
 * Runs `work` with a server for scratch databases: of the development environment's POSTGRES_URL where its login may make
 * databases, else the local server, else one that is started for this call. Never that of a named environment.
 */
export async function withScratchServer<T>(
  environment: Environment,
  work: (serverUrl: string) => Promise<T>,
): Promise<T> {
  const given = environment.name === undefined ? variableOf(environment, 'POSTGRES_URL') : undefined;
  if (given !== undefined && (await mayCreateDatabases(given))) return await work(given);
  const local = await findLocalServer({ root: environment.root });
  if (local !== undefined) return await work(local.ownerUrl);
  const server = await startTestServer({
    root: environment.root,
    major: parsePostgresMajor(variableOf(environment, 'PG_MAJOR')),
  });
  try {
    return await work(server.ownerUrl);
  } finally {
    await server.stop();
  }
}

async function mayCreateDatabases(url: string): Promise<boolean> {
  const session = await openSession(url, { allowPrivileged: true });
  try {
    if (session.privileged) return false;
    const [row] = await session.run('select rolcreatedb as may from pg_catalog.pg_roles where rolname = current_user');
    return row?.['may'] === true;
  } finally {
    await session.end();
  }
}
