import { FILTER_LIMITS } from '../limits.ts';
import type { ScalarField } from './filter-fields.ts';
import {
  EQUALITY_OPERATORS,
  type FilterOperator,
  type FilterValue,
  LIST_OPERATORS,
  NULL_OPERATORS,
  ORDER_OPERATORS,
  PATTERN_OPERATORS,
} from './filter-node.ts';
import { canonicalTime } from './time-text.ts';

/** Why a value was refused; the caller knows where it stands. */
export interface ValueProblem {
  readonly problem: string;
  readonly expected: readonly string[];
  readonly details?: Readonly<Record<string, number>>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The operators that a field of this kind takes. */
export function allowedOperators(field: ScalarField): readonly FilterOperator[] {
  const ordered = field.kind === 'number' || field.kind === 'time' ? ORDER_OPERATORS : [];
  const patterns = field.kind === 'text' ? PATTERN_OPERATORS : [];
  return [...EQUALITY_OPERATORS, ...ordered, ...patterns, ...LIST_OPERATORS, ...NULL_OPERATORS];
}

/** Checks one value against its field and operator, and gives its canonical form. */
export function checkValue(
  field: ScalarField,
  op: FilterOperator,
  raw: unknown,
): { readonly value: FilterValue } | ValueProblem {
  switch (field.kind) {
    case 'text':
      return checkText(op, raw);
    case 'enum': {
      const word = typeof raw === 'string' ? raw.toLowerCase() : undefined;
      const value = field.values.find((one) => one.toLowerCase() === word);
      return value === undefined
        ? { problem: 'the value is none of the allowed words', expected: field.values.map((one) => `'${one}'`) }
        : { value };
    }
    case 'number':
      return checkNumber(op, raw, field.cast);
    case 'time':
      return checkTime(raw);
    case 'uuid': {
      const lower = typeof raw === 'string' ? raw.toLowerCase() : '';
      const value = field.asWritten === true && typeof raw === 'string' ? raw : lower;
      return UUID.test(lower) ? { value } : { problem: 'the value is not a uuid', expected: ['a quoted uuid'] };
    }
    case 'boolean':
      return typeof raw === 'boolean'
        ? { value: raw }
        : { problem: 'the value is not a boolean', expected: ['true', 'false'] };
  }
}

function checkText(op: FilterOperator, raw: unknown): { readonly value: string } | ValueProblem {
  if (typeof raw !== 'string') return { problem: 'the value is not a string', expected: ['a string in quotes'] };
  if (raw.length > FILTER_LIMITS.valueLength) {
    const limit = FILTER_LIMITS.valueLength;
    return {
      problem: `a string is longer than ${limit} characters`,
      expected: [],
      details: { limit, got: raw.length },
    };
  }
  if (!isStorable(raw)) return NOT_STORABLE;
  if ((PATTERN_OPERATORS as readonly string[]).includes(op) && /(?:^|[^\\])(?:\\\\)*\\$/.test(raw)) {
    return {
      problem: 'the pattern ends in a backslash that escapes nothing',
      expected: ['a pattern in which \\\\ stands for a backslash'],
    };
  }
  return { value: raw };
}

export const NOT_STORABLE: ValueProblem = {
  problem: 'a string holds a character that no stored text can hold',
  expected: ['text without U+0000 and without half surrogate pairs'],
};

/** PostgreSQL text has no U+0000, and UTF-8 has no lone surrogates (they would become U+FFFD unnoticed). */
export function isStorable(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}

function checkNumber(
  op: FilterOperator,
  raw: unknown,
  cast: 'float8' | 'real' | 'numeric' | 'bigint',
): { readonly value: number } | ValueProblem {
  if (typeof raw !== 'number') {
    return {
      problem: 'the value is not a number',
      expected: ['a number without quotes', 'Infinity', '-Infinity', 'NaN'],
    };
  }
  if (Number.isNaN(raw) && (ORDER_OPERATORS as readonly string[]).includes(op)) {
    return { problem: 'nothing is greater or less than NaN', expected: ['a number', '= NaN', '!= NaN'] };
  }
  if (cast === 'bigint' && Number.isFinite(raw) && Math.abs(raw) > Number.MAX_SAFE_INTEGER) {
    return { problem: 'the number is too large to be exact', expected: ['a number within plus or minus 2^53 - 1'] };
  }
  if (cast === 'real' && outOfSinglePrecision(raw)) {
    return { problem: 'the number is out of the range of this field', expected: ['a single-precision number'] };
  }
  // Negative zero equals zero in every comparison; one form keeps equal filters equal.
  return { value: raw === 0 ? 0 : raw };
}

/** The server refuses such a text as `real` rather than round it to 0 or Infinity. */
function outOfSinglePrecision(raw: number): boolean {
  const single = Math.fround(raw);
  return Number.isFinite(raw) && (!Number.isFinite(single) || (single === 0 && raw !== 0));
}

const TIME_FORMS = ["a time such as '2026-01-31T12:00:00Z'", "a date such as '2026-01-31' (its midnight in UTC)"];

function checkTime(raw: unknown): { readonly value: string } | ValueProblem {
  const input = typeof raw === 'number' ? new Date(raw) : raw;
  const value = typeof input === 'string' || input instanceof Date ? canonicalTime(input) : undefined;
  return value === undefined
    ? { problem: 'the value is not a time', expected: [...TIME_FORMS, 'milliseconds since 1970 as a number'] }
    : { value };
}
