import { execFile } from 'node:child_process';
import type { ServerUser } from './server-user.ts';

export interface RunResult {
  readonly ok: boolean;
  /** Both streams, trimmed: initdb and pg_ctl write some of their errors to standard output. */
  readonly output: string;
}

/**
 * Runs one of PostgreSQL's programs to its end. With `cwd: '/'`, because the server's user may not be able to enter the
 * current directory; and without this process' environment, whose PGDATA, PGPORT or PGOPTIONS are meant for others.
 */
export function run(
  program: string,
  args: readonly string[],
  o: { readonly user: ServerUser | undefined; readonly timeoutMs: number; readonly input?: string },
): Promise<RunResult> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      { ...o.user, cwd: '/', env, timeout: o.timeoutMs, encoding: 'utf8' },
      (error, stdout, stderr) => {
        const output = [stdout.trim(), stderr.trim()].filter((text) => text !== '').join('\n');
        resolve({ ok: error === null, output: output === '' && error !== null ? error.message : output });
      },
    );
    child.stdin?.on('error', () => {}); // it may end before it has read
    child.stdin?.end(o.input ?? '');
  });
}
