import { StatsError } from '../errors.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import type { ThresholdCurve } from './threshold-curve.ts';

/**
 * Area under the ROC curve: the share of pairs of a positive and a negative row in which the positive scores higher, ties
 * as half. Undefined where a class does not occur.
 */
export function rocAuc({ tp, fp, positives, negatives }: ThresholdCurve): Outcome {
  if (positives === 0 || negatives === 0) {
    return undefinedBecause(positives + negatives === 0 ? 'There are no rows.' : 'All rows are of one class.');
  }
  let area = 0;
  let tpBefore = 0;
  let fpBefore = 0;
  for (let i = 0; i < tp.length; i++) {
    const tpHere = tp[i] ?? 0;
    const fpHere = fp[i] ?? 0;
    area += ((fpHere - fpBefore) * (tpHere + tpBefore)) / 2;
    tpBefore = tpHere;
    fpBefore = fpHere;
  }
  return defined(area / positives / negatives);
}

/**
 * Average precision Σ (R_n - R_(n-1)) P_n over descending thresholds: the step sum, not the trapezoid.
 *
 * 0 where no row is positive, as scikit-learn; undefined without rows.
 */
export function averagePrecision({ tp, fp, positives, negatives }: ThresholdCurve): Outcome {
  if (positives + negatives === 0) return undefinedBecause('There are no rows.');
  if (positives === 0) return defined(0);
  let total = 0;
  let before = 0;
  for (let i = 0; i < tp.length; i++) {
    const here = tp[i] ?? 0;
    if (here > before) total += (here - before) * (here / (here + (fp[i] ?? 0)));
    before = here;
  }
  return defined(total / positives);
}

/** What a false alarm and a miss cost, in one unit. */
export interface Costs {
  readonly falsePositive: number;
  readonly falseNegative: number;
}

/** A curve's row with its metrics. */
export interface ThresholdRow {
  readonly threshold: number;
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
  readonly precision: number;
  /** The true positive rate; null where no row is positive. */
  readonly recall: number | null;
  /** Null where no row is negative. */
  readonly falsePositiveRate: number | null;
  readonly specificity: number | null;
  readonly f1: number;
  /** Recall + specificity - 1; null where a class does not occur. */
  readonly youden: number | null;
  readonly cost: number;
}

/** The metrics of a row of the curve; costs default to 1 each. */
export function thresholdRow(
  curve: ThresholdCurve,
  index: number,
  costs: Costs = { falsePositive: 1, falseNegative: 1 },
): ThresholdRow {
  const { positives, negatives } = curve;
  if (!(index in curve.thresholds)) throw new StatsError('index must be that of a row of the curve.');
  const tp = curve.tp[index] ?? 0;
  const fp = curve.fp[index] ?? 0;
  const [fn, tn] = [positives - tp, negatives - fp];
  return {
    threshold: curve.thresholds[index] ?? 0,
    tp,
    fp,
    fn,
    tn,
    precision: tp / (tp + fp),
    recall: positives === 0 ? null : tp / positives,
    falsePositiveRate: negatives === 0 ? null : fp / negatives,
    specificity: negatives === 0 ? null : tn / negatives,
    f1: f1Of(positives, tp, fp),
    youden: positives === 0 || negatives === 0 ? null : youdenOf(positives, negatives, tp, fp),
    cost: costOf(positives, tp, fp, costs),
  };
}

/** The best value of a criterion, and every threshold that reaches it, descending. */
export interface BestThresholds {
  readonly value: number;
  readonly thresholds: readonly number[];
}

/** The best thresholds by each criterion. */
export interface BestByCriterion {
  readonly f1: Outcome<BestThresholds>;
  readonly youden: Outcome<BestThresholds>;
  /** The least cost. */
  readonly cost: Outcome<BestThresholds>;
}

/**
 * The thresholds of the greatest F1, the greatest Youden index and the least cost; those within 1e-12 of the best are ties.
 *
 * Undefined without rows; Youden's also where a class does not occur.
 */
export function bestThresholds(
  curve: ThresholdCurve,
  costs: Costs = { falsePositive: 1, falseNegative: 1 },
): BestByCriterion {
  const { thresholds, tp, fp, positives, negatives } = curve;
  // Both passes do all three criteria: on a million thresholds the walk costs more than they do.
  let [f1, youden, cost] = [-Infinity, -Infinity, Infinity];
  for (let i = 0; i < thresholds.length; i++) {
    const hits = tp[i] ?? 0;
    const alarms = fp[i] ?? 0;
    f1 = Math.max(f1, f1Of(positives, hits, alarms));
    youden = Math.max(youden, youdenOf(positives, negatives, hits, alarms));
    cost = Math.min(cost, costOf(positives, hits, alarms, costs));
  }
  const ties: Record<keyof BestByCriterion, number[]> = { f1: [], youden: [], cost: [] };
  const [f1Least, youdenLeast, costMost] = [f1 - reachOf(f1), youden - reachOf(youden), cost + reachOf(cost)];
  for (let i = 0; i < thresholds.length; i++) {
    const hits = tp[i] ?? 0;
    const alarms = fp[i] ?? 0;
    const threshold = thresholds[i] ?? 0;
    if (f1Of(positives, hits, alarms) >= f1Least) ties.f1.push(threshold);
    if (youdenOf(positives, negatives, hits, alarms) >= youdenLeast) ties.youden.push(threshold);
    if (costOf(positives, hits, alarms, costs) <= costMost) ties.cost.push(threshold);
  }
  if (thresholds.length === 0) {
    const none = undefinedBecause('There are no rows.');
    return { f1: none, youden: none, cost: none };
  }
  return {
    f1: defined({ value: f1, thresholds: ties.f1 }),
    youden:
      positives === 0 || negatives === 0
        ? undefinedBecause('All rows are of one class.')
        : defined({ value: youden, thresholds: ties.youden }),
    cost: defined({ value: cost, thresholds: ties.cost }),
  };
}

function reachOf(best: number): number {
  return 1e-12 * Math.max(1, Math.abs(best));
}

function f1Of(positives: number, tp: number, fp: number): number {
  return (2 * tp) / (tp + fp + positives);
}

function youdenOf(positives: number, negatives: number, tp: number, fp: number): number {
  return tp / positives - fp / negatives;
}

function costOf(positives: number, tp: number, fp: number, costs: Costs): number {
  return fp * costs.falsePositive + (positives - tp) * costs.falseNegative;
}
