import { type SQLWrapper, sql } from 'drizzle-orm';
import type { ScalarField } from '../filter/filter-fields.ts';

/** One expression that rows are sorted by. NULL sorts last in both directions. */
export interface SortTerm {
  readonly expression: SQLWrapper;
  readonly descending: boolean;
  readonly nullable: boolean;
  /** The type that a cursor's text is cast back to. */
  readonly cast: string;
  /** Whether a text may be such a value: a forged cursor is refused before the server sees it. */
  readonly accepts: (text: string) => boolean;
}

/**
 * The sort terms of one field.
 *
 * PostgreSQL sorts NaN above every number, which ascending is right where it belongs, before NULL; descending, NaN is taken
 * out to the end by a second term. That form is served by no plain index.
 */
export function scalarTerms(field: ScalarField, expression: SQLWrapper, descending: boolean): readonly SortTerm[] {
  const term = { expression, descending, nullable: field.nullable, ...typeOf(field) };
  if (!descending || field.kind !== 'number' || field.cast === 'bigint') return [term];
  return [
    { ...term, expression: sql`nullif(${expression}, 'NaN'::${sql.raw(field.cast)})`, nullable: true },
    { expression: sql`(${expression} is null)`, descending: false, nullable: false, ...BOOLEAN },
  ];
}

const BOOLEAN = { cast: 'boolean', accepts: matches(/^(?:true|false)$/) };
const INTEGER = { cast: 'bigint', accepts: isBigint };

function typeOf(field: ScalarField): Pick<SortTerm, 'cast' | 'accepts'> {
  switch (field.kind) {
    case 'text':
      return { cast: 'text', accepts: isText };
    case 'enum':
      return { cast: 'text', accepts: isText };
    case 'uuid':
      return { cast: 'uuid', accepts: matches(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) };
    case 'boolean':
      return BOOLEAN;
    case 'time':
      return { cast: 'timestamptz', accepts: isTimestamp };
    case 'number':
      return field.cast === 'bigint' ? INTEGER : { cast: field.cast, accepts: isNumber };
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
