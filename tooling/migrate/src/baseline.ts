import { describeDifference, expectedListing } from './adopt.ts';
import { begin, rollback } from './apply-migration.ts';
import { assertMayCreate, openSession, type RunnerSession } from './connection.ts';
import { exitCodes, MigrateError } from './errors.ts';
import { readHistory, rolledBackSuffix } from './history.ts';
import { readListing } from './listing.ts';
import { diffListings, isEmptyChange } from './listing-change.ts';
import { type LockHolder, withMigrationLock } from './lock.ts';
import { type MigrationFile, type MigrationsFolder, readMigrationsFolder } from './migrations-folder.ts';
import { parseMigrationNumber, planMigrations } from './plan.ts';
import { splitSqlStatements } from './sql-statements.ts';

export interface BaselineOptions {
  readonly url: string;
  readonly directory: string;
  /** The last file that the database already holds: `005` or `005_model_registry`. */
  readonly upTo: string;
  readonly lockWaitMs?: number;
  readonly onWait?: (holder: LockHolder | undefined) => void;
}

export interface BaselineReport {
  readonly database: string;
  /** Rows that were written: their files count as applied from now on, though no run applied them. */
  readonly recorded: readonly string[];
  readonly alreadyApplied: readonly string[];
}

/**
 * Writes the history of a database that already holds what the files up to `upTo` make, without running them: only the table
 * migration_history itself is made when it is not there. Refuses unless the live listing is exactly theirs (`listing_differs`).
 */
export async function baseline(options: BaselineOptions): Promise<BaselineReport> {
  const upTo = parseMigrationNumber(options.upTo, 'baseline');
  const folder = await readMigrationsFolder(options.directory);
  if (!folder.files.some((file) => file.number === upTo)) {
    throw new MigrateError('invalid_number', `No file in ${folder.path} has number ${options.upTo}.`, exitCodes.usage);
  }
  const session = await openSession(options.url);
  const lock = {
    ...(options.lockWaitMs === undefined ? {} : { waitMs: options.lockWaitMs }),
    ...(options.onWait === undefined ? {} : { onWait: options.onWait }),
  };
  try {
    assertMayCreate(session);
    return await withMigrationLock(session, lock, async () => {
      await begin(session, {});
      try {
        const report = await writeHistory(session, folder, upTo);
        await session.run('commit');
        return report;
      } catch (error) {
        await rollback(session);
        throw error;
      }
    });
  } finally {
    await session.end();
  }
}

async function writeHistory(session: RunnerSession, folder: MigrationsFolder, upTo: number): Promise<BaselineReport> {
  const files = folder.files.filter((file) => file.number <= upTo);
  const history = await readHistory(session);
  if (history === undefined) await makeHistoryTable(session, files);
  const rows = history ?? [];
  // Refuses what the runner would refuse; rows above `upTo` make what lies below them out of order.
  planMigrations(folder, rows, {});
  const held = new Map(rows.map((row) => [row.file, row]));
  const counted = folder.files.filter((file) => file.number <= upTo || held.has(file.file));
  const difference = diffListings(await expectedListing(folder, counted), await readListing(session.sql));
  if (!isEmptyChange(difference)) {
    throw new MigrateError(
      'listing_differs',
      `The database is not what the files up to ${files.at(-1)?.file ?? ''} make (+ is only in the database, - is missing there):\n${describeDifference(difference)}`,
    );
  }
  const rolledBack = new Set(files.flatMap((file) => file.rollsBack));
  const recorded: string[] = [];
  const alreadyApplied: string[] = [];
  for (const file of files) {
    const row = held.get(file.file);
    if (row?.checksum !== undefined && row.statementsDone === undefined) {
      alreadyApplied.push(file.file);
      continue;
    }
    const name = row?.migrationName ?? (rolledBack.has(file.file) ? `${file.file}${rolledBackSuffix}` : file.file);
    await session.query(
      `insert into public.migration_history (migration_name, checksum) values ($1, $2)
       on conflict (migration_name) do update set checksum = excluded.checksum, statements_done = null`,
      [name, file.checksum],
    );
    recorded.push(file.file);
  }
  return { database: session.database, recorded, alreadyApplied };
}

/** By the statement of the file that makes it, so that its form has one source. */
async function makeHistoryTable(session: RunnerSession, files: readonly MigrationFile[]): Promise<void> {
  const statement = files
    .flatMap((file) => splitSqlStatements(file.sql))
    .find(({ text }) =>
      /^create\s+table\s+(if\s+not\s+exists\s+)?("?public"?\.)?"?migration_history"?\s*\(/i.test(text),
    );
  if (statement === undefined) {
    throw new MigrateError('history_table_missing', 'No file up to there makes the table migration_history.');
  }
  await session.run(statement.text);
}
