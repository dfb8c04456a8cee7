import { sum, sumOf } from '../arithmetic/compensated-sum.ts';
import { chiSquare } from '../distributions/chi-square.ts';
import { refuseOverflow, requireNonNegative, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';

/** A test whose statistic is chi-square distributed under its hypothesis. */
export interface ChiSquareTest {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
}

export interface GoodnessOfFitInput {
  readonly observed: ArrayLike<number>;
  /** In any scale: it is brought to the sum of `observed`. Default: all alike. */
  readonly expected?: ArrayLike<number>;
}

/**
 * Pearson's chi-square test of counts against expected shares: Σ (o - e)² / e, one degree of freedom less than categories.
 *
 * A category that is neither observed nor expected does not count. Undefined without observations, below two categories,
 * and where something was observed that was not expected at all.
 */
export function goodnessOfFit(input: GoodnessOfFitInput): Outcome<ChiSquareTest> {
  return test(input, (o, e) => (o - e) ** 2 / e);
}

/** As goodnessOfFit by the likelihood ratio: G = 2 Σ o ln(o / e). */
export function likelihoodRatioFit(input: GoodnessOfFitInput): Outcome<ChiSquareTest> {
  return test(input, (o, e) => (o === 0 ? 0 : 2 * o * Math.log(o / e)));
}

function test(
  { observed, expected = Array.from(observed, () => 1) }: GoodnessOfFitInput,
  part: (observed: number, expected: number) => number,
): Outcome<ChiSquareTest> {
  requireSameLength('observed', observed, 'expected', expected);
  const pairs = Array.from(observed, (o, i) => [
    requireNonNegative('observed', o),
    requireNonNegative('expected', expected[i] ?? 0),
  ]).filter(([o = 0, e = 0]) => o > 0 || e > 0);
  const n = sum(pairs.map(([o = 0]) => o));
  if (n === 0) return undefinedBecause('Nothing was observed.');
  if (pairs.length < 2) return undefinedBecause('There are fewer than two categories.');
  if (pairs.some(([, e]) => e === 0)) {
    return undefinedBecause('A category was observed that was not expected, so that the statistic is infinite.');
  }
  const scale = n / sum(pairs.map(([, e = 0]) => e));
  const statistic = Math.max(
    0,
    sumOf(pairs.length, (i) => {
      const [o = 0, e = 0] = pairs[i] ?? [];
      return part(o, e * scale);
    }),
  );
  refuseOverflow({ statistic });
  const degreesOfFreedom = pairs.length - 1;
  return defined({ statistic, degreesOfFreedom, p: chiSquare(degreesOfFreedom).sf(statistic) });
}
