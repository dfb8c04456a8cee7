import { DomainError, type Id, newId, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionSubject } from '@mcp-hub/registry';
import { benjaminiHochberg, normal, type Outcome, undefinedBecause } from '@mcp-hub/stats';
import { z } from 'zod';
import { DAY_WINDOW, dayWindow, isDayWindow, timeZoneInput } from '../inputs.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import {
  estimatedMetric,
  type MeasuredMetric,
  type PerformanceMetric,
  performanceMetrics,
  realisedMetric,
} from './performance-metrics.ts';
import { type CohortSums, readCohort } from './read-cohort.ts';
import { type BaselineEvaluation, readBaselineEvaluation } from './read-evaluation.ts';
import { type PerformanceBasis, type PerformanceVerdict, performanceDrift } from './schema.ts';

export const CheckPerformanceInput = z
  .strictObject({
    ...versionSubject,
    ...dayWindow,
    /** The evaluation to compare with, of this version. Default: its last of a whole split. */
    evaluationId: z.uuid().optional(),
    /** Default: accuracy, precision, recall and f1; of more than two classes accuracy. */
    metrics: z.array(z.enum(performanceMetrics)).min(1).readonly().optional(),
    /** Which class is positive; of two classes needed, unless the parameters of the evaluation have it. */
    positiveLabel: z.string().max(MONITORING_LIMITS.labelLength).optional(),
    /** Labels count that were observed at most so long after their prediction. Default 7 days. */
    ageMs: z.number().min(1).max(MONITORING_LIMITS.ageMs).optional(),
    /** In which days begin and end. Default UTC. */
    timeZone: timeZoneInput.optional(),
    /** Labelled predictions that a verdict needs. Default 30. */
    minLabelled: z.int().min(1).optional(),
    /** Error rate of verdicts and intervals. Default 0.05. */
    alpha: z.number().gt(0).lt(1).optional(),
    /** Which loss of a metric matters. Default 0.02. */
    floor: z.number().min(0).optional(),
  })
  .refine(namesOneVersion, ONE_VERSION)
  .refine(isDayWindow, DAY_WINDOW);
export type CheckPerformanceInput = Readonly<z.input<typeof CheckPerformanceInput>>;

/** A metric of the window, of labels or estimated, beside the evaluation. */
export interface MetricDrift {
  readonly metric: PerformanceMetric;
  readonly basis: PerformanceBasis;
  readonly verdict: PerformanceVerdict;
  readonly value: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly baselineValue: number | null;
  readonly p: number | null;
  readonly adjustedP: number | null;
  readonly reason: string | null;
}

export interface PerformanceCheck {
  readonly versionId: Id<'ModelVersion'>;
  readonly evaluationId: Id<'Evaluation'>;
  readonly fromDay: string;
  readonly toDay: string;
  readonly ageMs: number;
  readonly predictionCount: number;
  /** Predictions whose truth was known at that age. */
  readonly labelledCount: number;
  /** From when on all of the window's predictions are of that age. */
  readonly matureAt: Date;
  readonly results: readonly MetricDrift[];
}

/**
 * Compares how a version does on the predictions of a window with an evaluation of it, by each metric twice: as labels say
 * that were known when the predictions were `ageMs` old, and as the model's own probabilities let expect of all of them,
 * brought to the calibration that the evaluation found. Windows compared at one age do not look better or worse for how long
 * ago they were. While the window is not of that age, what labels say is `immature` and no verdict.
 *
 * A metric is called degraded where its one-sided p, adjusted over the metrics of its basis by Benjamini and Hochberg, is at
 * most alpha and it lost at least `floor`. Four statements, of which one reads the window's predictions; no lock. Keeps what
 * it found.
 *
 * @throws DomainError `not_found` without the version or evaluation, `failed_precondition` where it is of neither two nor more
 *   classes, or names no positive class and none is given.
 */
export async function checkPerformance(tx: TenantTx, input: CheckPerformanceInput): Promise<PerformanceCheck> {
  const parsed = parseInput(CheckPerformanceInput, input);
  const { name, version, versionId: given, reference, fromDay, toDay, evaluationId } = parsed;
  const { ageMs = 7 * 86_400_000, timeZone = 'UTC', minLabelled = 30, alpha = 0.05, floor = 0.02 } = parsed;
  const baseline = await readBaselineEvaluation(tx, { name, version, versionId: given, reference }, evaluationId);
  const positive = parsed.positiveLabel ?? baseline.positiveLabel;
  const isBinary = baseline.task === 'binary';
  if (isBinary && positive === null) {
    throw new DomainError(
      'failed_precondition',
      'The evaluation does not say which class is positive: give positiveLabel.',
      { details: { reason: 'no_positive_label' } },
    );
  }
  const metrics =
    parsed.metrics ?? (isBinary ? (['accuracy', 'precision', 'recall', 'f1'] as const) : (['accuracy'] as const));
  const cohort = await readCohort(tx, { baseline, positive, fromDay, toDay, timeZone, ageMs });
  const measured = (['realised', 'estimated'] as const).flatMap((basis) => {
    if (basis === 'estimated' && !isBinary) return [];
    const ofBasis = metrics.map((metric) => ({
      basis,
      metric,
      found: measure(basis, metric, isBinary, cohort, alpha),
    }));
    return judge(ofBasis, { baseline, cohort, alpha, floor, minLabelled });
  });
  await tx.insert(performanceDrift).values(
    measured.map((result) => ({
      ...{ tenantId: tenantOf(tx), id: newId<'PerformanceDrift'>(), modelVersionId: baseline.versionId },
      ...{ evaluationId: baseline.id, fromDay, toDay, timeZone, ageMs: result.basis === 'realised' ? ageMs : null },
      ...{ predictionCount: cohort.predictions, labelledCount: cohort.labelled, floor, ...result },
    })),
  );
  return {
    ...{ versionId: baseline.versionId, evaluationId: baseline.id, fromDay, toDay, ageMs, results: measured },
    ...{ predictionCount: cohort.predictions, labelledCount: cohort.labelled, matureAt: cohort.matureAt },
  };
}

function measure(
  basis: PerformanceBasis,
  metric: PerformanceMetric,
  isBinary: boolean,
  cohort: CohortSums,
  alpha: number,
): Outcome<MeasuredMetric> {
  if (basis === 'estimated') {
    return cohort.unscored > 0
      ? undefinedBecause('Some predictions of the window have no score from 0 to 1.')
      : estimatedMetric(metric, cohort.probabilities, alpha);
  }
  if (isBinary) return realisedMetric(metric, cohort.counts, alpha);
  if (metric !== 'accuracy') return undefinedBecause('Of more than two classes only the accuracy is compared.');
  return realisedMetric(metric, { tp: cohort.right, fp: cohort.labelled - cohort.right, fn: 0, tn: 0 }, alpha);
}

function judge(
  measured: readonly {
    readonly basis: PerformanceBasis;
    readonly metric: PerformanceMetric;
    readonly found: Outcome<MeasuredMetric>;
  }[],
  rule: {
    readonly baseline: BaselineEvaluation;
    readonly cohort: CohortSums;
    readonly alpha: number;
    readonly floor: number;
    readonly minLabelled: number;
  },
): readonly MetricDrift[] {
  const { baseline, cohort, alpha, floor, minLabelled } = rule;
  const tested = measured.map(({ basis, metric, found }) => {
    const reference = baseline.metrics.get(metric);
    const reason =
      found.reason ??
      (reference === undefined ? 'The evaluation does not have this metric.' : null) ??
      (basis === 'realised' && cohort.isMature && cohort.labelled < minLabelled
        ? `Fewer than ${minLabelled} predictions are labelled.`
        : null);
    const score =
      found.value === null || reference === undefined
        ? null
        : (found.value.value - reference.value) / Math.hypot(found.value.standardError, reference.standardError);
    return { basis, metric, found, reference, reason, score: score !== null && Number.isFinite(score) ? score : null };
  });
  const worse = benjaminiHochberg(
    tested.flatMap((one) => (one.score === null || one.reason !== null ? [] : [normal().cdf(one.score)])),
  );
  let place = 0;
  return tested.map(({ basis, metric, found, reference, reason, score }) => {
    const isTested = score !== null && reason === null;
    const adjustedP = isTested ? Math.min(1, worse[place++] ?? 1) : null;
    const loss = (reference?.value ?? 0) - (found.value?.value ?? 0);
    const isImmature = basis === 'realised' && !cohort.isMature;
    const verdict: PerformanceVerdict = isImmature
      ? 'immature'
      : adjustedP === null
        ? 'undefined'
        : adjustedP <= alpha
          ? loss >= floor
            ? 'degraded'
            : 'negligible'
          : score !== null && normal().sf(score) <= alpha && -loss >= floor
            ? 'improved'
            : 'stable';
    // A value without a verdict has its reason in the verdict; without a value it needs one.
    const shown = found.value !== null && reason === null ? found.value : null;
    return {
      ...{ metric, basis, verdict, value: shown?.value ?? null },
      ...{ lower: shown?.interval[0] ?? null, upper: shown?.interval[1] ?? null },
      ...{ baselineValue: reference?.value ?? null, p: isTested ? normal().cdf(score) : null, adjustedP },
      reason: shown === null ? (reason ?? 'The window and the evaluation leave nothing to compare.') : null,
    };
  });
}
