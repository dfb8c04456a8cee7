import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresToolError } from './errors.ts';
import { LOCAL_FOLDER, SHARED_CACHE } from './installation.ts';
import { POSTGRES_MAJORS, type PostgresMajor } from './major.ts';
import { ensureOwnDirectory } from './own-directory.ts';
import { canEnter, serverUser } from './server-user.ts';

/** Where one checkout's server of one major keeps its things. */
export interface LocalPlace {
  readonly major: PostgresMajor;
  /** Belongs to the user who runs this; the lock file lies in it. */
  readonly base: string;
  /** In it: `data` (the server's user's), `logins.json` (0600) and `port`. */
  readonly folder: string;
  readonly data: string;
  readonly loginsFile: string;
  readonly portFile: string;
  readonly lockFile: string;
}

export interface LocalPlaces {
  /** Where the server is, or will be made. */
  readonly chosen: LocalPlace;
  /** Where the server may also be, because the checkout has been opened or closed to others since it was made. */
  readonly other: LocalPlace | undefined;
}

/**
 * The place is in the checkout's ignored folder; but as root, in a checkout that the server's user cannot enter, beside
 * the cached binaries under a name made of the checkout's path and of an id that lies in the checkout.
 */
export function localPlaces(root: string, major: PostgresMajor): LocalPlaces {
  const checkout = realCheckout(root);
  const inside = placeIn(join(checkout, LOCAL_FOLDER), major);
  const user = serverUser();
  if (user === undefined) return { chosen: inside, other: undefined };
  const beside = placeIn(join(SHARED_CACHE, `${pathMark(checkout)}-${checkoutId(checkout)}`), major);
  const open = canEnter(user, checkout);
  return open && (existsSync(inside.data) || !existsSync(beside.data))
    ? { chosen: inside, other: beside }
    : { chosen: beside, other: inside };
}

/**
 * What clones left beside the cached binaries that stood at the same path before: a new clone is a new checkout, and finds
 * neither their server nor their data.
 */
export function placesOfGoneCheckouts(root: string): readonly LocalPlace[] {
  const checkout = realCheckout(root);
  if (serverUser() === undefined || !existsSync(SHARED_CACHE)) return [];
  const mark = pathMark(checkout);
  const own = `${mark}-${checkoutId(checkout)}`;
  return readdirSync(SHARED_CACHE)
    .filter((name) => name.startsWith(mark) && name !== own)
    .flatMap((name) => POSTGRES_MAJORS.map((major) => placeIn(join(SHARED_CACHE, name), major)));
}

const pathMark = (checkout: string) => `checkout-${createHash('sha256').update(checkout).digest('hex').slice(0, 16)}`;

/** Made once in the ignored folder, so that it goes with the checkout. */
function checkoutId(checkout: string): string {
  const folder = join(checkout, LOCAL_FOLDER);
  const file = join(folder, 'checkout-id');
  ensureOwnDirectory(folder);
  try {
    writeFileSync(file, randomBytes(8).toString('hex'), { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

function placeIn(base: string, major: PostgresMajor): LocalPlace {
  const folder = join(base, `postgres-${major}`);
  return {
    major,
    base,
    folder,
    data: join(folder, 'data'),
    loginsFile: join(folder, 'logins.json'),
    portFile: join(folder, 'port'),
    lockFile: join(base, `postgres-${major}.lock`),
  };
}

function realCheckout(root: string): string {
  try {
    return realpathSync(root);
  } catch (error) {
    throw new PostgresToolError('bad_option', `${root} is no directory that can be read.`, { cause: error });
  }
}
