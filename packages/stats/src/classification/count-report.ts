import { differenceOfProducts } from '../arithmetic/exact.ts';
import { refuseOverflow, requireNonNegative } from '../inputs.ts';
import { defined, type Outcome, ratio, undefinedBecause } from '../outcome.ts';
import { type PrecisionRecall, precisionRecall, type ZeroDivision } from './precision-recall.ts';

/** Counts, or weights, of a binary classifier at one threshold. */
export interface BinaryCounts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/** Metrics of a binary classifier at one threshold. */
export interface CountReport extends PrecisionRecall {
  readonly accuracy: Outcome;
  readonly specificity: Outcome;
  /** 0 where all rows or all predictions are of one class. */
  readonly mcc: Outcome;
  readonly cohenKappa: Outcome;
}

/**
 * Metrics of the four counts, which may be as large as numbers are: products are taken by roots, or in twice the precision.
 */
export function countReport(
  { tp, fp, fn, tn }: BinaryCounts,
  { zeroDivision = 0 }: { readonly zeroDivision?: ZeroDivision } = {},
): CountReport {
  for (const [name, count] of Object.entries({ tp, fp, fn, tn })) requireNonNegative(name, count);
  const n = tp + fp + fn + tn;
  const noRows = 'There are no rows.';
  const excess = differenceOfProducts(tp, tn, fp, fn);
  const below = Math.sqrt(tp + fp) * Math.sqrt(tp + fn) * Math.sqrt(tn + fp) * Math.sqrt(tn + fn);
  refuseOverflow({ excess, below });
  const chance = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn);
  return {
    accuracy: ratio(tp + tn, n, noRows),
    ...precisionRecall(tp, fp, fn, zeroDivision),
    specificity: ratio(tn, tn + fp, 'There are no negative rows.'),
    mcc: n === 0 ? undefinedBecause(noRows) : defined(below === 0 ? 0 : excess / below),
    cohenKappa: ratio(2 * excess, chance, n === 0 ? noRows : 'All rows and all predictions are of one class.'),
  };
}
