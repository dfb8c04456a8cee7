import { normal } from '../distributions/normal.ts';
import { requireFinite, requireOpenProbability, requirePositive } from '../inputs.ts';
import type { Effect } from './effect.ts';

/** A normal distribution by mean and variance. */
export interface NormalPrior {
  readonly mean: number;
  readonly variance: number;
}

/** What is known of an effect after the data. */
export interface BayesianEffect {
  readonly mean: number;
  readonly standardDeviation: number;
  /** P(effect > 0). */
  readonly chanceToWin: number;
  readonly interval: readonly [lower: number, upper: number];
  /** Expected loss of keeping the control, and of taking the treatment. */
  readonly risk: readonly [control: number, treatment: number];
}

/**
 * The posterior of an effect whose estimate is normal, under a normal prior or, without one, a flat one.
 *
 * Precisions add; credible interval of level 1 - alpha by the normal quantile (GrowthBook's gbstats).
 */
export function bayesianEffect(
  { estimate, standardError }: Effect,
  { prior = null, alpha = 0.05 }: { readonly prior?: NormalPrior | null; readonly alpha?: number } = {},
): BayesianEffect {
  requireFinite('estimate', estimate);
  requirePositive('standardError', standardError);
  requireOpenProbability('alpha', alpha);
  const { mean, standardDeviation } = posterior(estimate, standardError, prior);
  const half = normal().inverseSf(alpha / 2) * standardDeviation;
  return {
    mean,
    standardDeviation,
    chanceToWin: normal().cdf(mean / standardDeviation),
    interval: [mean - half, mean + half],
    risk: expectedLosses(mean, standardDeviation),
  };
}

function posterior(estimate: number, standardError: number, prior: NormalPrior | null) {
  if (prior === null) return { mean: estimate, standardDeviation: standardError };
  requireFinite('prior.mean', prior.mean);
  requirePositive('prior.variance', prior.variance);
  const precision = 1 / standardError ** 2 + 1 / prior.variance;
  return {
    mean: (estimate / standardError ** 2 + prior.mean / prior.variance) / precision,
    standardDeviation: Math.sqrt(1 / precision),
  };
}

/**
 * [E max(X, 0), E max(-X, 0)] for X normal: what is lost by keeping the control and by taking the treatment.
 *
 * The smaller is σ (φ(z) - z Q(z)) with z = |μ| / σ, beyond z = 37 below every number and 0; their difference is μ.
 */
export function expectedLosses(mean: number, standardDeviation: number): readonly [number, number] {
  requireFinite('mean', mean);
  requirePositive('standardDeviation', standardDeviation);
  const z = Math.abs(mean) / standardDeviation;
  const small = z > 37 ? 0 : standardDeviation * Math.max(0, normal().density(z) - z * normal().sf(z));
  const large = Math.abs(mean) + small;
  return mean >= 0 ? [large, small] : [small, large];
}
