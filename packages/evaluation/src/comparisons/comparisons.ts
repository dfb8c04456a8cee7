import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
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
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { comparisonNotFound } from '../not-found.ts';
import { comparisonDecisions, comparisonTests, modelComparisons } from './schema.ts';
import { eraseComparison } from './store-comparison.ts';

/** A row of model_comparisons. Difference is candidate less baseline; adjusted p and decision are those of its family now. */
export type Comparison = Readonly<typeof modelComparisons.$inferSelect>;

export const GetComparisonInput = z.strictObject({ comparisonId: z.uuid() });
export type GetComparisonInput = Readonly<z.input<typeof GetComparisonInput>>;

/** A comparison by its id. One statement, no lock. @throws DomainError `not_found`. */
export async function getComparison(tx: TenantTx, input: GetComparisonInput): Promise<Comparison> {
  const { comparisonId } = parseInput(GetComparisonInput, input);
  const [row] = await tx
    .select()
    .from(modelComparisons)
    .where(and(eq(modelComparisons.tenantId, tenantOf(tx)), eq(modelComparisons.id, comparisonId as Id<'Comparison'>)));
  if (row === undefined) throw comparisonNotFound();
  return row;
}

/** What comparisons can be searched and ordered by. */
export const comparisonFields = defineFilterFields({
  id: uuidField(modelComparisons.id),
  baselineVersionId: uuidField(modelComparisons.baselineVersionId),
  candidateVersionId: uuidField(modelComparisons.candidateVersionId),
  datasetDigest: textField(modelComparisons.datasetDigest),
  split: textField(modelComparisons.split),
  slice: textField(modelComparisons.slice),
  metric: textField(modelComparisons.metric),
  test: enumField(modelComparisons.test, comparisonTests),
  decision: enumField(modelComparisons.decision, comparisonDecisions),
  family: textField(modelComparisons.family),
  createdAt: timeField(modelComparisons.createdAt),
});

const comparisonList = defineList({
  name: 'evaluation.comparisons',
  from: modelComparisons,
  columns: getTableColumns(modelComparisons),
  order: defineOrder({
    fields: comparisonFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: comparisonFields.fields.id,
  }),
});

export const ListComparisonsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `candidate_version_id = '…' AND decision = 'better'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof comparisonFields>>().optional(),
  /** Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof comparisonFields>>().optional(),
});
export type ListComparisonsInput = Readonly<z.input<typeof ListComparisonsInput>>;

/** Comparisons, by pages. One statement, no lock. @throws DomainError `invalid_input` for filter, order, limit and cursor. */
export async function listComparisons(tx: TenantTx, input: ListComparisonsInput = {}): Promise<Page<Comparison>> {
  return await readPage(tx, comparisonList, parseInput(ListComparisonsInput, input));
}

export const DeleteComparisonInput = z.strictObject({ comparisonId: z.uuid() });
export type DeleteComparisonInput = Readonly<z.input<typeof DeleteComparisonInput>>;

/**
 * Removes a comparison for good; those left in its family are corrected and decided anew, under the lock of the family's
 * row. Three round trips, four where others change. Announces `comparison.deleted`. @throws DomainError `not_found`.
 */
export async function deleteComparison(tx: TenantTx, input: DeleteComparisonInput): Promise<void> {
  const { comparisonId } = parseInput(DeleteComparisonInput, input);
  const erased = await eraseComparison(tx, comparisonId);
  if (erased === undefined) throw comparisonNotFound();
  await recordEvent(tx, {
    topic: 'comparison.deleted',
    subjectId: comparisonId,
    payload: { candidateVersionId: erased.candidateVersionId },
  });
}
