import {
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  type Id,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { evaluationId, featureName, labelText, metricName } from '../inputs.ts';
import { higherIsBetter } from '../metric-direction.ts';
import { evaluationMetrics } from './schema.ts';

/** A row of evaluation_metrics: value null where it is undefined, and then the reason says why. */
export type EvaluationMetric = Readonly<typeof evaluationMetrics.$inferSelect>;

/** What the metrics of an evaluation can be searched and ordered by. */
export const metricFields = defineFilterFields({
  metric: textField(evaluationMetrics.metric),
  classLabel: textField(evaluationMetrics.classLabel),
  sliceFeature: textField(evaluationMetrics.sliceFeature),
  sliceValue: textField(evaluationMetrics.sliceValue),
  value: numberField(evaluationMetrics.value),
  n: numberField(evaluationMetrics.n),
});

const { metric, classLabel, sliceFeature, sliceValue } = metricFields.fields;
const metricList = defineList({
  name: 'evaluation.metrics',
  from: evaluationMetrics,
  columns: getTableColumns(evaluationMetrics),
  order: defineOrder({
    fields: metricFields,
    byDefault: [{ field: 'sliceFeature' }, { field: 'sliceValue' }, { field: 'metric' }],
    tieBreaker: [sliceFeature, sliceValue, metric, classLabel],
  }),
});

export const ListEvaluationMetricsInput = z.strictObject({
  evaluationId,
  ...PageInput.shape,
  /** Text such as `metric = 'recall' AND class_label = 'late'`, or the same as an object; `slice_feature = ''` is all rows. */
  filter: z.custom<FilterInput<typeof metricFields>>().optional(),
  /** Default: all rows first, then the slices by name, each by metric. */
  orderBy: z.custom<OrderInput<typeof metricFields>>().optional(),
});
export type ListEvaluationMetricsInput = Readonly<z.input<typeof ListEvaluationMetricsInput>>;

/** The metrics of an evaluation and its slices, by pages. One statement, no lock. Empty where there is no such evaluation. */
export async function listEvaluationMetrics(
  tx: TenantTx,
  input: ListEvaluationMetricsInput,
): Promise<Page<EvaluationMetric>> {
  const { evaluationId: id, ...wanted } = parseInput(ListEvaluationMetricsInput, input);
  const condition = eq(evaluationMetrics.evaluationId, id as Id<'Evaluation'>);
  return await readPage(tx, metricList, { ...wanted, within: { condition, of: [id] } });
}

export const ListWorstSlicesInput = z.strictObject({
  evaluationId,
  ...PageInput.shape,
  metric: metricName,
  /** Of a metric of one class. Default: of all. */
  classLabel: labelText.optional(),
  /** Slices by this feature only. */
  feature: featureName.optional(),
  /** Slices of at least so many rows. Default: all that were stored. */
  minRows: z.int().min(1).optional(),
  /** Which way is worse. Default: known of the package's metrics; lower of others. */
  lowerIsBetter: z.boolean().optional(),
});
export type ListWorstSlicesInput = Readonly<z.input<typeof ListWorstSlicesInput>>;

/**
 * The slices of an evaluation by a metric, the worst first and those that leave it undefined last, by pages. One statement,
 * no lock. Empty where there is no such evaluation.
 */
export async function listWorstSlices(tx: TenantTx, input: ListWorstSlicesInput): Promise<Page<EvaluationMetric>> {
  const given = parseInput(ListWorstSlicesInput, input);
  const { evaluationId: id, metric: name, classLabel: label = '', feature, minRows = 1, limit, cursor } = given;
  const lower = given.lowerIsBetter ?? !higherIsBetter(name);
  return await readPage(tx, metricList, {
    ...{ limit, cursor, orderBy: [{ field: 'value', direction: lower ? 'desc' : 'asc' }] },
    within: {
      condition: and(
        eq(evaluationMetrics.evaluationId, id as Id<'Evaluation'>),
        eq(evaluationMetrics.metric, name),
        eq(evaluationMetrics.classLabel, label),
        feature === undefined
          ? sql`${evaluationMetrics.sliceFeature} <> ''`
          : eq(evaluationMetrics.sliceFeature, feature),
        sql`${evaluationMetrics.n} >= ${minRows}`,
      ),
      of: [id, name, label, feature ?? null, minRows],
    },
  });
}
