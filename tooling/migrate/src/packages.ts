import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exitCodes, MigrateError } from './errors.ts';
import { parseMigrationName } from './migrations-folder.ts';

/** What db-core's table maker says about a table under `Symbol.for('@mcp-hub/table')`. */
export interface TableMark {
  /** History that nobody edits: app_tenant may SELECT and INSERT only. */
  readonly appendOnly: boolean;
  /** RANGE partitioned by this column. */
  readonly partitionBy: string | undefined;
  /** app_dispatcher may SELECT. */
  readonly dispatcherMayLook: boolean;
}

/** A workspace package whose package.json says `"mcpHub": { "migration": "005_model_registry" }`. */
export interface SchemaPackage {
  /** `@mcp-hub/registry` */
  readonly name: string;
  /** `registry`: its folder, the `<domain>` of later files' names. */
  readonly domain: string;
  readonly path: string;
  /** Where its first file belongs. */
  readonly number: number;
  /** `005_model_registry` */
  readonly migration: string;
  /** sql/before.sql, sql/after.sql and sql/down.sql; empty where there is none. */
  readonly beforeSql: string;
  readonly afterSql: string;
  readonly downSql: string;
  readonly tables: readonly SchemaTable[];
}

export interface SchemaTable {
  readonly name: string;
  readonly mark: TableMark;
  /** The Drizzle table, for drizzle-kit. */
  readonly drizzle: object;
}

const tableMark = Symbol.for('@mcp-hub/table');

/**
 * The packages below `root/packages` that have a schema, by number; each loaded from its `src/schema.ts`, so this needs
 * tsx (or vitest) and the condition `@mcp-hub/source`. A table that an earlier package exports too is the earlier one's.
 */
export async function loadPackages(root: string): Promise<readonly SchemaPackage[]> {
  const manifests = await readManifests(root);
  const owners = new Map<string, string>();
  const packages: SchemaPackage[] = [];
  for (const manifest of manifests) {
    const tables = await loadTables(manifest);
    // A module's exports are sorted under Node and not under vitest: composed files shall not depend on it.
    const own = tables.toSorted((a, b) => (a.name < b.name ? -1 : 1)).filter((table) => !owners.has(table.name));
    for (const table of own) owners.set(table.name, manifest.name);
    packages.push({
      name: manifest.name,
      domain: manifest.domain,
      path: manifest.path,
      number: manifest.number,
      migration: manifest.migration,
      beforeSql: await readSql(manifest.path, 'before.sql'),
      afterSql: await readSql(manifest.path, 'after.sql'),
      downSql: await readSql(manifest.path, 'down.sql'),
      tables: own,
    });
  }
  return packages;
}

interface Manifest extends Pick<SchemaPackage, 'name' | 'domain' | 'path' | 'number' | 'migration'> {
  readonly dependencies: readonly string[];
}

async function readManifests(root: string): Promise<readonly Manifest[]> {
  const folder = join(root, 'packages');
  const manifests: Manifest[] = [];
  const entries = await readdir(folder).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new MigrateError(
      'no_packages',
      `${folder} does not exist. This command works on the sources of the packages, in a checkout of the repository: run it there, or name it with --directory.`,
      exitCodes.usage,
    );
  });
  for (const entry of entries.sort()) {
    const path = join(folder, entry);
    const manifest = await readManifest(path, entry);
    if (manifest !== undefined) manifests.push(manifest);
  }
  manifests.sort((a, b) => a.number - b.number);
  const byName = new Map(manifests.map((manifest) => [manifest.name, manifest]));
  for (const [index, manifest] of manifests.entries()) {
    const next = manifests[index + 1];
    if (next?.number === manifest.number) {
      throw new MigrateError(
        'duplicate_number',
        `${manifest.name} and ${next.name} both ask for migration number ${manifest.migration.slice(0, 3)}. Give one of them the next free number in its package.json.`,
      );
    }
    for (const dependency of manifest.dependencies) {
      const needed = byName.get(dependency);
      if (needed !== undefined && needed.number > manifest.number) {
        throw new MigrateError(
          'dependency_upwards',
          `${manifest.name} (${manifest.migration}) depends on ${needed.name} (${needed.migration}), whose migration comes later. A package may depend on lower numbers only.`,
        );
      }
    }
  }
  return manifests;
}

async function readManifest(path: string, folder: string): Promise<Manifest | undefined> {
  const text = await readOrUndefined(join(path, 'package.json'));
  if (text === undefined) return undefined;
  const json: unknown = JSON.parse(text);
  const name = property(json, 'name');
  const settings = property(json, 'mcpHub');
  if (settings === undefined) return undefined;
  const migration = property(settings, 'migration');
  const parsed = typeof migration === 'string' ? parseMigrationName(migration) : undefined;
  if (typeof name !== 'string' || typeof migration !== 'string' || parsed === undefined) {
    throw new MigrateError(
      'invalid_manifest',
      `${join(path, 'package.json')}: mcpHub.migration must have the form "005_model_registry".`,
      exitCodes.usage,
    );
  }
  const dependencies = property(json, 'dependencies');
  return {
    name,
    domain: folder.replaceAll('-', '_'),
    path,
    number: parsed.number,
    migration,
    dependencies: typeof dependencies === 'object' && dependencies !== null ? Object.keys(dependencies) : [],
  };
}

async function loadTables(manifest: Manifest): Promise<readonly SchemaTable[]> {
  const path = join(manifest.path, 'src', 'schema.ts');
  const exports: unknown = await import(/* @vite-ignore */ pathToFileURL(path).href).catch((error: unknown) => {
    throw explainImport(manifest, error);
  });
  const tables: SchemaTable[] = [];
  for (const value of Object.values(exports ?? {})) {
    if (property(value, Symbol.for('drizzle:IsDrizzleTable')) === true && typeof value === 'object') {
      tables.push(readTable(manifest, value));
    } else {
      refuseOtherObjects(manifest, value);
    }
  }
  return tables;
}

function explainImport(manifest: Manifest, error: unknown): unknown {
  const found = error instanceof Error ? /Cannot find package '([^']+)' imported from/.exec(error.message) : null;
  if (found?.[1] === undefined) return error;
  return new MigrateError(
    'missing_package',
    `src/schema.ts of ${manifest.name} needs ${found[1]}, which is not installed. Name it in package.json, then run pnpm install (without pnpm: npx pnpm@VERSION install, with the version that packageManager of the root names).`,
    exitCodes.usage,
    { cause: error },
  );
}

function readTable(manifest: Manifest, table: object): SchemaTable {
  const name = property(table, Symbol.for('drizzle:Name'));
  if (typeof name !== 'string') throw new TypeError('a Drizzle table without a name');
  const schema = property(table, Symbol.for('drizzle:Schema'));
  if (schema !== undefined) {
    throw new MigrateError(
      'not_in_public',
      `Table ${name} of ${manifest.name} is not in schema public. Tables live there.`,
    );
  }
  const mark = property(table, tableMark);
  const [appendOnly, partitionBy, dispatcherMayLook] = ['appendOnly', 'partitionBy', 'dispatcherMayLook'].map((key) =>
    property(mark, key),
  );
  if (typeof appendOnly !== 'boolean' || typeof dispatcherMayLook !== 'boolean') {
    throw new MigrateError(
      'table_without_tenant',
      `Table ${name} of ${manifest.name} was not made by tenantTable, so nothing keeps its tenants apart. Make it with tenantTable of @mcp-hub/db-core instead of pgTable.`,
    );
  }
  refuseColumnConstraints(manifest, name, table);
  return {
    name,
    mark: { appendOnly, dispatcherMayLook, partitionBy: typeof partitionBy === 'string' ? partitionBy : undefined },
    drizzle: table,
  };
}

/** Those of a column leave the tenant out: a key over all tenants, or a reference into another tenant's rows. */
function refuseColumnConstraints(manifest: Manifest, name: string, table: object): void {
  const keys = property(table, Symbol.for('drizzle:PgInlineForeignKeys'));
  const columns = Object.values(property(table, Symbol.for('drizzle:Columns')) ?? {});
  const column = (flag: string) => columns.find((candidate) => property(candidate, flag) === true);
  const [unique, primary] = [column('isUnique'), column('primary')];
  const found =
    Array.isArray(keys) && keys.length > 0
      ? ['.references()', 'constraint.foreignKey']
      : unique !== undefined
        ? [`.unique() on ${String(property(unique, 'name'))}`, 'constraint.unique']
        : primary !== undefined
          ? [`.primaryKey() on ${String(property(primary, 'name'))}`, 'constraint.primaryKey']
          : undefined;
  if (found === undefined) return;
  throw new MigrateError(
    'constraint_without_tenant',
    `Table ${name} of ${manifest.name} says ${found[0]}, which leaves the tenant out of the constraint. Use ${found[1]} in the third argument of tenantTable instead: it puts the tenant first.`,
  );
}

/** What drizzle-kit would emit beside tables has its place in sql/, where it can be read and dropped again. */
function refuseOtherObjects(manifest: Manifest, value: unknown): void {
  const view = property(value, Symbol.for('drizzle:ViewBaseConfig'));
  const kind = kindOf(value);
  if (kind === undefined || !refusedKinds.has(kind) || property(view, 'isExisting') === true) return;
  throw new MigrateError(
    'not_a_table',
    `src/schema.ts of ${manifest.name} exports a ${kind}. Only tables are diffed: states are text with a check, a view belongs into sql/after.sql (with security_invoker, and .existing() in the schema).`,
  );
}

const refusedKinds: ReadonlySet<string> = new Set([
  'PgEnum',
  'PgSequence',
  'PgRole',
  'PgPolicy',
  'PgSchema',
  'PgView',
  'PgMaterializedView',
]);

function kindOf(value: unknown): string | undefined {
  if (property(value, Symbol.for('drizzle:isPgEnum')) === true) return 'PgEnum';
  // A view is behind a proxy that hides its class.
  if (property(value, Symbol.for('drizzle:ViewBaseConfig')) !== undefined) return 'PgView';
  const kind = property(property(value, 'constructor'), Symbol.for('drizzle:entityKind'));
  return typeof kind === 'string' ? kind : undefined;
}

function property(value: unknown, key: PropertyKey): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, key)
    : undefined;
}

async function readSql(path: string, file: string): Promise<string> {
  return ((await readOrUndefined(join(path, 'sql', file))) ?? '').replace(/\r\n/g, '\n').trim();
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
