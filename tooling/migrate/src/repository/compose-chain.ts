import type postgres from 'postgres';
import { exitCodes, MigrateError } from '../errors.ts';
import { readListing } from '../listing.ts';
import { diffListings, type ListingChange } from '../listing-change.ts';
import {
  formatMigrationNumber,
  type MigrationFile,
  type MigrationsFolder,
  statementBreakpoint,
  toMigrationFile,
} from '../migrations-folder.ts';
import type { SchemaPackage } from '../packages.ts';
import { type FrozenChain, isIntroduced, listOpenSlots, nextNumber } from './chain.ts';
import { describeChange } from './change-name.ts';
import { type ComposedStatements, composeStatements, formatMigration } from './compose.ts';
import { composeFunctions } from './compose-functions.ts';
import { chainSnapshot, type Snapshot, snapshotTables, tablesOf, withTables } from './kit.ts';
import { formatRename, parseRename, type Rename } from './kit-renames.ts';
import { recordBlock } from './record-block.ts';
import { applyFile } from './replay.ts';

/** One file after the frozen ones: as it was kept, or as it was composed. */
interface ChainEntry {
  readonly name: string;
  readonly sql: string;
  readonly snapshot: Snapshot;
  readonly change: ListingChange;
}

export interface ChainInput {
  readonly folder: MigrationsFolder;
  readonly packages: readonly SchemaPackage[];
  readonly frozen: FrozenChain;
  readonly renames: readonly string[];
  readonly what: string | undefined;
  /** The listing of what the packages declare that have frozen files; asked for only when there are any. */
  readonly declared: () => Promise<readonly string[]>;
}

export interface ComposedChain {
  readonly entries: readonly ChainEntry[];
  /** The listing of the whole chain. */
  readonly listing: readonly string[];
}

interface ChainState {
  readonly snapshot: Snapshot;
  readonly listing: readonly string[];
  readonly entries: readonly ChainEntry[];
}

/** Composes all that is not frozen, trying each file on `sql`, an empty database. */
export async function composeChain(sql: postgres.Sql, input: ChainInput): Promise<ComposedChain> {
  for (const file of input.frozen.files) await applyFile(sql, file);
  const renames = assignRenames(input);
  let state: ChainState = { snapshot: input.frozen.snapshot, listing: await readListing(sql), entries: [] };
  let next = nextNumber(input.folder, input.packages);
  const change = async (pack: SchemaPackage, written: readonly MigrationFile[]): Promise<void> => {
    const take = (index: number) => written[index]?.number ?? next++;
    state = await composeChange(sql, state, input, pack, renames.get(pack.name) ?? [], written, take);
  };
  const slots = listOpenSlots(input.folder, input.frozen, input.packages);
  for (const slot of slots) {
    if (slot.kind === 'kept') state = await keepFile(sql, state, slot.file);
    else if (slot.kind === 'initial') state = await composeInitial(sql, state, input, slot.name, slot.package);
    else await change(slot.package, slot.written);
    next = Math.max(next, lastNumber(state) + 1);
  }
  const changed = slots.flatMap((slot) => (slot.kind === 'change' ? [slot.package] : []));
  for (const pack of input.packages) {
    if (isIntroduced(input.frozen.files, pack) && !changed.includes(pack)) await change(pack, []);
  }
  const entries = [...state.entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { entries, listing: state.listing };
}

/** A file written by hand: its statements are its author's, the record at its end is made here. */
async function keepFile(sql: postgres.Sql, state: ChainState, file: MigrationFile): Promise<ChainState> {
  const [body = ''] = file.sql.split(new RegExp(`(?:${statementBreakpoint}\\n)?do \\$record\\$\\n`));
  return record(sql, state, file.name, `${body.trimEnd()}\n`, state.snapshot);
}

async function composeInitial(
  sql: postgres.Sql,
  state: ChainState,
  input: ChainInput,
  name: string,
  pack: SchemaPackage,
): Promise<ChainState> {
  const current = withTables(state.snapshot, { ...tablesOf(state.snapshot), ...(await snapshotTables(pack.tables)) });
  requireParents(current, pack);
  const { statements } = await composeStatements({
    package: pack,
    tables: input.packages.flatMap(({ tables }) => tables),
    previous: state.snapshot,
    current,
    initial: true,
    listing: state.listing,
    renames: [],
  });
  const header = [
    `${name}: what ${pack.name} keeps. Composed by db:generate: change packages/${pack.domain.replaceAll('_', '-')}, not this file.`,
    `composed-from: ${pack.name}`,
  ];
  return record(sql, state, name, formatMigration(header, statements), current);
}

async function composeChange(
  sql: postgres.Sql,
  state: ChainState,
  input: ChainInput,
  pack: SchemaPackage,
  renames: readonly Rename[],
  written: readonly MigrationFile[],
  take: (index: number) => number,
): Promise<ChainState> {
  const others = Object.entries(tablesOf(state.snapshot)).filter(
    ([table]) => input.frozen.owners.get(table) !== pack.name,
  );
  const renamedAway = new Set(renames.flatMap((rename) => (rename.kind === 'table' ? [rename.from] : [])));
  const current = withTables(state.snapshot, {
    ...Object.fromEntries(others.filter(([table]) => !renamedAway.has(table))),
    ...(await snapshotTables(pack.tables)),
  });
  requireParents(current, pack);
  const diff: ComposedStatements = await composeStatements({
    package: pack,
    tables: input.packages.flatMap(({ tables }) => tables),
    previous: state.snapshot,
    current,
    initial: false,
    listing: state.listing,
    renames,
  });
  const functions = composeFunctions(pack, state.listing, await input.declared());
  const composed = { ...diff, statements: [...functions, ...diff.statements] };
  const prefix = `${pack.domain}_`;
  const existing = written[0]?.name.slice(4);
  const what =
    input.what !== undefined
      ? `${prefix}${input.what}`
      : (existing ?? `${prefix}${describeChange([...composed.statements, ...composed.concurrent])}`);
  const parts = [
    { statements: composed.statements, name: what, flags: [] },
    {
      statements: composed.concurrent,
      name: composed.statements.length === 0 ? what : `${what}_concurrently`,
      flags: ['no-transaction'],
    },
  ].filter(({ statements }) => statements.length > 0);
  let result = state;
  for (const [index, part] of parts.entries()) {
    const name = `${formatMigrationNumber(take(index))}_${part.name}`;
    const header = [
      `${name}: a change of ${pack.name}. Composed by db:generate, and again until it is released.`,
      `changes: ${pack.name}`,
      ...renames.map((rename) => `rename: ${formatRename(rename)}`),
      ...part.flags,
    ];
    // Kit's picture has no half: the transactional part already carries the whole of it.
    result = await record(sql, result, name, formatMigration(header, part.statements), current);
  }
  return result;
}

/** Tries the statements, sees what they made, and puts the record of it behind them. */
async function record(
  sql: postgres.Sql,
  state: ChainState,
  name: string,
  body: string,
  current: Snapshot,
): Promise<ChainState> {
  await applyFile(sql, toMigrationFile('', `${name}.sql`, body));
  const listing = await readListing(sql);
  const block = recordBlock(`${name}.sql`, diffListings(state.listing, listing));
  await applyFile(sql, toMigrationFile('', `${name}.sql`, block));
  return extend(state, name, `${body}${statementBreakpoint}\n${block}`, current, listing);
}

function extend(
  state: ChainState,
  name: string,
  text: string,
  current: Snapshot,
  listing: readonly string[],
): ChainState {
  const snapshot = chainSnapshot(state.snapshot, current, name);
  const entry = { name, sql: text, snapshot, change: diffListings(state.listing, listing) };
  return { snapshot, listing, entries: [...state.entries, entry] };
}

function lastNumber(state: ChainState): number {
  return Math.max(0, ...state.entries.map(({ name }) => Number(name.slice(0, 3))));
}

function requireParents(current: Snapshot, pack: SchemaPackage): void {
  const tables = tablesOf(current);
  for (const { name } of pack.tables) {
    for (const key of Object.values(tables[name]?.foreignKeys ?? {})) {
      if (tables[key.tableTo] !== undefined) continue;
      throw new MigrateError(
        'foreign_key_upwards',
        `${key.name} of ${pack.name} refers to ${key.tableTo}, which no earlier migration makes. Foreign keys point to lower numbers; a fact that would point upwards is a link table of the later package.`,
      );
    }
  }
}

/** Declared now, or in the header of an unreleased file that is composed again; by package. */
function assignRenames(input: ChainInput): ReadonlyMap<string, readonly Rename[]> {
  const kept = input.folder.files.filter((file) => !input.frozen.files.includes(file)).flatMap((file) => file.renames);
  const assigned = new Map<string, Rename[]>();
  for (const text of new Set([...kept, ...input.renames])) {
    const rename = parseRename(text);
    const table = rename.kind === 'table' ? rename.to : rename.table;
    const pack = input.packages.find(({ tables }) => tables.some(({ name }) => name === table));
    if (pack === undefined) {
      throw new MigrateError('unknown_table', `${text}: no package exports a table ${table}.`, exitCodes.usage);
    }
    if (!isIntroduced(input.frozen.files, pack)) {
      throw new MigrateError(
        'nothing_to_rename',
        `${text}: no file of ${pack.name} is released, so its files are composed anew and nothing has to be renamed.`,
        exitCodes.usage,
      );
    }
    assigned.set(pack.name, [...(assigned.get(pack.name) ?? []), rename]);
  }
  return assigned;
}
