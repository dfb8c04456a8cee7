import { requireFinite, requireNonNegative } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import type { Sample } from '../samples/sample.ts';

/** `absolute` is treatment - control, `relative` that divided by |control|. */
export type Difference = 'absolute' | 'relative';

/** Two arms to compare. */
export interface Arms {
  readonly control: Sample;
  readonly treatment: Sample;
}

/** An estimated difference. */
export interface Effect {
  readonly estimate: number;
  readonly standardError: number;
}

/** (treatment - control) / |control|, so that the sign tells the direction also of a negative mean. */
export function relativeDifference(controlMean: number, treatmentMean: number): Outcome {
  if (controlMean === 0) return undefinedBecause('The mean of the control is 0.');
  return defined((treatmentMean - controlMean) / Math.abs(controlMean));
}

/**
 * The effect of the treatment with its standard error, for independent arms.
 *
 * Relative by the delta method: var = vB / mA^2 + vA mB^2 / mA^4 with v the variance of a mean (GrowthBook's gbstats).
 * Undefined without variance in the effect, below 2 units in an arm, and for a relative one of a mean of 0.
 */
export function effectOf({ control, treatment }: Arms, difference: Difference): Outcome<Effect> {
  for (const { n, mean, variance } of [control, treatment]) {
    requireNonNegative('n', n);
    requireFinite('mean', mean);
    requireNonNegative('variance', variance);
  }
  if (control.n < 2 || treatment.n < 2) return undefinedBecause('Each arm needs two units.');
  const controlPart = control.variance / control.n;
  const treatmentPart = treatment.variance / treatment.n;
  if (controlPart + treatmentPart === 0) return undefinedBecause('Neither arm has variance.');
  if (difference === 'absolute') {
    return defined({
      estimate: treatment.mean - control.mean,
      standardError: Math.sqrt(controlPart + treatmentPart),
    });
  }
  const relative = relativeDifference(control.mean, treatment.mean);
  if (relative.value === null) return relative;
  const quotient = treatment.mean / control.mean;
  const standardError = Math.sqrt(treatmentPart + controlPart * quotient * quotient) / Math.abs(control.mean);
  if (standardError === 0) return undefinedBecause('Neither arm has variance.');
  if (!(Number.isFinite(relative.value) && Number.isFinite(standardError))) {
    return undefinedBecause('The mean of the control is too near 0 to divide by.');
  }
  return defined({ estimate: relative.value, standardError });
}
