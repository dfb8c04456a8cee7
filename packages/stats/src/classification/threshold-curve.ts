import { StatsError } from '../errors.ts';
import { requireFiniteValues, requireSameLength, requireWeights } from '../inputs.ts';
import { type BinaryLabels, binaryLabels } from './labels.ts';

/**
 * What a binary classifier would find at each threshold: row i counts the rows with score >= thresholds[i].
 *
 * Distinct scores in descending order, in columns. Counts are weights where rows had weights.
 */
export interface ThresholdCurve {
  readonly thresholds: Float64Array;
  readonly tp: Float64Array;
  readonly fp: Float64Array;
  readonly positives: number;
  readonly negatives: number;
}

export interface ScoredRows {
  readonly labels: BinaryLabels;
  readonly scores: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/**
 * The curve behind ROC, precision and recall, and costs, from labels and scores in any order.
 *
 * Rows of weight 0 do not count. Without weights it sorts the scores of each class by itself and merges them, which costs
 * about as much as one sort of all; with weights it sorts row numbers. Throws `invalid_input` for labels other than 0 and 1
 * and for scores that are not finite.
 */
export function thresholdCurve({ labels, scores, weights }: ScoredRows): ThresholdCurve {
  requireSameLength('labels', labels, 'scores', scores);
  requireFiniteValues('scores', scores);
  const positive = binaryLabels('labels', labels);
  if (weights === undefined) return ofClasses(...split(positive, scores));
  requireWeights('weights', weights, scores.length);
  return ofRows(positive, scores, weights);
}

function split(positive: Uint8Array, scores: ArrayLike<number>): [Float64Array, Float64Array] {
  let count = 0;
  for (const label of positive) count += label;
  const ofPositive = new Float64Array(count);
  const ofNegative = new Float64Array(positive.length - count);
  let p = 0;
  let n = 0;
  for (let i = 0; i < positive.length; i++) {
    // -0 and 0 are one score.
    const score = (scores[i] ?? 0) + 0;
    if (positive[i] === 1) ofPositive[p++] = score;
    else ofNegative[n++] = score;
  }
  return [ofPositive.sort(), ofNegative.sort()];
}

/** Merges the ascending scores of both classes from their ends. */
function ofClasses(ofPositive: Float64Array, ofNegative: Float64Array): ThresholdCurve {
  const columns = newColumns(ofPositive.length + ofNegative.length);
  let p = ofPositive.length;
  let n = ofNegative.length;
  let rows = 0;
  while (p > 0 || n > 0) {
    const a = p > 0 ? (ofPositive[p - 1] ?? 0) : -Infinity;
    const b = n > 0 ? (ofNegative[n - 1] ?? 0) : -Infinity;
    const threshold = a > b ? a : b;
    while (p > 0 && ofPositive[p - 1] === threshold) p--;
    while (n > 0 && ofNegative[n - 1] === threshold) n--;
    columns.thresholds[rows] = threshold;
    columns.tp[rows] = ofPositive.length - p;
    columns.fp[rows] = ofNegative.length - n;
    rows++;
  }
  return { ...cut(columns, rows), positives: ofPositive.length, negatives: ofNegative.length };
}

function ofRows(positive: Uint8Array, scores: ArrayLike<number>, weights: ArrayLike<number>): ThresholdCurve {
  const order = Uint32Array.from(scores, (_, i) => i).filter((i) => (weights[i] ?? 0) > 0);
  order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const columns = newColumns(order.length);
  let tp = 0;
  let fp = 0;
  let rows = 0;
  order.forEach((row, k) => {
    const weight = weights[row] ?? 0;
    if (positive[row] === 1) tp += weight;
    else fp += weight;
    const next = order[k + 1];
    if (next !== undefined && scores[next] === scores[row]) return;
    columns.thresholds[rows] = scores[row] ?? 0;
    columns.tp[rows] = tp;
    columns.fp[rows] = fp;
    rows++;
  });
  return { ...cut(columns, rows), positives: tp, negatives: fp };
}

type Columns = Pick<ThresholdCurve, 'thresholds' | 'tp' | 'fp'>;

function newColumns(length: number): Columns {
  return { thresholds: new Float64Array(length), tp: new Float64Array(length), fp: new Float64Array(length) };
}

function cut(columns: Columns, rows: number): Columns {
  const { thresholds, tp, fp } = columns;
  if (rows === thresholds.length) return columns;
  return { thresholds: thresholds.slice(0, rows), tp: tp.slice(0, rows), fp: fp.slice(0, rows) };
}

/**
 * At most `limit` rows of a curve, where it has more: the first at which each k-th of the rows, of `limit`, is reached, so
 * the thresholds are exact quantiles of the scores. The last row is kept.
 */
export function thinCurve(curve: ThresholdCurve, limit: number): ThresholdCurve {
  if (!(Number.isInteger(limit) && limit >= 1)) throw new StatsError('limit must be an integer of at least 1.');
  const { thresholds, tp, fp, positives, negatives } = curve;
  if (thresholds.length <= limit) return curve;
  const share = (positives + negatives) / limit;
  const kept: number[] = [];
  let next = share;
  for (let i = 0; i < thresholds.length; i++) {
    const reached = (tp[i] ?? 0) + (fp[i] ?? 0);
    if (reached < next && i < thresholds.length - 1) continue;
    kept.push(i);
    next = (Math.floor(reached / share) + 1) * share;
  }
  // Rounding of weights may leave the last row by itself.
  const rows = kept.length > limit ? [...kept.slice(0, limit - 1), thresholds.length - 1] : kept;
  const of = (column: Float64Array) => Float64Array.from(rows, (i) => column[i] ?? 0);
  return { thresholds: of(thresholds), tp: of(tp), fp: of(fp), positives, negatives };
}
