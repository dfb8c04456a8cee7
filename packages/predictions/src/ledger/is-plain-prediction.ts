import { PREDICTION_LIMITS } from '../limits.ts';
import type { PredictionInput } from './prediction-input.ts';
import type { FoundFeatures } from './prepare-predictions.ts';
import { predictionSources } from './schema.ts';

// Printable ASCII without a space at the ends: what most names are. Others are left to the schema.
const plainName = /^[!-~](?:[ -~]*[!-~])?$/;
const plainText = /^[ -~]*$/;
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const isName = (value: unknown, length: number) =>
  typeof value === 'string' && value.length <= length && plainName.test(value);
const isText = (value: unknown, length: number) =>
  typeof value === 'string' && value.length <= length && plainText.test(value);
const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/**
 * Whether PredictionInput takes a prediction as it is, told without it: for one with 20 features the schema takes 25 us and
 * more, this and making the id 6, the server 17 to store it. False means nothing: what has text beyond ASCII, or names a feature
 * that is not among `found`, is for the schema to judge. A test holds the two against each other.
 */
export function isPlainPrediction(given: PredictionInput, found: FoundFeatures): boolean {
  const fields: unknown = given;
  if (!isPlainObject(fields)) return false;
  for (const key in fields) {
    if (!isPlainField(key, fields[key], found)) return false;
  }
  return true;
}

function isPlainField(key: string, value: unknown, found: FoundFeatures): boolean {
  switch (key) {
    case 'id':
      return typeof value === 'string' && uuidV7.test(value);
    case 'at':
      return value instanceof Date && !Number.isNaN(value.getTime());
    case 'subject':
      return isName(value, PREDICTION_LIMITS.subjectLength);
    case 'label':
      return value === null || isText(value, PREDICTION_LIMITS.labelLength);
    case 'score':
      return value === null || typeof value === 'number';
    case 'output':
      return true;
    case 'features':
      return isPlainFeatures(value, found);
    case 'latencyMs':
      return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
    case 'source':
      return (predictionSources as readonly unknown[]).includes(value);
    case 'batchJobId':
    case 'runId':
      return value === null || (typeof value === 'string' && uuid.test(value));
    case 'experiment':
    case 'variant':
      return value === null || isName(value, PREDICTION_LIMITS.experimentLength);
    default:
      return false;
  }
}

function isPlainFeatures(features: unknown, found: FoundFeatures): boolean {
  if (!isPlainObject(features)) return false;
  for (const name in features) {
    const value = features[name];
    const kind = found.get(name)?.kind;
    if (typeof value === 'number' ? kind !== 'number' : kind !== 'category') return false;
    if (typeof value === 'string' ? !isText(value, PREDICTION_LIMITS.categoryLength) : typeof value === 'object') {
      return false;
    }
    if (value === undefined) return false;
  }
  return true;
}
