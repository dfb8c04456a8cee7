import {
  type CalibrationErrors,
  type Costs,
  countReport,
  type Outcome,
  type Proportion,
  wilsonInterval,
} from '@mcp-hub/stats';
import type { Cell, MetricValue } from '../evaluations/evaluation-parts.ts';
import { type MetricInterval, metricOf } from './task.ts';

// The metrics of a binary classifier by their names, from whatever counted the rows: arrays or SQL.

type CountedCell = Cell & { n: number; weight: number };

/** Rows by what they are and what they are taken for, at one threshold. */
export interface CountedCells {
  readonly tp: CountedCell;
  readonly fp: CountedCell;
  readonly fn: CountedCell;
  readonly tn: CountedCell;
}

/** Cells without rows. */
export function newCells(): CountedCells {
  const cell = (trueLabel: string, predictedLabel: string) => ({ trueLabel, predictedLabel, n: 0, weight: 0 });
  return { tp: cell('1', '1'), fp: cell('0', '1'), fn: cell('1', '0'), tn: cell('0', '0') };
}

/** Metrics at one threshold; shares of rows with Wilson's interval where there is an `alpha`. */
export function countMetrics(
  { tp, fp, fn, tn }: CountedCells,
  { costs, alpha }: { readonly costs: Costs; readonly alpha: number | undefined },
): readonly MetricValue[] {
  const report = countReport({ tp: tp.weight, fp: fp.weight, tn: tn.weight, fn: fn.weight }, { zeroDivision: null });
  const share = (metric: string, outcome: Outcome, successes: number, of: number) =>
    metricOf(metric, outcome, { interval: wilson({ successes, n: of }, alpha) });
  const n = tp.n + fp.n + tn.n + fn.n;
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

/** Losses and calibration of scores that are probabilities. */
export function lossMetrics(of: {
  readonly brier: Outcome;
  readonly logLoss: Outcome;
  readonly calibration: Outcome<CalibrationErrors>;
}): readonly MetricValue[] {
  const error = (key: keyof CalibrationErrors): Outcome =>
    of.calibration.value === null ? of.calibration : { value: of.calibration.value[key], reason: null };
  return [
    metricOf('brier', of.brier),
    metricOf('log_loss', of.logLoss),
    metricOf('calibration_error', error('expected')),
    metricOf('calibration_error_rms', error('rootMeanSquare')),
    metricOf('calibration_error_max', error('maximum')),
  ];
}

/** The same of scores that are none. */
export const noLosses: readonly MetricValue[] = [
  'brier',
  'log_loss',
  'calibration_error',
  'calibration_error_rms',
  'calibration_error_max',
].map((metric) => metricOf(metric, { value: null, reason: 'The scores are not probabilities from 0 to 1.' }));

/** Wilson's interval of a share of rows; none without rows, or where no level is asked for. */
export function wilson(proportion: Proportion, alpha: number | undefined): MetricInterval | undefined {
  const bounds = alpha === undefined ? null : wilsonInterval(proportion, alpha).value;
  return bounds === null ? undefined : { method: 'wilson', bounds };
}
