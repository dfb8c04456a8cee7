import { type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq } from 'drizzle-orm';
import { studyNotFound } from '../not-found.ts';
import { hyperparameterStudies } from '../schema.ts';

export type StudyColumns = typeof hyperparameterStudies.$inferSelect;

/**
 * Takes the one lock of a study: its row, until the transaction ends. Numbers, claims, the sweep and changes of the study
 * wait for each other here, what a trial's worker writes does not. NO KEY UPDATE, because the trials refer to the row.
 *
 * A statement of its own, because at READ COMMITTED a statement that waits for a lock goes on reading the other tables as
 * they were before it waited. Undefined where there is no such study; a deleted one is found.
 */
export async function takeStudyLock(tx: TenantTx, studyId: string): Promise<StudyColumns | undefined> {
  const [study] = await tx
    .select()
    .from(hyperparameterStudies)
    .where(and(eq(hyperparameterStudies.tenantId, tenantOf(tx)), eq(hyperparameterStudies.id, studyId as Id<'Study'>)))
    .for('no key update');
  return study;
}

/** As takeStudyLock. @throws DomainError `not_found` for a study that is not there or deleted. */
export async function lockStudy(tx: TenantTx, studyId: string): Promise<StudyColumns> {
  const study = await takeStudyLock(tx, studyId);
  if (study === undefined || study.deletedAt !== null) throw studyNotFound();
  return study;
}
