import { sumOf } from '../arithmetic/compensated-sum.ts';
import {
  refuseOverflow,
  requireFiniteValues,
  requireOpenProbability,
  requireSameLength,
  requireWeights,
} from '../inputs.ts';
import { defined, type Outcome, ratio, undefinedBecause } from '../outcome.ts';

/** Rows with a true and a predicted value. */
export interface RegressionRows {
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/** Errors of predicted numbers, in the unit of the values but for r2. */
export interface RegressionReport {
  /** Mean absolute error. */
  readonly mae: Outcome;
  /** Root of the mean square error. */
  readonly rmse: Outcome;
  /** Mean of predicted - actual. */
  readonly bias: Outcome;
  /** 1 - Σ (y - ŷ)² / Σ (y - ȳ)²; below 0 for predictions worse than the mean. Undefined where all values are equal. */
  readonly r2: Outcome;
}

/** Errors of predicted numbers; undefined without rows. Throws `invalid_input` for values that are not finite. */
export function regressionReport(rows: RegressionRows): RegressionReport {
  const { n, actual, error, weightOf, total } = checked(rows);
  const noRows = 'There are no rows.';
  const mean = (of: (i: number) => number) =>
    ratio(
      sumOf(n, (i) => weightOf(i) * of(i)),
      total,
      noRows,
    );
  const square = mean((i) => error(i) ** 2);
  refuseOverflow(square);
  return {
    mae: mean((i) => Math.abs(error(i))),
    rmse: square.value === null ? square : defined(Math.sqrt(square.value)),
    bias: mean(error),
    r2: square.value === null ? square : explained(square.value, mean, actual, firstCounted(n, weightOf)),
  };
}

/** Beside a row of no weight equal values would differ by what rounding leaves of their distance from it. */
function firstCounted(n: number, weightOf: (i: number) => number): number {
  let i = 0;
  while (i < n && weightOf(i) === 0) i += 1;
  return i;
}

/** Two passes, so that an offset of 1e9 costs no digits. */
function explained(
  square: number,
  mean: (of: (i: number) => number) => Outcome,
  actual: ArrayLike<number>,
  firstRow: number,
): Outcome {
  const first = actual[firstRow] ?? 0;
  const shift = mean((i) => (actual[i] ?? 0) - first).value ?? 0;
  const spread = mean((i) => ((actual[i] ?? 0) - first - shift) ** 2).value ?? 0;
  refuseOverflow({ shift, spread });
  return spread === 0 ? undefinedBecause('All values are equal.') : defined(1 - square / spread);
}

/** Mean pinball loss of predicted quantiles of a level: max(level (y - ŷ), (level - 1) (y - ŷ)). Undefined without rows. */
export function pinballLoss(rows: RegressionRows, level: number): Outcome {
  requireOpenProbability('level', level);
  const { n, error, weightOf, total } = checked(rows);
  const loss = (i: number) => Math.max(-level * error(i), (1 - level) * error(i));
  const losses = refuseOverflow({ total: sumOf(n, (i) => weightOf(i) * loss(i)) });
  return ratio(losses.total, total, 'There are no rows.');
}

function checked({ actual, predicted, weights }: RegressionRows) {
  requireSameLength('actual', actual, 'predicted', predicted);
  requireFiniteValues('actual', actual);
  requireFiniteValues('predicted', predicted);
  if (weights !== undefined) requireWeights('weights', weights, actual.length);
  const n = actual.length;
  const weightOf = (i: number) => (weights === undefined ? 1 : (weights[i] ?? 0));
  const error = (i: number) => (predicted[i] ?? 0) - (actual[i] ?? 0);
  return { n, actual, error, weightOf, total: sumOf(n, weightOf) };
}
