import { type SQL, sql } from 'drizzle-orm';
import { DomainError } from '../errors.ts';
import { arrayText, jsonText, numberText, timeText } from './value-text.ts';

// Each is one bound parameter of type text that the server casts: postgres.js guesses a parameter's type from the first
// element of an array, Drizzle spreads an array over many parameters, and both throw for a Date or an object.

/** `text[]`, for `= any(…)` and `unnest(…)`. */
export function textArray(values: readonly (string | null)[]): SQL {
  return sql`${arrayText(values)}::text::text[]`;
}

/** `uuid[]`; text that is no uuid is `invalid_input`, by the server. */
export function uuidArray(values: readonly (string | null)[]): SQL {
  return sql`${arrayText(values)}::text::uuid[]`;
}

/** `float8[]`, bit for bit, with NaN, ±Infinity and -0. */
export function float8Array(values: readonly (number | null)[]): SQL {
  return sql`${arrayText(values, numberText)}::text::float8[]`;
}

/** `int8[]`; a number that is no safe integer is `invalid_input`. */
export function int8Array(values: readonly (number | bigint | null)[]): SQL {
  return sql`${arrayText(values, integerText)}::text::int8[]`;
}

/** `boolean[]`. */
export function booleanArray(values: readonly (boolean | null)[]): SQL {
  return sql`${arrayText(values, String)}::text::boolean[]`;
}

/** `timestamptz[]`. */
export function timestampArray(values: readonly (Date | null)[]): SQL {
  return sql`${arrayText(values, timeText)}::text::timestamptz[]`;
}

/** `jsonb[]`; null is SQL NULL. */
export function jsonArray(values: readonly unknown[]): SQL {
  return sql`${arrayText(values, (value) => jsonText(value, 'value'))}::text::jsonb[]`;
}

/** `timestamptz`. */
export function timeParameter(time: Date): SQL {
  return sql`${timeText(time)}::text::timestamptz`;
}

/**
 * `jsonb`.
 *
 * @throws DomainError `invalid_input` for what is no JSON (NaN and infinities are none) or longer than `bytesMax`.
 */
export function jsonParameter(value: unknown, field = 'value', bytesMax = Number.POSITIVE_INFINITY): SQL {
  const text = jsonText(value, field);
  if (Buffer.byteLength(text) <= bytesMax) return sql`${text}::text::jsonb`;
  throw new DomainError('invalid_input', `${field} must be at most ${bytesMax} bytes of JSON.`, {
    details: { field, limit: bytesMax },
  });
}

function integerText(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  throw new DomainError('invalid_input', 'A value must be an integer of at most 2^53 - 1 in size, or a bigint.');
}
