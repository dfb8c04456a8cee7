import type { CoMoments, QuantileSummary } from '@mcp-hub/stats';

/**
 * The dimension of slices that are the allocations themselves: its values are the epochs as text. Rows of it are needed
 * where the weights changed while units came in, so that arms are compared within an allocation; else they may be missing.
 */
export const EPOCH_DIMENSION = 'allocation_epoch';

/** A part of the units, by what was known of them at their first exposure. */
export interface Slice {
  readonly dimension: string;
  readonly value: string;
}

/**
 * What the units of one variant come to in one metric. Only units that were exposed to this variant alone, and not forced.
 *
 * `y` is a unit's value; of a proportion 1 where the unit has an outcome, and 0. `x` is its covariate from before its first exposure (CUPED), or of a ratio its denominator; 0 for
 * all where there is neither.
 */
export interface MetricSums {
  readonly metricId: string;
  readonly variantId: string;
  /** Null is all units. */
  readonly slice: Slice | null;
  readonly sums: CoMoments;
  /** Units whose value is not 0. */
  readonly nonZero: number;
}

/** What the units of one variant come to in one quantile metric: over those that have an outcome. */
export interface MetricQuantile {
  readonly metricId: string;
  readonly variantId: string;
  readonly slice: Slice | null;
  /** Null where there are too few units for bounds. */
  readonly quantile: QuantileSummary | null;
  readonly n: number;
}

/** Units by the day (UTC, as `2026-05-04`) of their first exposure, for tests of the sample ratio over time. */
export interface DailyUnits {
  readonly day: string;
  /** The allocation that gave the units their variant. */
  readonly epoch: number;
  readonly variantId: string;
  /** Exposed to this variant alone. */
  readonly units: number;
  /** All that were exposed to this variant, so that a unit of two variants counts in both. */
  readonly withMultiple: number;
}

/** All that an analysis is computed from, as of a bound of time. */
export interface AnalysisInput {
  /** Exposures and outcomes from this time on were not looked at. */
  readonly asOf: Date;
  /** Units that were exposed. */
  readonly units: number;
  /** Units exposed to several variants; left out of all metrics. */
  readonly multipleUnits: number;
  /** Units whose variant was forced; left out. */
  readonly forcedUnits: number;
  /** Units that were exposed before they were assigned. */
  readonly exposedBeforeAssignment: number;
  /** Outcomes that counted in some metric. */
  readonly outcomes: number;
  readonly daily: readonly DailyUnits[];
  readonly metrics: readonly MetricSums[];
  readonly quantiles: readonly MetricQuantile[];
}
