import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exitCodes, MigrateError } from '../errors.ts';
import { formatListing } from '../listing.ts';
import { formatListingChange } from '../listing-change.ts';
import { findLosses, type Loss } from '../losses.ts';
import {
  findFolderProblems,
  formatMigrationNumber,
  type MigrationsFolder,
  readMigrationsFolderUnchecked,
  toMigrationFile,
} from '../migrations-folder.ts';
import { loadPackages, type SchemaPackage } from '../packages.ts';
import { type FrozenChain, isIntroduced, nextNumber, readFrozenChain } from './chain.ts';
import { type ComposedChain, composeChain } from './compose-chain.ts';
import { listDeclared } from './declared.ts';
import { formatJournal, formatJson } from './journal.ts';
import { withScratchDatabase } from './replay.ts';

export interface GenerateOptions {
  /** The repository: `packages/` and `migrations/` are below it. */
  readonly root: string;
  /** A server on which the login may create databases: the files are tried and listed in a scratch one. */
  readonly serverUrl: string;
  /** `tags.value:val` (column) or `labels:tags` (table), for packages that are released. */
  readonly renames?: readonly string[];
  /** The `<what>` of a new `NNN_<domain>_<what>.sql`. */
  readonly what?: string;
  /** Begins a file to be written by hand, `NNN_<custom>.sql`; db:generate puts the record at its end each time. */
  readonly custom?: string;
}

export interface GenerateReport {
  /** Paths below `migrations/`. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** The names of all migrations, in order. */
  readonly migrations: readonly string[];
  /** What the written files drop. */
  readonly losses: readonly (Loss & { readonly file: string })[];
}

/**
 * Writes what the packages' schemas ask for: the first files of packages that have none, the changes of released ones,
 * and all unreleased files again. Nothing is written unless every file ran in the scratch database.
 */
export async function generate(options: GenerateOptions): Promise<GenerateReport> {
  for (const name of [options.what, options.custom]) if (name !== undefined) requireName(name);
  const found = await readMigrationsFolderUnchecked(join(options.root, 'migrations'));
  refuseEditedFiles(found);
  const packages = await loadPackages(options.root);
  const folder = options.custom === undefined ? found : withCustomFile(found, packages, options.custom);
  const frozen = await readFrozenChain(folder, packages);
  let declared: Promise<readonly string[]> | undefined;
  const chain = await withScratchDatabase(options.serverUrl, (sql) =>
    composeChain(sql, {
      folder,
      packages,
      frozen,
      renames: options.renames ?? [],
      what: options.what,
      declared: () => {
        declared ??= listDeclared(options.serverUrl, packages, (pack) => isIntroduced(frozen.files, pack));
        return declared;
      },
    }),
  );
  const report = await writeChain(folder, frozen, chain);
  const written = chain.entries.filter(({ name }) => report.written.includes(`${name}.sql`));
  const losses = written.flatMap(({ name, sql }) => findLosses(sql).map((loss) => ({ file: `${name}.sql`, ...loss })));
  return { ...report, losses };
}

function requireName(name: string): void {
  if (/^[a-z0-9_]{1,60}$/.test(name)) return;
  throw new MigrateError(
    'invalid_name',
    `"${name}" cannot be a part of a file's name. Use lower-case letters, digits and underscores, at most 60.`,
    exitCodes.usage,
  );
}

function withCustomFile(
  folder: MigrationsFolder,
  packages: readonly SchemaPackage[],
  custom: string,
): MigrationsFolder {
  const name = `${formatMigrationNumber(nextNumber(folder, packages))}_${custom}`;
  const text = `-- ${name}: written by hand.\n-- Under FORCE row level security a change of rows needs: alter table t no force row level security; …; alter table t force row level security;\n`;
  const file = toMigrationFile(join(folder.path, `${name}.sql`), `${name}.sql`, text);
  return { ...folder, files: [...folder.files, file] };
}

function refuseEditedFiles(folder: MigrationsFolder): void {
  const problem = findFolderProblems(folder).find(({ code }) => code === 'edited_file' || code === 'missing_file');
  if (problem !== undefined) throw new MigrateError(problem.code, problem.message);
}

/** Brings the folder to what `chain` says; the frozen files are not touched. */
export async function writeChain(
  folder: MigrationsFolder,
  frozen: FrozenChain,
  chain: ComposedChain,
): Promise<Omit<GenerateReport, 'losses'>> {
  const names = [...frozen.files.map(({ name }) => name), ...chain.entries.map(({ name }) => name)];
  const gaps = gapsOf(folder, names);
  const wanted = new Map<string, string>([
    ...chain.entries.flatMap((entry): [string, string][] => [
      [`${entry.name}.sql`, entry.sql],
      [join('meta', `${entry.name}.json`), formatJson(entry.snapshot)],
      [join('listing', `${entry.name}.txt`), formatListingChange(entry.change)],
    ]),
    [join('meta', '_journal.json'), formatJournal(names)],
    ['schema.txt', formatListing(chain.listing)],
    ...(sameEntries(gaps, folder.gaps)
      ? []
      : [
          [
            'gaps.json',
            formatJson(Object.fromEntries([...gaps].map(([number, why]) => [formatMigrationNumber(number), why]))),
          ] as const,
        ]),
  ]);
  const kept = new Set(names);
  const stale = [
    ...(await list(folder.path, '', '.sql')),
    ...(await list(folder.path, 'meta', '.json')),
    ...(await list(folder.path, 'listing', '.txt')),
  ].filter(({ name }) => name !== '_journal' && !kept.has(name));

  const written: string[] = [];
  for (const [path, text] of wanted) {
    if (await writeIfChanged(join(folder.path, path), text)) written.push(path);
  }
  for (const { path } of stale) await rm(join(folder.path, path));
  return { written, removed: stale.map(({ path }) => path), migrations: names };
}

/** A gap that is filled is none; a file below the last that is taken back before its release leaves one. */
function gapsOf(folder: MigrationsFolder, names: readonly string[]): ReadonlyMap<number, string> {
  const numbers = new Set(names.map((name) => Number(name.slice(0, 3))));
  const last = Math.max(0, ...numbers);
  const vacated = folder.files.map(({ number }) => number).filter((number) => !numbers.has(number) && number < last);
  return new Map(
    [
      ...[...folder.gaps].filter(([number]) => !numbers.has(number)),
      ...vacated.map((number): [number, string] => [number, 'Taken back before it was released.']),
    ].sort(([a], [b]) => a - b),
  );
}

function sameEntries(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

async function list(
  root: string,
  folder: string,
  extension: string,
): Promise<readonly { readonly path: string; readonly name: string }[]> {
  const files = await readdir(join(root, folder)).catch(() => []);
  return files
    .filter((file) => file.endsWith(extension))
    .map((file) => ({ path: join(folder, file), name: file.slice(0, -extension.length) }));
}

async function writeIfChanged(path: string, text: string): Promise<boolean> {
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before === text) return false;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return true;
}
