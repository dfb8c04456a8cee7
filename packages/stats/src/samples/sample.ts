import { differenceOfProducts } from '../arithmetic/exact.ts';
import { StatsError } from '../errors.ts';
import { refuseOverflow, requireCount, requireFinite, requireNonNegative } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { type CoMoments, coMomentsOfSums } from './co-moments.ts';
import { type Moments, momentsOf } from './moments.ts';

/**
 * One arm of a comparison, of whatever kind: units, the mean, and the variance of one unit, so that the mean has
 * variance / n. The functions of this file make it of means, proportions and ratios.
 */
export interface Sample {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

/** An arm that nobody is in yet: comparisons with it are undefined. */
const noUnits: Sample = { n: 0, mean: 0, variance: 0 };

/** A sample from its moments: variance m2 / (n - 1), 0 below 2 values. */
export function sampleOfMoments({ n, mean, m2 }: Moments): Sample {
  return { n, mean, variance: n > 1 ? m2 / (n - 1) : 0 };
}

/** A sample of values. */
export function sampleOfValues(values: ArrayLike<number>): Sample {
  return sampleOfMoments(momentsOf(values));
}

/** A sample from Σ x and Σ x^2: variance (Σ x^2 - (Σ x)^2 / n) / (n - 1), the square in twice the precision. */
export function sampleOfSums(sums: { readonly n: number; readonly sum: number; readonly sumSquares: number }): Sample {
  const { n, sum, sumSquares } = sums;
  requireCount('n', n);
  requireFinite('sum', sum);
  requireNonNegative('sumSquares', sumSquares);
  if (n === 0) return noUnits;
  return refuseOverflow(
    sampleOfMoments({ n, mean: sum / n, m2: Math.max(0, differenceOfProducts(n, sumSquares, sum, sum) / n) }),
  );
}

/** A sample of successes and failures: variance p (1 - p), without n / (n - 1), as GrowthBook has it. */
export function sampleOfSuccesses({ n, successes }: { readonly n: number; readonly successes: number }): Sample {
  requireCount('n', n);
  requireNonNegative('successes', successes);
  if (successes > n) throw new StatsError('successes must not exceed n.');
  if (n === 0) return noUnits;
  return { n, mean: successes / n, variance: (successes / n) * ((n - successes) / n) };
}

/** Sums of a numerator and a denominator a unit, such as revenue and orders. */
export interface RatioSums {
  readonly n: number;
  readonly numeratorSum: number;
  readonly numeratorSumSquares: number;
  readonly denominatorSum: number;
  readonly denominatorSumSquares: number;
  readonly sumProducts: number;
}

/**
 * A ratio metric Σ m / Σ d over n units, with the variance of one unit by the delta method:
 * var m / D^2 + var d M^2 / D^4 - 2 cov M / D^3 with M and D the means.
 *
 * Undefined where the denominators sum to 0.
 */
export function sampleOfRatio(sums: RatioSums): Outcome<Sample> {
  const moments = coMomentsOfSums({
    n: sums.n,
    sumX: sums.denominatorSum,
    sumY: sums.numeratorSum,
    sumSquaresX: sums.denominatorSumSquares,
    sumSquaresY: sums.numeratorSumSquares,
    sumProducts: sums.sumProducts,
  });
  return sampleOfRatioMoments(moments);
}

/** As sampleOfRatio from co-moments, which merge: y is the numerator and x the denominator. */
export function sampleOfRatioMoments({ n, meanX, meanY, m2X, m2Y, cXY }: CoMoments): Outcome<Sample> {
  if (meanX === 0) return undefinedBecause('The denominators sum to 0.');
  const quotient = meanY / meanX;
  // Written as the variance of m - r d, so that nothing is cubed.
  const residual = m2Y - 2 * quotient * cXY + quotient * quotient * m2X;
  return defined(
    refuseOverflow({
      n,
      mean: quotient,
      variance: n > 1 ? Math.max(0, residual) / (meanX * meanX) / (n - 1) : 0,
    }),
  );
}
