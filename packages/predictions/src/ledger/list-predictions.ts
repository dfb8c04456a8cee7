import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  idFloor,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { namesOneVersion, type VersionSubject, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { predictionNotFound } from '../not-found.ts';
import { featureReader, labelJoin, type Prediction, predictionColumns } from './prediction.ts';
import { subjectName } from './prediction-input.ts';
import { predictionLabels, predictionSources, predictions } from './schema.ts';

/** What predictions can be filtered and ordered by. Indexes serve the order by id, which is that of time. */
export const predictionFields = defineFilterFields({
  id: uuidField(predictions.id),
  versionId: uuidField(predictions.modelVersionId),
  subject: textField(predictions.subject),
  label: textField(predictions.label),
  score: numberField(predictions.score),
  latencyMs: numberField(predictions.latencyMs),
  source: enumField(predictions.source, predictionSources),
  batchJobId: uuidField(predictions.batchJobId),
  runId: uuidField(predictions.runId),
  experiment: textField(predictions.experiment),
  variant: textField(predictions.variant),
  predictedAt: timeField(predictions.predictedAt),
  trueLabel: textField(sql`${predictionLabels.label}`),
  trueValue: numberField(sql`${predictionLabels.value}`),
  observedAt: timeField(sql`${predictionLabels.observedAt}`),
});

const predictionList = defineList({
  name: 'predictions.predictions',
  from: predictions,
  joins: labelJoin,
  columns: predictionColumns,
  order: defineOrder({
    fields: predictionFields,
    byDefault: [{ field: 'id', direction: 'desc' }],
    tieBreaker: predictionFields.fields.id,
  }),
});

/** Which predictions are meant, beside a filter. */
export const predictionWindow = {
  ...versionSubject,
  subject: subjectName.optional(),
  /** When they were predicted. */
  from: z.date().optional(),
  /** Not included. */
  to: z.date().optional(),
  /** Whether their subject has a label. */
  labelled: z.boolean().optional(),
};

export interface PredictionWindow extends VersionSubject {
  readonly subject?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly labelled?: boolean | undefined;
}

const namesVersion = ({ name, version, versionId, reference }: VersionSubject) =>
  [name, version, versionId, reference].some((part) => part !== undefined);
export const namesOneVersionOrNone = (given: VersionSubject) => !namesVersion(given) || namesOneVersion(given);
export const ONE_VERSION_OR_NONE =
  'must name the version by name and version, by versionId, or by reference, or not at all';

/** The condition of a window on predictions that are joined with their labels. */
export function isInWindow(
  tx: TenantTx,
  { subject, from, to, labelled, ...version }: PredictionWindow,
): SQL | undefined {
  return and(
    namesVersion(version) ? sql`${predictions.modelVersionId} = ${versionIdOf(tx, version)}` : undefined,
    subject === undefined ? undefined : eq(predictions.subject, subject),
    // Ranges of ids, so that partitions outside of the window are not looked at.
    from === undefined ? undefined : sql`${predictions.id} >= ${idFloor(from)}::uuid`,
    to === undefined ? undefined : sql`${predictions.id} < ${idFloor(to)}::uuid`,
    labelled === undefined ? undefined : sql`${predictionLabels.subject} is ${labelled ? sql`not null` : sql`null`}`,
  );
}

export const ListPredictionsInput = z
  .strictObject({
    ...PageInput.shape,
    ...predictionWindow,
    /** Text such as `score >= 0.5 AND source = 'online'`, or the same as an object. Read by readFilter. */
    filter: z.custom<FilterInput<typeof predictionFields>>().optional(),
    /** Default: the newest first. */
    orderBy: z.custom<OrderInput<typeof predictionFields>>().optional(),
  })
  .refine(namesOneVersionOrNone, ONE_VERSION_OR_NONE);
export type ListPredictionsInput = Readonly<z.input<typeof ListPredictionsInput>>;

/**
 * Predictions with their features by name and what is true of their subjects, by pages: those of a version, subject and window
 * of time, with or without a label, that fulfil the filter. Two round trips, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listPredictions(tx: TenantTx, input: ListPredictionsInput = {}): Promise<Page<Prediction>> {
  const { filter, orderBy, limit, cursor, ...window } = parseInput(ListPredictionsInput, input);
  const { name, version, versionId, reference, subject, from, to, labelled } = window;
  const of = [name, version, versionId, reference, subject, from?.toISOString(), to?.toISOString(), labelled];
  const page = await readPage(tx, predictionList, {
    ...{ filter, orderBy, limit, cursor },
    within: { condition: isInWindow(tx, window), of: of.map((part) => part ?? null) },
  });
  return { ...page, items: await featureReader(tx)(page.items) };
}

export const GetPredictionInput = z.strictObject({ id: z.uuidv7() });
export type GetPredictionInput = Readonly<z.input<typeof GetPredictionInput>>;

/** One prediction, as listPredictions gives it. Two round trips, no lock. @throws DomainError `not_found`. */
export async function getPrediction(tx: TenantTx, input: GetPredictionInput): Promise<Prediction> {
  const { id } = parseInput(GetPredictionInput, input);
  const condition = and(eq(predictions.tenantId, tenantOf(tx)), sql`${predictions.id} = ${id}::uuid`);
  const { items } = await readPage(tx, predictionList, { within: { condition, of: [id] }, limit: 1 });
  const [prediction] = await featureReader(tx)(items);
  if (prediction === undefined) throw predictionNotFound();
  return prediction;
}
