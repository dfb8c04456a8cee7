import { sum } from '../arithmetic/compensated-sum.ts';
import { productMinusDot } from '../arithmetic/dot-difference.ts';
import { defined, type Outcome, ratio, undefinedBecause } from '../outcome.ts';
import type { ConfusionMatrix, Label } from './confusion-matrix.ts';
import { type PrecisionRecall, precisionRecall, type ZeroDivision } from './precision-recall.ts';

/** One class against all others. Counts are weights where rows had weights. */
export interface ClassReport<L extends Label = Label> extends PrecisionRecall {
  readonly label: L;
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
  /** Rows of the class. */
  readonly support: number;
}

/** Metrics of predicted classes; all but the macro averages are undefined without rows. */
export interface LabelReport<L extends Label = Label> {
  readonly accuracy: Outcome;
  readonly perClass: readonly ClassReport<L>[];
  /** Mean over the classes. */
  readonly macro: PrecisionRecall;
  /** Mean over the classes by support. */
  readonly weighted: PrecisionRecall;
  /** Of the summed counts: for one label a row all three are the accuracy. */
  readonly micro: PrecisionRecall;
  /** Mean recall of the classes that occur. */
  readonly balancedAccuracy: Outcome;
  /** Matthews's coefficient, Gorodkin's R_K for more than two classes; 0 where all rows or predictions are of one class. */
  readonly mcc: Outcome;
  /** Cohen's kappa, and weighted by the distance of the classes in their order, or its square. */
  readonly cohenKappa: Outcome;
  readonly cohenKappaLinear: Outcome;
  readonly cohenKappaQuadratic: Outcome;
}

const noRows = 'There are no rows.';

/**
 * Precision, recall, F1 and their averages, accuracy, MCC and kappa of a confusion matrix, as scikit-learn has them.
 *
 * `zeroDivision` (default 0) concerns 0 / 0 only: F1 is 2 tp / (2 tp + fp + fn), so that a class that occurs but is never
 * found has an F1 of 0. Products of counts are taken in twice the precision.
 */
export function labelReport<L extends Label>(
  matrix: ConfusionMatrix<L>,
  { zeroDivision = 0 }: { readonly zeroDivision?: ZeroDivision } = {},
): LabelReport<L> {
  const { labels, cells } = matrix;
  const actual = cells.map((row) => sum(row));
  const predicted = labels.map((_, j) => sum(cells.map((row) => row[j] ?? 0)));
  const hits = cells.map((row, i) => row[i] ?? 0);
  const n = sum(actual);
  const right = sum(hits);
  const perClass = labels.map((label, i): ClassReport<L> => {
    const [tp, support] = [hits[i] ?? 0, actual[i] ?? 0];
    const [fp, fn] = [(predicted[i] ?? 0) - tp, support - tp];
    return { label, tp, fp, fn, tn: n - tp - fp - fn, support, ...precisionRecall(tp, fp, fn, zeroDivision) };
  });
  const accuracy = ratio(right, n, noRows);
  const occurring = perClass.filter(({ support }) => support > 0);
  return {
    accuracy,
    perClass,
    macro: averaged(perClass, () => 1, 'There are no classes with a value.'),
    weighted: averaged(perClass, ({ support }) => support, noRows),
    micro: { precision: accuracy, recall: accuracy, f1: accuracy },
    balancedAccuracy: ratio(sum(occurring.map(({ tp, support }) => tp / support)), occurring.length, noRows),
    mcc: n === 0 ? undefinedBecause(noRows) : defined(matthews(right, n, predicted, actual)),
    cohenKappa: kappa(cells, actual, predicted, n, (i, j) => (i === j ? 0 : 1)),
    cohenKappaLinear: kappa(cells, actual, predicted, n, (i, j) => Math.abs(i - j)),
    cohenKappaQuadratic: kappa(cells, actual, predicted, n, (i, j) => (i - j) ** 2),
  };
}

function averaged(
  classes: readonly ClassReport[],
  weightOf: (of: ClassReport) => number,
  reason: string,
): PrecisionRecall {
  const average = (metric: keyof PrecisionRecall): Outcome => {
    const parts = classes.flatMap((of) => {
      const { value } = of[metric];
      return value === null ? [] : [{ value, weight: weightOf(of) }];
    });
    return ratio(sum(parts.map(({ value, weight }) => value * weight)), sum(parts.map(({ weight }) => weight)), reason);
  };
  return { precision: average('precision'), recall: average('recall'), f1: average('f1') };
}

/** (c n - Σ p t) / √((n² - Σ p²) (n² - Σ t²)), with n² - Σ p² as Σ p (n - p). */
function matthews(right: number, n: number, predicted: readonly number[], actual: readonly number[]): number {
  const spread = (sums: readonly number[]) => sum(sums.map((s) => s * (n - s)));
  const below = Math.sqrt(spread(predicted)) * Math.sqrt(spread(actual));
  return below === 0 ? 0 : productMinusDot([right, n], predicted, actual) / below;
}

/** 1 - Σ w observed / Σ w expected. */
function kappa(
  cells: readonly (readonly number[])[],
  actual: readonly number[],
  predicted: readonly number[],
  n: number,
  weight: (i: number, j: number) => number,
): Outcome {
  if (n === 0) return undefinedBecause(noRows);
  let observed = 0;
  let expected = 0;
  cells.forEach((row, i) => {
    row.forEach((cell, j) => {
      observed += weight(i, j) * cell;
      expected += weight(i, j) * (actual[i] ?? 0) * ((predicted[j] ?? 0) / n);
    });
  });
  if (expected === 0) return undefinedBecause('All rows and all predictions are of one class.');
  return defined(1 - observed / expected);
}
