import { studentT } from '../distributions/student-t.ts';
import { requireFiniteValues, requireOpenProbability, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { momentsOf, sampleVariance } from '../samples/moments.ts';

/** The mean difference of values in pairs. */
export interface PairedTTest {
  /** First less second. */
  readonly difference: number;
  readonly standardError: number;
  /** 0 where all pairs are equal. */
  readonly t: number;
  readonly degreesOfFreedom: number;
  /** Two-sided. */
  readonly p: number;
  /** Of level 1 - alpha. */
  readonly interval: readonly [lower: number, upper: number];
}

/**
 * Student's test of the mean of first - second, such as the losses of two models on the same rows, or 1 and 0 for right and
 * wrong: t = d̄ / (s / √n) with n - 1 degrees of freedom.
 *
 * Undefined below two pairs, and where all pairs differ by the same amount.
 */
export function pairedTTest(input: {
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
  readonly alpha?: number;
}): Outcome<PairedTTest> {
  const { first, second } = input;
  const alpha = requireOpenProbability('alpha', input.alpha ?? 0.05);
  requireSameLength('first', first, 'second', second);
  requireFiniteValues('first', first);
  requireFiniteValues('second', second);
  const moments = momentsOf(Float64Array.from(first, (value, i) => value - (second[i] ?? 0)));
  const variance = sampleVariance(moments).value;
  if (variance === null) return undefinedBecause('There are fewer than two pairs.');
  const { n, mean: difference } = moments;
  if (variance === 0 && difference !== 0) return undefinedBecause('All pairs differ by the same amount.');
  const standardError = Math.sqrt(variance / n);
  const t = standardError === 0 ? 0 : difference / standardError;
  const distribution = studentT(n - 1);
  const reach = distribution.inverseSf(alpha / 2) * standardError;
  return defined({
    ...{ difference, standardError, t, degreesOfFreedom: n - 1, p: Math.min(1, 2 * distribution.sf(Math.abs(t))) },
    interval: [difference - reach, difference + reach],
  });
}
