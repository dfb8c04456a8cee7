import { normal } from '../distributions/normal.ts';
import { requireCount, requireFinite, requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import type { Sample } from '../samples/sample.ts';
import { type Difference, type Effect, effectOf } from './effect.ts';

/** A sample quantile, and the two quantiles that bound it by 95% (at ranks level ± 1.96 √(level (1-level) / nBounds)). */
export interface QuantileSummary {
  readonly n: number;
  readonly quantile: number;
  readonly lower: number;
  readonly upper: number;
  /** Size of the sample in which the bounds were taken; default n. */
  readonly nBounds?: number;
}

/** A comparison of quantiles. */
export interface QuantileEffect extends Effect {
  readonly interval: readonly [lower: number, upper: number];
}

/**
 * The sample behind a quantile: variance (nBounds/n) (n - 1) ((upper - lower) / (2 · 1.96))^2, at least 1e-5 from 100 rows
 * on, so that ties do not make it certain (GrowthBook's QuantileStatistic).
 */
export function sampleOfQuantile({ n, quantile, lower, upper, nBounds = n }: QuantileSummary): Sample {
  requireCount('n', n);
  for (const [name, value] of Object.entries({ quantile, lower, upper })) requireFinite(name, value);
  const deviation = (upper - lower) / (2 * normal().inverseSf(0.025));
  const variance = n < 2 ? 0 : (nBounds / n) * (n - 1) * deviation ** 2;
  return { n, mean: quantile, variance: n < 100 ? variance : Math.max(variance, 1e-5) };
}

/**
 * The difference of a quantile between two arms, with a normal interval of level 1 - alpha.
 *
 * Undefined where a sample is too small for bounds at that level, n <= 1.96^2 max(level/(1-level), (1-level)/level).
 */
export function quantileEffect(input: {
  readonly level: number;
  readonly control: QuantileSummary;
  readonly treatment: QuantileSummary;
  readonly difference?: Difference;
  readonly alpha?: number;
}): Outcome<QuantileEffect> {
  const level = requireOpenProbability('level', input.level);
  const alpha = requireOpenProbability('alpha', input.alpha ?? 0.05);
  const needed = normal().inverseSf(0.025) ** 2 * Math.max(level / (1 - level), (1 - level) / level);
  if (input.control.n <= needed || input.treatment.n <= needed) {
    return undefinedBecause('A sample is too small for a quantile of this level.');
  }
  const arms = { control: sampleOfQuantile(input.control), treatment: sampleOfQuantile(input.treatment) };
  const effect = effectOf(arms, input.difference ?? 'absolute');
  if (effect.value === null) return effect;
  const { estimate, standardError } = effect.value;
  const half = normal().inverseSf(alpha / 2) * standardError;
  return defined({ estimate, standardError, interval: [estimate - half, estimate + half] });
}
