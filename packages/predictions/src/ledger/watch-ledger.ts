import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { versionNotFound } from '../not-found.ts';
import { makeLedger } from './open-ledger.ts';
import { predictionLedgers } from './schema.ts';

export const WatchLedgerInput = z
  .strictObject({
    ...versionSubject,
    /** Whether days are marked from now on. Default true. */
    watched: z.boolean().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type WatchLedgerInput = Readonly<z.input<typeof WatchLedgerInput>>;

/**
 * From the end of this transaction on, whoever records predictions of the version marks their days (prediction_day_marks), in
 * the transaction that records, until `watched` is false. Makes the ledger where there is none yet.
 *
 * It waits for transactions that are recording in the ledger, and the next wait for this one, so that none is without marks
 * that ends later: call it at the end. Nothing is locked where it is so already. Two round trips; five for a new ledger.
 *
 * @throws DomainError `not_found` without the version.
 */
export async function watchLedger(
  tx: TenantTx,
  input: WatchLedgerInput,
): Promise<{ readonly versionId: Id<'ModelVersion'>; readonly changed: boolean }> {
  const { watched = true, ...subject } = parseInput(WatchLedgerInput, input);
  if (!watched && subject.versionId !== undefined) {
    // Also of a version that is deleted, whose ledger could not be erased otherwise.
    const changed = await tx.execute<{ id: Id<'ModelVersion'> }>(sql`
      update ${predictionLedgers}
         set marks_days = false, updated_at = app_now()
       where tenant_id = ${tenantOf(tx)} and model_version_id = ${subject.versionId}::uuid and marks_days
      returning model_version_id as id`);
    const [row] = changed;
    if (row !== undefined) return { versionId: row.id, changed: true };
  }
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const [row] = await tx.execute<{ id: Id<'ModelVersion'> | null; marks_days: boolean | null }>(sql`
      with version as materialized (select ${versionIdOf(tx, subject)} as id)
      select version.id, l.marks_days
        from version
        left join ${predictionLedgers} l on l.tenant_id = ${tenantOf(tx)} and l.model_version_id = version.id`);
    const versionId = row?.id ?? null;
    if (row === undefined || versionId === null) throw versionNotFound();
    if (row.marks_days === watched || (row.marks_days === null && !watched)) return { versionId, changed: false };
    if (row.marks_days === null) await makeLedger(tx, versionId);
    // FOR UPDATE, which a plain update does not take, keeps out who records FOR KEY SHARE.
    const changed = await tx.execute(sql`
      with held as materialized (
        select l.model_version_id from ${predictionLedgers} l
         where l.tenant_id = ${tenantOf(tx)} and l.model_version_id = ${versionId}::uuid
           for update
      )
      update ${predictionLedgers} l
         set marks_days = ${watched}, updated_at = app_now()
        from held
       where l.tenant_id = ${tenantOf(tx)} and l.model_version_id = held.model_version_id
      returning 1`);
    // One that prunePredictions deleted meanwhile is made once more.
    if (changed.length > 0) return { versionId, changed: true };
  }
  throw versionNotFound();
}
