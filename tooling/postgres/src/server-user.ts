import { execFileSync, spawnSync } from 'node:child_process';
import { PostgresToolError } from './errors.ts';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user that the server runs as when this process is root, which PostgreSQL refuses; undefined for everyone else.
 * It is `nobody`: it exists everywhere, so that no user needs to be made.
 */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: lookUp('-u'), gid: lookUp('-g') };
}

function lookUp(flag: '-u' | '-g'): number {
  const found = spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' });
  // `>>> 0`: macOS writes nobody's id as -2.
  const id = /^-?\d+\s*$/.test(found.stdout ?? '') ? Number(found.stdout) >>> 0 : 0;
  if (id !== 0) return id;
  throw new PostgresToolError(
    'no_server_user',
    'PostgreSQL does not run as root and this system has no user "nobody" to run it as. ' +
      'Work as an ordinary user, or set POSTGRES_URL (for tests TEST_POSTGRES_URL) to a server of your own.',
  );
}

/** Whether the server's user can enter the directory; asked of the kernel, which knows access lists and mounts too. */
export function canEnter(user: ServerUser | undefined, directory: string): boolean {
  if (user === undefined) return true;
  try {
    execFileSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], { ...user, cwd: '/', stdio: 'ignore' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EPERM' || error.code === 'EINVAL')) {
      throw new PostgresToolError(
        'no_server_user',
        'PostgreSQL does not run as root, and this root may not become another user (a container with one user id?). ' +
          'Work as an ordinary user, or set POSTGRES_URL (for tests TEST_POSTGRES_URL) to a server of your own.',
        { cause: error },
      );
    }
    return false;
  }
}
