import { weightedExcess } from '../arithmetic/exact.ts';
import { stirlingError } from '../arithmetic/log-gamma.ts';
import { logGap } from '../arithmetic/log-gap.ts';
import { requireCount, requireProbability } from '../inputs.ts';
import { betaPointAt } from './beta.ts';
import { type Distribution, guarded, type Tails } from './distribution.ts';
import { incompleteBeta } from './incomplete-beta.ts';

// A probability that was computed elsewhere may miss the one here by its last digits, and the inverse then an integer.
const fuzz = 1e-12;

/**
 * The binomial distribution: successes among `n` trials that succeed with probability `p` each.
 *
 * Probabilities by Loader (2000); P(X > k) = I_p(k + 1, n - k) (DLMF 8.17.5); inverses by bisection on the integers.
 * Relative error below 1e-12 for n up to 1e6, in tails down to 1e-300. Throws `invalid_input` unless n is an integer of
 * at least 0 and p is in [0, 1].
 */
export function binomial(n: number, p: number): Distribution {
  requireCount('n', n);
  requireProbability('p', p);
  const tails = (x: number): Tails => {
    const k = Math.floor(x);
    if (k < 0) return { lower: 0, upper: 1 };
    if (k >= n) return { lower: 1, upper: 0 };
    const { lower, upper } = incompleteBeta(k + 1, n - k, betaPointAt(k + 1, n - k, p));
    return { lower: upper, upper: lower };
  };
  const smallest = (reached: (k: number) => boolean): number => {
    let [low, high] = [-1, n];
    while (high - low > 1) {
      const between = Math.floor((low + high) / 2);
      if (reached(between)) high = between;
      else low = between;
    }
    return high;
  };
  return guarded({
    density: (k) => probability(n, p, k),
    cdf: (x) => tails(x).lower,
    sf: (x) => tails(x).upper,
    inverseCdf: (q) => {
      requireProbability('p', q);
      return smallest((k) => tails(k).lower >= q * (1 - fuzz));
    },
    inverseSf: (q) => {
      requireProbability('q', q);
      return smallest((k) => tails(k).upper <= q * (1 + fuzz));
    },
  });
}

function probability(n: number, p: number, k: number): number {
  if (!(Number.isInteger(k) && k >= 0 && k <= n)) return 0;
  if (p === 0 || p === 1) return k === n * p ? 1 : 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const excess = weightedExcess(k, n - k, p);
  const exponent =
    k * logGap(-excess / k, (n / k) * p) +
    (n - k) * logGap(excess / (n - k), (n / (n - k)) * (1 - p)) +
    (stirlingError(k) + stirlingError(n - k) - stirlingError(n));
  return Math.sqrt(n / (2 * Math.PI * k * (n - k))) * Math.exp(-exponent);
}
