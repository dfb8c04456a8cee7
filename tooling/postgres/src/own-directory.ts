import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { PostgresToolError } from './errors.ts';

/**
 * Makes a directory that others may enter but not write, or accepts one that this user made. In a place where everyone
 * may write (/var/tmp), a directory or link that someone else put there first could hand us their binaries to run.
 */
export function ensureOwnDirectory(path: string): void {
  try {
    mkdirSync(path);
    chmodSync(path, 0o755); // mkdir's mode is cut down by the umask
    return;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new PostgresToolError(
      'cache_not_trusted',
      `${path} belongs to another user (uid ${found.uid}) or is no directory, so PostgreSQL is not started from it. ` +
        'Find out who made it, and remove it.',
    );
  }
  if ((found.mode & 0o777) !== 0o755) chmodSync(path, 0o755);
}
