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
}

/** Full-batch gradient descent on the mean log loss of standardised features. The same input gives the same bits. */
export function fitLogistic(examples: readonly Example[], options: FitOptions): LogisticModel {
  const columns = options.featureNames.length;
  const mean = columnMeans(examples, columns);
  const scale = columnDeviations(examples, mean);
  const rows = examples.map(({ features }) => features.map((x, j) => (x - (mean[j] ?? 0)) / (scale[j] ?? 1)));
  const random = mulberry32(options.seed);
  const weights = Float64Array.from({ length: columns }, () => (random() - 0.5) / 100);
  let bias = 0;
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    const gradient = new Float64Array(columns);
    let biasGradient = 0;
    for (const [i, row] of rows.entries()) {
      const error = sigmoid(dot(weights, row) + bias) - (examples[i]?.late === true ? 1 : 0);
      for (let j = 0; j < columns; j += 1) gradient[j] = (gradient[j] ?? 0) + error * (row[j] ?? 0);
      biasGradient += error;
    }
    const step = options.learningRate / rows.length;
    for (let j = 0; j < columns; j += 1) weights[j] = (weights[j] ?? 0) - step * (gradient[j] ?? 0);
    bias -= step * biasGradient;
  }
  return { features: options.featureNames, mean, scale, weights: [...weights], bias };
}

/** The probability that the flight is late, 0 to 1. */
function predictLate(model: LogisticModel, features: Float64Array): number {
  const row = features.map((x, j) => (x - (model.mean[j] ?? 0)) / (model.scale[j] ?? 1));
  return sigmoid(dot(model.weights, row) + model.bias);
}

/** Share of (late, punctual) pairs that the scores order rightly, ties counting half: the area under the ROC curve. */
export function areaUnderCurve(model: LogisticModel, examples: readonly Example[]): number {
  const scored = examples
    .map(({ features, late }) => ({ score: predictLate(model, features), late }))
    .toSorted((a, b) => a.score - b.score);
  let lateCount = 0;
  let rankSum = 0;
  for (let from = 0; from < scored.length; ) {
    let to = from + 1;
    while (scored[to]?.score === scored[from]?.score) to += 1;
    const lateHere = scored.slice(from, to).filter((row) => row.late).length;
    lateCount += lateHere;
    rankSum += (lateHere * (from + 1 + to)) / 2;
    from = to;
  }
  return (rankSum - (lateCount * (lateCount + 1)) / 2) / (lateCount * (scored.length - lateCount));
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

/** Tommy Ettinger's mulberry32: enough for starting weights. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
