import { differenceOfProducts } from '../arithmetic/exact.ts';
import { normal } from '../distributions/normal.ts';
import { StatsError } from '../errors.ts';
import { requireNonNegative, requireOpenProbability } from '../inputs.ts';
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
  for (const proportion of [first, second]) requireProportion(proportion);
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
  requireProportion({ successes, n });
  if (n === 0) return undefinedBecause('There are no trials.');
  const z = normal().inverseSf(requireOpenProbability('alpha', alpha) / 2);
  const most = successes + (z * z) / 2 + z * Math.sqrt(successes * ((n - successes) / n) + (z * z) / 4);
  return defined([
    // The lower end with its conjugate above and below, so that nothing cancels.
    successes === 0 ? 0 : (successes / n) * (successes / most),
    successes === n ? 1 : Math.min(1, most / (n + z * z)),
  ]);
}

/**
 * Newcombe's interval (1998, method 10) of the difference of two proportions, first less second: Wilson's of each, joined
 * by squares. Undefined where a sample is empty.
 */
export function proportionDifferenceInterval(
  first: Proportion,
  second: Proportion,
  alpha = 0.05,
): Outcome<readonly [lower: number, upper: number]> {
  const [one, other] = [wilsonInterval(first, alpha), wilsonInterval(second, alpha)];
  if (one.value === null) return one;
  if (other.value === null) return other;
  const [p1, p2] = [first.successes / first.n, second.successes / second.n];
  const difference = p1 - p2;
  return defined([
    difference - Math.hypot(p1 - one.value[0], other.value[1] - p2),
    difference + Math.hypot(one.value[1] - p1, p2 - other.value[0]),
  ]);
}

function requireProportion({ successes, n }: Proportion): void {
  requireNonNegative('n', n);
  requireNonNegative('successes', successes);
  if (successes > n) throw new StatsError('successes must not exceed n.');
}
