import type { RunnerSession, SessionRow } from './connection.ts';
import { errorCodeOf } from './connection-error.ts';
import { exitCodes, MigrateError } from './errors.ts';
import type { MigrationFile } from './migrations-folder.ts';

/** One row of `migration_history`. */
export interface HistoryRow {
  /** As it stands in the table: `010_monitoring.sql`, or `010_monitoring.sql_rolled_back`. */
  readonly migrationName: string;
  /** The file's name, without the mark of a rollback. */
  readonly file: string;
  readonly rolledBack: boolean;
  readonly executedAt: Date;
  /** Undefined when the file was applied by hand and no run has adopted it yet. */
  readonly checksum: string | undefined;
  readonly durationMs: number | undefined;
  /** How many statements of a `-- no-transaction` file are done; undefined when all are. */
  readonly statementsDone: number | undefined;
}

export const rolledBackSuffix = '_rolled_back';

/** The rows by name; undefined when the table is not there yet. */
export async function readHistory(session: Pick<RunnerSession, 'run'>): Promise<readonly HistoryRow[] | undefined> {
  const [found] = await session.run(`select to_regclass('public.migration_history') is not null as found`);
  if (found?.['found'] !== true) return undefined;
  const rows = await session
    .run(`
    select migration_name, executed_at, checksum, duration_ms, statements_done
      from public.migration_history
     order by migration_name`)
    .catch((error: unknown) => {
      if (errorCodeOf(error) !== '42501') throw error;
      throw new MigrateError(
        'may_not_read_history',
        "This login may not read migration_history: it is not the owner's. POSTGRES_URL is the URL of the owner; services use POSTGRES_SERVICE_URL.",
        exitCodes.refused,
        { cause: error },
      );
    });
  return rows.map(toHistoryRow);
}

function toHistoryRow(row: SessionRow): HistoryRow {
  const migrationName = String(row['migration_name']);
  const rolledBack = migrationName.endsWith(rolledBackSuffix);
  const executedAt = row['executed_at'];
  return {
    migrationName,
    file: rolledBack ? migrationName.slice(0, -rolledBackSuffix.length) : migrationName,
    rolledBack,
    executedAt: executedAt instanceof Date ? executedAt : new Date(String(executedAt)),
    checksum: typeof row['checksum'] === 'string' ? row['checksum'] : undefined,
    durationMs: numberOrUndefined(row['duration_ms']),
    statementsDone: numberOrUndefined(row['statements_done']),
  };
}

function numberOrUndefined(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

/** Writes the file's row, or fills in the one that the file's own last statement wrote. */
export async function recordMigration(
  session: Pick<RunnerSession, 'query'>,
  file: MigrationFile,
  durationMs: number | undefined,
): Promise<void> {
  await session.query(
    `insert into public.migration_history (migration_name, checksum, duration_ms)
     values ($1, $2, $3)
     on conflict (migration_name) do update
       set checksum = excluded.checksum, duration_ms = excluded.duration_ms, statements_done = null`,
    [file.file, file.checksum, durationMs === undefined ? null : Math.round(durationMs)],
  );
}

/** Gives a row that a hand wrote the checksum of its file; what it says of the time stays. */
export async function adoptRow(
  session: Pick<RunnerSession, 'query'>,
  row: HistoryRow,
  checksum: string,
): Promise<void> {
  await session.query(
    `update public.migration_history set checksum = $2 where migration_name = $1 and checksum is null`,
    [row.migrationName, checksum],
  );
}

/** Says that this many statements of a `-- no-transaction` file are done. */
export async function recordProgress(
  session: Pick<RunnerSession, 'query'>,
  file: MigrationFile,
  statementsDone: number,
): Promise<void> {
  await session.query(
    `insert into public.migration_history (migration_name, checksum, statements_done)
     values ($1, $2, $3)
     on conflict (migration_name) do update
       set checksum = excluded.checksum, statements_done = excluded.statements_done`,
    [file.file, file.checksum, statementsDone],
  );
}
