import { fileURLToPath } from 'node:url';
import { createDatabase, databaseUrl, parsePostgresMajor, startTestServer } from '@mcp-hub/postgres';
import postgres from 'postgres';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** A server of one test's own, with a migrated database, to be killed in the middle of something. */
export interface CrashingServer {
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  /** By SIGKILL. */
  kill(): void;
  /** On the same port, with what was committed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an embedded server whose commits outlive its processes, as those of a production server do. */
export async function startCrashingServer(): Promise<CrashingServer> {
  const server = await startTestServer({ kind: 'embedded', major: parsePostgresMajor(process.env['PG_MAJOR']) });
  try {
    const { crash, adminUrl } = server;
    if (crash === undefined || adminUrl === undefined || server.serviceUrl === undefined) {
      throw new Error('An embedded server can be killed and has all logins.');
    }
    const name = 'crashing';
    const ownerUrl = await createDatabase(server.ownerUrl, name);
    const { grantRuntime, migrate } = await import('@mcp-hub/migrate');
    await migrate({ url: ownerUrl, directory: MIGRATIONS });
    const serviceUrl = databaseUrl(server.serviceUrl, name);
    await grantRuntime({ url: ownerUrl, login: decodeURIComponent(new URL(serviceUrl).username) });
    const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
    // Test servers answer commits before they are written; the system keeps what was written without fsync.
    await admin`alter database ${admin(name)} set synchronous_commit = on`;
    await admin.end();
    return { ownerUrl, serviceUrl, kill: crash.kill, restart: crash.restart, stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
