import {
  booleanArray,
  float8Array,
  type Id,
  int8Array,
  jsonParameter,
  nameInput,
  newId,
  oncePerKey,
  recordEvent,
  type TenantTx,
  tenantOf,
  textArray,
  toId,
} from '@mcp-hub/db-core';
import { trainingRuns } from '@mcp-hub/training/schema';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { datasetInput, idempotencyKey, sliceName, splitName, versionSubject } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { runNotFound, versionNotFound } from '../not-found.ts';
import { versionIdOf } from '../version-id-of.ts';
import type { EvaluationParts, MetricRow } from './evaluation-parts.ts';
import { calibrationBins, confusionMatrices, evaluationMetrics, evaluations, thresholdAnalysis } from './schema.ts';

/** What each way of evaluating takes beside the rows; spread into the schema of its input. */
export const evaluationFacts = {
  ...versionSubject,
  dataset: datasetInput,
  /** Default `test`. */
  split: splitName.optional(),
  /** Which part of the split the rows are, in the caller's words. Default: all of it. */
  slice: sliceName.optional(),
  codeVersion: nameInput(EVALUATION_LIMITS.codeVersionLength).nullish(),
  /** The run that evaluated, or whose model it is. */
  runId: z.uuid().nullish(),
  /** One for each evaluation that the client wants: a repeated call with it makes no other and gives the first id. */
  idempotencyKey,
};
const EvaluationFacts = z.object(evaluationFacts);
export type EvaluationFacts = z.output<typeof EvaluationFacts>;

/** An evaluation that was stored. */
export interface RecordedEvaluation {
  readonly id: Id<'Evaluation'>;
  /** Those of all rows; the slices are read by listWorstSlices. */
  readonly metrics: readonly MetricRow[];
}

/**
 * Stores an evaluation with all its parts, or nothing, and announces `evaluation.recorded`. Two round trips; the version is
 * held against erasure by the foreign key's own lock.
 *
 * @throws DomainError `not_found` without the version or the run; `conflict` where the idempotency key came with other
 *   rows or facts before.
 */
export async function storeEvaluation(
  tx: TenantTx,
  input: EvaluationFacts,
  parts: EvaluationParts,
): Promise<RecordedEvaluation> {
  // What else the caller was given, such as the rows, is left behind.
  const { idempotencyKey: key, ...facts } = EvaluationFacts.parse(input);
  const call = { scope: 'evaluation.evaluate', key, request: { ...facts, ...parts } };
  const id = await oncePerKey<string>(tx, call, async () => await insertEvaluation(tx, facts, parts));
  return { id: toId(id, 'id'), metrics: parts.metrics.filter(({ sliceFeature }) => sliceFeature === '') };
}

async function insertEvaluation(
  tx: TenantTx,
  facts: Omit<EvaluationFacts, 'idempotencyKey'>,
  parts: EvaluationParts,
): Promise<string> {
  const tenant = tenantOf(tx);
  const { versionId, runId } = await readSubject(tx, facts);
  const id: string = newId();
  const { metrics, cells, thresholds, bins } = parts;
  await Promise.all([
    tx.insert(evaluations).values({
      ...{ id: toId<'Evaluation'>(id, 'id'), versionId, runId, task: parts.task, n: parts.n, weight: parts.weight },
      ...{
        datasetName: facts.dataset.name,
        datasetDigest: facts.dataset.digest,
        codeVersion: facts.codeVersion ?? null,
      },
      ...{ split: facts.split ?? 'test', slice: facts.slice ?? '' },
      parameters: sql`${jsonParameter({ ...parts.parameters, confidence: parts.confidence })}`,
    }),
    insertRows(
      metrics,
      (rows) => sql`
      insert into ${evaluationMetrics} (tenant_id, evaluation_id, slice_feature, slice_value, metric, class_label, value,
                                        reason, lower, upper, interval_method, n, weight, confidence)
      select ${tenant}, ${id}::uuid, given.*, case when given.method is null then null else ${parts.confidence}::float8 end
        from unnest(${textArray(rows.map((row) => row.sliceFeature))}, ${textArray(rows.map((row) => row.sliceValue))},
                    ${textArray(rows.map((row) => row.metric))}, ${textArray(rows.map((row) => row.classLabel))},
                    ${float8Array(rows.map((row) => row.value))}, ${textArray(rows.map((row) => row.reason))},
                    ${float8Array(rows.map((row) => row.lower))}, ${float8Array(rows.map((row) => row.upper))},
                    ${textArray(rows.map((row) => row.intervalMethod))}, ${int8Array(rows.map((row) => row.n))},
                    ${float8Array(rows.map((row) => row.weight))})
             as given (feature, slice, metric, label, value, reason, lower, upper, method, n, weight)`,
    ),
    insertRows(
      cells,
      (rows) => sql`
      insert into ${confusionMatrices} (tenant_id, evaluation_id, slice_feature, slice_value, true_label, predicted_label,
                                        n, weight)
      select ${tenant}, ${id}::uuid, given.*
        from unnest(${textArray(rows.map((row) => row.sliceFeature))}, ${textArray(rows.map((row) => row.sliceValue))},
                    ${textArray(rows.map((row) => row.trueLabel))}, ${textArray(rows.map((row) => row.predictedLabel))},
                    ${int8Array(rows.map((row) => row.n))}, ${float8Array(rows.map((row) => row.weight))}) as given`,
    ),
    insertRows(
      thresholds,
      (rows) => sql`
      insert into ${thresholdAnalysis} (tenant_id, evaluation_id, threshold, tp, fp, tn, fn, precision, recall, specificity,
                                        f1, cost, best_f1, best_youden, best_cost)
      select ${tenant}, ${id}::uuid, given.*
        from unnest(${float8Array(rows.map((row) => row.threshold))}, ${float8Array(rows.map((row) => row.tp))},
                    ${float8Array(rows.map((row) => row.fp))}, ${float8Array(rows.map((row) => row.tn))},
                    ${float8Array(rows.map((row) => row.fn))}, ${float8Array(rows.map((row) => row.precision))},
                    ${float8Array(rows.map((row) => row.recall))}, ${float8Array(rows.map((row) => row.specificity))},
                    ${float8Array(rows.map((row) => row.f1))}, ${float8Array(rows.map((row) => row.cost))},
                    ${booleanArray(rows.map((row) => row.bestF1))}, ${booleanArray(rows.map((row) => row.bestYouden))},
                    ${booleanArray(rows.map((row) => row.bestCost))}) as given`,
    ),
    insertRows(
      bins,
      (rows) => sql`
      insert into ${calibrationBins} (tenant_id, evaluation_id, bin, lower, upper, n, weight, mean_score, positive_rate)
      select ${tenant}, ${id}::uuid, given.*
        from unnest(${int8Array(rows.map((_, bin) => bin))}, ${float8Array(rows.map((row) => row.lower))},
                    ${float8Array(rows.map((row) => row.upper))}, ${int8Array(rows.map((row) => row.n))},
                    ${float8Array(rows.map((row) => row.weight))}, ${float8Array(rows.map((row) => row.meanScore))},
                    ${float8Array(rows.map((row) => row.positiveRate))}) as given`,
    ),
    recordEvent(tx, {
      topic: 'evaluation.recorded',
      subjectId: id,
      payload: { versionId, runId, task: parts.task, datasetDigest: facts.dataset.digest, n: parts.n },
    }),
  ]);
  return id;

  // Drizzle sends a statement when it is awaited: all of them here in their order, the parent first.
  function insertRows<Row>(rows: readonly Row[], statement: (rows: readonly Row[]) => SQL): PromiseLike<unknown> {
    return rows.length === 0 ? Promise.resolve() : tx.execute(statement(rows));
  }
}

async function readSubject(tx: TenantTx, facts: Omit<EvaluationFacts, 'idempotencyKey'>) {
  const tenant = tenantOf(tx);
  const { runId = null } = facts;
  const [found] = await tx.execute<{ version: Id<'ModelVersion'> | null; run: Id<'Run'> | null }>(sql`
    select ${versionIdOf(tx, facts)} as version,
           (select r.id from ${trainingRuns} r
             where r.tenant_id = ${tenant} and r.id = ${runId}::uuid and r.deleted_at is null) as run`);
  if (found?.version == null) throw versionNotFound();
  if (runId !== null && found.run === null) throw runNotFound();
  return { versionId: found.version, runId: found.run };
}
