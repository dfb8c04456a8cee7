import { DomainError } from '../errors.ts';

/** JSON text of a value; what JSON would lose in silence (NaN, infinities, functions) is `invalid_input`. */
export function strictJson(value: unknown, field: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, refuseLosses);
  } catch {
    // A cycle, a bigint, or one of the values below.
  }
  if (text !== undefined) return text;
  throw new DomainError(
    'invalid_input',
    `${field} must be JSON: null, booleans, finite numbers, strings, arrays and plain objects, without cycles.`,
    { details: { field } },
  );
}

/** As strictJson, of at most `bytesMax` bytes. */
export function jsonText(value: unknown, field: string, bytesMax: number): string {
  const text = strictJson(value, field);
  if (Buffer.byteLength(text) <= bytesMax) return text;
  throw new DomainError('invalid_input', `${field} must be at most ${bytesMax} bytes of JSON.`, {
    details: { field, limit: bytesMax },
  });
}

/** JSON by RFC 8785: keys in the order of their UTF-16 code units, no white space, so that equal values are equal text. */
export function canonicalJson(value: unknown, field: string): string {
  return canonical(JSON.parse(strictJson(value, field)) as Json);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

// Numbers and strings: RFC 8785 takes what ECMAScript's JSON.stringify writes.
function canonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

// Array.isArray does not narrow readonly arrays.
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function refuseLosses(_key: string, value: unknown): unknown {
  const lost = typeof value === 'function' || typeof value === 'symbol' || value instanceof Map || value instanceof Set;
  if (lost || (typeof value === 'number' && !Number.isFinite(value))) throw new TypeError('This is no JSON.');
  return value;
}
