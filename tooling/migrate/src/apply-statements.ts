import {
  type AppliedMigration,
  type ApplyOptions,
  begin,
  defaultLockTimeoutMs,
  rollback,
  withLockRetry,
} from './apply-migration.ts';
import { statementsOf } from './check-statements.ts';
import type { RunnerSession } from './connection.ts';
import { errorCodeOf } from './connection-error.ts';
import { type HistoryRow, recordMigration, recordProgress } from './history.ts';
import type { MigrationFile } from './migrations-folder.ts';
import { clearLeftovers } from './resume-statement.ts';
import type { SqlStatement } from './sql-statements.ts';
import { toStatementError } from './statement-error.ts';

// 25001: cannot run inside a transaction block. 2D000: a procedure that commits. 0A000 is not among them: it means more than that.
const needsNoTransaction = new Set(['25001', '2D000']);

/**
 * Applies a `-- no-transaction` file. A statement that can be in a transaction is in one together with the count of the
 * statements done, so it runs exactly once. One that cannot (CREATE INDEX CONCURRENTLY, VACUUM) runs alone and is counted
 * after it: a run that takes over there first clears what a killed statement left behind.
 */
export async function applyStatementByStatement(
  session: RunnerSession,
  file: MigrationFile,
  row: HistoryRow | undefined,
  options: ApplyOptions,
): Promise<AppliedMigration> {
  const statements = statementsOf(file);
  const resumeAt = row?.statementsDone ?? 0;
  const started = performance.now();
  let attempts = 1;
  if (row === undefined || resumeAt === 0) await recordProgress(session, file, 0);
  for (const [index, statement] of statements.entries()) {
    if (index < resumeAt) continue;
    const mayBeHalfDone = row !== undefined && index === resumeAt;
    const used = await withLockRetry(session, file.file, options, async (attempt) => {
      const done = await runInTransaction(session, file, statement, index + 1, options);
      if (!done) await runAlone(session, file, statement, index + 1, options, mayBeHalfDone || attempt > 1);
      return attempt;
    });
    attempts = Math.max(attempts, used);
  }
  const durationMs = performance.now() - started;
  await recordMigration(session, file, durationMs);
  return { file: file.file, durationMs, attempts, ...(row === undefined ? {} : { resumedAfter: resumeAt }) };
}

/** False when the statement refuses to run in a transaction; it has done nothing then. */
async function runInTransaction(
  session: RunnerSession,
  file: MigrationFile,
  statement: SqlStatement,
  count: number,
  options: ApplyOptions,
): Promise<boolean> {
  await begin(session, options);
  try {
    await session.run(statement.text);
    await recordProgress(session, file, count);
    await session.run('commit');
    return true;
  } catch (error) {
    await rollback(session);
    if (needsNoTransaction.has(errorCodeOf(error) ?? '')) return false;
    throw failed(file, statement, count, error);
  }
}

async function runAlone(
  session: RunnerSession,
  file: MigrationFile,
  statement: SqlStatement,
  count: number,
  options: ApplyOptions,
  mayBeHalfDone: boolean,
): Promise<void> {
  // CONCURRENTLY waits for older transactions by lock waits, and blocks nobody meanwhile; the rest must not stand in a queue.
  const timeout = /\bconcurrently\b/i.test(statement.text) ? 0 : (options.lockTimeoutMs ?? defaultLockTimeoutMs);
  try {
    const isDone = mayBeHalfDone && (await clearLeftovers(session, statement.text));
    if (!isDone) {
      await session.run(`set lock_timeout = ${timeout}`);
      await session.run(statement.text);
    }
    await session.run('set lock_timeout = 0');
    await recordProgress(session, file, count);
  } catch (error) {
    await session.run('set lock_timeout = 0').catch(() => undefined);
    throw failed(file, statement, count, error);
  }
}

function failed(file: MigrationFile, statement: SqlStatement, count: number, error: unknown): unknown {
  return toStatementError(
    file,
    statement,
    error,
    `The file runs without a transaction: its first ${count - 1} statements are done and stay, the next run goes on here.`,
  );
}
