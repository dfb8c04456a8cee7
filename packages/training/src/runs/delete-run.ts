import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { reasonText, runId } from '../inputs.ts';
import { runNotFound } from '../not-found.ts';
import { trainingRunModels } from '../schema.ts';
import { changeRun } from './change-run.ts';
import { findLockedRun, type LockedRun } from './lock-run.ts';

export const DeleteRunInput = z.strictObject({ runId, reason: reasonText.optional() });
export type DeleteRunInput = Readonly<z.input<typeof DeleteRunInput>>;

/**
 * Deletes a run, whatever its status, so that it can be restored: it is hidden, and refuses writers. A run that is deleted
 * already stays as it is. Its children stay. Under the run's lock; two round trips. Announces `run.deleted`.
 *
 * @throws DomainError `failed_precondition` where it produced a model version that is not deleted: unlink it with
 *   unlinkRunModel, or delete the version first; `not_found`.
 */
export async function deleteRun(tx: TenantTx, input: DeleteRunInput): Promise<void> {
  const given = parseInput(DeleteRunInput, input);
  const [run, [produced]] = await Promise.all([
    findLockedRun(tx, given.runId),
    tx.execute<{ live: boolean }>(sql`select ${producedLiveVersion(tx, sql`${given.runId}::uuid`)} as live`),
  ]);
  if (run === undefined) throw runNotFound();
  if (run.deletedAt !== null) return;
  if (produced?.live !== false) {
    throw new DomainError(
      'failed_precondition',
      'The run produced a model version that is not deleted. Remove the link with unlinkRunModel, or delete the version.',
      { details: { reason: 'model_linked' } },
    );
  }
  await setDeleted(tx, run, 'deleted', given.reason);
}

export const RestoreRunInput = z.strictObject({ runId, reason: reasonText.optional() });
export type RestoreRunInput = Readonly<z.input<typeof RestoreRunInput>>;

/**
 * Brings a deleted run back with all that was logged. Where its lease ran out meanwhile it is stale by then. A run that is
 * not deleted stays as it is. Under the run's lock; two round trips. Announces `run.restored`.
 *
 * @throws DomainError `not_found` without the run, also where it was purged.
 */
export async function restoreRun(tx: TenantTx, input: RestoreRunInput): Promise<void> {
  const given = parseInput(RestoreRunInput, input);
  const run = await findLockedRun(tx, given.runId);
  if (run === undefined) throw runNotFound();
  if (run.deletedAt !== null) await setDeleted(tx, run, 'restored', given.reason);
}

const setDeleted = (tx: TenantTx, run: LockedRun, kind: 'deleted' | 'restored', reason: string | undefined) =>
  changeRun(tx, run, { kind, reason, set: { deletedAt: kind === 'deleted' ? sql`app_now()` : null } });

/** Whether a version that is not deleted has this run as its origin. One that it began from does not hold it. */
export const producedLiveVersion = (tx: TenantTx, id: SQL): SQL => sql`exists (
  select from ${trainingRunModels} l
    join ${modelRegistry} v on v.tenant_id = l.tenant_id and v.id = l.version_id
   where l.tenant_id = ${tenantOf(tx)} and l.run_id = ${id} and l.role = 'output' and v.deleted_at is null)`;
