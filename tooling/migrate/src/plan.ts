import { exitCodes, MigrateError } from './errors.ts';
import type { HistoryRow } from './history.ts';
import { formatMigrationNumber, type MigrationFile, type MigrationsFolder } from './migrations-folder.ts';

export type MigrationState = 'applied' | 'by_hand' | 'rolled_back' | 'unfinished' | 'pending' | 'missing';

/** One file of the folder, one row of the history, or both. */
export interface MigrationStatus {
  /** `005_model_registry.sql` */
  readonly file: string;
  readonly state: MigrationState;
  readonly migration: MigrationFile | undefined;
  readonly row: HistoryRow | undefined;
}

export interface HistoryProblem {
  readonly code: 'edited_file' | 'missing_file' | 'out_of_order';
  readonly file: string;
  readonly message: string;
}

export interface HistoryInspection {
  readonly statuses: readonly MigrationStatus[];
  readonly problems: readonly HistoryProblem[];
}

/** Which numbers a run is asked to apply; both ends belong to it. */
export interface MigrationRange {
  readonly from?: number;
  readonly to?: number;
}

export interface MigrationPlan {
  /** In the order in which they run; the first may be an unfinished `-- no-transaction` file. */
  readonly pending: readonly MigrationStatus[];
  /** Applied by hand: to be adopted when the listing agrees. */
  readonly adopt: readonly MigrationStatus[];
  readonly alreadyApplied: number;
}

/** `005`, `5`, `005_model_registry` and `005_model_registry.sql` all mean number 5. */
export function parseMigrationNumber(text: string, option: string): number {
  const digits = /^(\d{1,3})(?:_[a-z0-9_]+(?:\.sql)?)?$/.exec(text.trim())?.[1];
  const number = Number(digits ?? 0);
  if (number === 0) {
    throw new MigrateError(
      'invalid_number',
      `${option} takes a migration's number, as in ${option} 005; "${text}" is none.`,
      exitCodes.usage,
    );
  }
  return number;
}

/** Compares the folder with the history. Pure; the rows of a database without history are `[]`. */
export function inspectHistory(folder: MigrationsFolder, history: readonly HistoryRow[]): HistoryInspection {
  const rows = new Map(history.map((row) => [row.file, row]));
  const files = new Map(folder.files.map((file) => [file.file, file]));
  const names = [...new Set([...files.keys(), ...rows.keys()])].sort();
  const statuses = names.map((file): MigrationStatus => {
    const migration = files.get(file);
    const row = rows.get(file);
    return { file, state: stateOf(migration, row), migration, row };
  });
  // A rolled-back file counts: what comes after it was written knowing it.
  const last = statuses.filter((status) => status.row !== undefined).at(-1);
  const problems = statuses.flatMap((status) => problemsOf(folder, status, last));
  return { statuses, problems };
}

function stateOf(migration: MigrationFile | undefined, row: HistoryRow | undefined): MigrationState {
  if (row === undefined) return 'pending';
  if (migration === undefined) return 'missing';
  if (row.rolledBack) return 'rolled_back';
  if (row.statementsDone !== undefined) return 'unfinished';
  return row.checksum === undefined ? 'by_hand' : 'applied';
}

function problemsOf(
  folder: MigrationsFolder,
  status: MigrationStatus,
  last: MigrationStatus | undefined,
): readonly HistoryProblem[] {
  const { file, migration, row } = status;
  const released = folder.released.has(file);
  if (migration === undefined) {
    return [
      {
        code: 'missing_file',
        file,
        message: `${file} is in the history of this database, and ${folder.path} does not hold it. Restore the file from version control${released ? '' : `, or make a development database new with npm run db:reset`}.`,
      },
    ];
  }
  if (row === undefined) {
    if (last === undefined || file > last.file) return [];
    return [
      {
        code: 'out_of_order',
        file,
        message:
          `${file} is not applied, and ${last.file} after it is. ` +
          (folder.released.has(last.file)
            ? `Give ${file} a number above the last one.`
            : `Give ${file} a number above the last one, or make a development database new with npm run db:reset.`),
      },
    ];
  }
  if (row.checksum === undefined || row.checksum === migration.checksum) return [];
  // Nothing of it has run yet: it may still be mended.
  if (row.statementsDone === 0) return [];
  const unfinished =
    row.statementsDone === undefined
      ? ''
      : ` Its first ${row.statementsDone} statements are done: to start it anew, undo them and delete its row in migration_history.`;
  return [
    {
      code: 'edited_file',
      file,
      message:
        `${file} was edited${released ? '' : ', or composed again,'} after it was applied to this database: its checksum differs.${unfinished} ` +
        (released
          ? 'It is released: restore it, and put the change into a new file with db:generate.'
          : 'It is not released yet: npm run db:reset makes a development database new; otherwise restore the file.'),
    },
  ];
}

/**
 * Decides what a run applies and adopts.
 * Refuses a history that does not fit the folder, and a range that leaves out pending files below it, naming them.
 */
export function planMigrations(
  folder: MigrationsFolder,
  history: readonly HistoryRow[],
  range: MigrationRange = {},
): MigrationPlan {
  const from = range.from ?? 0;
  const to = range.to ?? Number.POSITIVE_INFINITY;
  if (from > to) {
    throw new MigrateError(
      'invalid_range',
      `--from ${formatMigrationNumber(from)} lies above --to ${formatMigrationNumber(to)}.`,
      exitCodes.usage,
    );
  }
  const { statuses, problems } = inspectHistory(folder, history);
  const [first] = problems;
  if (first !== undefined) {
    throw new MigrateError(first.code, problems.map((problem) => problem.message).join('\n'));
  }
  const open = statuses.filter((status) => status.state === 'pending' || status.state === 'unfinished');
  const below = open.filter((status) => numberOf(status) < from);
  if (below.length > 0) {
    throw new MigrateError(
      'missing_below',
      `--from ${formatMigrationNumber(from)} leaves out ${below.map((status) => status.file).join(', ')}, which ` +
        `${below.length === 1 ? 'is' : 'are'} not applied. Migrations run in the order of their numbers: leave out --from, or start at ${formatMigrationNumber(numberOf(below[0]))}.`,
    );
  }
  return {
    pending: open.filter((status) => numberOf(status) <= to),
    adopt: statuses.filter(
      (status) =>
        status.row !== undefined && status.row.checksum === undefined && status.row.statementsDone === undefined,
    ),
    alreadyApplied: statuses.filter((status) => status.state === 'applied' || status.state === 'by_hand').length,
  };
}

function numberOf(status: MigrationStatus | undefined): number {
  return status?.migration?.number ?? 0;
}
