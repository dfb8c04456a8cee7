import { DomainError, type Id, newId, parseInput, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { descriptionText, guardName, jsonObject, modelName, stageName, versionName } from './field-inputs.ts';
import { type LockedModel, lockModel } from './model-lock.ts';
import { versionNotFound } from './not-found.ts';
import { type ModelStage, stageClearances, stageGuards } from './schema.ts';
import { findVersion } from './versions.ts';

export const SetStageGuardInput = z.strictObject({
  name: modelName,
  stage: stageName,
  guard: guardName,
  description: descriptionText.nullish(),
});
export type SetStageGuardInput = Readonly<z.input<typeof SetStageGuardInput>>;

/**
 * Puts a guard on a stage of a model: from now on a version enters it only with an unused clearance of that guard.
 *
 * It protects from mistakes, not from malice: who may write the registry may issue clearances. Under the lock of the
 * model. @throws DomainError `not_found` without the model.
 */
export async function setStageGuard(tx: TenantTx, input: SetStageGuardInput): Promise<void> {
  const { name, ...guard } = parseInput(SetStageGuardInput, input);
  const model = await lockModel(tx, name);
  await tx
    .insert(stageGuards)
    .values({ modelId: model.id, ...guard })
    .onConflictDoUpdate({
      target: [stageGuards.tenantId, stageGuards.modelId, stageGuards.stage, stageGuards.guard],
      set: { description: guard.description ?? null },
    });
}

export const RemoveStageGuardInput = z.strictObject({ name: modelName, stage: stageName, guard: guardName });
export type RemoveStageGuardInput = Readonly<z.input<typeof RemoveStageGuardInput>>;

/** Takes a guard away; where none stands nothing happens. Under the lock. @throws DomainError `not_found` without the model. */
export async function removeStageGuard(tx: TenantTx, input: RemoveStageGuardInput): Promise<void> {
  const { name, stage, guard } = parseInput(RemoveStageGuardInput, input);
  const model = await lockModel(tx, name);
  await tx
    .delete(stageGuards)
    .where(
      and(
        eq(stageGuards.tenantId, tenantOf(tx)),
        eq(stageGuards.modelId, model.id),
        eq(stageGuards.stage, stage),
        eq(stageGuards.guard, guard),
      ),
    );
}

export const IssueStageClearanceInput = z.strictObject({
  name: modelName,
  version: versionName,
  stage: stageName,
  guard: guardName,
  evidence: jsonObject.optional(),
  expiresAt: z.date().nullish(),
});
export type IssueStageClearanceInput = Readonly<z.input<typeof IssueStageClearanceInput>>;

/** Clears a version to enter a stage once, on behalf of a guard. Two statements, no lock. @throws DomainError `not_found`. */
export async function issueStageClearance(
  tx: TenantTx,
  input: IssueStageClearanceInput,
): Promise<Id<'StageClearance'>> {
  const { name, version, ...clearance } = parseInput(IssueStageClearanceInput, input);
  const found = await findVersion(tx, { name, version });
  if (found === undefined) throw versionNotFound();
  const id = newId<'StageClearance'>();
  await tx.insert(stageClearances).values({ id, versionId: found.id, ...clearance });
  return id;
}

/**
 * Uses up one clearance for each guard of the stage. The model's lock is held, so no other transition can take them.
 *
 * @throws DomainError `failed_precondition` that says how many guards have not cleared the version.
 */
export async function takeClearances(
  tx: TenantTx,
  model: LockedModel,
  versionId: string,
  stage: ModelStage,
): Promise<void> {
  const tenant = tenantOf(tx);
  const guards = await tx.execute<{ clearance: string | null }>(sql`
    select (select c.id from ${stageClearances} c
             where c.tenant_id = ${tenant} and c.version_id = ${versionId} and c.stage = ${stage} and c.guard = g.guard
               and c.used_by_change_number is null and (c.expires_at is null or c.expires_at > app_now())
             order by c.id limit 1) as clearance
      from ${stageGuards} g
     where g.tenant_id = ${tenant} and g.model_id = ${model.id} and g.stage = ${stage}`);
  if (guards.length === 0) return;
  const found = guards.flatMap(({ clearance }) => (clearance === null ? [] : [clearance]));
  if (found.length < guards.length) {
    throw new DomainError('failed_precondition', `Guards of ${stage} have not cleared this version.`, {
      details: { stage, guards: guards.length, cleared: found.length },
    });
  }
  await tx.execute(sql`
    update ${stageClearances} set used_by_change_number = ${model.changeNumber}
     where tenant_id = ${tenant} and id = any(${uuidArray(found)})`);
}
