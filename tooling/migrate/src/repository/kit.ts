import { createHash } from 'node:crypto';
import type { SchemaTable } from '../packages.ts';

/**
 * drizzle-kit's picture of a schema, as `meta/NNN_name.json` holds it: version 7 of its format. Kit's own type hangs on
 * a zod that it does not bring along.
 */
export interface Snapshot {
  readonly id: string;
  readonly prevId: string;
  readonly version: '7';
  readonly dialect: 'postgresql';
  readonly tables: Readonly<Record<string, SnapshotTable>>;
  readonly enums: Readonly<Record<string, never>>;
  readonly schemas: Readonly<Record<string, never>>;
  readonly sequences: Readonly<Record<string, never>>;
  readonly roles: Readonly<Record<string, never>>;
  readonly policies: Readonly<Record<string, never>>;
  readonly views: Readonly<Record<string, never>>;
  readonly _meta: {
    readonly schemas: Readonly<Record<string, never>>;
    readonly tables: Readonly<Record<string, never>>;
    readonly columns: Readonly<Record<string, never>>;
  };
}

export interface SnapshotTable {
  readonly name: string;
  readonly schema: string;
  readonly columns: Readonly<Record<string, { readonly name: string; readonly type: string }>>;
  readonly indexes: Readonly<Record<string, SnapshotIndex>>;
  readonly foreignKeys: Readonly<Record<string, SnapshotForeignKey>>;
  readonly compositePrimaryKeys: Readonly<
    Record<string, { readonly name: string; readonly columns: readonly string[] }>
  >;
  readonly uniqueConstraints: Readonly<Record<string, { readonly name: string; readonly columns: readonly string[] }>>;
  readonly policies: Readonly<
    Record<string, { readonly name: string; readonly using?: string; readonly withCheck?: string }>
  >;
  readonly checkConstraints: Readonly<Record<string, { readonly name: string; readonly value: string }>>;
  readonly isRLSEnabled: boolean;
}

interface SnapshotIndex {
  readonly name: string;
  readonly columns: readonly { readonly expression: string; readonly isExpression: boolean }[];
  readonly where?: string;
}

interface SnapshotForeignKey {
  readonly name: string;
  readonly tableFrom: string;
  readonly tableTo: string;
  readonly columnsFrom: readonly string[];
  readonly columnsTo: readonly string[];
}

const originId = '00000000-0000-0000-0000-000000000000';

export const emptySnapshot: Snapshot = {
  id: originId,
  prevId: '',
  version: '7',
  dialect: 'postgresql',
  tables: {},
  enums: {},
  schemas: {},
  sequences: {},
  roles: {},
  policies: {},
  views: {},
  _meta: { schemas: {}, tables: {}, columns: {} },
};

/** The tables alone, keyed by name. */
export async function snapshotTables(tables: readonly SchemaTable[]): Promise<Readonly<Record<string, SnapshotTable>>> {
  const { generateDrizzleJson } = await loadKit();
  const imports = Object.fromEntries(tables.map((table) => [table.name, table.drizzle]));
  const made: Pick<Snapshot, 'tables'> = generateDrizzleJson(imports);
  return Object.fromEntries(Object.values(made.tables).map((table) => [table.name, table]));
}

/** `base` with other tables. Its ids are made later, by `chainSnapshot`. */
export function withTables(base: Snapshot, tables: Readonly<Record<string, SnapshotTable>>): Snapshot {
  const sorted = Object.entries(tables).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...base, tables: Object.fromEntries(sorted.map(([name, table]) => [`public.${name}`, table])) };
}

export function tablesOf(snapshot: Snapshot): Readonly<Record<string, SnapshotTable>> {
  return Object.fromEntries(Object.values(snapshot.tables).map((table) => [table.name, table]));
}

/**
 * Puts `snapshot` behind `previous`. Kit's own ids are random; one made of the content lets a second run write the
 * same bytes.
 */
export function chainSnapshot(previous: Snapshot, snapshot: Snapshot, name: string): Snapshot {
  const { id: _id, prevId: _prevId, ...content } = snapshot;
  const hex = createHash('sha256')
    .update(JSON.stringify([name, previous.id, content]))
    .digest('hex');
  const id = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)];
  return { ...snapshot, id: id.join('-'), prevId: previous.id };
}

/**
 * Kit's statements from `previous` to `current`, without ever asking a terminal: it asks when something of a kind goes
 * while another comes, so everything comes first (through a snapshot that has both) and the rest goes afterwards.
 */
export async function diffSnapshots(previous: Snapshot, current: Snapshot): Promise<readonly string[]> {
  const both = mergeSnapshots(previous, current);
  const statements = [...(await diffOnce(previous, both)), ...(await diffOnce(both, current))];
  return statements
    .flatMap((statement) => statement.split('--> statement-breakpoint'))
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** 3 MB that the commands that only apply files need not read. */
function loadKit() {
  return import('drizzle-kit/api');
}

async function diffOnce(previous: Snapshot, current: Snapshot): Promise<readonly string[]> {
  const { generateMigration } = await loadKit();
  // Kit fills the snapshots it is given with its defaults; ours stay what they are.
  return generateMigration(structuredClone(previous) as never, structuredClone(current) as never);
}

/** `current` and what `previous` has beyond it of the kinds that kit asks about: tables, columns, policies. */
function mergeSnapshots(previous: Snapshot, current: Snapshot): Snapshot {
  const tables = { ...current.tables };
  for (const [key, old] of Object.entries(previous.tables)) {
    const table = tables[key];
    tables[key] =
      table === undefined
        ? old
        : {
            ...table,
            columns: { ...old.columns, ...table.columns },
            policies: { ...old.policies, ...table.policies },
          };
  }
  return { ...current, tables };
}
