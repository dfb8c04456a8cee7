import { MigrateError } from '../errors.ts';
import { statementBreakpoint } from '../migrations-folder.ts';
import type { SchemaPackage, SchemaTable } from '../packages.ts';
import { quoteIdentifier } from '../quote.ts';
import { changeRights, rightsOf } from '../table-rights.ts';
import { foldForeignKeys } from './fold-foreign-keys.ts';
import { diffSnapshots, type Snapshot, tablesOf } from './kit.ts';
import { applyRenames, type Rename } from './kit-renames.ts';
import { type KitStatement, parseKitStatement } from './kit-statement.ts';
import { liftForce } from './lift-force.ts';
import { orderTables } from './order-tables.ts';
import { createDefaultPartition, partitionTable } from './partition.ts';

export interface ComposeInput {
  readonly package: SchemaPackage;
  /** All packages' tables: a foreign key may refer to another package's. */
  readonly tables: readonly SchemaTable[];
  /** The whole schema before and after; they differ in this package's tables. */
  readonly previous: Snapshot;
  readonly current: Snapshot;
  /** The package's first file: it has the package's sql/ around the tables. */
  readonly initial: boolean;
  /** Of a database that has all files before this one; only what exists already is looked up in it. */
  readonly listing: readonly string[];
  readonly renames: readonly Rename[];
}

export interface ComposedStatements {
  readonly statements: readonly string[];
  /** Index builds that must not be in a transaction: a file of their own. */
  readonly concurrent: readonly string[];
}

type CreateTable = Extract<KitStatement, { kind: 'create table' }>;
type ForeignKey = Extract<KitStatement, { kind: 'foreign key' }>;

/** A file's statements, without header and record. Refuses what would take the isolation off a table. */
export async function composeStatements(input: ComposeInput): Promise<ComposedStatements> {
  const renamed = applyRenames(input.previous, input.current, input.renames);
  const kit = (await diffSnapshots(renamed.snapshot, input.current)).map(parseKitStatement);
  const existing = tablesOf(renamed.snapshot);
  const kept = tablesOf(input.current);
  refuseLessIsolation(kit, new Set(Object.keys(kept)));

  const own = new Map(input.package.tables.map((table) => [table.name, table]));
  const creates = ofKind(kit, 'create table');
  const keys = ofKind(kit, 'foreign key');
  const isNew = new Set(creates.map(({ table }) => table));
  const { order, cyclic } = orderTables(
    [...isNew],
    keys.map(({ table, parent }) => ({ from: table, to: parent })),
  );
  const isCyclic = (key: ForeignKey) => cyclic.some(({ from, to }) => from === key.table && to === key.parent);
  const indexes = ofKind(kit, 'index');
  const isConcurrent = (index: (typeof indexes)[number]) =>
    index.concurrently && !isNew.has(index.table) && own.get(index.table)?.mark.partitionBy === undefined;

  const statements = [
    ...(input.initial && input.package.beforeSql !== '' ? [input.package.beforeSql] : []),
    ...renamed.statements,
    ...ofKind(kit, 'other').map(({ sql }) => sql),
    ...order.flatMap((table) =>
      createTable(
        findTable(own, table),
        creates.filter((create) => create.table === table),
        keys.filter((key) => key.table === table && !isCyclic(key)),
      ),
    ),
    // Neither side is forced yet: it is validated as it should be, over tables that are empty.
    ...keys.filter((key) => isNew.has(key.table) && isCyclic(key)).map(({ sql }) => sql),
    ...indexes.filter((index) => !isConcurrent(index)).map(({ sql }) => sql.replace('INDEX CONCURRENTLY ', 'INDEX ')),
    ...keys.filter((key) => !isNew.has(key.table)).flatMap((key) => addForeignKey(key, input.tables, isNew)),
    ...ofKind(kit, 'enable').map(({ sql }) => sql),
    ...ofKind(kit, 'policy').map(({ sql }) => sql),
    // Before FORCE: with row_security off, a function in SQL over a forced table is refused when it is made.
    ...(input.initial && input.package.afterSql !== '' ? [input.package.afterSql] : []),
    ...order.flatMap((table) => rightsOf(findTable(own, table))),
    ...[...own.values()]
      .filter((table) => existing[table.name] !== undefined)
      .flatMap((table) => changeExisting(table, input.listing)),
    ...dropTables(ofKind(kit, 'drop table'), renamed.snapshot),
  ];
  return {
    statements,
    concurrent: indexes
      .filter(isConcurrent)
      // What a broken build left behind is invalid and would be in the way.
      .flatMap(({ index, sql }) => [`DROP INDEX CONCURRENTLY IF EXISTS ${quoteIdentifier(index)};`, sql]),
  };
}

/** Header and statements; the record follows. */
export function formatMigration(header: readonly string[], statements: readonly string[]): string {
  const lines = header.map((line) => `-- ${line}`).join('\n');
  return `${lines}\n\n${statements.join(`\n${statementBreakpoint}\n`)}\n`;
}

function createTable(
  table: SchemaTable,
  creates: readonly CreateTable[],
  keys: readonly ForeignKey[],
): readonly string[] {
  return creates.flatMap((create) => {
    const folded = foldForeignKeys(create, keys);
    const column = table.mark.partitionBy;
    return column === undefined ? [folded] : [partitionTable(folded, column), ...createDefaultPartition(table.name)];
  });
}

function addForeignKey(key: ForeignKey, tables: readonly SchemaTable[], isNew: ReadonlySet<string>): readonly string[] {
  const lifted = [...new Set([key.table, key.parent])]
    .filter((table) => !isNew.has(table))
    .map((name) => ({
      name,
      partitioned: tables.find((table) => table.name === name)?.mark.partitionBy !== undefined,
    }));
  return liftForce(lifted, [key.sql]);
}

function changeExisting(table: SchemaTable, listing: readonly string[]): readonly string[] {
  const line = listing.find((candidate) => candidate.startsWith(`table ${table.name}: `));
  // A table that was just renamed is in the listing under its old name: its rights went with it.
  if (line === undefined) return [];
  if (line.includes(', partition by ') !== (table.mark.partitionBy !== undefined)) {
    throw new MigrateError(
      'partitioning_changed',
      `Table ${table.name} exists and cannot become partitioned, or cease to be, by a diff. Make a new table and move the rows in a migration written by hand.`,
    );
  }
  return changeRights(table, listing);
}

/** Children first and without CASCADE: what still depends on a table is an error, not a silent loss. */
function dropTables(drops: readonly { readonly table: string }[], snapshot: Snapshot): readonly string[] {
  const tables = tablesOf(snapshot);
  const names = drops.map(({ table }) => table);
  const references = names.flatMap((name) =>
    Object.values(tables[name]?.foreignKeys ?? {}).map((key) => ({ key: key.name, from: name, to: key.tableTo })),
  );
  const { order, cyclic } = orderTables(names, references);
  const isCyclic = ({ from, to }: { readonly from: string; readonly to: string }) =>
    cyclic.some((reference) => reference.from === from && reference.to === to);
  return [
    ...references
      .filter(isCyclic)
      .map(({ key, from }) => `ALTER TABLE ${quoteIdentifier(from)} DROP CONSTRAINT ${quoteIdentifier(key)};`),
    ...order.toReversed().map((table) => `DROP TABLE ${quoteIdentifier(table)};`),
  ];
}

function refuseLessIsolation(kit: readonly KitStatement[], kept: ReadonlySet<string>): void {
  const [disable] = ofKind(kit, 'disable');
  if (disable !== undefined) {
    throw new MigrateError(
      'row_security_disabled',
      `The diff would disable row level security on ${disable.table}. Tenants are kept apart by it on every table: make the table with tenantTable.`,
    );
  }
  const dropped = ofKind(kit, 'drop policy').find(({ table }) => kept.has(table));
  if (dropped !== undefined) {
    throw new MigrateError(
      'policy_dropped',
      `The diff would drop the policy ${dropped.policy} of ${dropped.table}. A policy may be changed, not dropped: put it back into src/schema.ts, or write that migration by hand.`,
    );
  }
}

function findTable(tables: ReadonlyMap<string, SchemaTable>, name: string): SchemaTable {
  const table = tables.get(name);
  if (table === undefined)
    throw new MigrateError('unknown_table', `The diff makes table ${name}, which the package does not export.`);
  return table;
}

function ofKind<K extends KitStatement['kind']>(
  kit: readonly KitStatement[],
  kind: K,
): readonly Extract<KitStatement, { kind: K }>[] {
  return kit.filter((statement): statement is Extract<KitStatement, { kind: K }> => statement.kind === kind);
}
