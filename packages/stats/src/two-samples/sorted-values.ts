import { requireFiniteValues } from '../inputs.ts';

/** The values in ascending order, in an array of their own. Throws `invalid_input` for one that is not finite. */
export function sortedValues(name: string, values: ArrayLike<number>): Float64Array {
  requireFiniteValues(name, values);
  return Float64Array.from(values).sort();
}

/** Calls `visit` for each distinct value of two ascending arrays, with how many of each are at most it. */
export function walkDistinct(
  x: Float64Array,
  y: Float64Array,
  visit: (countX: number, countY: number, value: number) => void,
): void {
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    const value = Math.min(x[i] ?? Infinity, y[j] ?? Infinity);
    while (i < x.length && x[i] === value) i++;
    while (j < y.length && y[j] === value) j++;
    visit(i, j, value);
  }
}
