import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionSubject } from '@mcp-hub/registry';
import { z } from 'zod';
import { insertPredictions } from './insert-predictions.ts';
import { type FeaturePlaces, growLedger, openLedger } from './open-ledger.ts';
import type { PredictionInput } from './prediction-input.ts';
import { type FoundFeatures, type PreparedPrediction, preparePrediction } from './prepare-predictions.ts';

/** Predictions that are checked without a pause. */
const AT_ONCE = 5_000;

const manyPredictions = z.custom<readonly PredictionInput[]>((given) => Array.isArray(given), 'must be an array');

export const RecordPredictionsInput = z
  .strictObject({ ...versionSubject, predictions: manyPredictions })
  .refine(namesOneVersion, ONE_VERSION);
export type RecordPredictionsInput = Readonly<z.input<typeof RecordPredictionsInput>>;

export interface RecordedPredictions {
  /** The version that was resolved. */
  readonly versionId: string;
  readonly recorded: number;
  /** Predictions whose id was recorded before, in this call or another. */
  readonly repeated: number;
}

/**
 * Records predictions of one version, all or none, any number.
 *
 * It waits for no other transaction that records, but where both name new features of the version or send the same ids.
 *
 * @throws DomainError `not_found` without the version; naming the prediction's index, `invalid_input` for a value outside
 *   the limits, a time outside of 2000 to 2099 or more than an hour ahead, an id of another time than `at`, a feature of
 *   another kind than before; `conflict` for an id that was recorded with other content.
 */
export async function recordPredictions(tx: TenantTx, input: RecordPredictionsInput): Promise<RecordedPredictions> {
  const { predictions: given, ...subject } = parseInput(RecordPredictionsInput, input);
  const opened = await openLedger(tx, subject);
  // From the kinds that the version has: of two predictions that differ the one is wrong that differs from these.
  const found = knownFeatures(opened.places);
  const rows: PreparedPrediction[] = [];
  for (const [index, prediction] of given.entries()) {
    rows.push(preparePrediction(prediction, index, opened.now, found));
    // A million take seconds, in which the process has other things to do.
    if (index % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const ledger = await growLedger(tx, opened, found);
  const recorded = rows.length === 0 ? 0 : await insertPredictions(tx, ledger, inOrder(rows));
  return { versionId: ledger.versionId, recorded, repeated: rows.length - recorded };
}

function knownFeatures({ numbers, categories }: FeaturePlaces): FoundFeatures {
  const found: FoundFeatures = new Map();
  for (const name of numbers.keys()) found.set(name, { kind: 'number', index: 0 });
  for (const name of categories.keys()) found.set(name, { kind: 'category', index: 0 });
  return found;
}

/** Of ids, so that two calls with the same ids do not wait for each other in a circle. */
function inOrder(rows: readonly PreparedPrediction[]): readonly PreparedPrediction[] {
  const isAfter = ({ id }: PreparedPrediction, index: number) => index === 0 || id >= (rows[index - 1]?.id ?? '');
  return rows.every(isAfter)
    ? rows
    : rows.toSorted(({ id: one }, { id: other }) => (one < other ? -1 : one === other ? 0 : 1));
}
