import type { ExportColumn, RowEncoder } from './export-columns.ts';

/**
 * A JSON object a line, all columns in each. JSON has neither NaN nor infinities: they are the texts `"NaN"`, `"Infinity"`
 * and `"-Infinity"`, as in the JSON form of Protocol Buffers; what is missing is null.
 */
export function ndjsonEncoder(columns: readonly ExportColumn[]): RowEncoder {
  const encoder = new TextEncoder();
  const keyed = columns.map(({ name, valueOf }, place) => ({
    key: `${place === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    valueOf,
  }));
  return {
    write: (rows) => {
      let text = '';
      for (const row of rows) {
        for (const { key, valueOf } of keyed) text += key + jsonOf(valueOf(row));
        text += '}\n';
      }
      return encoder.encode(text);
    },
    end: () => undefined,
  };
}

function jsonOf(value: unknown): string {
  if (typeof value !== 'number') return JSON.stringify(value ?? null);
  // As -0 readers of other languages would take it for a whole number, which has no sign.
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return `"${value}"`;
}
