import { DomainError } from './errors.ts';

/** What one column of a staged row may hold. Arrays are of one dimension; an object is written as JSON. */
export type CopyValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | null
  | readonly (string | number | boolean | null)[]
  | Float64Array
  | Readonly<Record<string, unknown>>;

// The text format of COPY: tab between values, \N for null, and these four escaped.
const special = /[\\\t\n\r]/;
const specials = /[\\\t\n\r]/g;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escaped = (text: string) =>
  special.test(text) ? text.replace(specials, (found) => escapes[found] ?? found) : text;

/** One row as a line of COPY's text format. `index` is the row's, for the error. */
export function copyLine(row: readonly CopyValue[], index: number): string {
  let line = '';
  for (const [position, value] of row.entries()) {
    if (position > 0) line += '\t';
    line += copyField(value, index, position);
  }
  return `${line}\n`;
}

function copyField(value: CopyValue | undefined, index: number, position: number): string {
  if (value === null) return '\\N';
  switch (typeof value) {
    case 'string':
      if (value.includes('\0')) break;
      return escaped(value);
    case 'number':
      // JavaScript prints NaN and ±Infinity as PostgreSQL reads them; -0 loses its sign in String().
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 't' : 'f';
    case 'object':
      if (value instanceof Date) {
        if (Number.isNaN(value.getTime())) break;
        return value.toISOString();
      }
      if (Array.isArray(value) || value instanceof Float64Array) return escaped(arrayLiteral(value));
      return escaped(JSON.stringify(value));
    case 'undefined':
    default:
  }
  throw new DomainError('invalid_input', `Row ${index} has a value in column ${position} that cannot be stored.`, {
    details: { index, column: position },
  });
}

function arrayLiteral(values: readonly (string | number | boolean | null)[] | Float64Array): string {
  const elements = Array.from<string | number | boolean | null, string>(values, (value) => {
    if (value === null) return 'NULL';
    return typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value);
  });
  return `{${elements.join(',')}}`;
}
