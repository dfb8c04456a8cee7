import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import type { Label } from '@mcp-hub/stats';
import { z } from 'zod';
import { column, namesOneVersion, ONE_VERSION } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { binaryParts, labelBits } from '../tasks/binary-parts.ts';
import { measureOptions } from '../tasks/measure-rows.ts';
import { withStatsErrors } from '../with-stats-errors.ts';
import type { EvaluationParts } from './evaluation-parts.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from './store-evaluation.ts';

const cost = z.number().min(0);

/** How a binary classifier is judged, wherever its rows lie. */
export const binaryOptions = {
  /** A row is predicted positive where score >= threshold. Default 0.5. */
  threshold: z.number().optional(),
  /** What a false alarm and a miss cost, in one unit. Default 1 each. */
  costs: z
    .strictObject({ falsePositive: cost, falseNegative: cost })
    .refine((given) => given.falsePositive + given.falseNegative > 0, 'must not both be 0')
    .optional(),
  /** Bins of equal width of the calibration table. Default 10. */
  bins: z.int().min(1).max(EVALUATION_LIMITS.calibrationBins).optional(),
  /** Thresholds that are stored at the most, beside the best ones. */
  thresholds: z.int().min(1).max(EVALUATION_LIMITS.thresholds).optional(),
};

const binaryRows = {
  ...measureOptions,
  ...binaryOptions,
  /** 0 and 1, or booleans; with `positiveLabel` anything. */
  labels: column<Label | boolean>(),
  /** Higher for positive. Losses and calibration are of scores that are probabilities, all from 0 to 1. */
  scores: column<number>(),
  weights: column<number>().optional(),
  /** The label of the positive class, where labels are names. */
  positiveLabel: z.union([z.string(), z.number()]).optional(),
};

export const MeasureBinaryInput = z.strictObject(binaryRows);
export type MeasureBinaryInput = Readonly<z.input<typeof MeasureBinaryInput>>;

export const EvaluateBinaryInput = z
  .strictObject({ ...evaluationFacts, ...binaryRows })
  .refine(namesOneVersion, ONE_VERSION);
export type EvaluateBinaryInput = Readonly<z.input<typeof EvaluateBinaryInput>>;

/**
 * Evaluates a binary classifier from labels and scores and stores it: metrics with intervals, of all rows and of slices, the
 * confusion at the threshold, the analysis of thresholds and the calibration. Computes first, then two round trips.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for
 *   columns of different lengths, labels other than 0 and 1 and values that are not finite, with `field` and `index`;
 *   `conflict` where the idempotency key came with other rows or facts before.
 */
export async function evaluateBinary(tx: TenantTx, input: EvaluateBinaryInput): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateBinaryInput, input);
  return await storeEvaluation(tx, given, partsOf(given));
}

/**
 * What evaluateBinary stores, without storing it. Pure, and takes about as long as one sort of the scores or two. @throws
 *   DomainError `invalid_input` as it.
 */
export function measureBinary(input: MeasureBinaryInput): EvaluationParts {
  return partsOf(parseInput(MeasureBinaryInput, input));
}

function partsOf(given: z.output<typeof MeasureBinaryInput>): EvaluationParts {
  const { scores, weights, positiveLabel } = given;
  const labels = labelBits(given.labels, positiveLabel);
  return withStatsErrors(() => binaryParts({ labels, scores, weights }, given));
}
