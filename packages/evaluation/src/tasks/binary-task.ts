import {
  aucIntervalOfCurve,
  averagePrecision,
  brierScore,
  type Costs,
  calibrationErrors,
  calibrationTable,
  logLoss,
  rocAuc,
  type ThresholdCurve,
  thresholdCurve,
} from '@mcp-hub/stats';
import type { MetricValue } from '../evaluations/evaluation-parts.ts';
import { type CountedCells, countMetrics, lossMetrics, newCells, noLosses } from './binary-metrics.ts';
import { metricOf, type Task, takeNumbers } from './task.ts';

export interface BinaryRows {
  /** 1 for positive, else 0. */
  readonly labels: Uint8Array;
  readonly scores: ArrayLike<number>;
  readonly weights?: ArrayLike<number> | undefined;
  /** That of these rows, where it is known already. */
  readonly curve?: ThresholdCurve | undefined;
}

export interface BinaryTaskOptions {
  /** A row is predicted positive where score >= threshold. */
  readonly threshold: number;
  readonly costs: Costs;
  readonly bins: number;
  /** Whether scores are probabilities: only then are there losses and calibration. */
  readonly probabilities: boolean;
}

/** Metrics of a binary classifier. Intervals: DeLong's of the area, Wilson's of shares of rows; none with weights. */
export function binaryTask({ threshold, costs, bins, probabilities }: BinaryTaskOptions): Task<BinaryRows> {
  return {
    count: ({ labels }) => labels.length,
    weight: ({ labels, weights }) => (weights === undefined ? labels.length : totalOf(weights)),
    take: ({ labels, scores, weights }, numbers) => ({
      labels: Uint8Array.from(numbers, (row) => labels[row] ?? 0),
      scores: takeNumbers(scores, numbers),
      ...(weights === undefined ? {} : { weights: takeNumbers(weights, numbers) }),
    }),
    metrics: (rows, alpha) => [
      ...rankMetrics(rows, alpha),
      ...countMetrics(countsAt(rows, threshold), { costs, alpha: rows.weights === undefined ? alpha : undefined }),
      ...(probabilities ? lossesOf(rows) : noLosses),
    ],
    cells: (rows) => Object.values(countsAt(rows, threshold)).filter(({ n }) => n > 0),
  };

  function lossesOf({ labels, scores, weights }: BinaryRows): readonly MetricValue[] {
    const rows = { labels, probabilities: scores, ...(weights === undefined ? {} : { weights }) };
    return lossMetrics({
      brier: brierScore(rows),
      logLoss: logLoss(rows),
      calibration: calibrationErrors(calibrationTable(rows, { bins })),
    });
  }
}

function rankMetrics(rows: BinaryRows, alpha: number | undefined): readonly MetricValue[] {
  const { labels, scores, weights } = rows;
  const curve = rows.curve ?? thresholdCurve({ labels, scores, ...(weights === undefined ? {} : { weights }) });
  const deLong = alpha === undefined || weights !== undefined ? undefined : aucIntervalOfCurve(curve, alpha).value;
  const interval = deLong ? ({ method: 'delong', bounds: deLong.interval } as const) : undefined;
  return [metricOf('roc_auc', rocAuc(curve), { interval }), metricOf('average_precision', averagePrecision(curve))];
}

function countsAt({ labels, scores, weights }: BinaryRows, threshold: number): CountedCells {
  const counts = newCells();
  for (let row = 0; row < labels.length; row++) {
    const isPredicted = (scores[row] ?? Number.NaN) >= threshold;
    const counted = labels[row] === 1 ? (isPredicted ? counts.tp : counts.fn) : isPredicted ? counts.fp : counts.tn;
    counted.n++;
    counted.weight += weights === undefined ? 1 : (weights[row] ?? 0);
  }
  return counts;
}

/** Sum of weights, in the order of the rows. */
export function totalOf(weights: ArrayLike<number>): number {
  let total = 0;
  for (let row = 0; row < weights.length; row++) total += weights[row] ?? 0;
  return total;
}
