import { PREDICTION_LIMITS } from '../limits.ts';
import type { ColumnKind, ExportColumn, RowEncoder } from './export-columns.ts';

type Writer = InstanceType<typeof import('hyparquet-writer').ParquetWriter>;
type Schema = Writer['schema'];
type ColumnSource = Parameters<Writer['write']>[0]['columnData'][number];

const types = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  number: { type: 'DOUBLE' },
  // UTC, by the format's definition.
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON' },
} as const satisfies Record<ColumnKind, Omit<Schema[number], 'name'>>;

/** Parquet, compressed by Snappy, in row groups of which one is in memory. A missing value is null, NaN is itself. */
export async function parquetEncoder(columns: readonly ExportColumn[]): Promise<RowEncoder> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: schemaOf(columns), createdBy: 'mcp-hub' });
  const { exportGroupRows, exportGroupValues } = PREDICTION_LIMITS;
  const groupRows = Math.max(1, Math.min(exportGroupRows, Math.floor(exportGroupValues / columns.length)));
  let group = emptyGroup(columns);

  /** What was written since the last time. The writer's own count of bytes goes on. */
  const taken = (): Uint8Array | undefined => {
    if (bytes.index === 0) return undefined;
    const copy = bytes.getBytes().slice();
    bytes.index = 0;
    return copy;
  };
  const writeGroup = () => {
    const columnData = columns.map(({ name, kind }, place) => columnOf(name, kind, group[place] ?? []));
    // Without a writer's flush it writes at once and gives no promise.
    void writer.write({ columnData, rowGroupSize: groupRows });
    group = emptyGroup(columns);
  };
  return {
    write: (rows) => {
      for (const row of rows) {
        // By columns: the rows themselves would take several times as much.
        for (const [place, { valueOf }] of columns.entries()) group[place]?.push(valueOf(row) ?? null);
        if (group[0]?.length === groupRows) writeGroup();
      }
      return taken();
    },
    end: () => {
      if (group[0]?.length !== 0) writeGroup();
      void writer.finish();
      return taken();
    },
  };
}

const emptyGroup = (columns: readonly ExportColumn[]): unknown[][] => columns.map(() => []);

const schemaOf = (columns: readonly ExportColumn[]): Schema => [
  { name: 'predictions', num_children: columns.length },
  ...columns.map(({ name, kind, isRequired }) => ({
    name,
    ...types[kind],
    repetition_type: isRequired ? ('REQUIRED' as const) : ('OPTIONAL' as const),
  })),
];

// A dictionary has one place for 0 and -0.
const columnOf = (name: string, kind: ColumnKind, data: unknown[]): ColumnSource =>
  kind === 'number' ? { name, data, encoding: 'PLAIN' } : { name, data };
