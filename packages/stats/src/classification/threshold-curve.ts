import { type DescendingValues, sortDescending } from '../arithmetic/sort-descending.ts';
import { StatsError } from '../errors.ts';
import { asColumn, finiteColumn, requireSameLength, requireWeights } from '../inputs.ts';
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
 * Rows of weight 0 do not count. Sorts the scores once, by their digits, and walks them. Throws `invalid_input` for labels
 * other than 0 and 1 and for scores that are not finite.
 */
export function thresholdCurve({ labels, scores, weights }: ScoredRows): ThresholdCurve {
  requireSameLength('labels', labels, 'scores', scores);
  const column = finiteColumn('scores', scores);
  const positive = binaryLabels('labels', labels);
  if (weights !== undefined) requireWeights('weights', weights, scores.length);
  return walk(sortDescending(column), positive, weights === undefined ? undefined : asColumn(weights));
}

function walk(
  { values, rows }: DescendingValues,
  positive: Uint8Array,
  weights: Float64Array | undefined,
): ThresholdCurve {
  const columns = newColumns(rows.length);
  const { thresholds } = columns;
  let tp = 0;
  let fp = 0;
  let length = 0;
  let before = Number.NaN;
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k] ?? 0;
    const weight = weights === undefined ? 1 : (weights[row] ?? 0);
    if (weight === 0) continue;
    // Labels lie in no order, and a processor guesses wrongly where to go by them; a product it need not guess.
    const label = positive[row] ?? 0;
    tp += weight * label;
    fp += weight * (1 - label);
    const threshold = values[k] ?? 0;
    // A row of the same score comes to the counts of the one before.
    if (threshold !== before) thresholds[length++] = threshold;
    before = threshold;
    columns.tp[length - 1] = tp;
    columns.fp[length - 1] = fp;
  }
  return { ...cut(columns, length), positives: tp, negatives: fp };
}

type Columns = Pick<ThresholdCurve, 'thresholds' | 'tp' | 'fp'>;

function newColumns(length: number): Columns {
  return { thresholds: new Float64Array(length), tp: new Float64Array(length), fp: new Float64Array(length) };
}

function cut({ thresholds, tp, fp }: Columns, rows: number): Columns {
  // Copied only where that frees more than it takes.
  const of = (column: Float64Array) => (2 * rows < column.length ? column.slice(0, rows) : column.subarray(0, rows));
  return { thresholds: of(thresholds), tp: of(tp), fp: of(fp) };
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
