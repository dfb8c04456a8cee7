import { studentT } from '../distributions/student-t.ts';
import { refuseOverflow, requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome } from '../outcome.ts';
import { type Arms, type Difference, type Effect, effectOf } from './effect.ts';

export interface WelchTestInput extends Arms {
  /** Default `absolute`. */
  readonly difference?: Difference;
  /** Error rate of the intervals; default 0.05. */
  readonly alpha?: number;
}

/** Welch's t test. */
export interface WelchTest extends Effect {
  /** Welch and Satterthwaite's; of the absolute variances also for a relative effect. */
  readonly degreesOfFreedom: number;
  readonly t: number;
  /** Two-sided. */
  readonly p: number;
  /** Against the alternative that the treatment is greater. */
  readonly pGreater: number;
  readonly pLess: number;
  /** Two-sided, of level 1 - alpha. */
  readonly interval: readonly [lower: number, upper: number];
  /** Lower end of the one-sided interval of level 1 - alpha that has no upper end. */
  readonly lowerBound: number;
  readonly upperBound: number;
}

/**
 * Welch's t test of two independent arms, two-sided and both one-sided, for means, proportions and ratios alike.
 *
 * Degrees of freedom (a + b)^2 / (a^2 / (nA - 1) + b^2 / (nB - 1)) with a = vA / nA. For samples beyond 2 units each.
 * Undefined as effectOf. Agrees with GrowthBook, and on raw values with R's t.test.
 */
export function welchTest(input: WelchTestInput): Outcome<WelchTest> {
  const alpha = requireOpenProbability('alpha', input.alpha ?? 0.05);
  const effect = effectOf(input, input.difference ?? 'absolute');
  return effect.value === null ? effect : defined(testEffect(effect.value, welchDegreesOfFreedom(input), alpha));
}

/** Welch and Satterthwaite's degrees of freedom of the difference of two means. */
export function welchDegreesOfFreedom({ control, treatment }: Arms): number {
  const a = control.variance / control.n;
  const b = treatment.variance / treatment.n;
  // By shares, so that no square of a variance underflows.
  const share = a / (a + b);
  return 1 / (share ** 2 / (control.n - 1) + (1 - share) ** 2 / (treatment.n - 1));
}

/** The t test of an effect with given degrees of freedom. */
export function testEffect({ estimate, standardError }: Effect, degreesOfFreedom: number, alpha: number): WelchTest {
  const distribution = studentT(degreesOfFreedom);
  const t = estimate / standardError;
  const half = distribution.inverseSf(alpha / 2) * standardError;
  const oneSided = distribution.inverseSf(alpha) * standardError;
  return refuseOverflow({
    estimate,
    standardError,
    degreesOfFreedom,
    t,
    p: 2 * distribution.sf(Math.abs(t)),
    pGreater: distribution.sf(t),
    pLess: distribution.cdf(t),
    interval: [estimate - half, estimate + half] as const,
    lowerBound: estimate - oneSided,
    upperBound: estimate + oneSided,
  });
}
