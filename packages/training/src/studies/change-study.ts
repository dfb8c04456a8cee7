import { recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { hyperparameterStudies, hyperparameterStudyEvents, type StudyEventKind } from '../schema.ts';
import type { StudyColumns } from './study-lock.ts';

/** A change of a study, of which history and outbox are told. */
export interface StudyEvent {
  readonly studyId: string;
  readonly name: string;
  readonly changeNumber: number;
  readonly kind: StudyEventKind;
  readonly reason?: string | undefined;
}

/** Writes the row of hyperparameter_study_events and announces `study.<kind>`, in one flight. The only place that does. */
export async function recordStudyEvent(tx: TenantTx, event: StudyEvent): Promise<void> {
  const { studyId, name, changeNumber, kind } = event;
  await Promise.all([
    tx.insert(hyperparameterStudyEvents).values(event),
    recordEvent(tx, { topic: `study.${kind}`, subjectId: studyId, payload: { name, changeNumber } }),
  ]);
}

export interface StudyChange {
  readonly kind: StudyEventKind;
  readonly reason?: string | undefined;
  readonly set: PgUpdateSetSource<typeof hyperparameterStudies>;
}

/** Makes the next change of a locked study, with its row in the history and its event, in one flight. */
export async function changeStudy(tx: TenantTx, study: StudyColumns, change: StudyChange): Promise<StudyColumns> {
  const changeNumber = study.lastChangeNumber + 1;
  const [[changed]] = await Promise.all([
    tx
      .update(hyperparameterStudies)
      .set({ ...change.set, lastChangeNumber: changeNumber, updatedAt: sql`app_now()` })
      .where(and(eq(hyperparameterStudies.tenantId, tenantOf(tx)), eq(hyperparameterStudies.id, study.id)))
      .returning(),
    recordStudyEvent(tx, {
      studyId: study.id,
      name: study.name,
      changeNumber,
      kind: change.kind,
      reason: change.reason,
    }),
  ]);
  if (changed === undefined) throw new Error('The locked study is gone.');
  return changed;
}
