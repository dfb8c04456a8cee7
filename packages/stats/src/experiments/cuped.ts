import { requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { type CoMoments, mergeCoMoments } from '../samples/co-moments.ts';
import type { Sample } from '../samples/sample.ts';
import type { Difference, Effect } from './effect.ts';
import { effectOf, relativeDifference } from './effect.ts';
import { testEffect, type WelchTest, welchDegreesOfFreedom } from './welch-test.ts';

/** The arms of an experiment: x is the metric before it, y during it, so `coMomentsOf(before, during)`. */
export interface CupedArms {
  readonly control: CoMoments;
  readonly treatment: CoMoments;
}

/** A comparison adjusted by what was known before. */
export interface CupedTest extends WelchTest {
  readonly theta: number;
  /** The arms as adjusted; as they were where theta is 0. */
  readonly control: Sample;
  readonly treatment: Sample;
}

/**
 * θ = cov(during, before) / var(before), pooled over the two arms that are compared (Deng et al. 2013).
 *
 * 0 where the metric had no variance before or has none now: then there is nothing to adjust by.
 */
export function cupedTheta({ control, treatment }: CupedArms): number {
  const { m2X, m2Y, cXY } = mergeCoMoments([control, treatment]);
  return m2X === 0 || m2Y === 0 ? 0 : cXY / m2X;
}

/** An arm with mean ȳ - θ x̄ and variance var y + θ^2 var x - 2 θ cov. */
export function cupedSample(arm: CoMoments, theta: number): Sample {
  const { n, meanX, meanY, m2X, m2Y, cXY } = arm;
  const residual = Math.max(0, m2Y - 2 * theta * cXY + theta * theta * m2X);
  return { n, mean: meanY - theta * meanX, variance: n > 1 ? residual / (n - 1) : 0 };
}

/**
 * Welch's test of the arms adjusted by CUPED; without adjustment where θ is 0.
 *
 * A relative effect divides by the mean of the control that is NOT adjusted, and its variance has the gradient of both
 * means of the control: (vyA (mB/mA)^2 - 2 θ covA mB/mA + θ^2 vxA) / (nA mA^2) for the control (gbstats). The degrees of
 * freedom are those of the adjusted variances. Undefined as effectOf.
 */
export function cupedTest(
  input: CupedArms & { readonly difference?: Difference; readonly alpha?: number },
): Outcome<CupedTest> {
  const alpha = requireOpenProbability('alpha', input.alpha ?? 0.05);
  const theta = cupedTheta(input);
  const control = cupedSample(input.control, theta);
  const treatment = cupedSample(input.treatment, theta);
  const relative = (input.difference ?? 'absolute') === 'relative' && theta !== 0;
  const effect = relative
    ? relativeEffect(input, theta)
    : effectOf({ control, treatment }, input.difference ?? 'absolute');
  if (effect.value === null) return effect;
  const degreesOfFreedom = welchDegreesOfFreedom({ control, treatment });
  return defined({ theta, control, treatment, ...testEffect(effect.value, degreesOfFreedom, alpha) });
}

function relativeEffect({ control, treatment }: CupedArms, theta: number): Outcome<Effect> {
  if (control.n < 2 || treatment.n < 2) return undefinedBecause('Each arm needs two units.');
  if (control.meanY === 0) return undefinedBecause('The mean of the control is 0.');
  const quotient = treatment.meanY / control.meanY;
  const ofControl = quotient ** 2 * control.m2Y - 2 * theta * quotient * control.cXY + theta ** 2 * control.m2X;
  const ofTreatment = treatment.m2Y - 2 * theta * treatment.cXY + theta ** 2 * treatment.m2X;
  const variance = ofControl / (control.n - 1) / control.n + ofTreatment / (treatment.n - 1) / treatment.n;
  if (!(variance > 0)) return undefinedBecause('Neither arm has variance.');
  const adjusted = (arm: CoMoments) => arm.meanY - theta * arm.meanX;
  const shift = adjusted(treatment) - adjusted(control);
  const estimate = relativeDifference(control.meanY, control.meanY + shift);
  if (estimate.value === null) return estimate;
  return defined({ estimate: estimate.value, standardError: Math.sqrt(variance) / Math.abs(control.meanY) });
}
