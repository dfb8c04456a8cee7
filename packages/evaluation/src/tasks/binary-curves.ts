import {
  type BestThresholds,
  bestThresholds,
  type CalibrationBin,
  type Costs,
  calibrationTable,
  type Outcome,
  type ThresholdCurve,
  thinCurve,
  thresholdRow,
} from '@mcp-hub/stats';
import type { CalibrationPart, ThresholdPart } from '../evaluations/evaluation-parts.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import type { BinaryRows } from './binary-task.ts';
import { lastAtLeast } from './last-at-least.ts';

/**
 * The rows of threshold_analysis of a curve: each distinct score up to a limit, else exact quantile cut points; and always
 * the thresholds that are best, all that tie up to a limit, the highest first.
 */
export function thresholdParts(
  curve: ThresholdCurve,
  costs: Costs,
  limit: number,
): { readonly thresholds: readonly ThresholdPart[]; readonly parameters: Readonly<Record<string, unknown>> } {
  const best = bestThresholds(curve, costs);
  const tied = (of: Outcome<BestThresholds>) =>
    new Set(of.value?.thresholds.slice(0, EVALUATION_LIMITS.tiedThresholds));
  const [bestF1, bestYouden, bestCost] = [tied(best.f1), tied(best.youden), tied(best.cost)];
  const kept = new Set([...thinCurve(curve, limit).thresholds, ...bestF1, ...bestYouden, ...bestCost]);
  // Of a million thresholds some thousand are kept: to look for each takes less than to ask all.
  const indexes = Uint32Array.from(kept, (threshold) => lastAtLeast(curve.thresholds, threshold)).sort();
  const thresholds = Array.from(indexes, (index): ThresholdPart => {
    const { threshold, tp, fp, tn, fn, precision, recall, specificity, f1, cost } = thresholdRow(curve, index, costs);
    return {
      ...{ threshold, tp, fp, tn, fn, precision, recall, specificity, f1, cost },
      ...{ bestF1: bestF1.has(threshold), bestYouden: bestYouden.has(threshold), bestCost: bestCost.has(threshold) },
    };
  });
  const ties = (of: Outcome<BestThresholds>) => of.value?.thresholds.length ?? 0;
  return {
    thresholds,
    parameters: {
      distinctScores: curve.thresholds.length,
      tiedForBest: { f1: ties(best.f1), youden: ties(best.youden), cost: ties(best.cost) },
    },
  };
}

/** The rows of calibration_bins from the table of the rows. */
export function calibrationParts(
  { labels, scores, weights }: BinaryRows,
  table: readonly CalibrationBin[],
): readonly CalibrationPart[] {
  const counts =
    weights === undefined ? table : calibrationTable({ labels, probabilities: scores }, { bins: table.length });
  return table.map(({ lower, upper, n, meanPredicted, observedRate }, bin) => ({
    ...{ lower, upper, weight: n, n: counts[bin]?.n ?? 0 },
    ...{ meanScore: meanPredicted, positiveRate: observedRate },
  }));
}
