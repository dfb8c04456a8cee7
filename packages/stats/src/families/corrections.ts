import { requireProbability } from '../inputs.ts';

/**
 * p values adjusted by Benjamini and Hochberg (1995): from the largest down, the running minimum of p m / rank.
 *
 * In the order of the input. Those at most q hold the false discovery rate at q.
 */
export function benjaminiHochberg(p: readonly number[]): readonly number[] {
  const m = p.length;
  let least = 1;
  return inOrderOf(
    p,
    (a, b) => b - a,
    (value, i) => {
      least = Math.min(least, value * (m / (m - i)));
      return least;
    },
  );
}

/** p values adjusted by Holm (1979): from the smallest up, the running maximum of p (m - i), at most 1. */
export function holm(p: readonly number[]): readonly number[] {
  const m = p.length;
  let most = 0;
  return inOrderOf(
    p,
    (a, b) => a - b,
    (value, i) => {
      most = Math.max(most, Math.min(1, value * (m - i)));
      return most;
    },
  );
}

/** p values adjusted by Bonferroni: p m, at most 1. */
export function bonferroni(p: readonly number[]): readonly number[] {
  return p.map((value) => Math.min(1, requireProbability('p', value) * p.length));
}

/** Walks p in the given order and puts the results back where the values stood. */
function inOrderOf(
  p: readonly number[],
  compare: (a: number, b: number) => number,
  adjust: (value: number, index: number) => number,
): readonly number[] {
  const order = p.map((value, at) => ({ value: requireProbability('p', value), at }));
  order.sort((a, b) => compare(a.value, b.value));
  const adjusted = p.map(() => 0);
  order.forEach(({ value, at }, i) => {
    adjusted[at] = adjust(value, i);
  });
  return adjusted;
}
