import { DomainError } from '../errors.ts';
import { strictJson } from './strict-json.ts';

// The text forms in which values reach the server, for bound parameters and for COPY alike. What PostgreSQL would refuse
// or give back as something else is refused here, where the caller can be told which value it was.

// NUL has no place in a PostgreSQL text; an unpaired surrogate has no UTF-8 form and would come back as another text.
const unstorable = /[\0\p{Cs}]/u;
// JSON.stringify writes them as escapes; an escaped backslash before the u is none of these.
const unstorableJson = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** True for text that PostgreSQL gives back as it was. */
export const isStorable = (text: string): boolean => !unstorable.test(text);

/** As isStorable, for JSON text that goes into a jsonb. */
export const isStorableJson = (json: string): boolean => !unstorableJson.test(json);

export function storableText(text: string, field: string): string {
  if (isStorable(text)) return text;
  throw new DomainError('invalid_input', `${field} must not hold NUL characters or unpaired surrogates.`, {
    details: { field },
  });
}

/** JSON that neither JSON nor jsonb changes: no NaN, no bigint, no NUL. */
export function jsonText(value: unknown, field: string): string {
  const text = strictJson(value, field);
  if (isStorableJson(text)) return text;
  throw new DomainError('invalid_input', `${field} must not hold NUL characters or unpaired surrogates.`, {
    details: { field },
  });
}

/** Bit for bit, with NaN and ±Infinity as PostgreSQL reads them; String(-0) would be '0'. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

export function timeText(time: Date): string {
  const year = time instanceof Date ? time.getUTCFullYear() : Number.NaN;
  // ISO 8601 beyond these years has a sign and six digits, which PostgreSQL does not read.
  if (year >= 1 && year <= 9999) return time.toISOString();
  throw new DomainError('invalid_input', 'A time must be a valid Date of the years 1 to 9999.');
}

/** An array literal of one dimension. */
export function arrayText<Value>(
  values: Iterable<Value | null>,
  text: (value: Value) => string = (value) => storableText(String(value), 'value'),
): string {
  const elements = Array.from(values, (value) => (value === null ? 'NULL' : quoted(text(value))));
  return `{${elements.join(',')}}`;
}

// The text NULL, a comma or a brace would mean something else without the quotes.
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
