import { setTimeout as sleep } from 'node:timers/promises';
import { statementsOf } from './check-statements.ts';
import type { RunnerSession } from './connection.ts';
import { errorCodeOf } from './connection-error.ts';
import { MigrateError } from './errors.ts';
import { readHistory, recordMigration } from './history.ts';
import type { MigrationFile } from './migrations-folder.ts';
import { findMissingRoles, missingRolesError } from './missing-roles.ts';
import type { SqlStatement } from './sql-statements.ts';
import { StatementError, toStatementError } from './statement-error.ts';

export interface ApplyOptions {
  /** How long one statement waits for a lock before the whole file is tried again; default 3 s. */
  readonly lockTimeoutMs?: number;
  /** How often a file is tried; default 12, which with the pauses is about a minute. */
  readonly attempts?: number;
  readonly onRetry?: (retry: Retry) => void;
}

export interface Retry {
  readonly file: string;
  readonly attempt: number;
  readonly attempts: number;
  readonly pauseMs: number;
  /** Sessions whose transaction is old enough to be what stands in the way. */
  readonly blockers: readonly string[];
}

export interface AppliedMigration {
  readonly file: string;
  readonly durationMs: number;
  readonly attempts: number;
  /** How many statements an earlier run had done; undefined unless the file was resumed. */
  readonly resumedAfter?: number;
}

export const defaultLockTimeoutMs = 3_000;

/** Applies one file in one transaction that holds its history row. Tried again as a whole when a lock is not to be had. */
export async function applyInTransaction(
  session: RunnerSession,
  file: MigrationFile,
  options: ApplyOptions,
): Promise<AppliedMigration> {
  const statements = statementsOf(file);
  return await withLockRetry(session, file.file, options, async (attempt) => {
    const started = performance.now();
    await begin(session, options);
    try {
      for (const statement of statements) await runStatement(session, file, statement);
      if ((await readHistory(session)) === undefined) {
        throw new MigrateError(
          'history_table_missing',
          `${file.file} ran, and there is no table migration_history: the first migration makes it.`,
        );
      }
      const durationMs = performance.now() - started;
      await recordMigration(session, file, durationMs);
      // Deferred constraints are checked here.
      await runStatement(session, file, { text: 'commit', line: statements.at(-1)?.line ?? 1 });
      return { file: file.file, durationMs, attempts: attempt };
    } catch (error) {
      await rollback(session);
      throw await explainMissingRoles(session, error);
    }
  });
}

/** A statement that was not permitted, because an administrator has to make or grant the roles first: says so. */
export async function explainMissingRoles(session: RunnerSession, error: unknown): Promise<unknown> {
  if (!(error instanceof StatementError) || error.sqlstate !== '42501') return error;
  const missing = await findMissingRoles(session);
  return missing.length === 0 ? error : missingRolesError(session, missing);
}

/** Begins a transaction on the very session that holds the migration lock. */
export async function begin(session: RunnerSession, options: ApplyOptions): Promise<void> {
  await session.run(
    `begin isolation level read committed; set local lock_timeout = ${options.lockTimeoutMs ?? defaultLockTimeoutMs}`,
  );
  const [row] = await session.run('select pg_backend_pid() as pid');
  if (Number(row?.['pid']) === session.backendPid) return;
  await rollback(session);
  throw new MigrateError(
    'pooled_session',
    'The connection pooler moved this run to another server session, and the migration lock stayed behind. Use the direct URL of the server for migrations.',
  );
}

/** When the session is gone there is nothing to roll back, and the first error is the one to show. */
export async function rollback(session: RunnerSession): Promise<void> {
  await session.run('rollback').catch(() => undefined);
}

export async function runStatement(
  session: RunnerSession,
  file: MigrationFile,
  statement: SqlStatement,
): Promise<void> {
  try {
    await session.run(statement.text);
  } catch (error) {
    throw toStatementError(file, statement, error);
  }
}

// 55P03: lock_timeout. 40P01: deadlock. 40001 and XX000 "tuple concurrently updated": two databases of a cluster change the same role.
const retryCodes = new Set(['55P03', '40P01', '40001']);

function isLockFailure(error: unknown): boolean {
  const code = error instanceof StatementError ? error.sqlstate : errorCodeOf(error);
  if (code === undefined) return false;
  return (
    retryCodes.has(code) || (code === 'XX000' && error instanceof Error && /tuple concurrently/.test(error.message))
  );
}

/** Runs `work` again, after a growing pause with jitter, while it fails for want of a lock. */
export async function withLockRetry<T>(
  session: RunnerSession,
  file: string,
  options: ApplyOptions,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const attempts = options.attempts ?? 12;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!isLockFailure(error)) throw error;
      const blockers = await findBlockers(session, options.lockTimeoutMs ?? defaultLockTimeoutMs);
      if (attempt >= attempts) throw lockError(file, attempts, blockers, error);
      const pauseMs = Math.round(Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2));
      options.onRetry?.({ file, attempt, attempts, pauseMs, blockers });
      await sleep(pauseMs);
    }
  }
}

async function findBlockers(session: RunnerSession, olderThanMs: number): Promise<readonly string[]> {
  const rows = await session.query(
    `select pid, coalesce(application_name, '') as name, coalesce(state, 'unknown') as state,
            round(extract(epoch from clock_timestamp() - xact_start))::int as seconds
       from pg_catalog.pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and xact_start < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
      order by xact_start
      limit 3`,
    [olderThanMs],
  );
  return rows.map((row) => {
    const name = row['name'] === '' ? '' : ` (${String(row['name'])})`;
    return `process ${String(row['pid'])}${name}, ${String(row['state'])}, in a transaction for ${String(row['seconds'])} s`;
  });
}

function lockError(file: string, attempts: number, blockers: readonly string[], error: unknown): MigrateError {
  const who = blockers.length === 0 ? '' : `\nLong transactions: ${blockers.join('; ')}.`;
  const what = error instanceof Error ? error.message : String(error);
  return new MigrateError(
    'lock_not_available',
    `${file} did not get its locks in ${attempts} attempts; nothing of the last attempt stays. Last: ${what}${who}`,
  );
}
