import { parseInput, recordEvent, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, reasonText } from './field-inputs.ts';
import { countChange, type LockedModel, lockDeletedModel, lockModel } from './model-lock.ts';
import { getModel, type Model } from './models.ts';
import { modelAliases, modelAliasMoves, modelRegistry, modelStageTransitions, registeredModels } from './schema.ts';

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
 * Under the lock of the model. Writes the histories of aliases and stages, and announces `model.deleted`.
 *
 * @throws DomainError `not_found` without the model; `failed_precondition` where rows of another package refer to a
 *   version that is deleted permanently.
 */
export async function deleteModel(tx: TenantTx, input: DeleteModelInput): Promise<void> {
  const { name, reason, permanently = false } = parseInput(DeleteModelInput, input);
  const model = permanently ? await lockDeletedModel(tx, name) : await lockModel(tx, name);
  const tenant = tenantOf(tx);
  const own = and(eq(registeredModels.tenantId, tenant), eq(registeredModels.id, model.id));
  await Promise.all([
    removeAliases(tx, model),
    changeVersions(tx, model, {
      which: sql`v.deleted_at is null`,
      set: sql`deleted_at = ${timeParameter(model.changeAt)}`,
      fromStage: sql`v.stage`,
      toStage: sql`null`,
      reason,
    }),
    ...(permanently
      ? [
          tx.delete(modelRegistry).where(and(eq(modelRegistry.tenantId, tenant), eq(modelRegistry.name, name))),
          tx.delete(registeredModels).where(own),
        ]
      : [countChange(tx, model), tx.update(registeredModels).set({ deletedAt: model.changeAt }).where(own)]),
    recordEvent(tx, {
      topic: 'model.deleted',
      subjectId: model.id,
      payload: { name, permanently, changeNumber: model.changeNumber },
    }),
  ]);
}

export const RestoreModelInput = z.strictObject({ name: modelName, reason: reasonText.optional() });
export type RestoreModelInput = Readonly<z.input<typeof RestoreModelInput>>;

/**
 * Brings a deleted model back with the versions that were deleted with it; as restoreVersion, those from production
 * come back archived, and none with its aliases. A model that is there is left as it is.
 *
 * Under the lock of the model; announces `model.restored`. @throws DomainError `not_found` without the model.
 */
export async function restoreModel(tx: TenantTx, input: RestoreModelInput): Promise<Model> {
  const { name, reason } = parseInput(RestoreModelInput, input);
  const model = await lockDeletedModel(tx, name);
  if (model.deletedAt !== null) {
    const stage = sql`case v.stage when 'production' then 'archived' else v.stage end`;
    await Promise.all([
      changeVersions(tx, model, {
        // By the number of the deletion, which was the last change: its time may be that of other deletions too.
        which: sql`v.id in (
          select t.version_id from ${modelStageTransitions} t
           where t.tenant_id = ${tenantOf(tx)} and t.model_id = ${model.id}::uuid
             and t.change_number = ${model.changeNumber - 1}::bigint and t.to_stage is null)`,
        set: sql`deleted_at = null, stage = ${stage}, stage_change_number = ${model.changeNumber}::bigint`,
        fromStage: sql`null`,
        toStage: sql`v.stage`,
        reason,
      }),
      countChange(tx, model),
      tx
        .update(registeredModels)
        .set({ deletedAt: null })
        .where(and(eq(registeredModels.tenantId, tenantOf(tx)), eq(registeredModels.id, model.id))),
      recordEvent(tx, {
        topic: 'model.restored',
        subjectId: model.id,
        payload: { name, changeNumber: model.changeNumber },
      }),
    ]);
  }
  return await getModel(tx, { name });
}

interface VersionsChange {
  readonly which: SQL;
  readonly set: SQL;
  /** Of the row as it is after the change. */
  readonly fromStage: SQL;
  readonly toStage: SQL;
  readonly reason: string | undefined;
}

async function changeVersions(tx: TenantTx, model: LockedModel, change: VersionsChange): Promise<void> {
  const tenant = tenantOf(tx);
  const at = timeParameter(model.changeAt);
  await tx.execute(sql`
    with changed as (
      update ${modelRegistry} v
         set updated_at = ${at}, ${change.set}
       where v.tenant_id = ${tenant} and v.name = ${model.name} and ${change.which}
      returning v.id, v.version, ${change.fromStage} as from_stage, ${change.toStage} as to_stage
    )
    insert into ${modelStageTransitions}
           (tenant_id, model_id, change_number, version_id, name, version, from_stage, to_stage, reason, occurred_at)
    select ${tenant}, ${model.id}::uuid, ${model.changeNumber}::bigint, id, ${model.name}, version, from_stage, to_stage,
           ${change.reason ?? null}, ${at}
      from changed`);
}

async function removeAliases(tx: TenantTx, model: LockedModel): Promise<void> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    with removed as (
      delete from ${modelAliases} where tenant_id = ${tenant} and name = ${model.name} returning alias, version
    )
    insert into ${modelAliasMoves}
           (tenant_id, model_id, change_number, name, alias, from_version_id, from_version, occurred_at)
    select ${tenant}, ${model.id}::uuid, ${model.changeNumber}::bigint, ${model.name}, removed.alias, v.id, v.version,
           ${timeParameter(model.changeAt)}
      from removed
      join ${modelRegistry} v on v.tenant_id = ${tenant} and v.name = ${model.name} and v.version = removed.version`);
}
