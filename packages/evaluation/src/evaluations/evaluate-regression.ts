import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { column, namesOneVersion, ONE_VERSION, openShare } from '../inputs.ts';
import { measureOptions, measureRows } from '../tasks/measure-rows.ts';
import { regressionTask } from '../tasks/regression-task.ts';
import { withStatsErrors } from '../with-stats-errors.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from './store-evaluation.ts';

export const EvaluateRegressionInput = z
  .strictObject({
    ...evaluationFacts,
    ...measureOptions,
    actual: column<number>(),
    predicted: column<number>(),
    weights: column<number>().optional(),
    /** Where a quantile is predicted: its level, for the pinball loss. */
    quantile: openShare.optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type EvaluateRegressionInput = Readonly<z.input<typeof EvaluateRegressionInput>>;

/**
 * Evaluates predicted numbers and stores it: errors in the unit of the values and R², of all rows and of slices. Computes
 * first, then two round trips.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for
 *   columns of different lengths and values that are not finite; `conflict` where the idempotency key came with other rows
 *   or facts before.
 */
export async function evaluateRegression(tx: TenantTx, input: EvaluateRegressionInput): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateRegressionInput, input);
  const { actual, predicted, weights, quantile } = given;
  const measured = withStatsErrors(() => measureRows(regressionTask(quantile), { actual, predicted, weights }, given));
  const parameters = { ...(quantile === undefined ? {} : { quantile }), ...measured.parameters };
  return await storeEvaluation(tx, given, { ...measured, task: 'regression', parameters, thresholds: [], bins: [] });
}
