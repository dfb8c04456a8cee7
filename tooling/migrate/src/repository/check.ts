import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { MigrateError } from '../errors.ts';
import { readHistory } from '../history.ts';
import { parseListing, readListing } from '../listing.ts';
import { diffListings, isEmptyChange, readListingChange, sumListingChanges } from '../listing-change.ts';
import { type MigrationsFolder, readMigrationsFolderUnchecked } from '../migrations-folder.ts';
import { loadPackages, type SchemaPackage } from '../packages.ts';
import { inspectHistory } from '../plan.ts';
import { isIntroduced } from './chain.ts';
import type { CheckComparison, CheckProblem, CheckReport } from './check-report.ts';
import { findSchemaProblems } from './check-schema.ts';
import { listDeclared } from './declared.ts';
import { replayFiles } from './replay.ts';

export interface CheckOptions {
  /** The repository: `packages/` and `migrations/` are below it. */
  readonly root: string;
  /** A server on which the login may create databases; without it, `replay` and `declared` are left out. */
  readonly serverUrl?: string;
  /** The database to compare with what its history says it holds; without it, `live` is left out. */
  readonly liveUrl?: string;
}

/** Compares the packages' schemas, the files, and a live database with one another. Writes nothing. */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const folder = await readMigrationsFolderUnchecked(join(options.root, 'migrations'));
  const packages = await loadPackages(options.root);
  const { serverUrl, liveUrl } = options;
  const live = liveUrl === undefined ? [] : await compareLive(liveUrl, folder);
  const edited = live.filter(({ code }) => code === 'edited_file');
  const problems = [
    ...edited,
    ...(await findSchemaProblems(folder, packages)),
    ...(serverUrl === undefined ? [] : await asProblem('replay', compareReplay(serverUrl, folder, packages))),
    ...live.filter((found) => !edited.includes(found)),
  ];
  const compared: CheckComparison[] = [
    'schema',
    ...(serverUrl === undefined ? [] : (['replay', 'declared'] as const)),
    ...(liveUrl === undefined ? [] : (['live'] as const)),
  ];
  return { ok: problems.length === 0, compared, problems };
}

/** A file that does not run is a finding of the check, not the end of it. */
async function asProblem(
  comparison: CheckComparison,
  work: Promise<readonly CheckProblem[]>,
): Promise<readonly CheckProblem[]> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof MigrateError && error.code === 'file_fails')
      return [problem(comparison, error.code, error.message)];
    throw error;
  }
}

async function compareReplay(
  serverUrl: string,
  folder: MigrationsFolder,
  packages: readonly SchemaPackage[],
): Promise<readonly CheckProblem[]> {
  const listings = await replayFiles(serverUrl, folder.files);
  const problems: CheckProblem[] = [];
  let before: readonly string[] = [];
  for (const file of folder.files) {
    const after = listings.get(file.file) ?? [];
    const committed = await readListingChange(folder.path, file.name);
    if (committed === undefined) {
      problems.push(problem('replay', 'listing_missing', `listing/${file.name}.txt is missing. Run db:generate.`));
    } else {
      const expected = sumListingChanges([committed], before);
      problems.push(
        ...difference(
          'replay',
          'listing_differs',
          `${file.file} does not make what listing/${file.name}.txt says. Run db:generate, or restore the file if it is released.`,
          expected,
          after,
        ),
      );
    }
    before = after;
  }
  const schema = parseListing(await readFile(join(folder.path, 'schema.txt'), 'utf8').catch(() => ''));
  const declared = await listDeclared(serverUrl, packages, (pack) => isIntroduced(folder.files, pack));
  return [
    ...problems,
    ...difference(
      'replay',
      'schema_txt_differs',
      'The files do not make what schema.txt says. Run db:generate.',
      schema,
      before,
    ),
    ...difference(
      'declared',
      'declaration_differs',
      'The files do not make what the packages declare (tables, sql/, grants). Run db:generate; what a released file lacks beyond tables is written by hand into a file of its own.',
      declared,
      before,
    ),
  ];
}

/** A live database holds what the files make that its history names. */
async function compareLive(liveUrl: string, folder: MigrationsFolder): Promise<readonly CheckProblem[]> {
  const sql = postgres(liveUrl, { max: 1, prepare: false, onnotice: () => {} });
  try {
    const history = (await readHistory({ run: (text) => sql.unsafe<Record<string, unknown>[]>(text) })) ?? [];
    const edited = inspectHistory(folder, history).problems.filter(({ code }) => code === 'edited_file');
    // What such a file changed is not known: a comparison would call all of it changed by hand.
    if (edited.length > 0) return edited.map(({ code, message }) => problem('live', code, message));
    const names = new Set(history.filter(({ statementsDone }) => statementsDone === undefined).map(({ file }) => file));
    const applied = folder.files.filter(({ file }) => names.has(file));
    const pending = folder.files.filter(({ file }) => !names.has(file));
    const unknown = [...names].filter((name) => !folder.files.some(({ file }) => file === name));
    const changes = await Promise.all(applied.map(({ name }) => readListingChange(folder.path, name)));
    const expected = sumListingChanges(changes.filter((change) => change !== undefined));
    return [
      ...(pending.length === 0
        ? []
        : [
            problem(
              'live',
              'pending',
              `Not applied to the database: ${pending.map(({ file }) => file).join(', ')}. Run db:migrate.`,
            ),
          ]),
      ...(unknown.length === 0
        ? []
        : [
            problem(
              'live',
              'unknown_file',
              `The database's history names files that are not in migrations/: ${unknown.join(', ')}. Check out the version that it was migrated with.`,
            ),
          ]),
      ...difference(
        'live',
        'database_differs',
        'The database is not what its migrations make: it was changed by hand. Undo that, or put it into a migration.',
        expected,
        await readListing(sql),
      ),
    ];
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function difference(
  comparison: CheckComparison,
  code: string,
  message: string,
  expected: readonly string[],
  found: readonly string[],
): readonly CheckProblem[] {
  const change = diffListings(found, expected);
  return isEmptyChange(change)
    ? []
    : [{ comparison, code, message, missing: change.added, unexpected: change.removed }];
}

function problem(comparison: CheckComparison, code: string, message: string): CheckProblem {
  return { comparison, code, message, missing: [], unexpected: [] };
}
