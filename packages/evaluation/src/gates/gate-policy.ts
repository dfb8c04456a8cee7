import { z } from 'zod';
import { comparisonTests } from '../comparisons/schema.ts';
import { featureName, labelText, metricName, openShare, splitName } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';

const bounds = {
  /** In the metric's unit; the value has to be at least, or at most, so much. */
  min: z.number().optional(),
  max: z.number().optional(),
};
const hasBound = ({ min, max }: { readonly min?: number | undefined; readonly max?: number | undefined }) =>
  min !== undefined || max !== undefined;
const HAS_BOUND = 'must hold min, max or both';

/** The metric of the whole evaluation. */
const MetricClause = z
  .strictObject({
    kind: z.literal('metric'),
    metric: metricName,
    classLabel: labelText.optional(),
    ...bounds,
    /** Rows that the evaluation needs. Default 1. */
    minRows: z.int().min(1).optional(),
    /** Hold the end of the interval that is nearer to the bound, and not the value: what could still be so has to pass. */
    byInterval: z.boolean().optional(),
  })
  .refine(hasBound, HAS_BOUND);

/** Every slice by a feature that has enough rows; the evaluation has to have measured all of those. */
const SliceClause = z
  .strictObject({
    kind: z.literal('slices'),
    feature: featureName,
    metric: metricName,
    classLabel: labelText.optional(),
    ...bounds,
    minRows: z.int().min(1),
  })
  .refine(hasBound, HAS_BOUND);

/** The last comparison with the version that is in production, by a named test. */
const ComparisonClause = z.strictObject({
  kind: z.literal('comparison'),
  /**
   * superior: adjusted p at most alpha, and better by more than the margin. non_inferior: the interval's end on the side of
   * worse is less than the margin away from 0.
   */
  relation: z.enum(['superior', 'non_inferior']),
  test: z.enum(comparisonTests),
  metric: metricName,
  /** In the metric's unit. Default 0. */
  margin: z.number().min(0).optional(),
  /** Of superiority, and of the least level of the interval, which is 1 - alpha. Default 0.05. */
  alpha: openShare.optional(),
  /** Whether a model without a version in production may pass. Default true. */
  allowFirst: z.boolean().optional(),
});

/** So many actors have approved the version for the stage. */
const ApprovalClause = z.strictObject({
  kind: z.literal('approvals'),
  actors: z.int().min(1),
  /** Whether who registered the version may not be among them; refused where nobody is known to. Default false. */
  exceptAuthor: z.boolean().optional(),
});

/** The evaluation that is read is not older. */
const FreshnessClause = z.strictObject({ kind: z.literal('freshness'), maxAgeHours: z.number().gt(0) });

export const GateClause = z.discriminatedUnion('kind', [
  MetricClause,
  SliceClause,
  ComparisonClause,
  ApprovalClause,
  FreshnessClause,
]);
export type GateClause = Readonly<z.output<typeof GateClause>>;

/** What a version has to fulfil to enter a stage: every clause. */
export const GatePolicy = z.strictObject({
  /** Which rows count: evaluations and comparisons on others are not read. The last whole evaluation on them is. */
  dataset: z
    .strictObject({
      /** Pinned: the same rows and no others. */
      digest: metricName,
      /** Default `test`. */
      split: splitName.optional(),
    })
    .optional(),
  clauses: z.array(GateClause).min(1).max(EVALUATION_LIMITS.clauses),
});
export type GatePolicy = Readonly<z.output<typeof GatePolicy>>;
