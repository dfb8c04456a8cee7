import { sum, sumOf } from '../arithmetic/compensated-sum.ts';
import { stirlingError } from '../arithmetic/log-gamma.ts';
import { logGap } from '../arithmetic/log-gap.ts';
import { type ChiSquareTest, goodnessOfFit } from '../contingency/goodness-of-fit.ts';
import { StatsError } from '../errors.ts';
import { requireCount, requireNonNegative, requirePositive, requireSameLength } from '../inputs.ts';
import type { Outcome } from '../outcome.ts';

/**
 * The chi-square test that units fell to the arms as the weights say.
 *
 * Arms of weight 0 count neither in the total nor in the degrees of freedom; weights need not sum to 1. Undefined without
 * units or below two arms. A mismatch is usually called below p = 0.001.
 */
export function sampleRatioMismatch(input: {
  readonly counts: readonly number[];
  readonly weights: readonly number[];
}): Outcome<ChiSquareTest> {
  const { counts, weights } = weighted(input.counts, input.weights);
  return goodnessOfFit({ observed: counts, expected: weights });
}

/**
 * p after each period of a sequential test of the sample ratio, valid at every look: the running minimum of 1 / BF.
 *
 * BF is of a Dirichlet-multinomial with the weights times `concentration` (default 10,000) against the multinomial of the
 * weights (Lindon and Malek 2022; GrowthBook's ssrm.py). It depends on the sums alone, and is computed from the deviances
 * of arms, so that counts of 1e9 lose no digits. Each row of `periods` holds the new units of each arm.
 */
export function sequentialSampleRatio(input: {
  readonly periods: readonly (readonly number[])[];
  readonly weights: readonly number[];
  readonly concentration?: number;
}): readonly number[] {
  const concentration = requirePositive('concentration', input.concentration ?? 10_000);
  const totals: number[] = input.weights.map(() => 0);
  let smallest = 1;
  return input.periods.map((period) => {
    const { counts, weights, kept } = weighted(period, input.weights);
    kept.forEach((arm, i) => {
      totals[arm] = (totals[arm] ?? 0) + requireCount('a count', counts[i] ?? 0);
    });
    const soFar = kept.map((arm) => totals[arm] ?? 0);
    smallest = Math.min(smallest, Math.exp(-logBayesFactor(soFar, weights, concentration)));
    return smallest;
  });
}

/** ln [Π Γ(α_i + x_i) / Γ(α_i)] Γ(A) / Γ(A + n) / Π p_i^x_i for α_i = A p_i. */
function logBayesFactor(counts: readonly number[], weights: readonly number[], concentration: number): number {
  const total = concentration + sum(counts);
  const rise = (from: number, to: number) => stirlingError(to) - stirlingError(from) - Math.log(to / from) / 2;
  const ofArms = sumOf(counts.length, (i) => {
    const share = weights[i] ?? 0;
    const alpha = concentration * share;
    const reached = alpha + (counts[i] ?? 0);
    const expected = total * share;
    return reached * logGap((expected - reached) / reached, expected / reached) + rise(alpha, reached);
  });
  return ofArms - rise(concentration, total);
}

/** Counts and weights of the arms whose weight is not 0, weights as shares. */
function weighted(counts: readonly number[], weights: readonly number[]) {
  requireSameLength('counts', counts, 'weights', weights);
  const kept = weights.flatMap((weight, i) => (requireNonNegative('a weight', weight) > 0 ? [i] : []));
  const total = sum(weights);
  if (!(total > 0)) throw new StatsError('At least one weight must be above 0.');
  return {
    kept,
    counts: kept.map((i) => counts[i] ?? 0),
    weights: kept.map((i) => (weights[i] ?? 0) / total),
  };
}
