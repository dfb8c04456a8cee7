import { sum } from '../arithmetic/compensated-sum.ts';
import { StatsError } from '../errors.ts';
import { requireSameLength, requireWeights } from '../inputs.ts';
import { type BinaryLabels, binaryLabels } from './labels.ts';

/** Rows with a label and the predicted probability that it is positive. */
export interface PredictedRows {
  readonly labels: BinaryLabels;
  readonly probabilities: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/** Checked rows, with labels as 0 and 1, and their total weight. Throws `invalid_input` for probabilities outside [0, 1]. */
export function checkedRows({ labels, probabilities, weights }: PredictedRows) {
  requireSameLength('labels', labels, 'probabilities', probabilities);
  if (weights !== undefined) requireWeights('weights', weights, labels.length);
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] ?? Number.NaN;
    if (!(p >= 0 && p <= 1)) throw new StatsError('probabilities must be from 0 to 1. Calibrate scores first.');
  }
  return {
    positive: binaryLabels('labels', labels),
    probabilities,
    weightOf: (i: number) => (weights === undefined ? 1 : (weights[i] ?? 0)),
    total: weights === undefined ? labels.length : sum(weights),
  };
}
