import { defined, type Outcome, ratio } from '../outcome.ts';

/** What 0 / 0 counts as: 0, 1, or null, which makes the value undefined and keeps it out of averages. */
export type ZeroDivision = 0 | 1 | null;

/** Precision, recall and F1 of a class or over classes. */
export interface PrecisionRecall {
  readonly precision: Outcome;
  readonly recall: Outcome;
  readonly f1: Outcome;
}

/** Precision, recall and F1 of counts. */
export function precisionRecall(tp: number, fp: number, fn: number, zeroDivision: ZeroDivision = 0): PrecisionRecall {
  const quotient = (above: number, below: number, reason: string): Outcome =>
    below === 0 && zeroDivision !== null ? defined(zeroDivision) : ratio(above, below, reason);
  return {
    precision: quotient(tp, tp + fp, 'The class was never predicted.'),
    recall: quotient(tp, tp + fn, 'The class does not occur.'),
    f1: quotient(2 * tp, 2 * tp + fp + fn, 'The class neither occurs nor was predicted.'),
  };
}
