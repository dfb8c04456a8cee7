import { sumOf } from '../arithmetic/compensated-sum.ts';
import { type BinaryCounts, type CountReport, countReport } from './count-report.ts';
import { type BinaryLabels, binaryLabels } from './labels.ts';
import { checkedRows } from './predicted-rows.ts';

/** Counts and metrics that are to be expected while labels are not there yet. */
export interface EstimatedPerformance extends BinaryCounts, CountReport {}

/**
 * Confidence-based performance estimation: the counts that calibrated probabilities p let expect for predictions, such as
 * tp = Σ p over the rows predicted positive (NannyML's CBPE). Only as right as the calibration is on these rows.
 */
export function estimatedPerformance(input: {
  readonly probabilities: ArrayLike<number>;
  readonly predicted: BinaryLabels;
}): EstimatedPerformance {
  const predicted = binaryLabels('predicted', input.predicted);
  const { probabilities } = checkedRows({ labels: predicted, probabilities: input.probabilities });
  const total = (label: 0 | 1, of: (p: number) => number) =>
    sumOf(predicted.length, (i) => (predicted[i] === label ? of(probabilities[i] ?? 0) : 0));
  const counts: BinaryCounts = {
    tp: total(1, (p) => p),
    fp: total(1, (p) => 1 - p),
    fn: total(0, (p) => p),
    tn: total(0, (p) => 1 - p),
  };
  return { ...counts, ...countReport(counts) };
}
