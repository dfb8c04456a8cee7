import { DomainError, type Id, isDomainError, parseInput } from '@mcp-hub/db-core';
import {
  namesOneVersion,
  ONE_VERSION,
  parseModelReference,
  type VersionSubject,
  versionSubject,
} from '@mcp-hub/registry';
import { z } from 'zod';
import { isPlainPrediction } from '../ledger/is-plain-prediction.ts';
import type { PredictionInput } from '../ledger/prediction-input.ts';
import { type FoundFeatures, preparePrediction } from '../ledger/prepare-predictions.ts';
import type { KnownFeatures } from './known-features.ts';

/** A prediction with the version that made it: by name and version, by versionId, or by a reference `model/version`. */
export type WriterPrediction = VersionSubject & PredictionInput;

/** A prediction as the writer had taken it: with its id, to be sent again as it is. */
export type TakenPrediction = WriterPrediction & { readonly id: Id<'Prediction'> };

/** What waits to be written. */
export interface QueuedPrediction {
  readonly id: Id<'Prediction'>;
  /** The same for all predictions that name their version in the same way. */
  readonly versionKey: string;
  readonly subject: VersionSubject;
  /** A copy without the output: what the caller does to the objects afterwards changes nothing. */
  readonly prediction: PredictionInput;
  /** JSON. */
  readonly output: string | null;
  /** About what it takes in memory. */
  readonly bytes: number;
}

const Version = z.strictObject(versionSubject).refine(namesOneVersion, ONE_VERSION);

/**
 * Checks a prediction, gives it its id and takes a copy. `known` only makes the check faster.
 *
 * @throws DomainError `invalid_input`, also for an alias or a stage.
 */
export function takePrediction(given: WriterPrediction, now: Date, known: KnownFeatures): QueuedPrediction {
  if (typeof given !== 'object' || given === null) {
    throw new DomainError('invalid_input', 'A prediction must be an object.');
  }
  const { name, version, versionId, reference, ...input } = given;
  const versionKey = [versionId, reference, name, version].join('\0');
  const subject = { name, version, versionId, reference };
  const passed = known.of(versionKey);
  if (passed === undefined) {
    parseInput(Version, subject);
    refuseMoving(reference);
  }
  const isPlain = passed !== undefined && isPlainPrediction(input, passed);
  const features: FoundFeatures = isPlain ? passed : new Map();
  try {
    const prepared = preparePrediction(input, 0, now, features);
    if (!isPlain) known.learn(versionKey, features);
    // The rest of what was given is a copy already.
    const prediction: Mutable<PredictionInput> = prepared.given === input ? input : { ...prepared.given };
    prediction.id = prepared.id;
    if (prediction.output !== undefined) prediction.output = undefined;
    if (prediction.features !== undefined) prediction.features = { ...prediction.features };
    if (prediction.at !== undefined) prediction.at = new Date(prediction.at);
    const { output } = prepared;
    const id = prepared.id as Id<'Prediction'>;
    return { id, versionKey, subject, prediction, output, bytes: bytesOf(prediction, output) };
  } catch (error) {
    throw withoutIndex(error, 0);
  }
}

type Mutable<Form> = { -readonly [Key in keyof Form]: Form[Key] };

function refuseMoving(reference: string | undefined): void {
  if (reference === undefined || 'version' in parseModelReference(reference)) return;
  throw new DomainError(
    'invalid_input',
    'reference must read model/version: an alias or stage may lead elsewhere by the time it is written. Take the version from resolveModel when the model is loaded.',
    { details: { field: 'reference' } },
  );
}

/** In the form of what was given. */
export function givenAgain({ id, subject, prediction, output }: QueuedPrediction): TakenPrediction {
  const fields = Object.entries({ ...subject, ...recordable({ prediction, output }) });
  return { ...Object.fromEntries(fields.filter(([, value]) => value !== undefined)), id };
}

/** As recordPredictions takes it. */
export function recordable({ prediction, output }: Pick<QueuedPrediction, 'prediction' | 'output'>): PredictionInput {
  return output === null ? prediction : { ...prediction, output: JSON.parse(output) };
}

const OBJECT_BYTES = 400;

function bytesOf({ subject, label, features }: PredictionInput, output: string | null): number {
  let bytes = OBJECT_BYTES + (subject?.length ?? 0) + (label?.length ?? 0) + (output?.length ?? 0);
  for (const name in features) {
    const value = features[name];
    bytes += 16 + name.length + (typeof value === 'string' ? value.length : 0);
  }
  return bytes;
}

/** The error of one prediction, whose place in a batch its caller knows nothing of. */
export function withoutIndex(error: unknown, index: number): unknown {
  if (!isDomainError(error)) return error;
  const row = `predictions[${index}]`;
  const named = (text: string, whole: string) => text.replaceAll(`${row}.`, '').replaceAll(row, whole);
  const { index: _, field, ...details } = error.details;
  const own = typeof field === 'string' ? { field: named(field, '') } : {};
  return new DomainError(error.code, named(error.message, 'The prediction'), {
    details: { ...details, ...own },
    cause: error.cause,
  });
}
