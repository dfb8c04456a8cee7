import { DomainError, parseInput, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelSubject, namesOneModel, ONE_MODEL } from '../inputs.ts';
import { PREDICTION_LIMITS } from '../limits.ts';
import { openModel } from './open-model.ts';
import { anyNumber, labelText, subjectName } from './prediction-input.ts';
import { predictionLedgers, predictions } from './schema.ts';
import { type SubjectTruths, type Truth, writeLabels } from './write-labels.ts';

const isOne = (one: unknown, other: unknown) => (one === undefined) !== (other === undefined);

export const LabelInput = z
  .strictObject({
    /** What the predictions named; or one of them by its id, which stands for its subject. */
    subject: subjectName.optional(),
    predictionId: z.uuidv7().optional(),
    /** The true class, or where the truth is a number its value: one of both. */
    label: labelText.optional(),
    value: anyNumber.optional(),
    /** When the truth was observed, to the millisecond. Default: the transaction's time. */
    observedAt: z.date().optional(),
  })
  .refine(({ subject, predictionId }) => isOne(subject, predictionId), 'must have a subject or a predictionId')
  .refine(({ label, value }) => isOne(label, value), 'must have a label or a value');
export type LabelInput = Readonly<z.input<typeof LabelInput>>;

export const RecordLabelsInput = z
  .strictObject({ ...modelSubject, labels: z.array(LabelInput).max(PREDICTION_LIMITS.labelsAtOnce).readonly() })
  .refine(namesOneModel, ONE_MODEL);
export type RecordLabelsInput = Readonly<z.input<typeof RecordLabelsInput>>;

export interface RecordedLabels {
  readonly modelId: string;
  /** Subjects that had no label before. */
  readonly recorded: number;
  /** Labels that took the place of an earlier observation, which is in the history now. */
  readonly corrected: number;
  /** Labels that went to the history, because a later observation was known. */
  readonly superseded: number;
  /** Labels that were known. */
  readonly repeated: number;
}

/**
 * Records what turned out to be true of subjects, all or none, for all versions of the model: before or after their
 * predictions, in any order, and any number of times. Of two observations of a subject the later one holds, whichever came
 * first; the other is in its history. A label without `observedAt` that says what is known changes nothing.
 *
 * It waits for others that label the same subjects. Two round trips, one more with ids of predictions; up to three more
 * where some subjects have labels.
 *
 * @throws DomainError `not_found` without the model; naming the label's index, `not_found` for an id of no prediction of the
 *   model, `invalid_input` for a value outside the limits and a time outside of 2000 to 2099 or more than an hour ahead,
 *   `conflict` for a subject that was observed otherwise at the same time.
 */
export async function recordLabels(tx: TenantTx, input: RecordLabelsInput): Promise<RecordedLabels> {
  const { labels, ...subject } = parseInput(RecordLabelsInput, input);
  const { modelId, now } = await openModel(tx, subject);
  const subjects = await subjectsOf(tx, modelId, labels);
  const bySubject = new Map<string, Truth[]>();
  for (const [index, { label = null, value = null, observedAt }] of labels.entries()) {
    const at = checkedTime(observedAt ?? now, now, index);
    const known = bySubject.get(subjects[index] ?? '') ?? [];
    known.push({ index, label, value, at, isDated: observedAt !== undefined });
    bySubject.set(subjects[index] ?? '', known);
  }
  // In the order of subjects, so that two calls do not wait for each other in a circle.
  const given = [...bySubject].map(([name, truths]): SubjectTruths => ({ subject: name, truths }));
  given.sort(({ subject: one }, { subject: other }) => (one < other ? -1 : 1));
  return { modelId, ...(await writeLabels(tx, modelId, given)) };
}

const earliest = Date.UTC(2000);
const end = Date.UTC(2100);

function checkedTime(at: Date, now: Date, index: number): Date {
  const ms = at.getTime();
  const rule =
    ms < earliest || ms >= end
      ? 'must be a time of the years 2000 to 2099'
      : ms > now.getTime() + PREDICTION_LIMITS.aheadMs
        ? `must be at most ${PREDICTION_LIMITS.aheadMs} ms ahead of the clock`
        : undefined;
  if (rule === undefined) return at;
  const field = `labels[${index}].observedAt`;
  throw new DomainError('invalid_input', `${field} ${rule}.`, { details: { field, index } });
}

async function subjectsOf(
  tx: TenantTx,
  modelId: string,
  labels: z.output<typeof RecordLabelsInput>['labels'],
): Promise<readonly string[]> {
  const ids = labels.flatMap(({ predictionId }) => (predictionId === undefined ? [] : [predictionId.toLowerCase()]));
  const found = new Map<string, string>();
  if (ids.length > 0) {
    const rows = await tx.execute<{ id: string; subject: string }>(sql`
      select p.id, p.subject
        from ${predictions} p
        join ${predictionLedgers} l on l.tenant_id = p.tenant_id and l.model_version_id = p.model_version_id
       where p.tenant_id = ${tenantOf(tx)} and p.id = any (${uuidArray(ids)}) and l.model_id = ${modelId}::uuid`);
    for (const row of rows) found.set(row.id, row.subject);
  }
  return labels.map(({ subject, predictionId = '' }, index) => {
    const named = subject ?? found.get(predictionId.toLowerCase());
    if (named !== undefined) return named;
    const field = `labels[${index}].predictionId`;
    throw new DomainError('not_found', `${field} is the id of no prediction of this model.`, {
      details: { field, index },
    });
  });
}
