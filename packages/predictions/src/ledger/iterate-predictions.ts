import { parseInput, streamRows, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { isInWindow, namesOneVersionOrNone, ONE_VERSION_OR_NONE, predictionWindow } from './list-predictions.ts';
import { featureReader, type Prediction, type PredictionRow, predictionColumns } from './prediction.ts';
import { predictionLabels, predictionLedgers, predictions } from './schema.ts';

export const IteratePredictionsInput = z
  .strictObject({
    ...predictionWindow,
    /** Rows a round trip and in memory at once, 1 to 10,000. Default 1,000. */
    batchRows: z.int().min(1).max(10_000).optional(),
  })
  .refine(namesOneVersionOrNone, ONE_VERSION_OR_NONE);
export type IteratePredictionsInput = Readonly<z.input<typeof IteratePredictionsInput>>;

/**
 * The predictions of a window in the order of time, with features and labels, in flat memory, as they were when the first was
 * asked for. A round trip a batch; the transaction stays open until the loop ends, which may be early.
 */
export async function* iteratePredictions(
  tx: TenantTx,
  input: IteratePredictionsInput,
): AsyncGenerator<Prediction, void, undefined> {
  const { batchRows = 1_000, ...window } = parseInput(IteratePredictionsInput, input);
  const toPredictions = featureReader(tx);
  const rows = streamRows(
    tx,
    (reader) =>
      reader
        .select(predictionColumns)
        .from(predictions)
        .innerJoin(
          predictionLedgers,
          and(
            eq(predictionLedgers.tenantId, predictions.tenantId),
            eq(predictionLedgers.modelVersionId, predictions.modelVersionId),
          ),
        )
        .leftJoin(
          predictionLabels,
          and(
            eq(predictionLabels.tenantId, predictions.tenantId),
            eq(predictionLabels.modelId, predictionLedgers.modelId),
            eq(predictionLabels.subject, predictions.subject),
          ),
        )
        .where(and(eq(predictions.tenantId, tenantOf(tx)), isInWindow(tx, window)))
        .orderBy(asc(predictions.id)),
    { batchRows },
  );
  let batch: PredictionRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < batchRows) continue;
    yield* await toPredictions(batch);
    batch = [];
  }
  yield* await toPredictions(batch);
}
