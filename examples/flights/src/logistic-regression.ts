import { mulberry32, rocAuc, thresholdCurve } from '@mcp-hub/stats';
import type { Example } from './features.ts';

/** A classifier as plain numbers, so that its JSON is its artifact. */
export interface LogisticModel {
  readonly features: readonly string[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly bias: number;
}

export interface FitOptions {
  readonly featureNames: readonly string[];
  readonly epochs: number;
  readonly learningRate: number;
  /** Of the starting weights. */
  readonly seed: number;
  /** Hears of each epoch, and is waited for. */
  readonly onEpoch?: OnEpoch | undefined;
}

/** What an epoch came to. */
export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** The mean log loss with which it began. */
  readonly loss: number;
  readonly durationMs: number;
  /** The model after it. */
  readonly model: LogisticModel;
}

type OnEpoch = (epoch: Epoch) => Promise<void> | undefined;

/** Full-batch gradient descent on the mean log loss of standardised features. The same input gives the same bits. */
export async function fitLogistic(examples: readonly Example[], options: FitOptions): Promise<LogisticModel> {
  const columns = options.featureNames.length;
  const mean = columnMeans(examples, columns);
  const scale = columnDeviations(examples, mean);
  const rows = examples.map(({ features }) => features.map((x, j) => (x - (mean[j] ?? 0)) / (scale[j] ?? 1)));
  const random = mulberry32(options.seed);
  const weights = Float64Array.from({ length: columns }, () => (random() - 0.5) / 100);
  let bias = 0;
  const model = (): LogisticModel => ({ features: options.featureNames, mean, scale, weights: [...weights], bias });
  for (let epoch = 1; epoch <= options.epochs; epoch += 1) {
    const from = performance.now();
    const gradient = new Float64Array(columns);
    let biasGradient = 0;
    let loss = 0;
    for (const [i, row] of rows.entries()) {
      const late = examples[i]?.late === true ? 1 : 0;
      const z = dot(weights, row) + bias;
      const error = sigmoid(z) - late;
      loss += Math.max(z, 0) - late * z + Math.log1p(Math.exp(-Math.abs(z)));
      for (let j = 0; j < columns; j += 1) gradient[j] = (gradient[j] ?? 0) + error * (row[j] ?? 0);
      biasGradient += error;
    }
    const step = options.learningRate / rows.length;
    for (let j = 0; j < columns; j += 1) weights[j] = (weights[j] ?? 0) - step * (gradient[j] ?? 0);
    bias -= step * biasGradient;
    const durationMs = performance.now() - from;
    await options.onEpoch?.({ epoch, loss: loss / rows.length, durationMs, model: model() });
  }
  return model();
}

/** The probability that the flight is late, 0 to 1. */
export function predictLate(model: LogisticModel, features: Float64Array): number {
  const row = features.map((x, j) => (x - (model.mean[j] ?? 0)) / (model.scale[j] ?? 1));
  return sigmoid(dot(model.weights, row) + model.bias);
}

/** Share of (late, punctual) pairs that the scores order rightly: the area under the ROC curve. */
export function areaUnderCurve(model: LogisticModel, examples: readonly Example[]): number {
  const curve = thresholdCurve({
    labels: examples.map(({ late }) => late),
    scores: examples.map(({ features }) => predictLate(model, features)),
  });
  const { value, reason } = rocAuc(curve);
  if (value === null) throw new Error(reason);
  return value;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

function dot(a: ArrayLike<number>, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < b.length; j += 1) sum += (a[j] ?? 0) * (b[j] ?? 0);
  return sum;
}

function columnMeans(examples: readonly Example[], columns: number): number[] {
  return Array.from(
    { length: columns },
    (_, j) => examples.reduce((sum, { features }) => sum + (features[j] ?? 0), 0) / examples.length,
  );
}

function columnDeviations(examples: readonly Example[], mean: readonly number[]): number[] {
  return mean.map((centre, j) => {
    const squares = examples.reduce((sum, { features }) => sum + ((features[j] ?? 0) - centre) ** 2, 0);
    return Math.sqrt(squares / examples.length) || 1;
  });
}
