import { type SQL, sql } from 'drizzle-orm';
import { type PgColumn, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import type { SelectResultFields } from 'drizzle-orm/query-builders/select.types';
import { rowMapper } from '../context/row-mapper.ts';
import type { TenantId } from '../context/tenant-id.ts';
import type { FilterFields } from '../filter/filter-fields.ts';
import type { OrderDefinition } from './order.ts';

/** A table of tenants' rows. */
export type ListedTable = PgTable & { readonly tenantId: PgColumn };

/** What a row of a list is made of: columns, and expressions such as a subquery on the row. */
export type ListColumns = Readonly<Record<string, PgColumn | SQL>>;

/** The clauses of one page, for a list that puts them into its own FROM. */
export interface PageClauses {
  readonly tenant: TenantId;
  /** The list's own condition, filter and cursor, without the tenant. */
  readonly condition: SQL;
  /** `order by … limit …` */
  readonly inOrder: SQL;
}

/** What `defineList` takes. */
export interface ListDefinition<Fields extends FilterFields, Columns extends ListColumns, Item> {
  /** Names the list in its cursors: `registry.versions`. */
  readonly name: string;
  /**
   * A table; or what makes an item of FROM out of the clauses, under the name of the table that the fields are of. The
   * latter names the tenant itself, and gives at least the rows of the page.
   */
  readonly from: ListedTable | ((clauses: PageClauses) => SQL);
  /** Joins behind the table, which neither add nor repeat rows. */
  readonly joins?: SQL;
  readonly columns: Columns;
  /** What every row of the list fulfils beside being the tenant's. */
  readonly where?: SQL | undefined;
  /** What the list is ordered by, and with it the fields that it is filtered by. */
  readonly order: OrderDefinition<Fields>;
  /** Makes an item of a row; without it the row is the item. */
  readonly toItem?: (row: SelectResultFields<Columns>) => Item;
  /** Rows of a page where the caller names no limit; default 100. */
  readonly defaultLimit?: number;
  /** Rows of a page at the most; default 1,000. */
  readonly maxLimit?: number;
}

/** A list that `readPage` reads. */
export interface List<Fields extends FilterFields = FilterFields, Item = unknown>
  extends Omit<ListDefinition<Fields, ListColumns, Item>, 'columns' | 'toItem'> {
  readonly columns: readonly (PgColumn | SQL)[];
  /** The columns as a select list, rendered once: that took half of the time in which a statement is made. */
  readonly selected: SQL;
  readonly toItems: (rows: readonly (readonly unknown[])[]) => readonly Item[];
}

/** Declares once what is listed. It holds no tenant and no parameters. */
export function defineList<
  Fields extends FilterFields,
  const Columns extends ListColumns,
  Item = SelectResultFields<Columns>,
>({ columns, toItem, ...rest }: ListDefinition<Fields, Columns, Item>): List<Fields, Item> {
  const fields = Object.entries(columns).map(([name, field]) => ({ path: [name], field }));
  const toRows = rowMapper(fields, undefined);
  if (toRows === undefined) throw new TypeError('The rows of a list have no nested columns');
  const toItems = (rows: readonly (readonly unknown[])[]) => {
    const mapped = toRows(rows) as readonly SelectResultFields<Columns>[];
    return toItem === undefined ? (mapped as readonly unknown[] as readonly Item[]) : mapped.map(toItem);
  };
  const expressions = Object.values(columns);
  return { ...rest, columns: expressions, selected: rendered(expressions), toItems };
}

function rendered(expressions: readonly (PgColumn | SQL)[]): SQL {
  const list = sql.join(
    expressions.map((expression) => sql`${expression}`),
    sql`, `,
  );
  const { sql: text, params } = new PgDialect().sqlToQuery(list);
  if (params.length > 0) throw new TypeError('The columns of a list hold no parameters');
  return sql.raw(text);
}
