import { keepsEachKey, nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { predictionSources } from './schema.ts';

/** NaN and ±Infinity are values; zod's own number refuses them. */
export const anyNumber = z.custom<number>((value) => typeof value === 'number', 'must be a number, NaN or an infinity');

export const subjectName = nameInput(PREDICTION_LIMITS.subjectLength);
export const featureName = nameInput(PREDICTION_LIMITS.featureNameLength);
/** Of a predicted or true class; "" is a class of its own. */
export const labelText = textInput(PREDICTION_LIMITS.labelLength);

/** A number; a category as text, true or false; null is as a feature that is not named. */
export type FeatureValue = number | string | boolean | null;

export const featureValue = z.union(
  [anyNumber, textInput(PREDICTION_LIMITS.categoryLength), z.boolean(), z.null()],
  'must be a number, text, true, false or null',
) as unknown as z.ZodType<FeatureValue, FeatureValue>;

const featureRecord = keepsEachKey<Readonly<Record<string, FeatureValue>>>().pipe(z.record(featureName, featureValue));

/** One prediction of a version, as it is recorded. */
export const PredictionInput = z.strictObject({
  /**
   * A v7 id made by the caller for this prediction, `newId(at)`: sent again after a failure, it is not recorded twice. It
   * carries the prediction's time, so `at` is the same or left out. Default: a new one.
   */
  id: z.uuidv7().optional(),
  /** When, to the millisecond. Default: the time of `id`, else that of the transaction. */
  at: z.date().optional(),
  /** The unit that labels and experiments join on, such as an order or a flight. Default: the id's text. */
  subject: subjectName.optional(),
  /** The predicted class. */
  label: labelText.nullish(),
  /** The score of the positive class, or the predicted number. NaN and ±Infinity are stored as themselves. */
  score: anyNumber.nullish(),
  /** All else that the model gave, as JSON. */
  output: z.unknown().optional(),
  features: featureRecord.optional(),
  latencyMs: z.number().min(0).nullish(),
  /** Default: online. */
  source: z.enum(predictionSources).optional(),
  batchJobId: z.uuid().nullish(),
  runId: z.uuid().nullish(),
  experiment: nameInput(PREDICTION_LIMITS.experimentLength).nullish(),
  variant: nameInput(PREDICTION_LIMITS.experimentLength).nullish(),
});
export type PredictionInput = Readonly<z.input<typeof PredictionInput>>;
