import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  recordEvent,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  toId,
  uuidField,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { evaluationId } from '../inputs.ts';
import { evaluationNotFound } from '../not-found.ts';
import { evaluations, evaluationTasks } from './schema.ts';

/** A row of evaluations, with the name and version of what was evaluated. */
export interface Evaluation extends Readonly<typeof evaluations.$inferSelect> {
  readonly modelName: string;
  readonly modelVersion: string;
}

const columns = {
  ...getTableColumns(evaluations),
  modelName: modelRegistry.name,
  modelVersion: modelRegistry.version,
};

export const GetEvaluationInput = z.strictObject({ evaluationId });
export type GetEvaluationInput = Readonly<z.input<typeof GetEvaluationInput>>;

/** An evaluation by its id. One statement, no lock. @throws DomainError `not_found`. */
export async function getEvaluation(tx: TenantTx, input: GetEvaluationInput): Promise<Evaluation> {
  const { evaluationId: id } = parseInput(GetEvaluationInput, input);
  const [row] = await tx
    .select(columns)
    .from(evaluations)
    .innerJoin(
      modelRegistry,
      and(eq(modelRegistry.tenantId, evaluations.tenantId), eq(modelRegistry.id, evaluations.versionId)),
    )
    .where(and(eq(evaluations.tenantId, tenantOf(tx)), eq(evaluations.id, id as Id<'Evaluation'>)));
  if (row === undefined) throw evaluationNotFound();
  return row;
}

/** What evaluations can be searched and ordered by. */
export const evaluationFields = defineFilterFields({
  id: uuidField(evaluations.id),
  modelName: textField(modelRegistry.name, { aliases: ['name', 'model'] }),
  modelVersion: textField(modelRegistry.version, { aliases: ['version'] }),
  versionId: uuidField(evaluations.versionId),
  runId: uuidField(evaluations.runId),
  task: enumField(evaluations.task, evaluationTasks),
  datasetName: textField(evaluations.datasetName),
  datasetDigest: textField(evaluations.datasetDigest),
  split: textField(evaluations.split),
  slice: textField(evaluations.slice),
  n: numberField(evaluations.n),
  createdAt: timeField(evaluations.createdAt),
});

const evaluationList = defineList({
  name: 'evaluation.evaluations',
  from: evaluations,
  joins: sql`
    join ${modelRegistry} on ${modelRegistry.tenantId} = ${evaluations.tenantId} and ${modelRegistry.id} = ${evaluations.versionId}`,
  columns,
  order: defineOrder({
    fields: evaluationFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: evaluationFields.fields.id,
  }),
});

export const ListEvaluationsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `model_name = 'churn' AND dataset_digest = 'sha256:1f'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof evaluationFields>>().optional(),
  /** Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof evaluationFields>>().optional(),
});
export type ListEvaluationsInput = Readonly<z.input<typeof ListEvaluationsInput>>;

/**
 * Evaluations, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listEvaluations(tx: TenantTx, input: ListEvaluationsInput = {}): Promise<Page<Evaluation>> {
  return await readPage(tx, evaluationList, parseInput(ListEvaluationsInput, input));
}

export const DeleteEvaluationInput = z.strictObject({ evaluationId });
export type DeleteEvaluationInput = Readonly<z.input<typeof DeleteEvaluationInput>>;

/**
 * Removes an evaluation with all its parts, for good; decisions of gates that read it keep their numbers. Announces
 * `evaluation.deleted`. Two round trips. @throws DomainError `not_found`.
 */
export async function deleteEvaluation(tx: TenantTx, input: DeleteEvaluationInput): Promise<void> {
  const id = toId<'Evaluation'>(parseInput(DeleteEvaluationInput, input).evaluationId, 'evaluationId');
  const [deleted] = await tx
    .delete(evaluations)
    .where(and(eq(evaluations.tenantId, tenantOf(tx)), eq(evaluations.id, id)))
    .returning({ versionId: evaluations.versionId });
  if (deleted === undefined) throw evaluationNotFound();
  await recordEvent(tx, { topic: 'evaluation.deleted', subjectId: id, payload: { versionId: deleted.versionId } });
}
