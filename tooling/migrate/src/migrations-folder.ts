import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, MigrateError } from './errors.ts';

/** One numbered file of `migrations/`. */
export interface MigrationFile {
  readonly number: number;
  /** `005_model_registry` */
  readonly name: string;
  /** `005_model_registry.sql`: what `migration_history.migration_name` holds. */
  readonly file: string;
  readonly path: string;
  /** The text with CRLF normalised to LF, so that a Windows checkout has the same checksum. */
  readonly sql: string;
  /** sha256 of `sql`, in hex. */
  readonly checksum: string;
  /** False when the file says `-- no-transaction`: its statements run and are counted one by one. */
  readonly transactional: boolean;
  /** `sql` cut at its `--> statement-breakpoint` lines; none of them is empty. */
  readonly statements: readonly string[];
  /** The files that its `-- rolls-back: 010_monitoring.sql` lines name: empty but in a rollback. */
  readonly rollsBack: readonly string[];
  /** `@mcp-hub/registry` in the package's first file, which says `-- composed-from: @mcp-hub/registry`. */
  readonly composedFrom: string | undefined;
  /** The same in a later file, which says `-- changes: @mcp-hub/registry`. A file written by hand has neither. */
  readonly changes: string | undefined;
  /** What a later file's `-- rename: tags.value:val` lines declare. */
  readonly renames: readonly string[];
}

/** What `migrations/` holds, in order of number, each number once. */
export interface MigrationsFolder {
  readonly path: string;
  readonly files: readonly MigrationFile[];
  /** Numbers below the last file that no file has, and why: `gaps.json`, `{ "002": "reason" }`. */
  readonly gaps: ReadonlyMap<number, string>;
  /** Checksums of the files that were released and may not change: `released.json`. */
  readonly released: ReadonlyMap<string, string>;
}

export const statementBreakpoint = '--> statement-breakpoint';

const filePattern = /^(\d{3})_([a-z0-9_]+)\.sql$/;

export function formatMigrationNumber(number: number): string {
  return String(number).padStart(3, '0');
}

/** Undefined unless `name` has the form `005_model_registry`. */
export function parseMigrationName(name: string): { readonly number: number; readonly domain: string } | undefined {
  const match = filePattern.exec(`${name}.sql`);
  return match?.[1] !== undefined && match[2] !== undefined
    ? { number: Number(match[1]), domain: match[2] }
    : undefined;
}

export function checksumOf(sql: string): string {
  return createHash('sha256').update(normaliseLineEnds(sql)).digest('hex');
}

/** The statements between breakpoints, without parts that hold nothing but comments. */
function splitStatements(sql: string): readonly string[] {
  return normaliseLineEnds(sql)
    .split(/^--> statement-breakpoint[ \t]*$/m)
    .map((part) => part.trim())
    .filter((part) => part.split('\n').some((line) => line.trim() !== '' && !line.trim().startsWith('--')));
}

export function toMigrationFile(path: string, file: string, text: string): MigrationFile {
  const match = filePattern.exec(file);
  if (match?.[1] === undefined) {
    throw new MigrateError(
      'invalid_file_name',
      `${file} is not a migration's name. Use three digits, lower-case letters and underscores, as in 005_model_registry.sql.`,
      exitCodes.usage,
    );
  }
  const sql = normaliseLineEnds(text);
  const header = headerOf(sql);
  return {
    number: Number(match[1]),
    name: file.slice(0, -'.sql'.length),
    file,
    path,
    sql,
    checksum: checksumOf(sql),
    transactional: !header.some((line) => line === '-- no-transaction'),
    statements: splitStatements(sql),
    rollsBack: headerValues(header, 'rolls-back'),
    composedFrom: headerValues(header, 'composed-from')[0],
    changes: headerValues(header, 'changes')[0],
    renames: headerValues(header, 'rename'),
  };
}

/**
 * Reads the files, the declared gaps and the released checksums.
 * Refuses two files of one number, a missing number that no gap declares, a released file that is gone or was edited.
 */
export async function readMigrationsFolder(path: string): Promise<MigrationsFolder> {
  const folder = await readMigrationsFolderUnchecked(path);
  const problems = findFolderProblems(folder);
  const [first] = problems;
  if (first !== undefined) {
    throw new MigrateError(first.code, problems.map((problem) => problem.message).join('\n'));
  }
  return folder;
}

/** As `readMigrationsFolder`, without its refusals: for a check that reports all of them. */
export async function readMigrationsFolderUnchecked(path: string): Promise<MigrationsFolder> {
  const names = (await readdirOrEmpty(path)).filter((name) => name.endsWith('.sql')).sort();
  const files = await Promise.all(
    names.map(async (name) => toMigrationFile(join(path, name), name, await readFile(join(path, name), 'utf8'))),
  );
  const gaps = await readJsonRecord(join(path, 'gaps.json'));
  const released = await readJsonRecord(join(path, 'released.json'));
  return {
    path,
    files: files.sort((a, b) => a.number - b.number),
    gaps: new Map([...gaps].map(([number, reason]) => [Number(number), reason])),
    released,
  };
}

export interface FolderProblem {
  readonly code: 'duplicate_number' | 'missing_file' | 'undeclared_gap' | 'edited_file' | 'filled_gap';
  readonly message: string;
}

export function findFolderProblems(folder: MigrationsFolder): readonly FolderProblem[] {
  const problems: FolderProblem[] = [];
  const byNumber = new Map<number, MigrationFile>();
  for (const file of folder.files) {
    const twin = byNumber.get(file.number);
    if (twin !== undefined) {
      problems.push({
        code: 'duplicate_number',
        message: `${twin.file} and ${file.file} have the same number. Give one of them the next free number.`,
      });
    }
    byNumber.set(file.number, file);
  }
  for (const [file, checksum] of folder.released) {
    const found = folder.files.find((candidate) => candidate.file === file);
    if (found === undefined) {
      problems.push({
        code: 'missing_file',
        message: `${file} was released and is gone from ${folder.path}. Restore it from version control.`,
      });
    } else if (found.checksum !== checksum) {
      problems.push({
        code: 'edited_file',
        message: `${file} was released and has been edited since. Restore it, and put the change into a file of its own with db:generate.`,
      });
    }
  }
  const last = folder.files.at(-1)?.number ?? 0;
  for (let number = 1; number < last; number++) {
    if (byNumber.has(number) || folder.gaps.has(number)) continue;
    const label = formatMigrationNumber(number);
    if ([...folder.released.keys()].some((file) => file.startsWith(`${label}_`))) continue;
    problems.push({
      code: 'undeclared_gap',
      message: `No file has number ${label}. Restore it, or declare the gap in gaps.json: { "${label}": "why" }.`,
    });
  }
  for (const [number] of folder.gaps) {
    const file = byNumber.get(number);
    if (file === undefined) continue;
    problems.push({
      code: 'filled_gap',
      message: `${file.file} exists although gaps.json declares its number a gap. Take the number out of gaps.json.`,
    });
  }
  return problems;
}

/** The comment lines in front of the first statement. */
function headerOf(sql: string): readonly string[] {
  const lines = sql.split('\n').map((line) => line.trim());
  const end = lines.findIndex((line) => line !== '' && !line.startsWith('--'));
  return (end === -1 ? lines : lines.slice(0, end)).filter((line) => line !== '');
}

function headerValues(header: readonly string[], key: string): readonly string[] {
  return header.flatMap((line) => (line.startsWith(`-- ${key}: `) ? [line.slice(`-- ${key}: `.length).trim()] : []));
}

function normaliseLineEnds(text: string): string {
  return text.replace(/\r\n/g, '\n');
}

async function readdirOrEmpty(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function readJsonRecord(path: string): Promise<ReadonlyMap<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MigrateError('invalid_json', `${path} is not JSON.`, exitCodes.usage, { cause });
  }
  const entries =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  const record = new Map<string, string>();
  for (const [key, entry] of entries ?? []) {
    if (typeof entry === 'string') record.set(key, entry);
  }
  if (entries === undefined || record.size !== entries.length) {
    throw new MigrateError('invalid_json', `${path} must be one object whose values are strings.`, exitCodes.usage);
  }
  return record;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
