import type { Effect } from '../experiments/effect.ts';
import { requireFinite, requireOpenProbability, requirePositive } from '../inputs.ts';

/** A generalised always-valid interval. */
export interface AlwaysValidInterval {
  readonly rho: number;
  /** By how many standard errors it reaches. */
  readonly multiplier: number;
  readonly halfWidth: number;
  readonly interval: readonly [lower: number, upper: number];
}

/**
 * Eppo's GAVI: the normal-mixture boundary of Howard et al. (2021), arXiv:1810.08240, equation 14.
 *
 * ρ = N* / (ln ln(e/α²) - 2 ln α), half = se √((t + ρ) ln((t + ρ) / (ρ α²)) / t) with t the units so far and N* (default
 * 10,000) those at which it is tightest.
 */
export function alwaysValidInterval(input: {
  readonly effect: Effect;
  readonly n: number;
  readonly alpha?: number;
  readonly tuningN?: number;
}): AlwaysValidInterval {
  const { effect, n, alpha = 0.05, tuningN = 10_000 } = input;
  requireOpenProbability('alpha', alpha);
  requirePositive('n', n);
  requirePositive('tuningN', tuningN);
  requireFinite('estimate', effect.estimate);
  requirePositive('standardError', effect.standardError);
  const level = -2 * Math.log(alpha);
  const rho = tuningN / (Math.log1p(level) + level);
  const multiplier = Math.sqrt(((n + rho) * (Math.log((n + rho) / rho) + level)) / n);
  const halfWidth = effect.standardError * multiplier;
  return { rho, multiplier, halfWidth, interval: [effect.estimate - halfWidth, effect.estimate + halfWidth] };
}
