import { exitCodes, MigrateError } from '../errors.ts';
import { quoteIdentifier } from '../quote.ts';
import type { Snapshot, SnapshotTable } from './kit.ts';

/** `old:new` of a table or `table.old:new` of a column; the table by its new name where both are renamed. */
export type Rename =
  | { readonly kind: 'table'; readonly from: string; readonly to: string }
  | { readonly kind: 'column'; readonly table: string; readonly from: string; readonly to: string };

export function parseRename(text: string): Rename {
  const match = /^(?:([a-z0-9_]+)\.)?([a-z0-9_]+):([a-z0-9_]+)$/.exec(text);
  const [, table, from, to] = match ?? [];
  if (from === undefined || to === undefined) {
    throw new MigrateError(
      'invalid_rename',
      `${text} is no rename. Write table.old:new for a column, old:new for a table.`,
      exitCodes.usage,
    );
  }
  return table === undefined ? { kind: 'table', from, to } : { kind: 'column', table, from, to };
}

export function formatRename(rename: Rename): string {
  return rename.kind === 'table' ? `${rename.from}:${rename.to}` : `${rename.table}.${rename.from}:${rename.to}`;
}

export interface Renamed {
  /** `previous` as it is after the statements. */
  readonly snapshot: Snapshot;
  readonly statements: readonly string[];
}

/**
 * Renames what was declared, in SQL and in kit's picture, tables first; then the constraints, indexes and policies of
 * the renamed tables that differ from the new ones by their name only.
 */
export function applyRenames(previous: Snapshot, current: Snapshot, renames: readonly Rename[]): Renamed {
  let tables: Readonly<Record<string, SnapshotTable>> = previous.tables;
  const statements: string[] = [];
  const touched = new Set<string>();
  for (const rename of [...renames].sort((a, b) => (a.kind === b.kind ? 0 : a.kind === 'table' ? -1 : 1))) {
    requireRenamable(tables, current, rename);
    touched.add(rename.kind === 'table' ? rename.to : rename.table);
    if (rename.kind === 'table') {
      statements.push(`ALTER TABLE ${quoteIdentifier(rename.from)} RENAME TO ${quoteIdentifier(rename.to)};`);
      tables = renameTable(tables, rename.from, rename.to);
    } else {
      const [table, from, to] = [rename.table, rename.from, rename.to].map(quoteIdentifier);
      statements.push(`ALTER TABLE ${table} RENAME COLUMN ${from} TO ${to};`);
      tables = renameColumn(tables, rename.table, rename.from, rename.to);
    }
  }
  for (const name of touched) {
    const table = tables[`public.${name}`];
    const wanted = current.tables[`public.${name}`];
    if (table === undefined || wanted === undefined) continue;
    const renamed = renameParts(table, wanted);
    statements.push(...renamed.statements);
    tables = { ...tables, [`public.${name}`]: renamed.table };
  }
  return { snapshot: { ...previous, tables }, statements };
}

function requireRenamable(tables: Snapshot['tables'], current: Snapshot, rename: Rename): void {
  const [before, after] =
    rename.kind === 'table'
      ? [tables, current.tables].map((side) => (name: string) => side[`public.${name}`] !== undefined)
      : [tables, current.tables].map(
          (side) => (name: string) => side[`public.${rename.table}`]?.columns[name] !== undefined,
        );
  if (before === undefined || after === undefined) return;
  if (!before(rename.from) || !after(rename.to) || before(rename.to) || after(rename.from)) {
    throw new MigrateError(
      'not_renamed',
      `${formatRename(rename)}: the released files must have ${rename.from} and not ${rename.to}, and src/schema.ts the other way round.`,
      exitCodes.usage,
    );
  }
}

function renameTable(tables: Snapshot['tables'], from: string, to: string): Snapshot['tables'] {
  return Object.fromEntries(
    Object.entries(tables).map(([key, table]) => {
      const own = table.name === from;
      const rewritten: SnapshotTable = {
        ...table,
        name: own ? to : table.name,
        foreignKeys: mapValues(table.foreignKeys, (foreignKey) => ({
          ...foreignKey,
          tableFrom: foreignKey.tableFrom === from ? to : foreignKey.tableFrom,
          tableTo: foreignKey.tableTo === from ? to : foreignKey.tableTo,
        })),
      };
      if (!own) return [key, rewritten];
      return [`public.${to}`, rewriteText(rewritten, (text) => text.replaceAll(`"${from}".`, `"${to}".`))];
    }),
  );
}

function renameColumn(tables: Snapshot['tables'], name: string, from: string, to: string): Snapshot['tables'] {
  const column = (candidate: string) => (candidate === from ? to : candidate);
  return mapValues(tables, (table) => {
    const own = table.name === name;
    const foreignKeys = mapValues(table.foreignKeys, (foreignKey) => ({
      ...foreignKey,
      columnsFrom: own ? foreignKey.columnsFrom.map(column) : foreignKey.columnsFrom,
      columnsTo: foreignKey.tableTo === name ? foreignKey.columnsTo.map(column) : foreignKey.columnsTo,
    }));
    if (!own) return { ...table, foreignKeys };
    const rewritten: SnapshotTable = {
      ...table,
      foreignKeys,
      columns: Object.fromEntries(
        Object.entries(table.columns).map(([key, value]) =>
          key === from ? [to, { ...value, name: to }] : [key, value],
        ),
      ),
      indexes: mapValues(table.indexes, (index) => ({
        ...index,
        columns: index.columns.map((part) =>
          part.isExpression ? part : { ...part, expression: column(part.expression) },
        ),
      })),
      compositePrimaryKeys: mapValues(table.compositePrimaryKeys, (key) => ({
        ...key,
        columns: key.columns.map(column),
      })),
      uniqueConstraints: mapValues(table.uniqueConstraints, (key) => ({ ...key, columns: key.columns.map(column) })),
    };
    return rewriteText(rewritten, (text) => text.replaceAll(`"${name}"."${from}"`, `"${name}"."${to}"`));
  });
}

/** The SQL that kit keeps as text: checks, and what an index says in WHERE or in an expression. */
function rewriteText(table: SnapshotTable, rewrite: (text: string) => string): SnapshotTable {
  return {
    ...table,
    checkConstraints: mapValues(table.checkConstraints, (check) => ({ ...check, value: rewrite(check.value) })),
    indexes: mapValues(table.indexes, (index) => ({
      ...index,
      ...(index.where === undefined ? {} : { where: rewrite(index.where) }),
      columns: index.columns.map((part) =>
        part.isExpression ? { ...part, expression: rewrite(part.expression) } : part,
      ),
    })),
  };
}

const parts = [
  ['compositePrimaryKeys', 'constraint'],
  ['uniqueConstraints', 'constraint'],
  ['foreignKeys', 'constraint'],
  ['checkConstraints', 'constraint'],
  ['indexes', 'index'],
  ['policies', 'policy'],
] as const;

function renameParts(
  table: SnapshotTable,
  wanted: SnapshotTable,
): { readonly table: SnapshotTable; readonly statements: readonly string[] } {
  const statements: string[] = [];
  let renamed = table;
  for (const [part, kind] of parts) {
    const have: Readonly<Record<string, { readonly name: string }>> = renamed[part];
    const want: Readonly<Record<string, { readonly name: string }>> = wanted[part];
    const result: Record<string, { readonly name: string }> = { ...have };
    for (const [name, object] of Object.entries(have)) {
      if (want[name] !== undefined) continue;
      const twin = Object.values(want).find(
        (candidate) => result[candidate.name] === undefined && sameButName(object, candidate),
      );
      if (twin === undefined) continue;
      delete result[name];
      result[twin.name] = twin;
      statements.push(renamePart(kind, table.name, name, twin.name));
    }
    renamed = { ...renamed, [part]: result };
  }
  return { table: renamed, statements };
}

function renamePart(kind: 'constraint' | 'index' | 'policy', table: string, from: string, to: string): string {
  const [quotedTable, quotedFrom, quotedTo] = [table, from, to].map(quoteIdentifier);
  if (kind === 'index') return `ALTER INDEX ${quotedFrom} RENAME TO ${quotedTo};`;
  if (kind === 'policy') return `ALTER POLICY ${quotedFrom} ON ${quotedTable} RENAME TO ${quotedTo};`;
  return `ALTER TABLE ${quotedTable} RENAME CONSTRAINT ${quotedFrom} TO ${quotedTo};`;
}

function sameButName(a: { readonly name: string }, b: { readonly name: string }): boolean {
  return canonical({ ...a, name: '' }) === canonical({ ...b, name: '' });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  );
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
