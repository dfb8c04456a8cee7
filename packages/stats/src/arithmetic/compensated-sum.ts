import { sumError } from './exact.ts';

/** The sum of `term(0) … term(length - 1)`, as if computed in twice the precision (Neumaier 1974). */
export function sumOf(length: number, term: (index: number) => number): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < length; i++) {
    const value = term(i);
    const next = total + value;
    lost += sumError(total, value, next);
    total = next;
  }
  return compensated(total, lost);
}

/** The compensated sum of an array; 0 for an empty one. */
export function sum(values: ArrayLike<number>): number {
  // Not by sumOf, whose call for each term costs ten times the addition.
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const next = total + value;
    lost += sumError(total, value, next);
    total = next;
  }
  return compensated(total, lost);
}

/** A sum with what its additions lost; without that where the sum is no number any more. */
export function compensated(total: number, lost: number): number {
  return Number.isFinite(lost) ? total + lost : total;
}
