import { adoptByHand } from './adopt.ts';
import { type AppliedMigration, type ApplyOptions, applyInTransaction, type Retry } from './apply-migration.ts';
import { applyStatementByStatement } from './apply-statements.ts';
import { assertMayCreate, openSession } from './connection.ts';
import { readHistory } from './history.ts';
import { type LockHolder, type LockOptions, withMigrationLock } from './lock.ts';
import { findLosses, type Loss } from './losses.ts';
import { readMigrationsFolder } from './migrations-folder.ts';
import { assertMayBecomeRoles } from './missing-roles.ts';
import { type MigrationRange, parseMigrationNumber, planMigrations } from './plan.ts';

export interface MigrateOptions {
  /** The owner's URL. */
  readonly url: string;
  /** The folder `migrations/`. */
  readonly directory: string;
  /** `005` or `005_model_registry`; both ends belong to the range. A `to` beyond the last file means the last. */
  readonly from?: string;
  readonly to?: string;
  readonly lockWaitMs?: number;
  readonly lockTimeoutMs?: number;
  readonly attempts?: number;
  readonly onEvent?: (event: MigrateEvent) => void;
}

export type MigrateEvent =
  | { readonly kind: 'waiting'; readonly holder: LockHolder | undefined }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'adopted'; readonly file: string }
  | { readonly kind: 'applying'; readonly file: string; readonly losses: readonly Loss[] }
  | ({ readonly kind: 'retrying' } & Retry)
  | ({ readonly kind: 'applied' } & AppliedMigration);

export interface MigrateReport {
  readonly database: string;
  readonly applied: readonly AppliedMigration[];
  /** Files that had been applied by hand and whose checksum is recorded now. */
  readonly adopted: readonly string[];
  readonly alreadyApplied: number;
  readonly warnings: readonly string[];
}

/**
 * Applies what is pending, in order, one transaction a file with its history row in it.
 * Safe to run twice at once (the second waits for the first) and to kill at any point (the next run goes on).
 *
 * Refuses: an edited, missing or out-of-order file, a range with something missing below it, a login that is superuser or
 * BYPASSRLS, a file applied by hand whose database differs from the listing. Fails with `StatementError` at the statement's
 * file and line; what earlier files did stays.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  const range = rangeOf(options);
  const folder = await readMigrationsFolder(options.directory);
  const emit = (event: MigrateEvent): void => options.onEvent?.(event);
  const session = await openSession(options.url, { onWarning: (message) => emit({ kind: 'warning', message }) });
  const applyOptions = applyOptionsOf(options);
  try {
    assertMayCreate(session);
    await assertMayBecomeRoles(session);
    return await withMigrationLock(session, lockOptionsOf(options), async () => {
      const history = (await readHistory(session)) ?? [];
      const plan = planMigrations(folder, history, range);
      const adopted = await adoptByHand(session, folder, history, plan.adopt);
      for (const file of adopted) emit({ kind: 'adopted', file });
      const applied: AppliedMigration[] = [];
      for (const { migration, row } of plan.pending) {
        if (migration === undefined) continue;
        emit({ kind: 'applying', file: migration.file, losses: findLosses(migration.sql) });
        const done = migration.transactional
          ? await applyInTransaction(session, migration, applyOptions)
          : await applyStatementByStatement(session, migration, row, applyOptions);
        emit({ kind: 'applied', ...done });
        applied.push(done);
      }
      return {
        database: session.database,
        applied,
        adopted,
        alreadyApplied: plan.alreadyApplied,
        warnings: session.warnings,
      };
    });
  } finally {
    await session.end();
  }
}

export function rangeOf(options: Pick<MigrateOptions, 'from' | 'to'>): MigrationRange {
  return {
    ...(options.from === undefined ? {} : { from: parseMigrationNumber(options.from, '--from') }),
    ...(options.to === undefined ? {} : { to: parseMigrationNumber(options.to, '--to') }),
  };
}

export function lockOptionsOf(options: MigrateOptions): LockOptions {
  return {
    ...(options.lockWaitMs === undefined ? {} : { waitMs: options.lockWaitMs }),
    onWait: (holder) => options.onEvent?.({ kind: 'waiting', holder }),
  };
}

export function applyOptionsOf(options: MigrateOptions): ApplyOptions {
  return {
    ...(options.lockTimeoutMs === undefined ? {} : { lockTimeoutMs: options.lockTimeoutMs }),
    ...(options.attempts === undefined ? {} : { attempts: options.attempts }),
    onRetry: (retry) => options.onEvent?.({ kind: 'retrying', ...retry }),
  };
}
