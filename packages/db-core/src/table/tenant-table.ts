import { type BuildColumns, type BuildExtraConfigColumns, getTableColumns, type SQL, sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  type PgColumn,
  type PgColumnBuilderBase,
  type PgTableExtraConfigValue,
  type PgTableWithColumns,
  pgTable,
  primaryKey,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { tenantIdColumn } from './columns.ts';
import { dispatcherPolicy, tenantPolicy } from './policy.ts';

/** What the migration tooling reads from a table. It shares no import with this package, only this symbol. */
const tableMark = Symbol.for('@mcp-hub/table');

export interface TenantTableOptions {
  /** app_tenant may only SELECT and INSERT: history that nobody edits. */
  readonly appendOnly?: boolean;
  /** RANGE partitioned by this column (by its SQL name): the v7 id that carries the row's time. */
  readonly partitionBy?: string;
  /** app_dispatcher may look at all tenants' rows. Only for tables that hold no user data. */
  readonly dispatcherMayLook?: boolean;
}

declare const made: unique symbol;
/** A constraint or index that names the tenant where it must. Only the `constraint` argument makes one. */
export interface TenantConstraint {
  readonly [made]: true;
}

declare const primary: unique symbol;
/** Every table has one: it comes first. */
export interface TenantPrimaryKey extends TenantConstraint {
  readonly [primary]: true;
}

type Columns = Record<string, PgColumnBuilderBase>;
type WithTenant<C extends Columns> = { tenantId: ReturnType<typeof tenantIdColumn> } & C;
type IndexedColumn = Parameters<ReturnType<typeof index>['on']>[0];
type AnyTable = Parameters<typeof getTableColumns>[0];

/** Makes the constraints of one table: named `<table>_<what>_{pk,key,fk,check,idx}`, with tenant_id first. */
export interface ConstraintMaker {
  primaryKey(...columns: readonly PgColumn[]): TenantPrimaryKey;
  unique(what: string, ...columns: readonly PgColumn[]): TenantConstraint;
  /** Unique among the rows that `where` admits. */
  uniqueWhere(what: string, columns: readonly PgColumn[], where: SQL): TenantConstraint;
  /** Both sides carry the tenant. CASCADE only from a parent to its own parts, and never SET NULL. */
  foreignKey(
    what: string,
    columns: readonly PgColumn[],
    references: readonly PgColumn[],
    actions?: { readonly onDelete?: 'cascade'; readonly onUpdate?: 'cascade' },
  ): TenantConstraint;
  /** Say above it which query it serves. */
  index(what: string, columns: readonly IndexedColumn[], where?: SQL): TenantConstraint;
  /**
   * As `index`, for a large table that is released: `db:generate` gives it a file of its own, which builds it without
   * blocking writes. It stays declared so; on a new or partitioned table it is made as any other.
   */
  indexConcurrently(what: string, columns: readonly IndexedColumn[], where?: SQL): TenantConstraint;
  /** An index without the tenant, for the dispatcher's looks at all tenants. */
  dispatcherIndex(what: string, columns: readonly IndexedColumn[], where?: SQL): TenantConstraint;
  check(what: string, condition: SQL): TenantConstraint;
  oneOf(what: string, column: PgColumn, values: readonly string[]): TenantConstraint;
}

/**
 * A table that tenants share: tenant_id stands first, its check, the tenant policy and RLS come with it, and only
 * constraints that name the tenant are accepted. The migration tooling refuses a table made another way.
 */
export function tenantTable<Name extends string, C extends Columns>(
  name: Name,
  columns: C & ('tenantId' extends keyof C ? never : unknown),
  constraints: (
    table: BuildExtraConfigColumns<Name, WithTenant<C>, 'pg'>,
    constraint: ConstraintMaker,
  ) => readonly [TenantPrimaryKey, ...TenantConstraint[]],
  options: TenantTableOptions = {},
): PgTableWithColumns<{
  name: Name;
  schema: undefined;
  columns: BuildColumns<Name, WithTenant<C>, 'pg'>;
  dialect: 'pg';
}> {
  const allColumns = { tenantId: tenantIdColumn(), ...columns } as WithTenant<C>;
  const table = pgTable(name, allColumns, (built) => {
    const tenantId = (built as unknown as { readonly tenantId: PgColumn }).tenantId;
    return [
      check(`${name}_tenant_id_check`, sql`${tenantId} <> ''`),
      // Each is what the maker below returned; the brand exists for the compiler only.
      ...(constraints(built, constraintMaker(name, tenantId)) as unknown as readonly PgTableExtraConfigValue[]),
      tenantPolicy(name),
      ...(options.dispatcherMayLook ? [dispatcherPolicy(name)] : []),
    ];
  });
  const mark = {
    appendOnly: options.appendOnly ?? false,
    partitionBy: options.partitionBy,
    dispatcherMayLook: options.dispatcherMayLook ?? false,
  };
  Object.defineProperty(table, tableMark, { value: mark });
  return table;
}

function constraintMaker(table: string, tenantId: PgColumn): ConstraintMaker {
  const named = (what: string, kind: 'key' | 'fk' | 'check' | 'idx') => `${table}_${what}_${kind}`;
  const branded = (constraint: PgTableExtraConfigValue) => constraint as unknown as TenantConstraint;
  const filtered = (indexed: ReturnType<ReturnType<typeof index>['on']>, where: SQL | undefined) =>
    branded(where === undefined ? indexed : indexed.where(where));
  return {
    primaryKey: (...columns) =>
      branded(primaryKey({ name: `${table}_pk`, columns: [tenantId, ...columns] })) as TenantPrimaryKey,
    unique: (what, ...columns) => branded(unique(named(what, 'key')).on(tenantId, ...columns)),
    uniqueWhere: (what, columns, where) =>
      branded(
        uniqueIndex(named(what, 'key'))
          .on(tenantId, ...columns)
          .where(where),
      ),
    foreignKey: (what, columns, references, actions) => {
      const [first] = references;
      if (first === undefined) throw new TypeError(`The foreign key ${what} of ${table} names no column to refer to.`);
      const target = getTableColumns(first.table as AnyTable) as unknown as { readonly tenantId: PgColumn };
      const key = foreignKey({
        name: named(what, 'fk'),
        columns: [tenantId, ...columns],
        foreignColumns: [target.tenantId, ...references],
      });
      if (actions?.onDelete !== undefined) key.onDelete(actions.onDelete);
      if (actions?.onUpdate !== undefined) key.onUpdate(actions.onUpdate);
      return branded(key);
    },
    index: (what, columns, where) => filtered(index(named(what, 'idx')).on(tenantId, ...columns), where),
    indexConcurrently: (what, columns, where) =>
      filtered(
        index(named(what, 'idx'))
          .on(tenantId, ...columns)
          .concurrently(),
        where,
      ),
    dispatcherIndex: (what, columns, where) => {
      const [first, ...rest] = columns;
      if (first === undefined) throw new TypeError(`The index ${what} of ${table} names no column.`);
      return filtered(index(named(what, 'idx')).on(first, ...rest), where);
    },
    check: (what, condition) => branded(check(named(what, 'check'), condition)),
    oneOf: (what, column, values) => {
      const list = values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ');
      return branded(check(named(what, 'check'), sql`${column} in (${sql.raw(list)})`));
    },
  };
}
