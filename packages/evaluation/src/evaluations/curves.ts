import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, desc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { evaluationId } from '../inputs.ts';
import { calibrationBins, thresholdAnalysis } from './schema.ts';

/** A row of threshold_analysis. */
export type ThresholdPoint = Readonly<typeof thresholdAnalysis.$inferSelect>;

/** A row of calibration_bins. */
export type CalibrationPoint = Readonly<typeof calibrationBins.$inferSelect>;

const bestBy = {
  f1: thresholdAnalysis.bestF1,
  youden: thresholdAnalysis.bestYouden,
  cost: thresholdAnalysis.bestCost,
} as const;

export const ListThresholdsInput = z.strictObject({
  evaluationId,
  /** Only those that are best by this criterion. */
  bestBy: z.enum(['f1', 'youden', 'cost']).optional(),
});
export type ListThresholdsInput = Readonly<z.input<typeof ListThresholdsInput>>;

/**
 * What a binary classifier does at each threshold, the highest first: at most 1,000 and those that are best. One statement,
 * no lock. Empty where there is no such evaluation, or it is of another task.
 */
export async function listThresholds(tx: TenantTx, input: ListThresholdsInput): Promise<readonly ThresholdPoint[]> {
  const { evaluationId: id, bestBy: criterion } = parseInput(ListThresholdsInput, input);
  return await tx
    .select()
    .from(thresholdAnalysis)
    .where(
      and(
        eq(thresholdAnalysis.tenantId, tenantOf(tx)),
        eq(thresholdAnalysis.evaluationId, id as Id<'Evaluation'>),
        criterion === undefined ? undefined : eq(bestBy[criterion], true),
      ),
    )
    .orderBy(desc(thresholdAnalysis.threshold));
}

export const ListCalibrationBinsInput = z.strictObject({ evaluationId });
export type ListCalibrationBinsInput = Readonly<z.input<typeof ListCalibrationBinsInput>>;

/**
 * The reliability table of an evaluation, by ascending score. One statement, no lock. Empty where there is no such
 * evaluation, or its scores were no probabilities.
 */
export async function listCalibrationBins(
  tx: TenantTx,
  input: ListCalibrationBinsInput,
): Promise<readonly CalibrationPoint[]> {
  const { evaluationId: id } = parseInput(ListCalibrationBinsInput, input);
  return await tx
    .select()
    .from(calibrationBins)
    .where(and(eq(calibrationBins.tenantId, tenantOf(tx)), eq(calibrationBins.evaluationId, id as Id<'Evaluation'>)))
    .orderBy(calibrationBins.bin);
}
