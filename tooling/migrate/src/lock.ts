import { setTimeout as sleep } from 'node:timers/promises';
import type { RunnerSession, SessionRow } from './connection.ts';
import { MigrateError } from './errors.ts';

/** Who holds the lock that this run waits for. */
export interface LockHolder {
  readonly pid: number;
  readonly applicationName: string;
  readonly since: Date | undefined;
}

export interface LockOptions {
  /** How long to wait for another run; default 10 minutes. */
  readonly waitMs?: number;
  readonly onWait?: (holder: LockHolder | undefined) => void;
}

// 'mcp-hub!' in ASCII. pg_locks shows its halves as classid and objid. Advisory locks are one database's own.
const lockHalves = { high: 0x6d63702d, low: 0x68756221 } as const;
const lockKey = (BigInt(lockHalves.high) << 32n) | BigInt(lockHalves.low);

/** Runs `work` while this session holds the migration lock of its database. A killed run gives it up with its session. */
export async function withMigrationLock<T>(
  session: RunnerSession,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await acquire(session, options);
  try {
    return await work();
  } finally {
    // When the session died, so did its lock.
    await session.run(`select pg_advisory_unlock(${lockKey})`).catch(() => undefined);
  }
}

async function acquire(session: RunnerSession, options: LockOptions): Promise<void> {
  const waitMs = options.waitMs ?? 600_000;
  const deadline = Date.now() + waitMs;
  let told = false;
  for (let pauseMs = 20; ; pauseMs = Math.min(300, pauseMs * 2)) {
    // Polled, not awaited inside the server: a session that waits in pg_advisory_lock holds a snapshot, and
    // CREATE INDEX CONCURRENTLY of the run that holds the lock waits for every older snapshot: a deadlock.
    const [row] = await session.run(`select pg_try_advisory_lock(${lockKey}) as taken`);
    if (row?.['taken'] === true) return;
    const holder = await readLockHolder(session);
    if (!told) options.onWait?.(holder);
    told = true;
    if (Date.now() >= deadline) throw lockedError(waitMs, holder);
    await sleep(Math.min(pauseMs * (0.5 + Math.random()), Math.max(1, deadline - Date.now())));
  }
}

export async function readLockHolder(session: RunnerSession): Promise<LockHolder | undefined> {
  const [row] = await session.run(`
    select l.pid, coalesce(a.application_name, '') as application_name, a.backend_start as since
      from pg_catalog.pg_locks l
      left join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted
       and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
       and l.classid = ${lockHalves.high} and l.objid = ${lockHalves.low} and l.objsubid = 1
     limit 1`);
  return row === undefined ? undefined : toHolder(row);
}

function toHolder(row: SessionRow): LockHolder {
  const since = row['since'];
  return {
    pid: Number(row['pid']),
    applicationName: String(row['application_name']),
    since: since instanceof Date ? since : undefined,
  };
}

export function describeHolder(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'another run';
  const name = holder.applicationName === '' ? '' : ` (${holder.applicationName})`;
  const since = holder.since === undefined ? '' : `, connected since ${holder.since.toISOString()}`;
  return `the session with process id ${holder.pid}${name}${since}`;
}

function lockedError(waitMs: number, holder: LockHolder | undefined): MigrateError {
  return new MigrateError(
    'locked',
    `The migration lock is held by ${describeHolder(holder)}; waited ${Math.round(waitMs / 1000)} s. ` +
      `If that run is gone for good, end its session: select pg_terminate_backend(${holder?.pid ?? 'pid'});`,
  );
}
