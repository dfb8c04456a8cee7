import type {
  ExperimentCorrection,
  ExperimentTest,
  MetricDirection,
  MetricKind,
  MetricRole,
} from '../design/schema.ts';

/** A variant as the analysis knows it. */
export interface AnalysisVariant {
  readonly id: string;
  readonly key: string;
  readonly isControl: boolean;
}

/** A metric as the analysis knows it; the columns of `ab_metrics`. */
export interface AnalysisMetric {
  readonly id: string;
  readonly key: string;
  readonly role: MetricRole;
  readonly kind: MetricKind;
  readonly direction: MetricDirection;
  /** Of a quantile metric: which. */
  readonly quantile: number | null;
  /** As a share of the control's value; of a guardrail the loss that is put up with. */
  readonly minimumEffect: number | null;
  /** In the place of the experiment's. */
  readonly alpha: number | null;
  /** Not null where the metric has a covariate. */
  readonly cupedMs: number | null;
}

/** How the hash was shared out in one epoch: weights in the order of the variants. */
export interface AnalysisAllocation {
  readonly epoch: number;
  readonly weights: readonly number[];
}

/** What of an experiment's definition its analysis depends on. One control among the variants. */
export interface AnalysisDefinition {
  readonly revision: number;
  readonly test: ExperimentTest;
  readonly alpha: number;
  readonly correction: ExperimentCorrection;
  /** Units of all variants together: the sample of a fixed test, and where a sequential one is tightest. */
  readonly plannedUnits: number;
  /** Units a variant below which nothing is called significant. */
  readonly minimumUnits: number;
  /** In the order of their positions. */
  readonly variants: readonly AnalysisVariant[];
  /** In the order of their positions. */
  readonly metrics: readonly AnalysisMetric[];
  /** By epoch, all there were. */
  readonly allocations: readonly AnalysisAllocation[];
}

/** The planned units of two of the variants: what a comparison is tuned to, and the same at every look. */
export function tuningUnits({
  plannedUnits,
  variants,
}: {
  readonly plannedUnits: number;
  readonly variants: readonly unknown[];
}): number {
  return (plannedUnits * 2) / Math.max(2, variants.length);
}

/** The treatments, in the definition's order. */
export function treatmentsOf({ variants }: AnalysisDefinition): readonly AnalysisVariant[] {
  return variants.filter(({ isControl }) => !isControl);
}
