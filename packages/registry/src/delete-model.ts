import { parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { recordAliasMoves, removeAliases } from './alias-moves.ts';
import { modelName, reasonText } from './field-inputs.ts';
import { recordModelChange } from './model-changes.ts';
import { countChange, type LockedModel, lockModel, lockModelOrDeleted } from './model-lock.ts';
import { getModel, type Model } from './models.ts';
import { type ModelStage, modelRegistry, modelStageTransitions, registeredModels } from './schema.ts';
import { recordStageTransitions } from './stage-transitions.ts';

export const DeleteModelInput = z.strictObject({
  name: modelName,
  reason: reasonText.optional(),
  /** Removes all rows but the history, and frees the name. Default: the model can be restored and keeps its name. */
  permanently: z.boolean().optional(),
});
export type DeleteModelInput = Readonly<z.input<typeof DeleteModelInput>>;

/**
 * Deletes a model with its versions and aliases. One that is deleted already can still be deleted permanently.
 *
 * Under the lock of the model; three round trips. Announces `model.deleted`, or `model.erased` where it is permanent;
 * `model_version.deleted` for each version that was not deleted before, and `model_alias.moved` for each alias; each
 * with its row in the history.
 *
 * @throws DomainError `not_found` without the model; `failed_precondition` where rows of another package refer to a
 *   version that is deleted permanently.
 */
export async function deleteModel(tx: TenantTx, input: DeleteModelInput): Promise<void> {
  const { name, reason, permanently = false } = parseInput(DeleteModelInput, input);
  const model = permanently ? await lockModelOrDeleted(tx, name) : await lockModel(tx, name);
  const [aliases, versions] = await Promise.all([
    removeAliases(tx, model),
    permanently ? eraseVersions(tx, model) : markVersionsDeleted(tx, model),
  ]);
  const own = and(eq(registeredModels.tenantId, tenantOf(tx)), eq(registeredModels.id, model.id));
  await Promise.all([
    recordAliasMoves(tx, model, aliases),
    recordStageTransitions(
      tx,
      model,
      versions.map(({ id, version, stage }) => ({ versionId: id, version, fromStage: stage, toStage: null })),
      { topic: 'model_version.deleted', reason },
    ),
    recordModelChange(tx, model, { kind: permanently ? 'erased' : 'deleted', reason }),
    ...(permanently
      ? [tx.delete(registeredModels).where(own)]
      : [countChange(tx, model), tx.update(registeredModels).set({ deletedAt: model.changeAt }).where(own)]),
  ]);
}

export const RestoreModelInput = z.strictObject({ name: modelName, reason: reasonText.optional() });
export type RestoreModelInput = Readonly<z.input<typeof RestoreModelInput>>;

/**
 * Brings a deleted model back with the versions that were deleted with it; as restoreVersion, those from production
 * come back archived, and none with its aliases. A model that is there is left as it is.
 *
 * Under the lock of the model; three round trips. Announces `model.restored`, and `model_version.restored` for each
 * version, each with its row in the history. @throws DomainError `not_found` without the model.
 */
export async function restoreModel(tx: TenantTx, input: RestoreModelInput): Promise<Model> {
  const { name, reason } = parseInput(RestoreModelInput, input);
  const model = await lockModelOrDeleted(tx, name);
  if (model.deletedAt === null) return await getModel(tx, { name });
  const [versions] = await Promise.all([
    restoreVersions(tx, model),
    countChange(tx, model),
    tx
      .update(registeredModels)
      .set({ deletedAt: null })
      .where(and(eq(registeredModels.tenantId, tenantOf(tx)), eq(registeredModels.id, model.id))),
  ]);
  const [restored] = await Promise.all([
    getModel(tx, { name }),
    recordStageTransitions(
      tx,
      model,
      versions.map(({ id, version, stage }) => ({ versionId: id, version, fromStage: null, toStage: stage })),
      { topic: 'model_version.restored', reason },
    ),
    recordModelChange(tx, model, { kind: 'restored', reason }),
  ]);
  return restored;
}

interface ChangedVersion extends Record<string, unknown> {
  readonly id: string;
  readonly version: string;
  readonly stage: ModelStage;
}

async function markVersionsDeleted(tx: TenantTx, model: LockedModel): Promise<readonly ChangedVersion[]> {
  const at = timeParameter(model.changeAt);
  return await tx.execute<ChangedVersion>(sql`
    update ${modelRegistry} v
       set deleted_at = ${at}, updated_at = ${at}
     where ${ofLockedModel(tx, model)} and v.deleted_at is null
    returning v.id, v.version, v.stage`);
}

/** Removes all rows, and gives those that were not deleted before. */
async function eraseVersions(tx: TenantTx, model: LockedModel): Promise<readonly ChangedVersion[]> {
  return await tx.execute<ChangedVersion>(sql`
    with erased as (
      delete from ${modelRegistry} v where ${ofLockedModel(tx, model)} returning v.id, v.version, v.stage, v.deleted_at
    )
    select id, version, stage from erased where deleted_at is null`);
}

async function restoreVersions(tx: TenantTx, model: LockedModel): Promise<readonly ChangedVersion[]> {
  // By the number of the deletion, which was the last change: its time may be that of other deletions too.
  return await tx.execute<ChangedVersion>(sql`
    update ${modelRegistry} v
       set deleted_at = null, stage = case v.stage when 'production' then 'archived' else v.stage end,
           stage_change_number = ${model.changeNumber}::bigint, updated_at = ${timeParameter(model.changeAt)}
     where ${ofLockedModel(tx, model)}
       and v.id in (
             select t.version_id from ${modelStageTransitions} t
              where t.tenant_id = ${tenantOf(tx)} and t.model_id = ${model.id}::uuid
                and t.change_number = ${model.changeNumber - 1}::bigint and t.to_stage is null)
    returning v.id, v.version, v.stage`);
}

const ofLockedModel = (tx: TenantTx, model: LockedModel): SQL =>
  sql`v.tenant_id = ${tenantOf(tx)} and v.name = ${model.name}`;
