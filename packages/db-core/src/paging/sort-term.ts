import { Column, is, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { MapField, ScalarField } from '../filter/filter-fields.ts';

/** One expression that rows are sorted by. Missing values are last in both directions, and before them NaN. */
export interface SortTerm {
  readonly expression: SQLWrapper;
  readonly descending: boolean;
  readonly nullable: boolean;
  /** Whether the server's order has NaN first, where it does not belong: it sorts NaN above every number. */
  readonly nanFirst: boolean;
  /** Whether an index may hold the expression: a column and no subquery. */
  readonly plain: boolean;
  /** The type that a cursor's text is cast back to. */
  readonly cast: string;
  /** Whether a text may be such a value: a forged cursor is refused before the server sees it. */
  readonly accepts: (text: string) => boolean;
  /** Where the value is a column of another table, the join that brings it. */
  readonly joined?: JoinedTerm;
}

/** A join of at most one row, whose column rows are ordered by. */
export interface JoinedTerm {
  /** What follows `join` or `left join`. */
  readonly table: SQL;
  readonly value: SQLWrapper;
  /** What has the same value as this column of the outer table, wherever a row was joined. */
  readonly insteadOf: (outer: SQLWrapper) => SQLWrapper;
}

/** The sort term of one field. */
export function sortTerm(field: ScalarField, expression: SQLWrapper, descending: boolean): SortTerm {
  return {
    expression,
    descending,
    nullable: field.nullable,
    nanFirst: descending && field.kind === 'number' && field.cast !== 'bigint',
    plain: is(expression, Column),
    ...typeOf(field),
  };
}

/** The name of the joined table. */
const JOINED = sql.identifier('ordered_by');

/** The join that brings the value of one key of a map; undefined where key or value is no column of the child table. */
export function joinedTerm({ key, value, rows }: MapField, wanted: string): JoinedTerm | undefined {
  if (rows === undefined) return undefined;
  const { table, pairs } = rows;
  const ofChild = (expression: SQLWrapper) =>
    is(expression, Column) && expression.table === table
      ? sql`${JOINED}.${sql.identifier(expression.name)}`
      : undefined;
  const [keyColumn, valueColumn] = [ofChild(key), ofChild(value.expression)];
  if (keyColumn === undefined || valueColumn === undefined) return undefined;
  const conditions = [
    ...pairs.map(([child, parent]) => sql`${ofChild(child)} = ${parent}`),
    sql`${keyColumn} = ${wanted}::text`,
  ];
  return {
    table: sql`${table} ${JOINED} on ${sql.join(conditions, sql` and `)}`,
    value: valueColumn,
    insteadOf: (outer) => {
      const pair = pairs.find(([, parent]) => parent === outer);
      return (pair === undefined ? undefined : ofChild(pair[0])) ?? outer;
    },
  };
}

function typeOf(field: ScalarField): Pick<SortTerm, 'cast' | 'accepts'> {
  switch (field.kind) {
    case 'text':
    case 'enum':
      return { cast: 'text', accepts: isText };
    case 'uuid':
      return { cast: 'uuid', accepts: matches(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) };
    case 'boolean':
      return { cast: 'boolean', accepts: matches(/^(?:true|false)$/) };
    case 'time':
      return { cast: 'timestamptz', accepts: isTimestamp };
    case 'number':
      return field.cast === 'bigint' ? { cast: 'bigint', accepts: isBigint } : { cast: field.cast, accepts: isNumber };
  }
}

function matches(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text);
}

function isText(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}

function isBigint(text: string): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function isNumber(text: string): boolean {
  return /^-?(?:\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?|Infinity)$|^NaN$/.test(text);
}

/** As the server prints a timestamptz in ISO style, in whatever time zone the session has. */
function isTimestamp(text: string): boolean {
  const parts = /^\d{4,6}-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d{1,6})?[+-]\d\d(?::\d\d){0,2}(?: BC)?$/.exec(text);
  if (parts === null) return /^-?infinity$/.test(text);
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60;
}
