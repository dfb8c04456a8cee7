import { rocAuc } from '../classification/curve-metrics.ts';
import { type BinaryLabels, binaryLabels } from '../classification/labels.ts';
import { thresholdCurve } from '../classification/threshold-curve.ts';
import { requireFiniteValues, requireSameLength } from '../inputs.ts';
import type { Outcome } from '../outcome.ts';
import { type Bootstrap, bootstrap } from '../resampling/bootstrap.ts';

/** The paired bootstrap of the difference of two areas under the ROC curve, first less second; draws of one class are skipped. */
export function aucDifferenceBootstrap(input: {
  readonly labels: BinaryLabels;
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
  readonly seed: number;
  readonly resamples?: number;
  readonly alpha?: number;
}): Outcome<Bootstrap> {
  const { first, second, seed, resamples = 1000, alpha = 0.05 } = input;
  const labels = binaryLabels('labels', input.labels);
  for (const [name, scores] of Object.entries({ first, second })) {
    requireSameLength('labels', labels, name, scores);
    requireFiniteValues(name, scores);
  }
  const drawn = new Uint8Array(labels.length);
  const scored = new Float64Array(labels.length);
  const area = (rows: Uint32Array, scores: ArrayLike<number>) => {
    rows.forEach((row, i) => {
      scored[i] = scores[row] ?? 0;
    });
    return rocAuc(thresholdCurve({ labels: drawn, scores: scored })).value;
  };
  return bootstrap({
    rows: labels.length,
    seed,
    resamples,
    alpha,
    statistic(rows) {
      rows.forEach((row, i) => {
        drawn[i] = labels[row] ?? 0;
      });
      const a = area(rows, first);
      const b = area(rows, second);
      return a === null || b === null ? null : a - b;
    },
  });
}
