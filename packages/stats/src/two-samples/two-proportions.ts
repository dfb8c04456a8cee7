import { differenceOfProducts } from '../arithmetic/exact.ts';
import { normal } from '../distributions/normal.ts';
import { StatsError } from '../errors.ts';
import { requireCount, requireNonNegative, requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';

/** Successes among trials. */
export interface Proportion {
  readonly successes: number;
  readonly n: number;
}

/**
 * The z test of two proportions with a pooled variance: z = (p1 - p2) / √(P (1 - P) (1/n1 + 1/n2)), two-sided p.
 *
 * Undefined without trials, and where all of them or none succeeded.
 */
export function twoProportionTest(
  first: Proportion,
  second: Proportion,
): Outcome<{ readonly z: number; readonly p: number }> {
  for (const { successes, n } of [first, second]) {
    requireCount('n', n);
    requireNonNegative('successes', successes);
    if (successes > n) throw new StatsError('successes must not exceed n.');
  }
  if (first.n === 0 || second.n === 0) return undefinedBecause('A sample is empty.');
  const n = first.n + second.n;
  const successes = first.successes + second.successes;
  if (successes === 0 || successes === n) return undefinedBecause('All trials had the same result.');
  const difference = differenceOfProducts(first.successes, second.n, second.successes, first.n) / first.n / second.n;
  const variance = (successes / n) * ((n - successes) / n) * (1 / first.n + 1 / second.n);
  const z = difference / Math.sqrt(variance);
  return defined({ z, p: 2 * normal().sf(Math.abs(z)) });
}

/**
 * Wilson's score interval (1927) of a proportion, of level 1 - alpha: inside [0, 1] and sound for few successes.
 *
 * Undefined without trials.
 */
export function wilsonInterval(
  { successes, n }: Proportion,
  alpha = 0.05,
): Outcome<readonly [lower: number, upper: number]> {
  requireNonNegative('successes', successes);
  requireNonNegative('n', n);
  if (successes > n) throw new StatsError('successes must not exceed n.');
  if (n === 0) return undefinedBecause('There are no trials.');
  const z = normal().inverseSf(requireOpenProbability('alpha', alpha) / 2);
  const middle = successes + (z * z) / 2;
  const half = z * Math.sqrt(successes * ((n - successes) / n) + (z * z) / 4);
  return defined([
    successes === 0 ? 0 : Math.max(0, (middle - half) / (n + z * z)),
    successes === n ? 1 : Math.min(1, (middle + half) / (n + z * z)),
  ]);
}
