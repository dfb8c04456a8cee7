import {
  averagePrecision,
  brierScore,
  type Costs,
  calibrationErrors,
  normal,
  type Outcome,
  rocAuc,
  type ThresholdCurve,
} from '@mcp-hub/stats';
import type { CalibrationPart, Cell, MetricValue } from '../evaluations/evaluation-parts.ts';
import { countMetrics, lossMetrics, newCells, noLosses } from '../tasks/binary-metrics.ts';
import { type MetricInterval, metricOf } from '../tasks/task.ts';
import type { BinarySummary, PartSums } from './binary-summary.ts';
import { totalOf } from './total-of.ts';

export interface SummaryOptions {
  readonly costs: Costs;
  readonly bins: number;
  readonly alpha: number;
  readonly isWeighted: boolean;
  /** Whether the scores of all rows are from 0 to 1. */
  readonly probabilities: boolean;
}

/** The metrics of a binary classifier from sums of its rows, as binaryTask has them from rows. */
export function summaryMetrics(summary: BinarySummary, options: SummaryOptions): readonly MetricValue[] {
  const { costs, alpha, isWeighted, probabilities } = options;
  const cells = countedCells(summary.parts);
  return [
    ...rankMetrics(summary, options),
    ...countMetrics(cells, { costs, alpha: isWeighted ? undefined : alpha }),
    ...(probabilities ? losses(summary, options) : noLosses),
  ];
}

/** The confusion at the threshold; cells without rows are left out. */
export function summaryCells({ parts }: BinarySummary): readonly Cell[] {
  return Object.values(countedCells(parts)).filter(({ n }) => n > 0);
}

/** The calibration table. */
export function summaryBins({ parts }: BinarySummary, bins: number): readonly CalibrationPart[] {
  return Array.from({ length: bins }, (_, bin) => {
    const within = parts.filter((part) => part.bin === bin);
    const n = within.reduce((total, part) => total + part.n, 0);
    const weight = totalOf(within, ({ w }) => w);
    const positive = totalOf(within, ({ y, w }) => y * w);
    return {
      ...{ lower: bin / bins, upper: (bin + 1) / bins, n, weight },
      meanScore: weight === 0 ? null : totalOf(within, ({ score_sum }) => score_sum) / weight,
      positiveRate: weight === 0 ? null : positive / weight,
    };
  });
}

function rankMetrics(summary: BinarySummary, { alpha, isWeighted }: SummaryOptions): readonly MetricValue[] {
  const { positives, negatives, parts } = summary;
  const none = new Float64Array();
  // Of no thresholds: says what is undefined, and why.
  const empty: ThresholdCurve = { thresholds: none, tp: none, fp: none, positives, negatives };
  const precision = averagePrecision(empty);
  const average: Outcome =
    positives === 0
      ? precision
      : { value: totalOf(parts, ({ precision_sum }) => precision_sum) / positives, reason: null };
  const undefinedArea = rocAuc(empty);
  if (undefinedArea.value === null) {
    return [metricOf('roc_auc', undefinedArea), metricOf('average_precision', average)];
  }
  const ofPositives = parts.filter(({ y }) => y === 1);
  const area = isWeighted
    ? 1 - totalOf(ofPositives, ({ middles }) => Number(middles)) / (2 * positives) / negatives
    : Number(BigInt(2 * negatives) * BigInt(positives) - bigTotal(ofPositives, 'middles')) /
      (2 * positives) /
      negatives;
  const interval = isWeighted ? undefined : deLongInterval(summary, area, alpha);
  return [metricOf('roc_auc', { value: area, reason: null }, { interval }), metricOf('average_precision', average)];
}

/** DeLong's, as aucInterval of packages/stats: the variance of placements, here of whole numbers and exact. */
function deLongInterval(summary: BinarySummary, area: number, alpha: number): MetricInterval | undefined {
  const { positives, negatives, parts } = summary;
  if (positives < 2 || negatives < 2) return undefined;
  const varianceOf = (y: 0 | 1, own: number, others: number) => {
    const of = parts.filter((part) => part.y === y);
    const n = BigInt(own);
    const sum = bigTotal(of, 'middles');
    return Number(n * bigTotal(of, 'squares') - sum * sum) / (4 * own * others * others) / (own * (own - 1));
  };
  const variance = varianceOf(1, positives, negatives) + varianceOf(0, negatives, positives);
  const half = normal().inverseSf(alpha / 2) * Math.sqrt(variance);
  return { method: 'delong', bounds: [Math.max(0, area - half), Math.min(1, area + half)] };
}

function losses(summary: BinarySummary, { bins }: SummaryOptions): readonly MetricValue[] {
  const { parts } = summary;
  const weight = summary.positives + summary.negatives;
  const mean = (of: (part: PartSums) => number): Outcome =>
    weight === 0 ? brierScore({ labels: [], probabilities: [] }) : { value: totalOf(parts, of) / weight, reason: null };
  const table = summaryBins(summary, bins).map(({ lower, upper, weight: n, meanScore, positiveRate }) => ({
    ...{ lower, upper, n, meanPredicted: meanScore, observedRate: positiveRate },
  }));
  return lossMetrics({
    brier: mean(({ brier_sum }) => brier_sum),
    logLoss: mean(({ log_sum }) => log_sum),
    calibration: calibrationErrors(table),
  });
}

function countedCells(parts: readonly PartSums[]) {
  const cells = newCells();
  for (const part of parts) {
    const [found, missed] = part.y === 1 ? [cells.tp, cells.fn] : [cells.fp, cells.tn];
    found.n += part.predicted_n;
    missed.n += part.n - part.predicted_n;
  }
  const weightOf = (y: 0 | 1, of: (part: PartSums) => number) =>
    totalOf(parts, (part) => (part.y === y ? of(part) : 0));
  cells.tp.weight = weightOf(1, ({ predicted_w }) => predicted_w);
  cells.fp.weight = weightOf(0, ({ predicted_w }) => predicted_w);
  cells.fn.weight = weightOf(1, ({ missed_w }) => missed_w);
  cells.tn.weight = weightOf(0, ({ missed_w }) => missed_w);
  return cells;
}

function bigTotal(parts: readonly PartSums[], of: 'middles' | 'squares'): bigint {
  return parts.reduce((total, part) => total + BigInt(part[of]), 0n);
}
