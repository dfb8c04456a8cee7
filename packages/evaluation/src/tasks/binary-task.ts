import {
  aucInterval,
  averagePrecision,
  brierScore,
  type Costs,
  calibrationErrors,
  calibrationTable,
  countReport,
  logLoss,
  type Outcome,
  type Proportion,
  rocAuc,
  thresholdCurve,
  wilsonInterval,
} from '@mcp-hub/stats';
import type { Cell, MetricValue } from '../evaluations/evaluation-parts.ts';
import { type MetricInterval, metricOf, type Task, takeNumbers } from './task.ts';

export interface BinaryRows {
  /** 1 for positive, else 0. */
  readonly labels: Uint8Array;
  readonly scores: ArrayLike<number>;
  readonly weights?: ArrayLike<number> | undefined;
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
      ...countMetrics(rows, alpha),
      ...(probabilities ? lossMetrics(rows) : noLosses),
    ],
    cells: (rows) => Object.values(countsAt(rows, threshold)).filter(({ n }) => n > 0),
  };

  function countMetrics(rows: BinaryRows, alpha: number | undefined): readonly MetricValue[] {
    const { tp, fp, tn, fn } = countsAt(rows, threshold);
    const report = countReport({ tp: tp.weight, fp: fp.weight, tn: tn.weight, fn: fn.weight }, { zeroDivision: null });
    const share = (metric: string, outcome: Outcome, successes: number, n: number) =>
      metricOf(metric, outcome, { interval: rows.weights === undefined ? wilson({ successes, n }, alpha) : undefined });
    const n = rows.labels.length;
    const weight = tp.weight + fp.weight + tn.weight + fn.weight;
    const ofAll = (part: number): Outcome => {
      return weight === 0 ? { value: null, reason: 'There are no rows.' } : { value: part / weight, reason: null };
    };
    const cost = fp.weight * costs.falsePositive + fn.weight * costs.falseNegative;
    return [
      share('accuracy', report.accuracy, tp.n + tn.n, n),
      share('precision', report.precision, tp.n, tp.n + fp.n),
      share('recall', report.recall, tp.n, tp.n + fn.n),
      share('specificity', report.specificity, tn.n, tn.n + fp.n),
      metricOf('f1', report.f1),
      metricOf('mcc', report.mcc),
      metricOf('cohen_kappa', report.cohenKappa),
      share('prevalence', ofAll(tp.weight + fn.weight), tp.n + fn.n, n),
      share('predicted_positive_rate', ofAll(tp.weight + fp.weight), tp.n + fp.n, n),
      metricOf('mean_cost', ofAll(cost)),
    ];
  }

  function lossMetrics({ labels, scores, weights }: BinaryRows): readonly MetricValue[] {
    const rows = { labels, probabilities: scores, ...(weights === undefined ? {} : { weights }) };
    const errors = calibrationErrors(calibrationTable(rows, { bins }));
    const of = (key: 'expected' | 'rootMeanSquare' | 'maximum'): Outcome =>
      errors.value === null ? errors : { value: errors.value[key], reason: null };
    return [
      metricOf('brier', brierScore(rows)),
      metricOf('log_loss', logLoss(rows)),
      metricOf('calibration_error', of('expected')),
      metricOf('calibration_error_rms', of('rootMeanSquare')),
      metricOf('calibration_error_max', of('maximum')),
    ];
  }
}

const noLosses: readonly MetricValue[] = [
  'brier',
  'log_loss',
  'calibration_error',
  'calibration_error_rms',
  'calibration_error_max',
].map((metric) => metricOf(metric, { value: null, reason: 'The scores are not probabilities from 0 to 1.' }));

function rankMetrics(rows: BinaryRows, alpha: number | undefined): readonly MetricValue[] {
  const { labels, scores, weights } = rows;
  const curve = thresholdCurve({ labels, scores, ...(weights === undefined ? {} : { weights }) });
  const deLong = alpha === undefined || weights !== undefined ? undefined : aucInterval(labels, scores, alpha).value;
  const interval = deLong ? ({ method: 'delong', bounds: deLong.interval } as const) : undefined;
  return [metricOf('roc_auc', rocAuc(curve), { interval }), metricOf('average_precision', averagePrecision(curve))];
}

/** Wilson's interval of a share of rows; none without rows, or where no level is asked for. */
export function wilson(proportion: Proportion, alpha: number | undefined): MetricInterval | undefined {
  const bounds = alpha === undefined ? null : wilsonInterval(proportion, alpha).value;
  return bounds === null ? undefined : { method: 'wilson', bounds };
}

type CountedCell = Cell & { n: number; weight: number };

function countsAt({ labels, scores, weights }: BinaryRows, threshold: number) {
  const cell = (trueLabel: string, predictedLabel: string): CountedCell => ({
    trueLabel,
    predictedLabel,
    n: 0,
    weight: 0,
  });
  const counts = { tp: cell('1', '1'), fp: cell('0', '1'), fn: cell('1', '0'), tn: cell('0', '0') };
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
