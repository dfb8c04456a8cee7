/** The index of the last of descending numbers that is at least `least`; -1 where none is. */
export function lastAtLeast(descending: Float64Array, least: number): number {
  let [first, end] = [0, descending.length];
  while (first < end) {
    const middle = (first + end) >>> 1;
    if ((descending[middle] ?? 0) >= least) first = middle + 1;
    else end = middle;
  }
  return first - 1;
}
