import { Column, is, type SQLWrapper } from 'drizzle-orm';
import type { ScalarField } from '../filter/filter-fields.ts';

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
