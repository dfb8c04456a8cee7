import { DomainError } from '../errors.ts';
import { arrayText, jsonText, numberText, storableText, timeText } from '../value/value-text.ts';

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
  try {
    return value === null ? '\\N' : escaped(plainText(value));
  } catch (error) {
    const why = error instanceof DomainError ? error.message : 'It has no text form.';
    throw new DomainError(
      'invalid_input',
      `Row ${index} has a value in column ${position} that cannot be stored. ${why}`,
      {
        details: { index, column: position },
      },
    );
  }
}

function plainText(value: Exclude<CopyValue, null> | undefined): string {
  switch (typeof value) {
    case 'string':
      return storableText(value, 'The text');
    case 'number':
      return numberText(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 't' : 'f';
    case 'object':
      if (value instanceof Date) return timeText(value);
      if (value instanceof Float64Array) return arrayText(value, numberText);
      if (isArray(value)) return arrayText(value, elementText);
      return jsonText(value, 'The document');
    default:
      throw new DomainError('invalid_input', 'Pass null for no value.');
  }
}

const elementText = (element: string | number | boolean) =>
  typeof element === 'number' ? numberText(element) : storableText(String(element), 'An element');

// Array.isArray does not narrow readonly arrays.
const isArray = (value: object): value is readonly (string | number | boolean | null)[] => Array.isArray(value);
