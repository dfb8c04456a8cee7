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
  readonly threshold: number;
  readonly costs: Costs;
  readonly bins: number;
  readonly alpha: number;
  readonly isWeighted: boolean;
  /** Whether the scores of all rows are from 0 to 1. */
  readonly probabilities: boolean;
}

/** The metrics of a binary classifier from sums of its rows, as binaryTask has them from rows. */
export function summaryMetrics(summary: BinarySummary, options: SummaryOptions): readonly MetricValue[] {
  const { threshold, costs, alpha, isWeighted, probabilities } = options;
  const cells = countedCells(summary.parts, threshold);
  return [
    ...rankMetrics(summary, options),
    ...countMetrics(cells, { costs, alpha: isWeighted ? undefined : alpha }),
    ...(probabilities ? losses(summary, options) : noLosses),
  ];
}

/** The confusion at the threshold; cells without rows are left out. */
export function summaryCells({ parts }: BinarySummary, threshold: number): readonly Cell[] {
  return Object.values(countedCells(parts, threshold)).filter(({ n }) => n > 0);
}

/** The calibration table. */
export function summaryBins({ parts }: BinarySummary, bins: number): readonly CalibrationPart[] {
  const edges = Array.from({ length: bins }, (_, bin) => bin / bins);
  const placed = parts.map((part) => ({ part, bin: edges.findLastIndex((edge) => edge <= -part.last) }));
  return edges.map((_, bin) => {
    const within = placed.filter((of) => of.bin === bin).map(({ part }) => part);
    const n = within.reduce((total, part) => total + part.n, 0);
    const weight = totalOf(within, ({ w }) => w);
    const positive = totalOf(within, ({ y, w }) => (y === 1 ? w : 0));
    return {
      ...{ lower: bin / bins, upper: (bin + 1) / bins, n, weight },
      meanScore: weight === 0 ? null : totalOf(within, ({ score_sum }) => score_sum) / weight,
      positiveRate: weight === 0 ? null : positive / weight,
    };
  });
}

function rankMetrics(summary: BinarySummary, { alpha, isWeighted }: SummaryOptions): readonly MetricValue[] {
  const { positives, negatives, parts, ties } = summary;
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
  const area = isWeighted
    ? 1 - (totalOf(parts, ({ middles }) => middles) - Number(ties.pairs)) / (2 * positives) / negatives
    : areaOfCounts(summary);
  const interval = isWeighted ? undefined : deLongInterval(summary, area, alpha);
  return [metricOf('roc_auc', { value: area, reason: null }, { interval }), metricOf('average_precision', average)];
}

function areaOfCounts(summary: BinarySummary): number {
  const { positives, negatives } = summary;
  const pairs = BigInt(2 * negatives) * BigInt(positives);
  return Number(pairs - placements(summary).sum) / (2 * positives) / negatives;
}

/** DeLong's, as aucInterval of packages/stats: the variance of placements, here of whole numbers and exact. */
function deLongInterval(summary: BinarySummary, area: number, alpha: number): MetricInterval | undefined {
  const { positives, negatives } = summary;
  if (positives < 2 || negatives < 2) return undefined;
  const { sum, squaresOfPositives, squaresOfNegatives } = placements(summary);
  const varianceOf = (own: number, others: number, total: bigint, squares: bigint) =>
    Number(BigInt(own) * squares - total * total) / (4 * own * others * others) / (own * (own - 1));
  const pairs = BigInt(2 * negatives) * BigInt(positives);
  const variance =
    varianceOf(positives, negatives, sum, squaresOfPositives) +
    varianceOf(negatives, positives, pairs - sum, squaresOfNegatives);
  const half = normal().inverseSf(alpha / 2) * Math.sqrt(variance);
  return { method: 'delong', bounds: [Math.max(0, area - half), Math.min(1, area + half)] };
}

/**
 * The placements of rows: for each one how many of the other class are at least as high and how many are higher, together.
 *
 * With f negative rows at least as high as the i-th positive one, those of a positive row are 2f, and of the negative rows it
 * raises those n - f below it from 2(i - 1) to 2i, so their squares by 4(2i - 1). What ties change comes from the statement.
 */
function placements({ negatives, parts, ties }: BinarySummary) {
  let [sum, squaresOfPositives, squaresOfNegatives] = [0n, 0n, 0n];
  for (const { y, a, n, before: reached, others, squares, ranks } of parts) {
    if (y === 0) continue;
    const [rows, before, start, beyond] = [BigInt(n), BigInt(reached), BigInt(a - 1), BigInt(others)];
    const odd = (start + rows) ** 2n - start ** 2n;
    sum += rows * before + beyond;
    squaresOfPositives += rows * before ** 2n + 2n * before * beyond + BigInt(squares);
    squaresOfNegatives += (BigInt(negatives) - before) * odd - 2n * BigInt(ranks) + beyond;
  }
  return {
    sum: 2n * sum - BigInt(ties.pairs),
    squaresOfPositives: 4n * squaresOfPositives - BigInt(ties.of_positives),
    squaresOfNegatives: 4n * squaresOfNegatives + BigInt(ties.of_negatives),
  };
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

function countedCells(parts: readonly PartSums[], threshold: number) {
  const cells = newCells();
  for (const name of ['tp', 'fp', 'fn', 'tn'] as const) {
    const isPredicted = name === 'tp' || name === 'fp';
    const y = name === 'tp' || name === 'fn' ? 1 : 0;
    const within = parts.filter((part) => part.y === y && -part.last >= threshold === isPredicted);
    cells[name].n = within.reduce((total, { n }) => total + n, 0);
    cells[name].weight = totalOf(within, ({ w }) => w);
  }
  return cells;
}
