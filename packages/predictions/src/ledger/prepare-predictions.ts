import { DomainError, isDomainError, jsonText, newId, parseInput, timeOfId } from '@mcp-hub/db-core';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { type FeatureKind, otherKind } from './open-ledger.ts';
import { type FeatureValue, PredictionInput } from './prediction-input.ts';
import type { PredictionSource } from './schema.ts';

/** A prediction that has passed. */
export interface PreparedPrediction {
  /** In the batch, from 0. */
  readonly index: number;
  /** Lower case. */
  readonly id: string;
  readonly subject: string;
  readonly label: string | null;
  readonly score: number | null;
  /** JSON. */
  readonly output: string | null;
  readonly features: Readonly<Record<string, FeatureValue>> | undefined;
  readonly latencyMs: number | null;
  readonly source: PredictionSource;
  readonly batchJobId: string | null;
  readonly runId: string | null;
  readonly experiment: string | null;
  readonly variant: string | null;
}

/** The features that predictions name, with the kind of each. */
export type FoundFeatures = Map<string, { readonly kind: FeatureKind; readonly index: number }>;

const OneInput = z.strictObject({ predictions: z.array(PredictionInput) });

/** @throws DomainError `invalid_input` that names the index. */
export function preparePrediction(given: PredictionInput, index: number, now: Date): PreparedPrediction {
  const prediction = checked(given, index);
  const id = idOf(prediction, index, now);
  return {
    index,
    id,
    subject: prediction.subject ?? id,
    label: prediction.label ?? null,
    score: prediction.score ?? null,
    output: outputText(prediction.output, index),
    features: prediction.features,
    latencyMs: prediction.latencyMs ?? null,
    source: prediction.source ?? 'online',
    batchJobId: prediction.batchJobId ?? null,
    runId: prediction.runId ?? null,
    experiment: prediction.experiment ?? null,
    variant: prediction.variant ?? null,
  };
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

/** Notes the features of one prediction. @throws DomainError `invalid_input` for one that had the other kind before. */
export function noteFeatures(found: FoundFeatures, { features, index }: PreparedPrediction): void {
  if (features === undefined) return;
  for (const name in features) {
    const value = features[name];
    if (value === null || value === undefined) continue;
    const kind = typeof value === 'number' ? 'number' : 'category';
    const known = found.get(name);
    if (known === undefined) found.set(name, { kind, index });
    else if (known.kind !== kind) throw otherKind(index, kind);
  }
}
