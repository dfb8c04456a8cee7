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
  tenantOf,
  textField,
  timeField,
} from '@mcp-hub/db-core';
import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelSubject, namesOneModel, ONE_MODEL } from '../inputs.ts';
import { PREDICTION_LIMITS } from '../limits.ts';
import { labelNotFound } from '../not-found.ts';
import { modelIdOf } from './open-model.ts';
import { subjectName } from './prediction-input.ts';
import { predictionLabelHistory, predictionLabels } from './schema.ts';

/** What is known to be true of a subject. */
export interface PredictionLabel {
  readonly modelId: Id<'Model'>;
  readonly subject: string;
  /** The true class, or null where the truth is a number. */
  readonly label: string | null;
  readonly value: number | null;
  readonly observedAt: Date;
  /** How many different observations of the subject were recorded. */
  readonly revision: number;
  readonly actor: string | null;
  readonly recordedAt: Date;
}

export const labelFields = defineFilterFields({
  subject: textField(predictionLabels.subject),
  label: textField(predictionLabels.label),
  value: numberField(predictionLabels.value),
  revision: numberField(predictionLabels.revision),
  observedAt: timeField(predictionLabels.observedAt),
  recordedAt: timeField(predictionLabels.recordedAt),
});

const { tenantId: _, ...labelColumns } = getTableColumns(predictionLabels);

const labelList = defineList({
  name: 'predictions.labels',
  from: predictionLabels,
  columns: labelColumns,
  order: defineOrder({
    fields: labelFields,
    byDefault: [{ field: 'observedAt', direction: 'desc' }],
    tieBreaker: labelFields.fields.subject,
  }),
});

export const ListLabelsInput = z
  .strictObject({
    ...PageInput.shape,
    ...modelSubject,
    /** Text such as `label = 'leaves' AND revision > 1`, or the same as an object. Read by readFilter. */
    filter: z.custom<FilterInput<typeof labelFields>>().optional(),
    /** Default: the last observed first. */
    orderBy: z.custom<OrderInput<typeof labelFields>>().optional(),
  })
  .refine(namesOneModel, ONE_MODEL);
export type ListLabelsInput = Readonly<z.input<typeof ListLabelsInput>>;

/** The labels of a model as they are known now, by pages; none where there is no model. One statement, no lock. */
export async function listLabels(tx: TenantTx, input: ListLabelsInput): Promise<Page<PredictionLabel>> {
  const { name, modelId, ...page } = parseInput(ListLabelsInput, input);
  const condition = sql`${predictionLabels.modelId} = ${modelIdOf(tx, { name, modelId })}`;
  return await readPage(tx, labelList, { ...page, within: { condition, of: [name ?? null, modelId ?? null] } });
}

export const GetLabelHistoryInput = z
  .strictObject({ ...modelSubject, subject: subjectName })
  .refine(namesOneModel, ONE_MODEL);
export type GetLabelHistoryInput = Readonly<z.input<typeof GetLabelHistoryInput>>;

/** An observation that another has taken the place of, or that came when a later one was known. */
export type ReplacedLabel = Readonly<Omit<typeof predictionLabelHistory.$inferSelect, 'tenantId' | 'modelId'>>;

export interface LabelHistory {
  readonly current: PredictionLabel;
  /** The last observed first, 1,000 at the most. */
  readonly replaced: readonly ReplacedLabel[];
}

/** What is and was known to be true of a subject. Two statements, no lock. @throws DomainError `not_found` without a label. */
export async function getLabelHistory(tx: TenantTx, input: GetLabelHistoryInput): Promise<LabelHistory> {
  const { subject, ...model } = parseInput(GetLabelHistoryInput, input);
  const tenant = tenantOf(tx);
  const { tenantId: _tenant, modelId: _model, ...replacedColumns } = getTableColumns(predictionLabelHistory);
  const [[current], replaced] = await Promise.all([
    tx
      .select(labelColumns)
      .from(predictionLabels)
      .where(
        and(
          eq(predictionLabels.tenantId, tenant),
          sql`${predictionLabels.modelId} = ${modelIdOf(tx, model)}`,
          eq(predictionLabels.subject, subject),
        ),
      ),
    tx
      .select(replacedColumns)
      .from(predictionLabelHistory)
      .where(
        and(
          eq(predictionLabelHistory.tenantId, tenant),
          sql`${predictionLabelHistory.modelId} = ${modelIdOf(tx, model)}`,
          eq(predictionLabelHistory.subject, subject),
        ),
      )
      .orderBy(desc(predictionLabelHistory.observedAt))
      .limit(PREDICTION_LIMITS.labelHistory),
  ]);
  if (current === undefined) throw labelNotFound();
  return { current, replaced };
}
