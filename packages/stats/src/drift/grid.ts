import { StatsError } from '../errors.ts';
import { requireCount, requireFiniteValues } from '../inputs.ts';
import { quantileOfSorted } from '../resampling/quantile.ts';

/**
 * Bins of a number, frozen: below the first edge, between each two, from the last one on. A value on an edge belongs to the
 * bin above it, as width_bucket has it. -Infinity and Infinity fall into the outer bins; NaN and null are counted apart.
 */
export interface NumberGrid {
  readonly kind: 'number';
  /** Ascending, each once, at least one. */
  readonly edges: readonly number[];
}

/** Bins of a category, frozen: each of `categories`, then the known ones that have no bin of their own, then all others. */
export interface CategoryGrid {
  readonly kind: 'category';
  readonly categories: readonly string[];
  /** Known, and counted together. */
  readonly others: readonly string[];
  /** Whether both lists have all that were known. If not, one that is new cannot be told, and counts as other. */
  readonly isComplete: boolean;
}

export type Grid = NumberGrid | CategoryGrid;

/** The number of bins of a profile over the grid: `under` and `over`, or `other` and `new`, among them. */
export function binCount(grid: Grid): number {
  return grid.kind === 'number' ? grid.edges.length + 1 : grid.categories.length + 2;
}

/** Refuses edges that are none. */
export function requireGrid(grid: Grid): void {
  if (grid.kind === 'category') {
    const known = [...grid.categories, ...grid.others];
    if (new Set(known).size < known.length) throw new StatsError('Each category must stand in a grid once.');
    return;
  }
  requireFiniteValues('edges', grid.edges);
  const isAscending = grid.edges.every((edge, i) => i === 0 || edge > (grid.edges[i - 1] ?? edge));
  if (grid.edges.length === 0 || !isAscending) throw new StatsError('edges must ascend, and be at least one.');
}

/**
 * A grid of about `bins` bins with as many values in each: the least value, the quantiles between, and the next number above
 * the greatest, so that under and over are outside of what was seen. Few distinct values give fewer bins.
 *
 * Infinities and NaN are passed over. Throws without a finite value.
 */
export function quantileGrid(values: ArrayLike<number>, bins = 10): NumberGrid {
  const sorted = Float64Array.from(Array.from(values).filter((value) => Number.isFinite(value))).sort();
  requireCount('bins', bins, 1);
  if (sorted.length === 0) throw new StatsError('A grid needs a finite value.');
  const quantiles = Array.from({ length: bins - 1 }, (_, i) => quantileOfSorted(sorted, (i + 1) / bins));
  return gridOfQuantiles(sorted[0] ?? 0, quantiles, sorted[sorted.length - 1] ?? 0);
}

/** As quantileGrid, of quantiles that were computed elsewhere. */
export function gridOfQuantiles(min: number, quantiles: readonly number[], max: number): NumberGrid {
  const edges = [min, ...quantiles, nextAbove(max)].filter(
    (edge, i, all) => i === 0 || edge > Math.max(...all.slice(0, i)),
  );
  return { kind: 'number', edges };
}

/** The next double above a finite one; the greatest stays. */
export function nextAbove(value: number): number {
  if (value === Number.MAX_VALUE) return value;
  if (value === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const doubles = new Float64Array(bits.buffer);
  doubles[0] = value;
  bits[0] = (bits[0] ?? 0n) + (value > 0 ? 1n : -1n);
  return doubles[0] ?? value;
}

/** A grid with a bin for each of the `bins` most frequent categories; the first by name where counts tie. */
export function categoryGrid(
  counts: ReadonlyMap<string, number>,
  { bins = 30, known = 1_000 }: { readonly bins?: number; readonly known?: number } = {},
): CategoryGrid {
  requireCount('bins', bins, 1);
  requireCount('known', known, bins);
  const order = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([name]) => name);
  return {
    kind: 'category',
    categories: order.slice(0, bins),
    others: order.slice(bins, known),
    isComplete: order.length <= known,
  };
}
