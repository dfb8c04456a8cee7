import { sum } from '../arithmetic/compensated-sum.ts';
import { requireNonNegative, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';

/** Counts of the same categories or bins, in the same order. */
export interface CountPair {
  readonly reference: ArrayLike<number>;
  readonly current: ArrayLike<number>;
}

/** Shares of the same categories. */
export interface SharePair {
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/** Counts by category brought to one order; a category that one side lacks has 0 there. */
export function alignCounts(
  reference: Readonly<Record<string, number>>,
  current: Readonly<Record<string, number>>,
): {
  readonly categories: readonly string[];
  readonly reference: readonly number[];
  readonly current: readonly number[];
} {
  const categories = [...new Set([...Object.keys(reference), ...Object.keys(current)])];
  const of = (counts: Readonly<Record<string, number>>) =>
    categories.map((name) => (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0));
  return { categories, reference: of(reference), current: of(current) };
}

/** Counts as shares. Undefined where a side is empty. Throws `invalid_input` for counts below 0. */
export function sharesOf({ reference, current }: CountPair): Outcome<SharePair> {
  requireSameLength('reference', reference, 'current', current);
  const of = (name: string, counts: ArrayLike<number>) => {
    const values = Array.from(counts, (count) => requireNonNegative(name, count));
    const total = sum(values);
    return total === 0 ? undefined : values.map((count) => count / total);
  };
  const shares = { reference: of('reference', reference), current: of('current', current) };
  if (shares.reference === undefined) return undefinedBecause('The reference is empty.');
  if (shares.current === undefined) return undefinedBecause('The current sample is empty.');
  return defined({ reference: shares.reference, current: shares.current });
}
