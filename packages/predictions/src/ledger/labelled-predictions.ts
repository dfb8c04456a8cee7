import { idFloor, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { and, eq, getTableName, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { featureName } from './prediction-input.ts';
import { predictionLabels, predictionLedgers, predictions } from './schema.ts';

export const LabelledPredictionsInput = z
  .strictObject({
    ...versionSubject,
    /** When they were predicted. */
    from: z.date(),
    /** Not included. */
    to: z.date(),
    /** Features that are numbers, to have as columns. */
    numbers: z.array(featureName).readonly().optional(),
    /** Features that are categories, to have as columns. */
    categories: z.array(featureName).readonly().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type LabelledPredictionsInput = Readonly<z.input<typeof LabelledPredictionsInput>>;

/**
 * The predictions of a version in a window of time whose subjects are labelled, as a subquery to select from, such as the `rows` of
 * evaluateBinaryQuery: `label` and `score` are the prediction's, `trueLabel` and `trueValue` what turned out.
 *
 * No round trip: the version and the places of features are looked up by the statement that it becomes a part of, once. A
 * feature that the version does not have is NULL in all rows, as is one of the other kind. Only partitions of the window are
 * read; labels are joined by their primary key.
 */
export function labelledPredictions(tx: TenantTx, input: LabelledPredictionsInput) {
  const { from, to, numbers = [], categories = [], ...version } = parseInput(LabelledPredictionsInput, input);
  const tenant = tenantOf(tx);
  const ofLedger = (value: SQL) => sql`(
    select ${value} from ${predictionLedgers} l
     where l.tenant_id = ${tenant} and l.model_version_id = ${versionIdOf(tx, version)})`;
  const place = (list: string, name: string) => ofLedger(sql`array_position(l.${sql.identifier(list)}, ${name})`);
  const features = {
    ...Object.fromEntries(
      numbers.map((name, n) => [
        `number_${n}`,
        sql<number | null>`${predictions.numbers}[${place('number_features', name)}]`.as(`number_${n}`),
      ]),
    ),
    ...Object.fromEntries(
      categories.map((name, n) => [
        `category_${n}`,
        sql<string | null>`${predictions.categories}[${place('category_features', name)}]`.as(`category_${n}`),
      ]),
    ),
  };
  const rows = tx
    .select({
      id: predictions.id,
      subject: predictions.subject,
      label: predictions.label,
      score: predictions.score,
      latencyMs: predictions.latencyMs,
      source: predictions.source,
      experiment: predictions.experiment,
      variant: predictions.variant,
      predictedAt: predictions.predictedAt,
      trueLabel: sql<string | null>`${predictionLabels.label}`.as('true_label'),
      trueValue: sql<number | null>`${predictionLabels.value}`.as('true_value'),
      observedAt: predictionLabels.observedAt,
      ...features,
    })
    .from(predictions)
    .innerJoin(
      predictionLabels,
      and(eq(predictionLabels.tenantId, predictions.tenantId), eq(predictionLabels.subject, predictions.subject)),
    )
    .where(
      and(
        eq(predictions.tenantId, tenant),
        sql`${predictions.modelVersionId} = ${versionIdOf(tx, version)}`,
        sql`${predictions.id} >= ${idFloor(from)}::uuid`,
        sql`${predictions.id} < ${idFloor(to)}::uuid`,
        eq(predictionLabels.tenantId, tenant),
        sql`${predictionLabels.modelId} = ${ofLedger(sql`l.model_id`)}`,
      ),
    )
    .as(NAME);
  const columnsOf = (names: readonly string[], kind: string): Readonly<Record<string, SQL>> =>
    Object.fromEntries(names.map((name, n) => [name, sql`${sql.identifier(NAME)}.${sql.identifier(`${kind}_${n}`)}`]));
  return {
    rows,
    /** The features that were asked for, by name, as columns of `rows`. */
    features: { ...columnsOf(numbers, 'number'), ...columnsOf(categories, 'category') },
  };
}

const NAME = `labelled_${getTableName(predictions)}`;
