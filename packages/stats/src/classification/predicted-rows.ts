import { sum } from '../arithmetic/compensated-sum.ts';
import { StatsError } from '../errors.ts';
import { asColumn, requireSameLength, requireWeights } from '../inputs.ts';
import { type BinaryLabels, binaryLabels } from './labels.ts';

/** Rows with a label and the predicted probability that it is positive. */
export interface PredictedRows {
  readonly labels: BinaryLabels;
  readonly probabilities: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/** The same in columns of one kind each. */
export interface CheckedRows {
  /** 1 for positive, else 0. */
  readonly positive: Uint8Array;
  readonly probabilities: Float64Array;
  readonly weights: Float64Array | undefined;
  /** Rows, or their weight. */
  readonly total: number;
}

/** Checked rows and their total weight. Throws `invalid_input` for probabilities outside [0, 1]. */
export function checkedRows({ labels, probabilities, weights }: PredictedRows): CheckedRows {
  requireSameLength('labels', labels, 'probabilities', probabilities);
  if (weights !== undefined) requireWeights('weights', weights, labels.length);
  return {
    positive: binaryLabels('labels', labels),
    probabilities: probabilityColumn(probabilities),
    weights: weights === undefined ? undefined : asColumn(weights),
    total: weights === undefined ? labels.length : sum(weights),
  };
}

function probabilityColumn(values: ArrayLike<number>): Float64Array {
  const column = asColumn(values);
  for (let index = 0; index < column.length; index++) {
    const p = column[index] ?? Number.NaN;
    if (!(p >= 0 && p <= 1) || typeof values[index] !== 'number') {
      throw new StatsError(`probabilities[${index}] must be from 0 to 1. Calibrate scores first.`, {
        ...{ field: 'probabilities', index },
      });
    }
  }
  return column;
}
