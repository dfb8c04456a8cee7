import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { explainFileError, PostgresToolError } from './errors.ts';
import type { Installation } from './installation.ts';
import type { Logins } from './logins.ts';
import { commandLine, isAlive, workingDirectory } from './process-identity.ts';
import { run } from './run.ts';

const START_SECONDS = 60;
const STOP_MS = 60_000;

/**
 * Makes a cluster in `data`, which is absent or an empty directory of the server's user. ICU's root collation: the same
 * on every platform, and like the collation of a production server it is not the order of bytes.
 */
export async function initCluster(
  installation: Installation,
  o: { readonly data: string; readonly logins: Logins; readonly durable: boolean },
): Promise<void> {
  const made = await run(
    '/bin/sh',
    [
      '-c',
      // The password goes through a pipe that the server's user has made and may open by name: a file would be left
      // behind when this process is killed, and node's own pipe belongs to this user.
      'cat | "$@" --pwfile=/dev/stdin',
      'sh',
      join(installation.bin, 'initdb'),
      `--pgdata=${o.data}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=icu',
      '--icu-locale=und',
      ...(o.durable ? [] : ['--no-sync']),
    ],
    { user: installation.user, timeoutMs: 120_000, input: `${o.logins.postgres}\n` },
  );
  if (!made.ok) throw failed('initdb could not make a cluster', o.data, made.output);
}

/** Starts the server of `data` and waits until it answers; its log is `server.log` in it. */
export async function startCluster(
  installation: Installation,
  o: { readonly data: string; readonly port: number; readonly settings?: Readonly<Record<string, string>> },
): Promise<void> {
  removeForeignPidFile(o.data);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...o.settings,
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  const log = join(o.data, 'server.log');
  const before = readLog(log).length;
  const started = await run(
    join(installation.bin, 'pg_ctl'),
    // pg_ctl gives the server its own session and no descriptor of ours: it outlives the shell and this process.
    ['-D', o.data, '-w', '-t', String(START_SECONDS), '-l', log, '-o', `-p ${o.port} ${options.join(' ')}`, 'start'],
    { user: installation.user, timeoutMs: (START_SECONDS + 30) * 1000 },
  );
  if (started.ok) return;
  throw failed(`PostgreSQL ${installation.major} did not start`, o.data, readLog(log).slice(before) || started.output);
}

/**
 * Stops the server of `data` and waits until it has; whether one ran. `immediate` waits for no client and writes nothing
 * more. By a signal and not by pg_ctl, which needs to enter the directory and signals whatever has the id in a stale file.
 */
export async function stopCluster(data: string, mode: 'fast' | 'immediate'): Promise<boolean> {
  const pid = runningPostmaster(data);
  if (pid === undefined) return false;
  try {
    process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  } catch (error) {
    if (isAlive(pid)) throw explainFileError(error, `stopping the server of ${data}`);
  }
  const giveUpAt = Date.now() + STOP_MS;
  while (runningPostmaster(data) === pid) {
    if (Date.now() > giveUpAt) throw failed('PostgreSQL did not stop', data, readLog(join(data, 'server.log')));
    await sleep(20);
  }
  return true;
}

/** The port in postmaster.pid, when the process named there is the server of this data directory. */
export function runningPort(data: string): number | undefined {
  if (runningPostmaster(data) === undefined) return undefined;
  const port = Number(readPidFile(data)?.[3]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** The id of the server's process; undefined also when the file is left over and its id now belongs to another process. */
export function runningPostmaster(data: string): number | undefined {
  const pid = Number(readPidFile(data)?.[0]);
  return isAlive(pid) && isServerOf(pid, data) === 'yes' ? pid : undefined;
}

/** A server works in its data directory, and follows it when the checkout is moved; its command line does not. */
function isServerOf(pid: number, data: string): 'yes' | 'no' | 'perhaps' {
  const command = commandLine(pid);
  if (!command.includes('postgres')) return 'no';
  const directory = workingDirectory(pid);
  if (directory !== undefined) return directory === realpathSync(data) ? 'yes' : 'no';
  return command.includes(data) ? 'yes' : 'perhaps';
}

function readPidFile(data: string): readonly string[] | undefined {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw explainFileError(error, `reading ${data}`);
  }
}

/**
 * PostgreSQL sees for itself that a pid file is stale when no process has the id, or one of another user. It refuses
 * to start when a process of the same user has got it (after a restart of the machine), so that file goes. In all other
 * cases the file stays, because it also names the shared memory by which left-over backends are found.
 */
function removeForeignPidFile(data: string): void {
  const pid = Number(readPidFile(data)?.[0]);
  if (isAlive(pid) && isServerOf(pid, data) === 'no') rmSync(join(data, 'postmaster.pid'), { force: true });
}

function readLog(log: string): string {
  return existsSync(log) ? readFileSync(log, 'utf8') : '';
}

function failed(what: string, data: string, output: string): PostgresToolError {
  const tail = output.trim().split('\n').slice(-12).join('\n');
  const message = `${what} (data directory ${data}). Its last words:\n${tail}`;
  if (/No space left on device|could not resize shared memory/i.test(tail)) {
    return new PostgresToolError('disk_full', `${message}\nFree some space (shared memory counts, too) and try again.`);
  }
  if (/Permission denied|has wrong ownership|invalid permissions/i.test(tail)) {
    return new PostgresToolError(
      'not_permitted',
      `${message}\nGive the directory to the user who runs this, or remove it.`,
    );
  }
  return new PostgresToolError(
    'start_failed',
    `${message}\nMend what it names, or make the server new with \`npm run db:reset\` (its data is lost).`,
  );
}

/** Whether a start failed because another process took the port between our looking and its listening. */
export function lostThePort(error: unknown): boolean {
  return error instanceof PostgresToolError && /could not bind|could not create any TCP/i.test(error.message);
}
