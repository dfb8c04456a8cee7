import type { MetricKind, MetricRole } from '../design/schema.ts';
import type { Slice } from './analysis-input.ts';

/**
 * Version of the analysis' code. Raise it with each change of what `analyse` answers for the same definition and input: a
 * test holds it against the numbers.
 */
export const ANALYSIS_VERSION = 1;

/**
 * A treatment compared with the control in one kind of difference. Where it is undefined all numbers are null, and the
 * reason says why.
 */
export interface EffectResult {
  readonly estimate: number | null;
  readonly standardError: number | null;
  /** Null also where the test is by the normal distribution, as of quantiles. */
  readonly degreesOfFreedom: number | null;
  /** Of level 1 - alpha, and p: of a test that is read once. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly p: number | null;
  /** The same, but valid at every look. */
  readonly validLower: number | null;
  readonly validUpper: number | null;
  readonly validP: number | null;
  readonly reason: string | null;
}

/** A treatment compared with the control in one metric. */
export interface ArmComparison {
  /** Treatment - control, in the metric's unit. Its p is the one that is judged. */
  readonly absolute: EffectResult;
  /** The same divided by |control|. */
  readonly relative: EffectResult;
}

/** One metric of one variant, of all units or of a slice; of treatments with the comparison. */
export interface MetricResult {
  readonly metricId: string;
  readonly metricKey: string;
  readonly role: MetricRole;
  readonly kind: MetricKind;
  readonly variantId: string;
  readonly variantKey: string;
  readonly isControl: boolean;
  /** Null is all units. */
  readonly slice: Slice | null;
  readonly n: number;
  /** Units whose value is not 0. */
  readonly nonZero: number;
  /** Mean, share, ratio or quantile, as it was measured; null without units, or a ratio's denominator of 0. */
  readonly mean: number | null;
  /** Of one unit, so that the mean has variance / n. */
  readonly variance: number | null;
  /** Null of the control. Under CUPED adjusted. */
  readonly comparison: ArmComparison | null;
  /** Under CUPED the comparison without it; else null. */
  readonly unadjusted: ArmComparison | null;
  /** What the covariate was multiplied by; null without CUPED. */
  readonly theta: number | null;
  /** p of the absolute difference, corrected within its family. */
  readonly adjustedP: number | null;
  readonly adjustedValidP: number | null;
  /** The probability that the treatment is better, in the metric's direction, under a flat prior. */
  readonly chanceToWin: number | null;
  /** Expected loss of keeping the control, and of taking the treatment, in the metric's unit. */
  readonly riskOfControl: number | null;
  readonly riskOfTreatment: number | null;
  /** Why there is no mean, or of a treatment no absolute difference; null where there is. */
  readonly reason: string | null;
}

export const healthChecks = [
  'sample_ratio',
  'sample_ratio_with_multiple',
  'sample_ratio_over_time',
  'sample_ratio_over_time_with_multiple',
  'multiple_exposure',
  'exposure_before_assignment',
  'minimum_units',
  'covariate_balance',
  'allocation',
] as const;
export type HealthCheckName = (typeof healthChecks)[number];

/** `failed` keeps from shipping, `warning` is shown, `unknown` has too little data to say. */
export const healthVerdicts = ['ok', 'warning', 'failed', 'unknown'] as const;
export type HealthVerdict = (typeof healthVerdicts)[number];

/** One look at whether the data can be trusted. */
export interface HealthCheck {
  readonly check: HealthCheckName;
  readonly verdict: HealthVerdict;
  /** p, share or count, as the check has it; null where it cannot be told. */
  readonly value: number | null;
  readonly threshold: number;
  /** What was found, in words and numbers. */
  readonly text: string;
}

/** Units that were exposed to one variant alone, and not forced. */
export interface VariantUnits {
  readonly variantId: string;
  readonly units: number;
}

/** What an analysis of an experiment says. */
export interface Analysis {
  readonly codeVersion: number;
  /** Units in the metrics, of each variant in the definition's order. */
  readonly units: readonly VariantUnits[];
  /** By metric, slice and variant, in the definition's order; all units before slices. */
  readonly results: readonly MetricResult[];
  /** One of each of healthChecks, in their order. */
  readonly health: readonly HealthCheck[];
}
