import type { SQL } from 'drizzle-orm';
import { DomainError } from '../errors.ts';
import type { CheckedFilter } from '../filter/filter-node.ts';
import { decodeCursor, encodeCursor, queryFingerprint } from './cursor.ts';
import { orderByTerms, rangesAfter, type SortValues, sortKey } from './keyset.ts';
import type { ResolvedOrder } from './order.ts';
import type { PageInput } from './page-input.ts';
import { PAGING_LIMITS } from './paging-limits.ts';

/** One page of a list. `nextCursor` is undefined on the last page, also when that page is exactly full. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | undefined;
}

/** What is listed, and which page of it. */
export interface PageRequest {
  readonly tenant: string;
  /** Names the list and whatever else decides what is in it, for example `['versions', modelId, includeDeleted]`. */
  readonly list: readonly (string | number | boolean | null)[];
  readonly filter?: CheckedFilter | undefined;
  readonly order: ResolvedOrder;
  readonly page: PageInput;
  readonly defaultLimit?: number;
  readonly maxLimit?: number;
}

/** The parts of the query that `page` knows; the package puts them into its select. */
export interface PageQuery {
  /** The condition that a row comes after the cursor, or a part of it; undefined on the first page. */
  readonly after: SQL | undefined;
  readonly orderBy: SQL[];
  /** One more than the page lacks, to know whether another follows. */
  readonly limit: number;
  /** Select this beside the item, as `key`. */
  readonly key: SQL<string>;
}

/**
 * Fetches one page by keyset: no OFFSET, and no row skipped or repeated while others are inserted, as long as the values
 * that rows are ordered by do not change between pages. `fetch` is called once, and a second time only where the page
 * goes over from rows with a value in its first term to those without.
 *
 * ```ts
 * page({ tenant, list: ['models'], filter, order, page: input }, (query) =>
 *   tx.select({ item: models, key: query.key }).from(models)
 *     .where(and(eq(models.tenantId, tenant), compileFilter(modelFields, filter), query.after))
 *     .orderBy(...query.orderBy).limit(query.limit));
 * ```
 *
 * @throws DomainError `invalid_input` for a limit out of range, and for a cursor that is damaged, of another version, or
 * of another tenant, list, filter or order.
 */
export async function page<Item>(
  request: PageRequest,
  fetch: (query: PageQuery) => PromiseLike<readonly { readonly item: Item; readonly key: string }[]>,
): Promise<Page<Item>> {
  const { terms, canonical } = request.order;
  const limit = readLimit(request.page.limit, request.defaultLimit, request.maxLimit);
  const fingerprint = queryFingerprint([request.tenant, request.list, request.filter ?? { and: [] }, canonical]);
  const { cursor } = request.page;
  const ranges = cursor === undefined ? [undefined] : rangesAfter(terms, decodeCursor(cursor, fingerprint, terms));

  const rows: { readonly item: Item; readonly key: string }[] = [];
  for (const after of ranges) {
    if (rows.length > limit) break;
    const wanted = limit + 1 - rows.length;
    rows.push(...(await fetch({ after, orderBy: orderByTerms(terms), limit: wanted, key: sortKey(terms) })));
  }
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ item }) => item),
    nextCursor:
      last === undefined || rows.length <= limit
        ? undefined
        : encodeCursor(fingerprint, JSON.parse(last.key) as SortValues),
  };
}

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
