import { type SQL, sql } from 'drizzle-orm';
import type { SortTerm } from './sort-term.ts';

/** The sort values of a row, each as the server prints it; null where the value is missing. */
export type SortValues = readonly (string | null)[];

/** ORDER BY for the terms. A column that is NOT NULL gets no NULLS clause, which would hide a plain index from it. */
export function orderByTerms(terms: readonly SortTerm[]): SQL[] {
  return terms.map(({ expression, descending, nullable }) => {
    const direction = descending ? sql`${expression} desc` : sql`${expression} asc`;
    return nullable ? sql`${direction} nulls last` : direction;
  });
}

/** One column for the select list that holds the row's sort values: a JSON array of texts, exact for every type. */
export function sortKey(terms: readonly SortTerm[]): SQL<string> {
  const texts = terms.map(({ expression }) => sql`(${expression})::text`);
  return sql<string>`json_build_array(${sql.join(texts, sql`, `)})::text`;
}

/**
 * The rows after the one with these values, as conditions that are to be fetched one after the other.
 *
 * It is one condition, and two where the first term may be NULL but is not in this row: first the values that follow,
 * then the rows without one. As one OR they would be read by no range of an index, from the beginning each time.
 */
export function rangesAfter(terms: readonly SortTerm[], values: SortValues): readonly SQL[] {
  const [first, ...rest] = terms;
  if (first === undefined || !first.nullable) return [afterRow(terms, values)];
  const missing = sql`${first.expression} is null`;
  if (values[0] === null) return [sql`(${missing} and ${afterRow(rest, values.slice(1))})`];
  return [afterRow([{ ...first, nullable: false }, ...rest], values), missing];
}

/**
 * The condition that a row comes after the one with these values.
 *
 * Where all terms are NOT NULL and go one way it is a row comparison, which PostgreSQL turns into one range of an index
 * on (tenant_id, terms…). Else it is spelled out, with the bound of the first term repeated in front for a range on that
 * term at least.
 */
function afterRow(terms: readonly SortTerm[], values: SortValues): SQL {
  const [first] = terms;
  if (first === undefined || terms.length !== values.length)
    throw new TypeError('A cursor has one value for each term');
  const bound = terms.map((term, index) => bind(term, values[index] ?? null));

  if (terms.every((term) => !term.nullable && term.descending === first.descending)) {
    const left = sql.join(
      terms.map((term) => sql`${term.expression}`),
      sql`, `,
    );
    const right = sql.join(
      bound.map((value) => sql`${value}`),
      sql`, `,
    );
    return first.descending ? sql`(${left}) < (${right})` : sql`(${left}) > (${right})`;
  }

  const after = terms.reduceRight<SQL | undefined>((rest, term, index) => {
    const beyond = strictlyAfter(term, bound[index]);
    if (rest === undefined) return beyond ?? sql`false`;
    const same = equals(term, bound[index]);
    return beyond === undefined ? sql`(${same} and ${rest})` : sql`(${beyond} or (${same} and ${rest}))`;
  }, undefined);
  const [firstValue] = bound;
  if (first.nullable || firstValue === undefined) return sql`${after}`;
  return first.descending
    ? sql`(${first.expression} <= ${firstValue} and ${after})`
    : sql`(${first.expression} >= ${firstValue} and ${after})`;
}

/** Undefined where nothing comes after: NULL is last. */
function strictlyAfter(term: SortTerm, value: SQL | undefined): SQL | undefined {
  if (value === undefined) return undefined;
  const beyond = term.descending ? sql`${term.expression} < ${value}` : sql`${term.expression} > ${value}`;
  return term.nullable ? sql`(${beyond} or ${term.expression} is null)` : beyond;
}

function equals(term: SortTerm, value: SQL | undefined): SQL {
  return value === undefined ? sql`${term.expression} is null` : sql`${term.expression} = ${value}`;
}

function bind(term: SortTerm, value: string | null): SQL | undefined {
  if (value === null) return undefined;
  return term.cast === 'text' ? sql`${value}::text` : sql`${value}::text::${sql.raw(term.cast)}`;
}
