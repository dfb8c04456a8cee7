import { adoptByHand } from './adopt.ts';
import {
  type ApplyOptions,
  begin,
  explainMissingRoles,
  rollback,
  runStatement,
  withLockRetry,
} from './apply-migration.ts';
import { statementsOf } from './check-statements.ts';
import { assertMayCreate, openSession, type RunnerSession } from './connection.ts';
import { readHistory } from './history.ts';
import { withMigrationLock } from './lock.ts';
import { applyOptionsOf, lockOptionsOf, type MigrateOptions, rangeOf } from './migrate.ts';
import { type MigrationFile, type MigrationsFolder, readMigrationsFolder } from './migrations-folder.ts';
import { assertMayBecomeRoles } from './missing-roles.ts';
import { type MigrationRange, planMigrations } from './plan.ts';
import { type RelationChanges, watchRelations } from './relation-changes.ts';

export interface DryRunFile extends RelationChanges {
  readonly file: string;
  readonly sql: string;
  /** False for a `-- no-transaction` file: it cannot be rolled back. */
  readonly executed: boolean;
  readonly durationMs: number | undefined;
}

export interface DryRunReport {
  readonly database: string;
  readonly files: readonly DryRunFile[];
  /** Applied by hand, and a real run would record them. */
  readonly adopted: readonly string[];
  readonly alreadyApplied: number;
  readonly warnings: readonly string[];
}

/**
 * Executes what `migrate` would apply, in one transaction that is rolled back, and reports for each file the locks on
 * relations that existed before, the tables rewritten, the rows touched and the time. The locks are real while it runs: it
 * waits for them no longer than `lockTimeoutMs` and tries again. Refuses and fails as `migrate` does.
 */
export async function dryRun(options: MigrateOptions): Promise<DryRunReport> {
  const range = rangeOf(options);
  const folder = await readMigrationsFolder(options.directory);
  const session = await openSession(options.url, {
    onWarning: (message) => options.onEvent?.({ kind: 'warning', message }),
  });
  const applyOptions = applyOptionsOf(options);
  try {
    assertMayCreate(session);
    await assertMayBecomeRoles(session);
    return await withMigrationLock(session, lockOptionsOf(options), () =>
      withLockRetry(session, 'The dry run', applyOptions, () => rehearse(session, folder, range, applyOptions)),
    );
  } finally {
    await session.end();
  }
}

async function rehearse(
  session: RunnerSession,
  folder: MigrationsFolder,
  range: MigrationRange,
  options: ApplyOptions,
): Promise<DryRunReport> {
  await begin(session, options);
  let ended = false;
  try {
    const history = (await readHistory(session)) ?? [];
    const plan = planMigrations(folder, history, range);
    const adopted = await adoptByHand(session, folder, history, plan.adopt);
    const watch = await watchRelations(session);
    const files: DryRunFile[] = [];
    for (const { migration } of plan.pending) {
      if (migration === undefined) continue;
      const durationMs = migration.transactional ? await execute(session, migration) : undefined;
      const executed = durationMs !== undefined;
      files.push({ file: migration.file, sql: migration.sql, executed, durationMs, ...(await watch.next()) });
    }
    return {
      database: session.database,
      files,
      adopted,
      alreadyApplied: plan.alreadyApplied,
      warnings: session.warnings,
    };
  } catch (error) {
    // Not in `finally` alone: what explains the error asks the server, which answers nothing in a failed transaction.
    await rollback(session);
    ended = true;
    throw await explainMissingRoles(session, error);
  } finally {
    if (!ended) await rollback(session);
  }
}

async function execute(session: RunnerSession, file: MigrationFile): Promise<number> {
  const statements = statementsOf(file);
  const started = performance.now();
  for (const statement of statements) await runStatement(session, file, statement);
  // What a COMMIT would check; the savepoint takes the setting back, the next file may rely on deferral.
  const text = 'savepoint checks; set constraints all immediate; rollback to savepoint checks';
  await runStatement(session, file, { text, line: statements.at(-1)?.line ?? 1 });
  return performance.now() - started;
}
