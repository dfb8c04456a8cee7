import { chmodSync, existsSync, lchownSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { initCluster, lostThePort, runningPort, runningPostmaster, startCluster, stopCluster } from './cluster.ts';
import { explainFileError, PostgresToolError } from './errors.ts';
import { freePort } from './free-port.ts';
import { type Installation, installBinaries, SHARED_CACHE } from './installation.ts';
import { type LocalPlace, localPlaces, placesOfGoneCheckouts } from './local-place.ts';
import { withLockFile } from './lock-file.ts';
import { ensureLogins, keepLogins, type Logins, type LoginUrls, loginUrls, readLogins } from './logins.ts';
import { DEFAULT_MAJOR, POSTGRES_MAJORS, type PostgresMajor } from './major.ts';
import { ensureOwnDirectory } from './own-directory.ts';

export interface LocalServer extends LoginUrls {
  readonly major: PostgresMajor;
  readonly port: number;
  readonly dataDirectory: string;
  /** Whether this call started it. */
  readonly started: boolean;
}

const ATTEMPTS = 5;
const READY_WITHIN_MS = 60_000;

/**
 * Starts the checkout's own PostgreSQL in the background, or finds it; it goes on when this process and its shell end.
 * Calls may overlap: one starts the server, the others wait for it. Listens on 127.0.0.1 only: on `port` if given, else
 * on the port it had before, else on 5432 or the next free one above.
 */
export async function startLocalServer(o: {
  readonly root: string;
  readonly major?: PostgresMajor;
  readonly port?: number;
}): Promise<LocalServer> {
  const { chosen: place, other } = localPlaces(o.root, o.major ?? DEFAULT_MAJOR);
  try {
    await removePlaces(placesOfGoneCheckouts(o.root));
    makeBase(place);
    return await withLockFile(place.lockFile, async () => {
      const running = (await findServer(place)) ?? (await findOutOfReach(place, other));
      if (running !== undefined) {
        await ensureLogins(running.logins, running.server.adminUrl);
        return running.server;
      }
      const installation = installBinaries({ major: place.major, root: o.root });
      await makeCluster(installation, place);
      const started = await start(installation, place, o.port);
      await ensureLogins(started.logins, started.server.adminUrl);
      return started.server;
    });
  } catch (error) {
    throw explainFileError(error, `starting PostgreSQL in ${place.folder}`);
  }
}

/** The checkout's server, if one runs; of any major, the newest first, when none is named. */
export async function findLocalServer(o: {
  readonly root: string;
  readonly major?: PostgresMajor;
}): Promise<LocalServer | undefined> {
  for (const place of places(o)) {
    const found = await findServer(place);
    if (found !== undefined) return found.server;
  }
  return undefined;
}

/** Stops the checkout's servers (of that major); whether any ran. Sessions are ended, finished work is kept. */
export async function stopLocalServer(o: { readonly root: string; readonly major?: PostgresMajor }): Promise<boolean> {
  let stopped = false;
  for (const place of places(o)) {
    if (!existsSync(place.base)) continue;
    if (await withLockFile(place.lockFile, () => stopCluster(place.data, 'fast'))) stopped = true;
  }
  return stopped;
}

/** Stops the checkout's servers (of that major) and removes their data and passwords. */
export async function removeLocalServer(o: { readonly root: string; readonly major?: PostgresMajor }): Promise<void> {
  await removePlaces(places(o));
}

async function removePlaces(gone: readonly LocalPlace[]): Promise<void> {
  for (const place of gone) {
    if (!existsSync(place.base)) continue;
    await withLockFile(place.lockFile, async () => {
      await stopCluster(place.data, 'fast');
      try {
        rmSync(place.folder, { recursive: true, force: true });
      } catch (error) {
        throw explainFileError(error, `removing ${place.folder}`);
      }
    });
  }
}

function places(o: { readonly root: string; readonly major?: PostgresMajor }): readonly LocalPlace[] {
  const majors = o.major === undefined ? POSTGRES_MAJORS.toReversed() : [o.major];
  return majors.flatMap((major) => {
    const { chosen, other } = localPlaces(o.root, major);
    return other === undefined ? [chosen] : [chosen, other];
  });
}

function makeBase(place: LocalPlace): void {
  if (dirname(place.base) === SHARED_CACHE) ensureOwnDirectory(SHARED_CACHE);
  ensureOwnDirectory(place.base);
}

/** initdb works in a directory of another name, so that `data` is a whole cluster whenever it is there. */
async function makeCluster(installation: Installation, place: LocalPlace): Promise<void> {
  if (existsSync(place.data)) return;
  ensureOwnDirectory(place.folder);
  const logins = keepLogins(place.loginsFile);
  const partial = join(place.folder, 'data.partial');
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  chmodSync(partial, 0o700);
  if (installation.user !== undefined) lchownSync(partial, installation.user.uid, installation.user.gid);
  await initCluster(installation, { data: partial, logins, durable: true });
  renameSync(partial, place.data);
}

async function start(installation: Installation, place: LocalPlace, wished: number | undefined): Promise<Found> {
  const logins = readLogins(place.loginsFile);
  for (let attempt = 1; ; attempt++) {
    const port = wished ?? (await freePort(earlierPort(place)));
    try {
      await startCluster(installation, { data: place.data, port });
      writeFileSync(place.portFile, `${port}\n`);
      return describe(place, logins, port, true);
    } catch (error) {
      if (!lostThePort(error)) throw error;
      if (wished !== undefined) {
        throw new PostgresToolError('start_failed', `Port ${wished} of 127.0.0.1 is taken: name another, or none.`, {
          cause: error,
        });
      }
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** So that URLs that someone has copied go on working after a restart. */
function earlierPort(place: LocalPlace): readonly number[] {
  const port = existsSync(place.portFile) ? Number(readFileSync(place.portFile, 'utf8')) : 0;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? [port] : [];
}

/** A cluster in a checkout that was closed to the server's user later: it goes on running, but cannot be started. */
async function findOutOfReach(place: LocalPlace, other: LocalPlace | undefined): Promise<Found | undefined> {
  if (other === undefined || !existsSync(other.data) || existsSync(place.data)) return undefined;
  const running = await findServer(other);
  if (running !== undefined) return running;
  throw new PostgresToolError(
    'not_permitted',
    `The server's data lies in ${other.data}, which the user "nobody" that it runs as cannot enter any more. ` +
      'Open the way to it (chmod o+x), or make the server new with `npm run db:reset` (its data is lost).',
  );
}

/** The running server of a place: the process that postmaster.pid names is its server, and it answers as such. */
async function findServer(place: LocalPlace): Promise<Found | undefined> {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (runningPostmaster(place.data) !== undefined) {
    const port = runningPort(place.data);
    const found = port === undefined ? undefined : describe(place, readLogins(place.loginsFile), port, false);
    if (found !== undefined && (await answers(found.server))) return found;
    if (Date.now() > giveUpAt) {
      throw new PostgresToolError(
        'unreachable',
        `The server of ${place.data} runs and does not answer. Its log is server.log there; stop it with \`npm run db:down\`.`,
      );
    }
    await sleep(100);
  }
  return undefined;
}

/** False while the server starts or stops; a server that is not ours, or knows another password, is an error. */
async function answers(server: LocalServer): Promise<boolean> {
  // fetch_types: postgres.js catches no failure of its own first query, which would end this process.
  const sql = postgres(server.adminUrl, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code.startsWith('28')) {
      throw new PostgresToolError(
        'logins_lost',
        `The server of ${server.dataDirectory} does not know the passwords that are kept beside it. ` +
          'Put the right logins.json back, or make the server new with `npm run db:reset` (its data is lost).',
        { cause: error },
      );
    }
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

interface Found {
  readonly server: LocalServer;
  readonly logins: Logins;
}

function describe(place: LocalPlace, logins: Logins, port: number, started: boolean): Found {
  const server = { major: place.major, port, dataDirectory: place.data, started, ...loginUrls(logins, port) };
  return { server, logins };
}
