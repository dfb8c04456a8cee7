import type { Grid } from './grid.ts';
import type { Profile } from './profile.ts';

/** Measures of how far two profiles are apart, over the counts of their bins. */
export const distributionTests = ['psi', 'jensen_shannon', 'hellinger', 'chi_square', 'ks', 'wasserstein'] as const;
export type DistributionTest = (typeof distributionTests)[number];

/** Counts of the same bins. An empty one counts as half a value in logarithms, so that PSI is finite. */
export type CountsDistance = (reference: ArrayLike<number>, current: ArrayLike<number>) => number;

/** The distances that depend on shares alone, by n and m, which splits leave. */
export function sharesDistance(
  test: 'psi' | 'jensen_shannon' | 'hellinger' | 'chi_square',
  n: number,
  m: number,
): CountsDistance {
  const terms: Record<typeof test, (r: number, c: number) => number> = {
    psi: (r, c) => {
      if (r === 0 && c === 0) return 0;
      const [p, q] = [Math.max(r, 0.5) / n, Math.max(c, 0.5) / m];
      return (r / n - c / m) * Math.log(p / q);
    },
    jensen_shannon: (r, c) => {
      const [p, q] = [r / n, c / m];
      const middle = (p + q) / 2;
      return ((p === 0 ? 0 : p * Math.log(p / middle)) + (q === 0 ? 0 : q * Math.log(q / middle))) / 2;
    },
    hellinger: (r, c) => (Math.sqrt(r / n) - Math.sqrt(c / m)) ** 2 / 2,
    chi_square: (r, c) => (r + c === 0 ? 0 : (r / n - c / m) ** 2 / ((r + c) / (n + m))),
  };
  const term = terms[test];
  const sum: CountsDistance = (reference, current) => {
    let total = 0;
    for (let i = 0; i < reference.length; i++) total += term(reference[i] ?? 0, current[i] ?? 0);
    return Math.max(0, total);
  };
  switch (test) {
    case 'psi':
      return sum;
    case 'jensen_shannon':
      return (reference, current) => Math.sqrt(Math.min(1, sum(reference, current) / Math.LN2));
    case 'hellinger':
      return (reference, current) => Math.min(1, Math.sqrt(sum(reference, current)));
    case 'chi_square':
      return (reference, current) => Math.sqrt(sum(reference, current));
  }
}

/**
 * The largest difference of the shares up to an edge: Kolmogorov and Smirnov's D as far as the grid shows it. D of the values
 * themselves is at least this, and at most this and `resolution` more.
 */
export function gridKolmogorov(n: number, m: number): CountsDistance {
  return (reference, current) => {
    let [below, most] = [0, 0];
    for (let i = 0; i < reference.length; i++) {
      below += (reference[i] ?? 0) / n - (current[i] ?? 0) / m;
      most = Math.max(most, Math.abs(below));
    }
    return most;
  };
}

/** The largest share that one side has in one bin: what the grid may hide of a difference of distribution functions. */
export function gridResolution(reference: ArrayLike<number>, current: ArrayLike<number>, n: number, m: number): number {
  let most = 0;
  for (let i = 0; i < reference.length; i++) {
    most = Math.max(most, (reference[i] ?? 0) / n, (current[i] ?? 0) / m);
  }
  return most;
}

/**
 * Wasserstein's first distance of the two histograms, with the values of a bin spread evenly over it, in `unit`s. `points`
 * are the bounds of the bins, one more than these.
 */
export function gridWasserstein(points: readonly number[], n: number, m: number, unit: number): CountsDistance {
  return (reference, current) => {
    let [gap, total] = [0, 0];
    for (let i = 0; i < reference.length; i++) {
      const next = gap + (reference[i] ?? 0) / n - (current[i] ?? 0) / m;
      const width = (points[i + 1] ?? 0) - (points[i] ?? 0);
      // The integral of |a line| from gap to next; where it crosses 0, two triangles.
      const [from, to] = [Math.abs(gap), Math.abs(next)];
      const mean = gap * next >= 0 ? (from + to) / 2 : (from * from + to * to) / (2 * (from + to));
      total += width > 0 ? width * mean : 0;
      gap = next;
    }
    return total / unit;
  };
}

/** The bounds of the bins of two profiles, the outer ones by their least and greatest finite values. */
export function binPoints(grid: Grid, profiles: readonly Profile[]): readonly number[] {
  if (grid.kind === 'category') return [];
  const { edges } = grid;
  let [low, high] = [edges[0] ?? 0, edges[edges.length - 1] ?? 0];
  for (const profile of profiles) {
    if (profile.kind !== 'number') continue;
    low = Math.min(low, profile.min ?? low);
    high = Math.max(high, profile.max ?? high);
  }
  return [low, ...edges, high];
}
