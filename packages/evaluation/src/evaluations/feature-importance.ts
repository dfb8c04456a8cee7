import {
  defineFilterFields,
  defineList,
  defineOrder,
  float8Array,
  type Id,
  int8Array,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textArray,
  textField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { evaluationId, featureName, metricName, seed } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { evaluationNotFound } from '../not-found.ts';
import { rankOf } from './permutation-importance.ts';
import { evaluations, featureImportance } from './schema.ts';

/** A row of feature_importance. */
export type FeatureImportance = Readonly<typeof featureImportance.$inferSelect>;

export const RecordFeatureImportanceInput = z.strictObject({
  evaluationId,
  /** Such as `permutation`, `gain`, `shap`; once for an evaluation. */
  method: metricName,
  features: z
    .array(
      z.strictObject({
        feature: featureName,
        value: z.number(),
        /** Over repeats. */
        std: z.number().min(0).nullish(),
        /** By descending value, whatever is given here: what permutationImportance returns can be passed on. */
        rank: z.int().min(1).optional(),
      }),
    )
    .max(EVALUATION_LIMITS.features)
    .refine(
      (given) => new Set(given.map(({ feature }) => feature)).size === given.length,
      'must name each feature once',
    ),
  /** Default 1. */
  repeats: z.int().min(1).optional(),
  seed: seed.nullish(),
});
export type RecordFeatureImportanceInput = Readonly<z.input<typeof RecordFeatureImportanceInput>>;

/**
 * Stores how important features are by a method, ranked by descending value; ties share the lowest rank. Two statements, no
 * lock. @throws DomainError `not_found` without the evaluation; `already_exists` where the method is there.
 */
export async function recordFeatureImportance(tx: TenantTx, input: RecordFeatureImportanceInput): Promise<void> {
  const {
    evaluationId: id,
    method,
    features,
    repeats = 1,
    seed: from = null,
  } = parseInput(RecordFeatureImportanceInput, input);
  const tenant = tenantOf(tx);
  const [found] = await tx
    .select({ id: evaluations.id })
    .from(evaluations)
    .where(and(eq(evaluations.tenantId, tenant), eq(evaluations.id, id as Id<'Evaluation'>)))
    .for('key share');
  if (found === undefined) throw evaluationNotFound();
  const rank = rankOf(features.map(({ value }) => value));
  await tx.execute(sql`
    insert into ${featureImportance} (tenant_id, evaluation_id, method, feature, value, std, rank, repeats, seed)
    select ${tenant}, ${id}::uuid, ${method}, given.*, ${repeats}::int, ${from}::bigint
      from unnest(${textArray(features.map(({ feature }) => feature))}, ${float8Array(features.map(({ value }) => value))},
                  ${float8Array(features.map(({ std }) => std ?? null))},
                  ${int8Array(features.map(({ value }) => rank(value)))}) as given`);
}

const fields = defineFilterFields({
  method: textField(featureImportance.method),
  rank: numberField(featureImportance.rank),
  feature: textField(featureImportance.feature),
});
const importanceList = defineList({
  name: 'evaluation.importance',
  from: featureImportance,
  columns: getTableColumns(featureImportance),
  order: defineOrder({
    fields,
    byDefault: [{ field: 'method' }, { field: 'rank' }],
    tieBreaker: [fields.fields.method, fields.fields.feature],
  }),
});

export const ListFeatureImportanceInput = z.strictObject({
  evaluationId,
  ...PageInput.shape,
  /** By this method only. */
  method: metricName.optional(),
});
export type ListFeatureImportanceInput = Readonly<z.input<typeof ListFeatureImportanceInput>>;

/** Features by method and rank, by pages. One statement, no lock. Empty where there is no such evaluation. */
export async function listFeatureImportance(
  tx: TenantTx,
  input: ListFeatureImportanceInput,
): Promise<Page<FeatureImportance>> {
  const { evaluationId: id, method, ...wanted } = parseInput(ListFeatureImportanceInput, input);
  const condition = and(
    eq(featureImportance.evaluationId, id as Id<'Evaluation'>),
    method === undefined ? undefined : eq(featureImportance.method, method),
  );
  return await readPage(tx, importanceList, { ...wanted, within: { condition, of: [id, method ?? null] } });
}
