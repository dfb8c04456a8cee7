import { type SQLWrapper, sql } from 'drizzle-orm';
import { filterError, placeInText } from '../filter/filter-error.ts';
import type { FilterField, FilterFields, MapField, ScalarField } from '../filter/filter-fields.ts';
import type { ValueProblem } from '../filter/filter-value.ts';
import { type ResolvedField, resolveField } from '../filter/resolve-field.ts';
import { tokenReader } from '../filter/token-reader.ts';
import { PAGING_LIMITS } from '../limits.ts';
import { joinedTerm, type SortTerm, sortTerm } from './sort-term.ts';

type OrderDirection = 'asc' | 'desc';

type TermOf<Name, Field extends FilterField> = Field extends MapField
  ? { readonly field: Name; readonly key: string; readonly direction?: OrderDirection }
  : { readonly field: Name; readonly direction?: OrderDirection };

/** One field to order by, typed by the fields that a package declares; ascending unless it says otherwise. */
export type OrderTerm<Fields extends FilterFields> = {
  readonly [Name in keyof Fields['fields']]: TermOf<Name, Fields['fields'][Name]>;
}[keyof Fields['fields']];

/** What search functions take: `'name ASC, metrics.loss DESC'` or a list of terms. */
export type OrderInput<Fields extends FilterFields> = string | readonly OrderTerm<Fields>[];

/** What a package lets its callers order by; made by `defineOrder`. */
export interface OrderDefinition<Fields extends FilterFields = FilterFields> {
  readonly fields: Fields;
  readonly byDefault: readonly OrderTerm<Fields>[];
  readonly tieBreaker: readonly ScalarField[];
}

/** An order that was read: its sort terms end in the tie-breaker, so that no two rows are equal in it. */
export interface ResolvedOrder {
  readonly terms: readonly SortTerm[];
  /** Equal for equal orders, however they were written. */
  readonly canonical: readonly (readonly string[])[];
}

/**
 * Declares how rows are ordered when the caller does not say, and the fields that together are unique within a tenant
 * and never NULL. They end every order, in the direction of its last term, so that an index on (tenant_id, column, id)
 * serves both directions.
 */
export function defineOrder<Fields extends FilterFields>(definition: {
  readonly fields: Fields;
  readonly byDefault: readonly OrderTerm<Fields>[];
  readonly tieBreaker: ScalarField | readonly ScalarField[];
}): OrderDefinition<Fields> {
  const { fields, byDefault, tieBreaker } = definition;
  const unique = 'kind' in tieBreaker ? [tieBreaker] : tieBreaker;
  for (const field of unique) {
    if (field.nullable || (field.kind === 'number' && field.cast !== 'bigint')) {
      throw new TypeError('A tie-breaker is a NOT NULL column that holds no NaN');
    }
  }
  if (unique.length === 0) throw new TypeError('An order needs a tie-breaker');
  return { fields, byDefault, tieBreaker: unique };
}

/**
 * Reads an order given as text or as terms; none, or an empty one, means the default.
 *
 * Rows without the value come last in both directions, and before them those with NaN.
 *
 * @throws DomainError `invalid_input` with the place of what is wrong and what was expected there; never the text.
 */
export function readOrder<Fields extends FilterFields>(
  definition: OrderDefinition<Fields>,
  input: OrderInput<Fields> | undefined,
): ResolvedOrder {
  const given = typeof input === 'string' ? parseOrder(definition.fields, input) : checkOrder(definition.fields, input);
  const wanted = given.length === 0 ? checkOrder(definition.fields, definition.byDefault) : given;

  const terms: SortTerm[] = [];
  const canonical: (readonly string[])[] = [];
  for (const { name, field, key, descending } of wanted) {
    const joined = field.kind === 'map' && terms.length === 0 ? joinedTerm(field, key ?? '') : undefined;
    terms.push({ ...sortTerm(...sortedBy(field, key), descending), ...(joined === undefined ? {} : { joined }) });
    canonical.push([name, ...(key === undefined ? [] : [key]), descending ? 'desc' : 'asc']);
  }
  const descending = wanted.at(-1)?.descending ?? false;
  for (const field of definition.tieBreaker) {
    const there = wanted.some((term) => term.field.kind !== 'map' && term.field.expression === field.expression);
    if (!there) terms.push(sortTerm(field, field.expression, descending));
  }
  return { terms, canonical };
}

interface WantedTerm extends ResolvedField {
  readonly descending: boolean;
}

const NO_WORDS: ReadonlySet<string> = new Set();

function parseOrder(fields: FilterFields, text: string): readonly WantedTerm[] {
  const limit = PAGING_LIMITS.orderTextLength;
  if (text.length > limit) {
    const details = { limit, got: text.length };
    throw filterError('order', {
      place: placeInText(text, limit),
      problem: `the text is longer than ${limit} characters`,
      details,
    });
  }
  const reader = tokenReader('order', text);
  const terms: WantedTerm[] = [];
  if (reader.peek().kind === 'end') return terms;
  do {
    const start = reader.peek();
    const found = reader.field(fields, NO_WORDS);
    const descending = reader.take('desc');
    if (!descending) reader.take('asc');
    const wrong = problemOf(terms, found);
    if (wrong !== undefined) reader.fail(wrong, start);
    terms.push({ ...found, descending });
  } while (reader.take(','));
  if (reader.peek().kind !== 'end') reader.expected('ASC', 'DESC', 'a comma', 'the end of the order');
  return terms;
}

function checkOrder(fields: FilterFields, input: unknown): readonly WantedTerm[] {
  const fail = (path: string, wrong: ValueProblem): never => {
    throw filterError('order', { place: { path }, ...wrong });
  };
  const expected = ['text', 'a list of { field, direction }'];
  if (input === undefined) return [];
  if (!Array.isArray(input)) return fail('', { problem: 'this is not a list', expected });
  const terms: WantedTerm[] = [];
  for (const [index, term] of input.entries()) {
    const path = `[${index}]`;
    if (typeof term !== 'object' || term === null) return fail(path, { problem: 'this is not a term', expected });
    const { field, key, direction = 'asc' } = term as Readonly<Record<string, unknown>>;
    if (typeof field !== 'string' || (key !== undefined && typeof key !== 'string')) {
      return fail(path, { problem: 'this is not a term', expected });
    }
    if (direction !== 'asc' && direction !== 'desc') {
      return fail(`${path}.direction`, { problem: 'there is no such direction', expected: ["'asc'", "'desc'"] });
    }
    const found = resolveField(fields, field, key);
    if ('problem' in found) return fail(path, found);
    const wrong = problemOf(terms, found);
    if (wrong !== undefined) return fail(path, wrong);
    terms.push({ ...found, descending: direction === 'desc' });
  }
  return terms;
}

function problemOf(terms: readonly WantedTerm[], found: ResolvedField): ValueProblem | undefined {
  if (found.field.kind === 'map' && found.field.scalar === undefined) {
    return { problem: 'rows cannot be ordered by this field', expected: [] };
  }
  if (terms.some((term) => term.name === found.name && term.key === found.key)) {
    return { problem: 'the field is named twice', expected: ['another field'] };
  }
  const limit = PAGING_LIMITS.orderTerms;
  if (terms.length < limit) return undefined;
  return { problem: `it names more than ${limit} fields`, expected: [], details: { limit } };
}

function sortedBy(field: FilterField, key: string | undefined): [ScalarField, SQLWrapper] {
  if (field.kind !== 'map') return [field, field.expression];
  // problemOf has refused maps without it.
  if (field.scalar === undefined) throw new TypeError('Rows cannot be ordered by this field');
  const value = field.scalar(field.value.expression, sql`${field.key} = ${key}::text`);
  return [{ ...field.value, nullable: true }, value];
}
