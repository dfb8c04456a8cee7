import { lchownSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initCluster, lostThePort, startCluster, stopCluster } from './cluster.ts';
import { PostgresToolError } from './errors.ts';
import { anyFreePort } from './free-port.ts';
import { type Installation, installBinaries, SHARED_CACHE } from './installation.ts';
import { ensureLogins, loginUrls, makeLogins } from './logins.ts';
import type { PostgresMajor } from './major.ts';
import { ensureOwnDirectory } from './own-directory.ts';
import { isMakerGone, makeRunName } from './run-name.ts';
import type { TestServer } from './test-server.ts';
import { watchOver } from './watchdog.ts';

/** What a server needs whose data nobody will miss, with room for test files that run at the same time. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
} as const;

const ATTEMPTS = 5;

/** Starts a server of its own in a temporary directory; both are gone when this process is. */
export async function startEmbeddedTestServer(o: {
  readonly major: PostgresMajor;
  readonly root: string;
}): Promise<TestServer> {
  const installation = installBinaries(o);
  const folder = testFolder(installation);
  await removeAbandoned(folder);
  const data = join(folder, makeRunName());
  watchOver(installation, data);
  const logins = makeLogins();
  const stop = async () => {
    await stopCluster(data, 'immediate');
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await initCluster(installation, { data, logins, durable: false });
    const urls = loginUrls(logins, await startOnAnyPort(installation, data));
    await ensureLogins(logins, urls.adminUrl);
    return { kind: 'embedded', ...urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where the server's user may make the data directory itself: root writes nothing where another user may. */
function testFolder(installation: Installation): string {
  if (installation.user === undefined) return tmpdir();
  ensureOwnDirectory(SHARED_CACHE);
  const folder = join(SHARED_CACHE, 'test');
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) mkdirSync(folder, { recursive: true });
  else if (!found.isDirectory())
    throw new PostgresToolError('cache_not_trusted', `${folder} is no directory: remove it.`);
  lchownSync(folder, installation.user.uid, installation.user.gid);
  return folder;
}

/** What a run left whose watchdog was killed, too. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter(isMakerGone)) {
    const data = join(folder, name);
    try {
      await stopCluster(data, 'immediate');
      rmSync(data, { recursive: true, force: true });
    } catch {
      // Its watchdog is at work on it, or it belongs to another user: no reason to have no tests.
    }
  }
}

async function startOnAnyPort(installation: Installation, data: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await anyFreePort();
    try {
      await startCluster(installation, { data, port, settings: SETTINGS });
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS || !lostThePort(error)) throw error;
    }
  }
}
