import { and, eq, type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { TenantId } from '../context/tenant-id.ts';
import { DomainError } from '../errors.ts';
import { compileFilter } from '../filter/compile-filter.ts';
import type { FilterFields } from '../filter/filter-fields.ts';
import type { CheckedFilter, FilterInput } from '../filter/filter-node.ts';
import { readFilter } from '../filter/read-filter.ts';
import { PAGING_LIMITS } from '../limits.ts';
import { decodeCursor, encodeCursor, queryFingerprint } from './cursor.ts';
import { type SortValues, stretchesAfter } from './keyset.ts';
import type { List } from './list.ts';
import { type OrderInput, readOrder } from './order.ts';
import type { PageInput } from './page-input.ts';
import type { SortTerm } from './sort-term.ts';

/** One page of a list. `nextCursor` is undefined on the last page, also when that page is exactly full. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | undefined;
}

/** Which part of a list is wanted, and which page of it. */
export interface PageRequest<Fields extends FilterFields> extends PageInput {
  /** Text or an object, read by readFilter. */
  readonly filter?: FilterInput<Fields> | undefined;
  /** Text or terms, read by readOrder. Default: the list's own. */
  readonly orderBy?: OrderInput<Fields> | undefined;
  /** A part of the list: its condition, and the values in it, to which the cursors are bound. */
  readonly within?: {
    readonly condition: SQL | undefined;
    readonly of: readonly (string | number | boolean | null)[];
  };
}

/** The statement of one page, and what makes the page of its rows. */
export interface PagePlan<Item> {
  readonly text: string;
  readonly parameters: readonly unknown[];
  /** Of the statement's rows as arrays. */
  readonly toPage: (rows: readonly object[]) => Page<Item>;
}

const dialect = new PgDialect();

/** Plans a page of a tenant's rows; without a tenant, of all rows that the role sees. Errors as in readPage. */
export function planPage<Fields extends FilterFields, Item>(
  list: List<Fields, Item>,
  tenant: TenantId | undefined,
  request: PageRequest<Fields>,
): PagePlan<Item> {
  const { within } = request;
  const filter = readFilter(list.order.fields, request.filter);
  const { terms: wantedTerms, canonical } = readOrder(list.order, request.orderBy);
  const terms = withJoin(list, wantedTerms);
  const limit = readLimit(request.limit, list.defaultLimit, list.maxLimit);
  const fingerprint = queryFingerprint([tenant ?? '', [list.name, ...(within?.of ?? [])], filter, canonical]);
  const after = request.cursor === undefined ? undefined : decodeCursor(request.cursor, fingerprint, terms);

  const keys = sortKeys(list, terms);
  const selected = sql.join([list.selected, ...keys.beside], sql`, `);
  const filtered = isEmpty(filter) ? undefined : and(planForValues(), compileFilter(list.order.fields, filter));
  const wanted = and(within?.condition, filtered);
  const parts = stretchesAfter(terms, after).map(({ condition, orderBy, join }) => {
    // One row more, to know whether another page follows.
    const inOrder = sql`order by ${sql.join([...orderBy], sql`, `)} limit ${limit + 1}`;
    const joins = sql`${list.joins} ${join}`;
    const source = sourceOf({ from: list.from, joins }, tenant, and(list.where, wanted, condition), inOrder);
    return sql`select ${selected} from ${source} ${inOrder}`;
  });
  // The server runs the parts of an Append by turns, and none beyond the limit.
  const statement = sql.join(parts.length === 1 ? parts : [unionOf(parts), sql`limit ${limit + 1}`], sql` `);
  const { sql: text, params: parameters } = dialect.sqlToQuery(statement);
  return {
    text,
    parameters,
    toPage: (given) => {
      const rows = given as readonly (readonly unknown[])[];
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        items: list.toItems(last === undefined ? rows : rows.slice(0, limit)),
        nextCursor: last === undefined ? undefined : encodeCursor(fingerprint, keys.read(last)),
      };
    },
  };
}

/** Takes the value that rows are ordered by first from a join where it can be had so; a FROM of the list's own has none. */
function withJoin({ from }: Pick<List, 'from'>, [first, ...rest]: readonly SortTerm[]): readonly SortTerm[] {
  if (first?.joined === undefined) return first === undefined ? rest : [first, ...rest];
  const { joined, ...term } = first;
  return typeof from === 'function'
    ? [term, ...rest]
    : [{ ...term, joined, expression: joined.value, plain: true }, ...rest];
}

const isEmpty = (filter: CheckedFilter) => 'and' in filter && filter.and.length === 0;

/**
 * True, and gone once its parameter is known. While it is not, it is a subquery of such cost that the server plans for the
 * values at hand each time: its plan for any value takes the average of a column for all of its values, and a search for
 * a tag of 6,000 versions read and sorted them all, 65 ms instead of 10. It also calls what no parallel worker may call,
 * which the server asks before it simplifies: workers take longer to start than a page takes to read, 30 ms instead of 8.
 */
const planForValues = (): SQL => sql`(${true}::boolean or (
  select count(*) = 0 from generate_series(1, 1000000000) where pg_current_xact_id() is null))`;

function sourceOf(
  { from, joins }: { readonly from: List['from']; readonly joins: SQL },
  tenant: TenantId | undefined,
  condition: SQL | undefined,
  inOrder: SQL,
): SQL {
  if (typeof from !== 'function') {
    const ofTenant = tenant === undefined ? undefined : eq(from.tenantId, tenant);
    return sql`${from} ${joins} where ${and(ofTenant, condition) ?? sql`true`}`;
  }
  if (tenant === undefined) throw new TypeError('Only a plain table is listed without a tenant');
  return from({ tenant, condition: condition ?? sql`true`, inOrder });
}

function unionOf(parts: readonly SQL[]): SQL {
  const inParentheses = parts.map((part) => sql`(${part})`);
  return sql.join(inParentheses, sql` union all `);
}

interface SortKeys {
  /** What is selected behind the list's own columns. */
  readonly beside: readonly SQL[];
  readonly read: (row: readonly unknown[]) => SortValues;
}

/**
 * Where a row has its sort values. The driver leaves texts, times, ids and large numbers as the server printed them, and
 * a float's number is exact; what is no column of the list is selected as text.
 */
function sortKeys({ columns }: Pick<List, 'columns'>, terms: readonly SortTerm[]): SortKeys {
  const beside: SQL[] = [];
  const places = terms.map(({ expression }) => {
    const at = (columns as readonly unknown[]).indexOf(expression);
    return at < 0 ? columns.length + beside.push(sql`(${expression})::text`) - 1 : at;
  });
  const read = (row: readonly unknown[]) => places.map((at) => textOf(row[at] as string | number | boolean | null));
  return { beside, read };
}

const textOf = (value: string | number | boolean | null) => (value === null ? null : String(value));

/** Takes the limit of a page, or the default. @throws DomainError `invalid_input` that names the maximum. */
function readLimit(
  limit: unknown,
  defaultLimit: number = PAGING_LIMITS.defaultLimit,
  maxLimit: number = PAGING_LIMITS.maxLimit,
): number {
  if (limit === undefined) return defaultLimit;
  if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw new DomainError('invalid_input', `The limit of a page must be a whole number from 1 to ${maxLimit}.`, {
    details: { field: 'limit', limit: maxLimit },
  });
}
