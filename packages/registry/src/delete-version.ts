import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { recordAliasMoves, removeAliases } from './alias-moves.ts';
import { modelName, reasonText, versionName } from './field-inputs.ts';
import { recordModelChange } from './model-changes.ts';
import { countChange, type LockedModel, lockModel } from './model-lock.ts';
import { versionNotFound } from './not-found.ts';
import { modelRegistry, modelTags, registeredModels } from './schema.ts';
import { recordStageTransitions } from './stage-transitions.ts';
import { getVersion, type ModelVersion, type ModelVersionRow } from './versions.ts';

export const DeleteVersionInput = z.strictObject({
  name: modelName,
  version: versionName,
  reason: reasonText.optional(),
  /** Removes the row with its tags; only the history stays. Default: it can be restored. */
  permanently: z.boolean().optional(),
  /** Empties the row that stays: description, artifact URI, metadata, signatures and tags go, also where it is restored. */
  redact: z.boolean().optional(),
});
export type DeleteVersionInput = Readonly<z.input<typeof DeleteVersionInput>>;

/**
 * Deletes a version and removes its aliases. Its number is not given again. A version that is deleted already can still
 * be redacted or deleted permanently. Until then its row keeps what it was, for restoreVersion; no other function gives
 * any of it.
 *
 * Under the lock of the model; three round trips. Announces `model_version.deleted` and `model_alias.moved` for each
 * alias; then, as asked for, `model_version.erased` or `model_version.redacted`; each with its row in the history.
 *
 * @throws DomainError `not_found` without the version; `failed_precondition` where rows of another package refer to one
 *   that is deleted permanently.
 */
export async function deleteVersion(tx: TenantTx, input: DeleteVersionInput): Promise<void> {
  const { name, version, reason, permanently = false, redact = false } = parseInput(DeleteVersionInput, input);
  const model = await lockModel(tx, name);
  // A version that is not there has no aliases, so that the removal does nothing where the call is refused.
  const [row, aliases] = await Promise.all([
    readVersionOrDeleted(tx, model, version),
    removeAliases(tx, model, version),
  ]);
  if (row === undefined || (row.deletedAt !== null && !permanently && !redact)) throw versionNotFound();
  const { id: versionId, stage: fromStage } = row;
  await Promise.all([
    recordAliasMoves(tx, model, aliases),
    ...(row.deletedAt === null
      ? [
          recordStageTransitions(tx, model, [{ versionId, version, fromStage, toStage: null }], {
            topic: 'model_version.deleted',
            reason,
          }),
        ]
      : []),
    ...(permanently
      ? [erase(tx, model, row), recordModelChange(tx, model, { kind: 'version_erased', versionId, version, reason })]
      : [markDeleted(tx, row, model.changeAt, redact)]),
    ...(redact && !permanently
      ? [removeTags(tx, row), recordModelChange(tx, model, { kind: 'version_redacted', versionId, version, reason })]
      : []),
    countChange(tx, model),
  ]);
}

export const RestoreVersionInput = z.strictObject({
  name: modelName,
  version: versionName,
  reason: reasonText.optional(),
});
export type RestoreVersionInput = Readonly<z.input<typeof RestoreVersionInput>>;

/**
 * Brings a deleted version back into its stage, without its aliases; from production it comes back archived, since
 * another version may serve by now. A version that is there is left as it is.
 *
 * Under the lock of the model; announces `model_version.restored`. @throws DomainError `not_found` without the version.
 */
export async function restoreVersion(tx: TenantTx, input: RestoreVersionInput): Promise<ModelVersion> {
  const { name, version, reason } = parseInput(RestoreVersionInput, input);
  const model = await lockModel(tx, name);
  const row = await readVersionOrDeleted(tx, model, version);
  if (row === undefined) throw versionNotFound();
  if (row.deletedAt !== null) {
    const stage = row.stage === 'production' ? 'archived' : row.stage;
    await Promise.all([
      tx
        .update(modelRegistry)
        .set({ deletedAt: null, stage, stageChangeNumber: model.changeNumber, updatedAt: model.changeAt })
        .where(and(eq(modelRegistry.tenantId, tenantOf(tx)), eq(modelRegistry.id, row.id))),
      recordStageTransitions(tx, model, [{ versionId: row.id, version, fromStage: null, toStage: stage }], {
        topic: 'model_version.restored',
        reason,
      }),
      countChange(tx, model),
    ]);
  }
  return await getVersion(tx, { name, version });
}

async function readVersionOrDeleted(
  tx: TenantTx,
  model: LockedModel,
  version: string,
): Promise<ModelVersionRow | undefined> {
  const [row] = await tx
    .select()
    .from(modelRegistry)
    .where(
      and(
        eq(modelRegistry.tenantId, tenantOf(tx)),
        eq(modelRegistry.name, model.name),
        eq(modelRegistry.version, version),
      ),
    );
  return row;
}

/** What may be secret, or say where it lies. What the artifact is stays: digest, size and flavour. */
const redacted = {
  description: null,
  artifactUri: null,
  metadata: {},
  inputSignature: null,
  outputSignature: null,
} as const;

async function markDeleted(tx: TenantTx, row: ModelVersionRow, changeAt: Date, redact: boolean): Promise<void> {
  await tx
    .update(modelRegistry)
    .set({ deletedAt: row.deletedAt ?? changeAt, updatedAt: changeAt, ...(redact ? redacted : {}) })
    .where(and(eq(modelRegistry.tenantId, tenantOf(tx)), eq(modelRegistry.id, row.id)));
}

async function removeTags(tx: TenantTx, row: ModelVersionRow): Promise<void> {
  await tx.delete(modelTags).where(and(eq(modelTags.tenantId, tenantOf(tx)), eq(modelTags.versionId, row.id)));
}

/** With the row goes what shows that its number was given, where it was inserted by hand: the counter remembers. */
async function erase(tx: TenantTx, model: LockedModel, row: ModelVersionRow): Promise<void> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    with erased as (
      delete from ${modelRegistry} where tenant_id = ${tenant} and id = ${row.id} returning version
    )
    update ${registeredModels} m
       set last_version_number = greatest(m.last_version_number, erased.version::int)
      from erased
     where m.tenant_id = ${tenant} and m.id = ${model.id} and erased.version ~ '^[1-9][0-9]{0,8}$'`);
}
