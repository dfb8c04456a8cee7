import { DomainError, isDomainError, jsonText, newId, parseInput, timeOfId } from '@mcp-hub/db-core';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { isPlainPrediction } from './is-plain-prediction.ts';
import { type FeatureKind, otherKind } from './open-ledger.ts';
import { PredictionInput } from './prediction-input.ts';

/** A prediction that has passed. */
export interface PreparedPrediction {
  /** In the batch, from 0. */
  readonly index: number;
  /** Lower case. */
  readonly id: string;
  /** JSON. */
  readonly output: string | null;
  readonly given: PredictionInput;
}

/** The features that predictions name, with the kind of each, and the first prediction that says so. */
export type FoundFeatures = Map<string, { readonly kind: FeatureKind; readonly index: number }>;

const OneInput = z.strictObject({ predictions: z.array(PredictionInput) });

/**
 * Checks one prediction, gives it its id and notes its features among `found`.
 *
 * @throws DomainError `invalid_input` that names the index.
 */
export function preparePrediction(
  input: PredictionInput,
  index: number,
  now: Date,
  found: FoundFeatures,
): PreparedPrediction {
  let given = input;
  if (!isPlainPrediction(input, found)) {
    given = checked(input, index);
    noteFeatures(found, given.features, index);
  }
  return { index, id: idOf(given, index, now), output: outputText(given.output, index), given };
}

function checked(given: PredictionInput, index: number): PredictionInput {
  try {
    return parseInput(OneInput, { predictions: [given] }).predictions[0] ?? given;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    const named = (text: string) => text.replace('predictions[0]', `predictions[${index}]`);
    const field = named(String(error.details['field'] ?? ''));
    throw new DomainError(error.code, named(error.message), { details: { ...error.details, field, index } });
  }
}

const earliest = Date.UTC(2000);
const end = Date.UTC(2100);

function idOf({ id, at }: PredictionInput, index: number, now: Date): string {
  const time = id === undefined ? (at ?? now) : timeOfId(id);
  const ms = time.getTime();
  if (at !== undefined && at.getTime() !== ms) {
    throw badField(index, 'id', 'must carry the time that at says, to the millisecond: make it by newId(at)');
  }
  const field = id === undefined ? 'at' : 'id';
  if (ms < earliest || ms >= end) throw badField(index, field, 'must be a time of the years 2000 to 2099');
  if (ms > now.getTime() + PREDICTION_LIMITS.aheadMs) {
    throw badField(index, field, `must be at most ${PREDICTION_LIMITS.aheadMs} ms ahead of the clock`);
  }
  return id?.toLowerCase() ?? newId(time);
}

function badField(index: number, name: string, rule: string): DomainError {
  const field = `predictions[${index}].${name}`;
  return new DomainError('invalid_input', `${field} ${rule}.`, { details: { field, index } });
}

function outputText(output: unknown, index: number): string | null {
  if (output === undefined || output === null) return null;
  let text: string;
  try {
    text = jsonText(output, `predictions[${index}].output`);
  } catch (error) {
    if (!isDomainError(error)) throw error;
    throw new DomainError(error.code, error.message, { details: { ...error.details, index } });
  }
  const limit = PREDICTION_LIMITS.outputLength;
  if (text.length <= limit) return text;
  throw badField(index, 'output', `must have at most ${limit} characters as JSON, not ${text.length}`);
}

function noteFeatures(found: FoundFeatures, features: PredictionInput['features'], index: number): void {
  for (const [name, value] of Object.entries(features ?? {})) {
    if (value === null) continue;
    const kind = typeof value === 'number' ? 'number' : 'category';
    const known = found.get(name);
    if (known === undefined) found.set(name, { kind, index });
    else if (known.kind !== kind) throw otherKind(index, kind);
  }
}
