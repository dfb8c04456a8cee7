import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { grantRuntime, migrate } from '@mcp-hub/migrate';
import { createDatabase, removeLocalServer, startLocalServer } from '@mcp-hub/postgres';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** A server of a test's own, which writes to disk as a production server does, and may be killed. */
export interface OwnServer {
  /** A migrated database. Both URLs stay the same over a restart. */
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  /** Kills the server's processes by SIGKILL, and waits until they are gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with what it had written. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** Starts an embedded server in a temporary folder, whatever server the other tests use. */
export async function startOwnServer(): Promise<OwnServer> {
  const root = mkdtempSync(join(tmpdir(), 'mcp-hub-own-server-'));
  // The server's user, who is not root, must be able to enter.
  chmodSync(root, 0o755);
  const first = await startLocalServer({ root });
  const ownerUrl = await createDatabase(first.ownerUrl, 'own');
  await migrate({ url: ownerUrl, directory: MIGRATIONS });
  const service = new URL(first.serviceUrl);
  await grantRuntime({ url: ownerUrl, login: decodeURIComponent(service.username) });
  service.pathname = '/own';
  return {
    ownerUrl,
    serviceUrl: service.href,
    async kill() {
      const pid = Number(readFileSync(join(first.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
      // Its children end by themselves when they see that it is gone; until then they hold the shared memory.
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid)) await sleep(10);
    },
    async restart() {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await startLocalServer({ root, port: first.port });
          return;
        } catch (error) {
          // The children of the killed one have not all ended.
          if (attempt === 50) throw error;
          await sleep(100);
        }
      }
    },
    async remove() {
      await removeLocalServer({ root });
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
