import { type Database, parseInput, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION } from '@mcp-hub/registry';
import { z } from 'zod';
import { iteratePredictions } from '../ledger/iterate-predictions.ts';
import { getLedger } from '../ledger/ledgers.ts';
import { predictionWindow } from '../ledger/list-predictions.ts';
import type { Prediction } from '../ledger/prediction.ts';
import { csvEncoder } from './csv-encoder.ts';
import { type ExportColumn, exportColumns, type RowEncoder } from './export-columns.ts';
import { handOut } from './hand-out.ts';
import { ndjsonEncoder } from './ndjson-encoder.ts';
import { parquetEncoder } from './parquet-encoder.ts';

export const exportFormats = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const ExportPredictionsInput = z
  .strictObject({
    ...predictionWindow,
    format: z.enum(exportFormats),
    /** Adds true_label, true_value and observed_at. Default false. */
    withTruth: z.boolean().optional(),
    /** Adds output, as JSON. Default false. */
    withOutput: z.boolean().optional(),
    /**
     * Of CSV: puts an apostrophe before text that begins as a formula of a spreadsheet does. Default true; false for
     * programs, which would read the apostrophe.
     */
    escapeFormulas: z.boolean().optional(),
    /** Ends the export, also where nobody asks for its next bytes. */
    signal: z.instanceof(AbortSignal).optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type ExportPredictionsInput = Readonly<z.input<typeof ExportPredictionsInput>>;

/** Rows a round trip, and bytes that are handed over together. */
const BATCH_ROWS = 1_000;

/**
 * The predictions of a version in a window, in the order of time, as the bytes of a file, in flat memory: for `pipeline`, or
 * for a Response by ReadableStream.from. All are of one moment, the one at which the first bytes were asked for.
 *
 * It holds a connection and a snapshot until it is read to the end, left, or its signal aborts.
 *
 * @throws DomainError `not_found` without the version, or where it has no predictions; `invalid_input`; `unavailable` where
 *   the connection is lost on the way; the reason of `signal`.
 */
export async function* exportPredictions(
  db: Database,
  tenant: string,
  input: ExportPredictionsInput,
): AsyncGenerator<Uint8Array, void, undefined> {
  const given = parseInput(ExportPredictionsInput, input);
  const read = async (tx: TenantTx, hand: (bytes: Uint8Array) => Promise<void>) => {
    const { name, version, versionId, reference, from, to, subject, labelled } = given;
    const ledger = await getLedger(tx, { name, version, versionId, reference });
    const { withTruth = false, withOutput = false } = given;
    const encoder = await encoderOf(given, exportColumns(ledger, { withTruth, withOutput }));
    const window = { versionId: ledger.versionId, from, to, subject, labelled };
    let batch: Prediction[] = [];
    const handOver = async (bytes: Uint8Array | undefined) => {
      if (bytes !== undefined) await hand(bytes);
    };
    for await (const prediction of iteratePredictions(tx, { ...window, batchRows: BATCH_ROWS })) {
      batch.push(prediction);
      if (batch.length < BATCH_ROWS) continue;
      await handOver(encoder.write(batch));
      batch = [];
    }
    if (batch.length > 0) await handOver(encoder.write(batch));
    await handOver(encoder.end());
  };
  // The list of features and the rows are of one snapshot.
  const options = { readOnly: true, isolationLevel: 'repeatable read' } as const;
  yield* handOut<Uint8Array>((hand) => withTenant(db, tenant, (tx) => read(tx, hand), options), given.signal);
}

async function encoderOf(
  { format, escapeFormulas = true }: ExportPredictionsInput,
  columns: readonly ExportColumn[],
): Promise<RowEncoder> {
  switch (format) {
    case 'csv':
      return await csvEncoder(columns, escapeFormulas);
    case 'ndjson':
      return ndjsonEncoder(columns);
    case 'parquet':
      return await parquetEncoder(columns);
  }
}
