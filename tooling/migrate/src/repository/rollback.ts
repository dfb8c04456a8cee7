import { join } from 'node:path';
import postgres from 'postgres';
import { exitCodes, MigrateError } from '../errors.ts';
import { rolledBackSuffix } from '../history.ts';
import { readListing } from '../listing.ts';
import { diffListings } from '../listing-change.ts';
import { type MigrateReport, migrate } from '../migrate.ts';
import {
  formatMigrationNumber,
  type MigrationFile,
  type MigrationsFolder,
  parseMigrationName,
  readMigrationsFolder,
  statementBreakpoint,
  toMigrationFile,
} from '../migrations-folder.ts';
import { loadPackages, type SchemaPackage } from '../packages.ts';
import { parseMigrationNumber } from '../plan.ts';
import { isIntroduced, nextNumber } from './chain.ts';
import { formatMigration } from './compose.ts';
import { countRows, type TableRows } from './count-rows.ts';
import { type Dependency, listedDependencies, readDependencies } from './dependencies.ts';
import { writeChain } from './generate.ts';
import { readSnapshot } from './journal.ts';
import { chainSnapshot, emptySnapshot, type Snapshot } from './kit.ts';
import { parseListingLine } from './listing-object.ts';
import { recordBlock } from './record-block.ts';
import { applyFile, withScratchDatabase } from './replay.ts';
import { revertListing } from './revert-listing.ts';
import { type ReplayedFile, withDependents } from './rollback-dependents.ts';
import { changesRows, refuseLostRows, refuseWithoutChange, wayBackOf } from './rollback-losses.ts';

export interface RollbackOptions {
  readonly root: string;
  /** `010`, `010_monitoring` or `010_monitoring.sql`. */
  readonly migration: string;
  /** A server on which the login may create databases: the rollback is tried in a scratch one. */
  readonly serverUrl: string;
  /** The database to roll back; without it the file is written and applied nowhere. */
  readonly liveUrl?: string;
  /** Take back, too, the later migrations that depend on it. */
  readonly withDependents?: boolean;
  /** Write and apply nothing. */
  readonly dryRun?: boolean;
  /** Drop tables that hold rows, too. */
  readonly loseRows?: boolean;
}

export interface RollbackReport {
  /** `011_rollback_monitoring.sql` */
  readonly file: string;
  readonly sql: string;
  /** The files taken back, latest first. */
  readonly rollsBack: readonly string[];
  /** Tables that go with all their rows. */
  readonly droppedTables: readonly string[];
  /** What of these holds rows in the live database. */
  readonly lostRows: readonly TableRows[];
  /** What the rollback leaves as it is. */
  readonly warnings: readonly string[];
  /** How to get what went, in one sentence. */
  readonly wayBack: string;
  readonly written: boolean;
  readonly applied: MigrateReport | undefined;
}

/**
 * Writes the next file, which drops what a migration made and marks it rolled back in the history, and applies it.
 * Read from the catalog, tried in a scratch database, and refused unless that ends as it was without the migration.
 * Refused, too, while later migrations depend on it or have changed what it made (unless `withDependents`), while anything
 * depends on it that no migration made, and while its tables hold rows (unless `loseRows`).
 */
export async function rollback(options: RollbackOptions): Promise<RollbackReport> {
  const folder = await readMigrationsFolder(join(options.root, 'migrations'));
  const packages = await loadPackages(options.root);
  const target = findTarget(folder, options.migration);
  const live = options.liveUrl === undefined ? undefined : await readLive(options.liveUrl, folder, target);
  return withScratchDatabase(options.serverUrl, async (sql) => {
    const replayed = await replay(sql, folder.files);
    const listing = await readListing(sql);
    const dependencies = [...(await readDependencies(sql)), ...listedDependencies(listing)];
    const targets = withDependents(replayed, target, dependencies, options.withDependents ?? false);
    refuseWithoutChange(targets);
    if (live !== undefined) refuseStrangers(live, listing, targets);
    const expected = revertChanges(listing, targets);
    const name = rollbackName(folder, packages, target);
    const body = formatMigration(
      [
        `${name}: takes back ${targets.map(({ file }) => file.name).join(' and ')}. Composed by db:rollback from what the catalog says it made.`,
        ...targets.map(({ file }) => `rolls-back: ${file.file}`),
      ],
      revertListing(listing, expected, dependencies, downSql(packages, folder, targets)),
    );
    await applyFile(sql, toMigrationFile('', `${name}.sql`, body));
    const change = diffListings(listing, requireExpected(expected, await readListing(sql)));
    const rollsBack = targets.map(({ file }) => file.file);
    const block = recordBlock(`${name}.sql`, change, rollsBack);
    await applyFile(sql, toMigrationFile('', `${name}.sql`, block));
    const text = `${body}${statementBreakpoint}\n${block}`;
    const droppedTables = change.removed
      .map(parseListingLine)
      .flatMap((object) => (object.kind === 'table' && !listsTable(expected, object.name) ? [object.name] : []));
    const counted = options.liveUrl === undefined ? [] : await countRows(options.liveUrl, droppedTables);
    const report = {
      file: `${name}.sql`,
      sql: text,
      rollsBack,
      droppedTables,
      lostRows: counted.filter(({ rows }) => rows > 0),
      warnings: targets
        .map(({ file }) => file)
        .filter(changesRows)
        .map(({ file }) => `${file} changes rows, too: they stay as they are now.`),
      wayBack: wayBackOf(targets),
    };
    if (options.dryRun === true) return { ...report, written: false, applied: undefined };
    if (options.loseRows !== true) refuseLostRows(report.lostRows);
    const last = await lastSnapshot(folder);
    const snapshot = chainSnapshot(last, await revertSnapshots(folder, targets, last), name);
    await writeChain(
      folder,
      { files: folder.files, snapshot: last, owners: new Map() },
      {
        entries: [{ name, sql: text, snapshot, change }],
        listing: expected,
      },
    );
    const applied =
      options.liveUrl === undefined ? undefined : await migrate({ url: options.liveUrl, directory: folder.path });
    return { ...report, written: true, applied };
  });
}

function listsTable(listing: readonly string[], name: string): boolean {
  return listing.some((line) => line.startsWith(`table ${name}: `));
}

function findTarget(folder: MigrationsFolder, migration: string): MigrationFile {
  const number = parseMigrationNumber(migration, 'db:rollback');
  const target = folder.files.find((file) => file.number === number);
  if (target === undefined) {
    throw new MigrateError(
      'unknown_migration',
      `No migration has number ${formatMigrationNumber(number)}.`,
      exitCodes.usage,
    );
  }
  const by = folder.files.find((file) => file.rollsBack.includes(target.file));
  if (by !== undefined) {
    throw new MigrateError('already_rolled_back', `${target.file} was rolled back by ${by.file}.`);
  }
  if (target.rollsBack.length > 0) {
    throw new MigrateError(
      'is_a_rollback',
      `${target.file} is a rollback itself. db:generate brings back what it took, under a new number.`,
    );
  }
  if (target === folder.files[0]) {
    throw new MigrateError(
      'is_the_base',
      `${target.file} makes the history itself, and everything stands on it. db:reset makes a development database new.`,
    );
  }
  return target;
}

async function replay(sql: postgres.Sql, files: readonly MigrationFile[]): Promise<readonly ReplayedFile[]> {
  const replayed: ReplayedFile[] = [];
  let before: readonly string[] = [];
  for (const file of files) {
    await applyFile(sql, file);
    const after = await readListing(sql);
    replayed.push({ file, change: diffListings(before, after) });
    before = after;
  }
  return replayed;
}

function revertChanges(listing: readonly string[], targets: readonly ReplayedFile[]): readonly string[] {
  const lines = new Set(listing);
  for (const { change } of targets) {
    for (const line of change.added) lines.delete(line);
    for (const line of change.removed) lines.add(line);
  }
  return [...lines].sort();
}

function requireExpected(expected: readonly string[], found: readonly string[]): readonly string[] {
  const difference = diffListings(found, expected);
  const lines = [
    ...difference.added.map((line) => `missing: ${line}`),
    ...difference.removed.map((line) => `still there: ${line}`),
  ];
  if (lines.length === 0) return found;
  throw new MigrateError(
    'rollback_incomplete',
    ['The rollback would not leave what was there before. Write it by hand.', ...lines].join('\n'),
  );
}

function rollbackName(folder: MigrationsFolder, packages: readonly SchemaPackage[], target: MigrationFile): string {
  const number = formatMigrationNumber(nextNumber(folder, packages));
  return `${number}_rollback_${parseMigrationName(target.name)?.domain ?? target.name}`;
}

/** What a package's first file made beyond the listing. */
function downSql(
  packages: readonly SchemaPackage[],
  folder: MigrationsFolder,
  targets: readonly ReplayedFile[],
): readonly string[] {
  return targets.flatMap(({ file }) => {
    const pack = packages.find(({ name }) => name === file.composedFrom);
    return pack !== undefined && pack.downSql !== '' && isIntroduced(folder.files, pack) ? [pack.downSql] : [];
  });
}

async function lastSnapshot(folder: MigrationsFolder): Promise<Snapshot> {
  const last = folder.files.at(-1);
  return last === undefined ? emptySnapshot : readSnapshot(folder.path, last.name);
}

/** Kit's picture without what the targets put into it; what other files put there stays. */
async function revertSnapshots(
  folder: MigrationsFolder,
  targets: readonly ReplayedFile[],
  last: Snapshot,
): Promise<Snapshot> {
  let tables: unknown = last.tables;
  for (const { file } of targets) {
    const previous = folder.files[folder.files.indexOf(file) - 1];
    const before = previous === undefined ? emptySnapshot : await readSnapshot(folder.path, previous.name);
    tables = revertValue(before.tables, (await readSnapshot(folder.path, file.name)).tables, tables);
  }
  return { ...last, tables: tables as Snapshot['tables'] };
}

/** `current` with the step from `before` to `after` undone, key by key. */
function revertValue(before: unknown, after: unknown, current: unknown): unknown {
  if (JSON.stringify(before) === JSON.stringify(after)) return current;
  if (!isRecord(before) || !isRecord(after) || !isRecord(current)) return before;
  const keys = new Set([...Object.keys(current), ...Object.keys(before)]);
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      const value = revertValue(before[key], after[key], current[key]);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface LiveCatalog {
  readonly dependencies: readonly Dependency[];
}

/** Refuses a database that does not hold the target, or lacks files that the rollback stands on. */
async function readLive(url: string, folder: MigrationsFolder, target: MigrationFile): Promise<LiveCatalog> {
  const sql = postgres(url, { max: 1, prepare: false, onnotice: () => {} });
  try {
    const [found] = await sql<
      { found: boolean }[]
    >`select to_regclass('public.migration_history') is not null as found`;
    const rows =
      found?.found === true
        ? await sql<
            { migration_name: string }[]
          >`select migration_name from public.migration_history where statements_done is null`
        : [];
    const names = new Set(rows.map(({ migration_name: name }) => name));
    if (!names.has(target.file)) {
      throw new MigrateError(
        'not_applied',
        `${target.file} is not applied to this database: there is nothing to roll back.`,
      );
    }
    const pending = folder.files.filter(({ file }) => !names.has(file) && !names.has(`${file}${rolledBackSuffix}`));
    if (pending.length > 0) {
      throw new MigrateError(
        'pending',
        `${pending.map(({ file }) => file).join(', ')} must be applied before a rollback. Run db:migrate first.`,
      );
    }
    return { dependencies: [...(await readDependencies(sql)), ...listedDependencies(await readListing(sql))] };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** What hangs on the target and comes from no migration would stop the drop half-way, or be lost. */
function refuseStrangers(live: LiveCatalog, listing: readonly string[], targets: readonly ReplayedFile[]): void {
  const known = new Set(listing.map((line) => parseListingLine(line).key));
  const keys = new Set(targets.flatMap(({ change }) => change.added).map((line) => parseListingLine(line).key));
  const strangers = new Set(
    live.dependencies.filter(({ from, to }) => keys.has(to) && !known.has(from)).map(({ from }) => from),
  );
  if (strangers.size === 0) return;
  throw new MigrateError(
    'outside_dependents',
    `Made by no migration, and in the way of the rollback: ${[...strangers].sort().join(', ')}. Drop what should go, or put it into a migration.`,
  );
}
