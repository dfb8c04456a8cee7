import type { Prediction } from '../ledger/prediction.ts';
import type { ExportColumn, RowEncoder } from './export-columns.ts';

/**
 * CSV by RFC 4180 in UTF-8, with a line of names. A missing value is empty, an empty text is `""`; numbers are in the
 * shortest form that reads back the same, with `NaN`, `Infinity` and `-Infinity`.
 *
 * @param escapeFormulas puts an apostrophe before text that a spreadsheet would take for a formula.
 */
export async function csvEncoder(columns: readonly ExportColumn[], escapeFormulas: boolean): Promise<RowEncoder> {
  const { stringify } = await import('csv-stringify/sync');
  const encoder = new TextEncoder();
  const options = {
    escape_formulas: escapeFormulas,
    // Empty text, and what readers take for the end of a line.
    quoted_match: [/^$/, /[\r\n\u2028\u2029]/],
    record_delimiter: '\r\n',
    cast: { number: (value: number) => (Object.is(value, -0) ? '-0' : String(value)) },
  };
  const encode = (rows: readonly (readonly unknown[])[]) => encoder.encode(stringify([...rows], options));
  const valuesOf = (row: Prediction) =>
    columns.map(({ kind, valueOf }) => {
      const value = valueOf(row);
      if (value === null || value === undefined) return null;
      return value instanceof Date ? value.toISOString() : kind === 'json' ? JSON.stringify(value) : value;
    });
  let isBegun = false;
  const head = () => {
    if (isBegun) return [];
    isBegun = true;
    return [columns.map(({ name }) => name)];
  };
  return {
    write: (rows) => encode([...head(), ...rows.map(valuesOf)]),
    end: () => (isBegun ? undefined : encode(head())),
  };
}
