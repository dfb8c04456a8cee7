import {
  aucIntervalOfCurve,
  averagePrecision,
  type BinaryCounts,
  brierScore,
  type CalibrationBin,
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
import { lastAtLeast } from './last-at-least.ts';
import { metricOf, numberColumn, type Task, takeNumbers } from './task.ts';

export interface BinaryInput {
  /** 1 for positive, else 0. */
  readonly labels: Uint8Array;
  readonly scores: ArrayLike<number>;
  readonly weights?: ArrayLike<number> | undefined;
}

/** In columns of one kind each, so that each loop meets one kind of array and stays fast. */
export interface BinaryRows extends BinaryInput {
  readonly scores: Float64Array;
  readonly weights?: Float64Array | undefined;
  /** Those of these rows, where they are known already. */
  readonly curve?: ThresholdCurve | undefined;
  readonly calibration?: readonly CalibrationBin[] | undefined;
}

/** The rows in columns; a value that is not a number becomes one that the statistics refuse. */
export function binaryColumns({ labels, scores, weights }: BinaryInput): BinaryRows {
  return { labels, scores: numberColumn(scores), weights: weights === undefined ? undefined : numberColumn(weights) };
}

/** The curve of rows. */
export function curveOf({ labels, scores, weights, curve }: BinaryRows): ThresholdCurve {
  return curve ?? thresholdCurve({ labels, scores, ...(weights === undefined ? {} : { weights }) });
}

/** The calibration of rows whose scores are probabilities. */
export function calibrationOf({ labels, scores, weights, calibration }: BinaryRows, bins: number) {
  return (
    calibration ??
    calibrationTable({ labels, probabilities: scores, ...(weights === undefined ? {} : { weights }) }, { bins })
  );
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
      weights: weights === undefined ? undefined : takeNumbers(weights, numbers),
    }),
    metrics: (rows, alpha) => [
      ...rankMetrics(rows, alpha),
      ...countMetrics(countsAt(rows, threshold), { costs, alpha: rows.weights === undefined ? alpha : undefined }),
      ...(probabilities ? lossesOf(rows) : noLosses),
    ],
    cells: (rows) => Object.values(countsAt(rows, threshold)).filter(({ n }) => n > 0),
  };

  function lossesOf(rows: BinaryRows): readonly MetricValue[] {
    const { labels, scores, weights } = rows;
    const predicted = { labels, probabilities: scores, ...(weights === undefined ? {} : { weights }) };
    return lossMetrics({
      brier: brierScore(predicted),
      logLoss: logLoss(predicted),
      calibration: calibrationErrors(calibrationOf(rows, bins)),
    });
  }
}

function rankMetrics(rows: BinaryRows, alpha: number | undefined): readonly MetricValue[] {
  const curve = curveOf(rows);
  const deLong = alpha === undefined || rows.weights !== undefined ? undefined : aucIntervalOfCurve(curve, alpha).value;
  const interval = deLong ? ({ method: 'delong', bounds: deLong.interval } as const) : undefined;
  return [metricOf('roc_auc', rocAuc(curve), { interval }), metricOf('average_precision', averagePrecision(curve))];
}

function countsAt(rows: BinaryRows, threshold: number): CountedCells {
  const { curve, weights } = rows;
  const isKnown = curve !== undefined && weights === undefined;
  const n = isKnown ? outcomesOfCurve(curve, threshold) : outcomesAt(rows, threshold);
  const weight = weights === undefined ? n : outcomesAt(rows, threshold, weights);
  const cells = newCells();
  for (const outcome of ['tp', 'fp', 'fn', 'tn'] as const) {
    cells[outcome].n = n[outcome];
    cells[outcome].weight = weight[outcome];
  }
  return cells;
}

/** Rows, or their weight, by outcome. */
function outcomesAt({ labels, scores }: BinaryRows, threshold: number, weights?: Float64Array): BinaryCounts {
  let tp = 0;
  let fp = 0;
  let fn = 0;
  let tn = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights === undefined ? 1 : (weights[row] ?? 0);
    // Products, since a processor guesses wrongly which way labels in no order go.
    const ofPositive = weight * (labels[row] ?? 0);
    const ofNegative = weight - ofPositive;
    const isPredicted = (scores[row] ?? Number.NaN) >= threshold ? 1 : 0;
    tp += ofPositive * isPredicted;
    fp += ofNegative * isPredicted;
    fn += ofPositive * (1 - isPredicted);
    tn += ofNegative * (1 - isPredicted);
  }
  return { tp, fp, fn, tn };
}

function outcomesOfCurve(curve: ThresholdCurve, threshold: number): BinaryCounts {
  const at = lastAtLeast(curve.thresholds, threshold);
  const [tp, fp] = [curve.tp[at] ?? 0, curve.fp[at] ?? 0];
  return { tp, fp, fn: curve.positives - tp, tn: curve.negatives - fp };
}

/** Sum of weights, in the order of the rows. */
export function totalOf(weights: ArrayLike<number>): number {
  let total = 0;
  for (let row = 0; row < weights.length; row++) total += weights[row] ?? 0;
  return total;
}
