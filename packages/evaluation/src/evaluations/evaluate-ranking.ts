import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { column, namesOneVersion, ONE_VERSION } from '../inputs.ts';
import { measureOptions, measureRows } from '../tasks/measure-rows.ts';
import { rankingTask } from '../tasks/ranking-task.ts';
import { withStatsErrors } from '../with-stats-errors.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from './store-evaluation.ts';

export const EvaluateRankingInput = z
  .strictObject({
    ...evaluationFacts,
    ...measureOptions,
    /** Each with its documents: how relevant they are, 0 for not at all, and their scores. Slices are of queries. */
    queries: z.array(z.strictObject({ relevance: column<number>(), scores: column<number>() })),
    /** Documents that count, from the first. Default 10. */
    k: z.int().min(1).optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type EvaluateRankingInput = Readonly<z.input<typeof EvaluateRankingInput>>;

/**
 * Evaluates a ranking and stores it: NDCG, MAP and MRR of the first k documents, of all queries and of slices of queries;
 * queries without a relevant document are left out of the means. Computes first, then two round trips.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for
 *   columns of different lengths and values that are not finite; `conflict` where the idempotency key came with other rows
 *   or facts before.
 */
export async function evaluateRanking(tx: TenantTx, input: EvaluateRankingInput): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateRankingInput, input);
  const { queries, k = 10 } = given;
  const measured = withStatsErrors(() => measureRows(rankingTask(k), queries, given));
  const parameters = { k, ...measured.parameters };
  return await storeEvaluation(tx, given, { ...measured, task: 'ranking', parameters, thresholds: [], bins: [] });
}
