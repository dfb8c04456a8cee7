import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { evaluationId, labelText } from '../inputs.ts';
import { evaluationNotFound } from '../not-found.ts';
import { confusionMatrices, evaluations } from './schema.ts';

export const GetConfusionMatrixInput = z
  .strictObject({
    evaluationId,
    /** A slice of it. Default: all rows. */
    sliceFeature: labelText.optional(),
    sliceValue: labelText.optional(),
  })
  .refine(
    ({ sliceFeature, sliceValue }) => (sliceFeature === undefined) === (sliceValue === undefined),
    'must name a slice by both sliceFeature and sliceValue',
  );
export type GetConfusionMatrixInput = Readonly<z.input<typeof GetConfusionMatrixInput>>;

/** Rows are true classes, columns predicted ones, both in the order of `labels`. */
export interface StoredConfusion {
  /** Those that occur: numbers ascending where all are, else by code unit. */
  readonly labels: readonly string[];
  /** Rows of data. */
  readonly counts: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
}

/**
 * The confusion matrix of an evaluation or of a slice of it; without labels where the task has none, or there is no such
 * slice. One statement, no lock. @throws DomainError `not_found` without the evaluation.
 */
export async function getConfusionMatrix(tx: TenantTx, input: GetConfusionMatrixInput): Promise<StoredConfusion> {
  const { evaluationId: id, sliceFeature = '', sliceValue = '' } = parseInput(GetConfusionMatrixInput, input);
  const { trueLabel, predictedLabel, n, weight } = confusionMatrices;
  const rows = await tx
    .select({ trueLabel, predictedLabel, n, weight })
    .from(evaluations)
    .leftJoin(
      confusionMatrices,
      and(
        eq(confusionMatrices.tenantId, evaluations.tenantId),
        eq(confusionMatrices.evaluationId, evaluations.id),
        eq(confusionMatrices.sliceFeature, sliceFeature),
        eq(confusionMatrices.sliceValue, sliceValue),
      ),
    )
    .where(and(eq(evaluations.tenantId, tenantOf(tx)), eq(evaluations.id, id as Id<'Evaluation'>)));
  if (rows.length === 0) throw evaluationNotFound();
  const found = new Set(
    rows.flatMap((row) => (row.trueLabel === null ? [] : [row.trueLabel, row.predictedLabel ?? ''])),
  );
  const areNumbers = [...found].every((label) => label !== '' && Number.isFinite(Number(label)));
  const labels = [...found].sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1));
  const place = new Map(labels.map((label, at) => [label, at]));
  const counts = labels.map(() => labels.map(() => 0));
  const weights = labels.map(() => labels.map(() => 0));
  for (const row of rows) {
    const [i, j] = [place.get(row.trueLabel ?? ''), place.get(row.predictedLabel ?? '')];
    if (row.trueLabel === null || i === undefined || j === undefined) continue;
    const [countsOf, weightsOf] = [counts[i], weights[i]];
    if (countsOf !== undefined) countsOf[j] = row.n ?? 0;
    if (weightsOf !== undefined) weightsOf[j] = row.weight ?? 0;
  }
  return { labels, counts, weights };
}
