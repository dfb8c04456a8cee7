import { ChartError } from '../errors.ts';
import { requireAmount } from '../require-rows.ts';

/** What a binary classifier counts at one threshold, as rows of threshold_analysis hold it: positive is score >= threshold. */
export interface CountsAtThreshold {
  /** Infinity: nothing is positive. */
  readonly threshold: number;
  /** Counts or weights. */
  readonly tp: number;
  readonly fp: number;
  readonly tn: number;
  readonly fn: number;
}

/** The rows of one classifier under a name. */
export interface CurveInput {
  readonly name: string;
  /** In any order. */
  readonly rows: readonly CountsAtThreshold[];
}

export interface OrderedCounts<Row extends CountsAtThreshold> {
  /** From the highest threshold, at which least is positive, to the lowest. */
  readonly rows: readonly Row[];
  readonly positives: number;
  readonly negatives: number;
}

/** Checks the rows of one evaluation and puts them in order. */
export function orderCounts<Row extends CountsAtThreshold>(given: readonly Row[]): OrderedCounts<Row> {
  const rows = given.toSorted((a, b) => (a.threshold === b.threshold ? 0 : b.threshold - a.threshold));
  for (const { threshold, tp, fp, tn, fn } of rows) {
    if (Number.isNaN(threshold)) throw new ChartError('invalid_input', 'threshold must be a number in each row.');
    for (const [name, value] of Object.entries({ tp, fp, tn, fn })) requireAmount(name, value);
  }
  const [first] = rows;
  const positives = first === undefined ? 0 : first.tp + first.fn;
  const negatives = first === undefined ? 0 : first.fp + first.tn;
  // Sums of weights differ in their last bits.
  const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(a, b);
  for (const [position, { threshold, tp, fp, tn, fn }] of rows.entries()) {
    if (!near(tp + fn, positives) || !near(fp + tn, negatives)) {
      throw new ChartError(
        'invalid_input',
        'rows must be those of one evaluation: tp + fn and fp + tn must not change.',
      );
    }
    if (rows[position - 1]?.threshold === threshold) {
      throw new ChartError('invalid_input', 'rows must be those of one evaluation: each threshold once.');
    }
  }
  return { rows, positives, negatives };
}
