import { kolmogorov } from '../distributions/kolmogorov.ts';
import { kolmogorovOfSample } from '../distributions/kolmogorov-of-sample.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { sortedValues, walkDistinct } from './sorted-values.ts';

/**
 * How p is computed: `exact` counts lattice paths; `limit` takes Kolmogorov's limiting distribution of d √(mn/(m+n));
 * `sample` takes the distribution of one sample of round(mn/(m+n)) values, which is scipy's `asymp` and less
 * conservative; `auto` is exact up to 10,000 values a sample and the limit beyond.
 */
export type KolmogorovMethod = 'auto' | 'exact' | 'limit' | 'sample';

/** A two-sample Kolmogorov-Smirnov test. */
export interface KolmogorovTest {
  /** The largest distance of the two empirical distribution functions. */
  readonly d: number;
  readonly p: number;
  readonly method: Exclude<KolmogorovMethod, 'auto'>;
}

/**
 * The two-sided Kolmogorov-Smirnov test that two samples are of one distribution.
 *
 * Ties are counted at their value, where `exact` is conservative. Exact p takes m n steps and keeps its relative precision
 * in the tail. Undefined where a sample is empty.
 */
export function kolmogorovSmirnovTest(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { method = 'auto' }: { readonly method?: KolmogorovMethod } = {},
): Outcome<KolmogorovTest> {
  const [first, second] = [sortedValues('x', x), sortedValues('y', y)];
  const [m, n] = [first.length, second.length];
  if (m === 0 || n === 0) return undefinedBecause('A sample is empty.');
  // |i/m - j/n| as an integer over m n, so that the exact count compares integers.
  let distance = 0;
  walkDistinct(first, second, (i, j) => {
    distance = Math.max(distance, Math.abs(i * n - j * m));
  });
  const d = distance / (m * n);
  const size = m * (n / (m + n));
  const used = method === 'auto' ? (Math.max(m, n) <= 10_000 ? 'exact' : 'limit') : method;
  switch (used) {
    case 'exact':
      return defined({ d, p: pathsThatReach(m, n, distance), method: used });
    case 'limit':
      return defined({ d, p: kolmogorov().sf(d * Math.sqrt(size)), method: used });
    case 'sample':
      return defined({ d, p: kolmogorovOfSample(Math.max(1, Math.round(size))).sf(d), method: used });
  }
}

/**
 * The share of the lattice paths from (0, 0) to (m, n) that come to |i n - j m| >= distance (Hodges 1958).
 *
 * Of a path that ends in (i, j) the last step was to the right with probability i / (i + j): sums of positive terms, so
 * that a share of 1e-300 keeps its digits.
 */
function pathsThatReach(m: number, n: number, distance: number): number {
  if (distance === 0) return 1;
  const row = new Float64Array(n + 1);
  for (let i = 0; i <= m; i++) {
    let left = 0;
    for (let j = 0; j <= n; j++) {
      const reached = Math.abs(i * n - j * m) >= distance;
      const above = row[j] ?? 0;
      left = reached ? 1 : i + j === 0 ? 0 : (i * above + j * left) / (i + j);
      row[j] = left;
    }
  }
  return row[n] ?? 1;
}
