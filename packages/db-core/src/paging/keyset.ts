import { and, type SQL, sql } from 'drizzle-orm';
import type { SortTerm } from './sort-term.ts';

/** The sort values of a row, each as the server prints it; null where the value is missing. */
export type SortValues = readonly (string | null)[];

/** A part of a list, whose rows stand before those of the next part. */
export interface Stretch {
  /** What its rows fulfil; undefined where all rows do. */
  readonly condition: SQL | undefined;
  readonly orderBy: readonly SQL[];
  /** The join that brings what its rows are ordered by. */
  readonly join?: SQL;
}

/** What the first term of a row can be, in the order in which the rows stand. */
type Kind = 'value' | 'NaN' | 'missing';

/**
 * The rows after the one with these values, or all of them, as stretches that follow each other.
 *
 * They are one where the first term is NOT NULL and has NaN where the server has it. Else each kind of value is a stretch:
 * as one ORDER BY with NULLS LAST, or as one OR, they would be served by no range of a plain index.
 */
export function stretchesAfter(terms: readonly SortTerm[], values?: SortValues): readonly Stretch[] {
  const [first, ...rest] = terms;
  if (first === undefined || (values !== undefined && terms.length !== values.length))
    throw new TypeError('An order has a term, and a cursor one value for each');
  const kinds: Kind[] = ['value'];
  if (first.nanFirst) kinds.push('NaN');
  if (first.nullable) kinds.push('missing');
  const whole = kinds.length === 1 || (values === undefined && !first.plain);
  if (whole) {
    return [{ condition: values === undefined ? undefined : afterRow(terms, values), orderBy: orderByTerms(terms) }];
  }
  const begin = values === undefined ? 0 : kinds.indexOf(kindOf(first, values[0] ?? null));
  return kinds.slice(begin).map((kind, index) => {
    const from = index === 0 ? values : undefined;
    const others = kind === 'missing' ? rest : rest.map((term) => besideJoin(first, term));
    const plain = [{ ...first, nullable: false, nanFirst: false }, ...others];
    // Also where the first value is one and the same: PostgreSQL does not see that of IS NULL, and would sort.
    const orderBy = orderByTerms(plain);
    const join = joinOf(first, kind);
    if (kind !== 'value') {
      const after = from === undefined ? undefined : afterRow(others, from.slice(1));
      return { condition: and(isOfKind(first, kind), after), orderBy, ...join };
    }
    return { condition: from === undefined ? isOfKind(first, kind) : afterRow(plain, from), orderBy, ...join };
  });
}

/** An inner join where there is a value: of a row comparison PostgreSQL does not see that it makes a left join one. */
function joinOf({ joined }: SortTerm, kind: Kind): Pick<Stretch, 'join'> {
  if (joined === undefined) return {};
  return { join: kind === 'missing' ? sql`left join ${joined.table}` : sql`join ${joined.table}` };
}

/** The columns of a row comparison must be of one table for an index of it to serve. */
function besideJoin({ joined }: SortTerm, term: SortTerm): SortTerm {
  return joined === undefined ? term : { ...term, expression: joined.insteadOf(term.expression) };
}

function kindOf(term: SortTerm, value: string | null): Kind {
  if (value === null) return 'missing';
  return term.nanFirst && value === 'NaN' ? 'NaN' : 'value';
}

function isOfKind({ expression, nanFirst, cast }: SortTerm, kind: Kind): SQL {
  switch (kind) {
    case 'value':
      return nanFirst ? sql`${expression} < 'NaN'::${sql.raw(cast)}` : sql`${expression} is not null`;
    case 'NaN':
      return sql`${expression} = 'NaN'::${sql.raw(cast)}`;
    case 'missing':
      return sql`${expression} is null`;
  }
}

/** A column that is NOT NULL gets no NULLS clause, which would hide a plain index from it. */
function orderByTerms(terms: readonly SortTerm[]): readonly SQL[] {
  return terms.flatMap(({ expression, descending, nullable, nanFirst, cast }) => {
    if (nanFirst) {
      const number = sql`nullif(${expression}, 'NaN'::${sql.raw(cast)}) desc nulls last`;
      return nullable ? [number, sql`(${expression} is null)`] : [number];
    }
    const direction = descending ? sql`${expression} desc` : sql`${expression} asc`;
    return [nullable ? sql`${direction} nulls last` : direction];
  });
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
  if (first === undefined) throw new TypeError('An order ends in terms that are never NULL');
  const bound = terms.map((term, index) => bind(term, values[index] ?? null));

  if (terms.every((term) => !term.nullable && !term.nanFirst && term.descending === first.descending)) {
    const left = sql.join(
      terms.map(({ expression }) => sql`${expression}`),
      sql`, `,
    );
    const right = sql.join(bound, sql`, `);
    return first.descending ? sql`(${left}) < (${right})` : sql`(${left}) > (${right})`;
  }

  const after = terms.reduceRight<SQL | undefined>((rest, term, index) => {
    const value = values[index] ?? null;
    const beyond = strictlyAfter(term, value, bound[index]);
    if (rest === undefined) return beyond ?? sql`false`;
    const same = value === null ? sql`${term.expression} is null` : sql`${term.expression} = ${bound[index]}`;
    return beyond === undefined ? sql`(${same} and ${rest})` : sql`(${beyond} or (${same} and ${rest}))`;
  }, undefined);
  if (first.nullable || first.nanFirst) return after ?? sql`false`;
  return first.descending
    ? sql`(${first.expression} <= ${bound[0]} and ${after})`
    : sql`(${first.expression} >= ${bound[0]} and ${after})`;
}

/** Undefined where nothing comes after: missing values are last. */
function strictlyAfter(term: SortTerm, value: string | null, bound: SQL | undefined): SQL | undefined {
  const kind = kindOf(term, value);
  if (kind === 'missing') return undefined;
  const later: SQL[] = [];
  if (kind === 'value') {
    later.push(
      term.descending ? sql`${term.expression} < ${bound}` : sql`${term.expression} > ${bound}`,
      ...(term.nanFirst ? [isOfKind(term, 'NaN')] : []),
    );
  }
  if (term.nullable) later.push(isOfKind(term, 'missing'));
  return later.length === 0 ? undefined : sql`(${sql.join(later, sql` or `)})`;
}

function bind(term: SortTerm, value: string | null): SQL {
  return term.cast === 'text' ? sql`${value}::text` : sql`${value}::text::${sql.raw(term.cast)}`;
}
