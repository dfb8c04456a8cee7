import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { reasonText } from '../inputs.ts';
import { studyNotFound } from '../not-found.ts';
import { changeStudy } from './change-study.ts';
import { asStudy, type Study } from './studies.ts';
import { studyIdInput } from './study-inputs.ts';
import { lockStudy, takeStudyLock } from './study-lock.ts';

export const DeleteStudyInput = z.strictObject({ studyId: studyIdInput, reason: reasonText.optional() });
export type DeleteStudyInput = Readonly<z.input<typeof DeleteStudyInput>>;

/**
 * Deletes a study with its trials, so that no other function finds them, until restoreStudy or purgeStudies. Its name
 * stays taken.
 *
 * Under the study's lock; two round trips. Announces `study.deleted`. @throws DomainError `not_found`.
 */
export async function deleteStudy(tx: TenantTx, input: DeleteStudyInput): Promise<void> {
  const given = parseInput(DeleteStudyInput, input);
  const study = await lockStudy(tx, given.studyId);
  await changeStudy(tx, study, { kind: 'deleted', reason: given.reason, set: { deletedAt: sql`app_now()` } });
}

export const RestoreStudyInput = z.strictObject({ studyId: studyIdInput, reason: reasonText.optional() });
export type RestoreStudyInput = Readonly<z.input<typeof RestoreStudyInput>>;

/**
 * Brings a deleted study back as it was. Where it is not deleted nothing is written.
 *
 * Under the study's lock; two round trips. Announces `study.restored`. @throws DomainError `not_found`.
 */
export async function restoreStudy(tx: TenantTx, input: RestoreStudyInput): Promise<Study> {
  const given = parseInput(RestoreStudyInput, input);
  const study = await takeStudyLock(tx, given.studyId);
  if (study === undefined) throw studyNotFound();
  if (study.deletedAt === null) return asStudy(study);
  return asStudy(await changeStudy(tx, study, { kind: 'restored', reason: given.reason, set: { deletedAt: null } }));
}
