import {
  DomainError,
  type Id,
  newId,
  oncePerKey,
  parseInput,
  type TenantTx,
  tenantOf,
  toId,
  uuidArray,
} from '@mcp-hub/db-core';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  descriptionText,
  guardName,
  idempotencyKey,
  jsonObject,
  modelName,
  stageName,
  versionName,
} from './field-inputs.ts';
import { recordModelChange } from './model-changes.ts';
import { countChange, type LockedModel, lockModel } from './model-lock.ts';
import { versionNotFound } from './not-found.ts';
import { type ModelStage, modelRegistry, stageClearances, stageGuards } from './schema.ts';
import { findVersion, liveVersion } from './versions.ts';

export const SetStageGuardInput = z.strictObject({
  name: modelName,
  stage: stageName,
  guard: guardName,
  description: descriptionText.nullish(),
});
export type SetStageGuardInput = Readonly<z.input<typeof SetStageGuardInput>>;

/**
 * Puts a guard on a stage of a model: from now on a version enters it only with an unused clearance of that guard. Where
 * it stands there with this description already, nothing is written.
 *
 * It protects from mistakes, not from malice: who may write the registry may issue clearances. Under the lock of the
 * model; three round trips. Announces `stage_guard.set`, with its row in the history.
 *
 * @throws DomainError `not_found` without the model.
 */
export async function setStageGuard(tx: TenantTx, input: SetStageGuardInput): Promise<void> {
  const { name, stage, guard, description = null } = parseInput(SetStageGuardInput, input);
  const model = await lockModel(tx, name);
  const written = await tx
    .insert(stageGuards)
    .values({ modelId: model.id, stage, guard, description })
    .onConflictDoUpdate({
      target: [stageGuards.tenantId, stageGuards.modelId, stageGuards.stage, stageGuards.guard],
      set: { description },
      setWhere: sql`${stageGuards.description} is distinct from excluded.description`,
    })
    .returning({ guard: stageGuards.guard });
  if (written.length === 0) return;
  await Promise.all([
    countChange(tx, model),
    recordModelChange(tx, model, { kind: 'guard_set', stage, guard, description }),
  ]);
}

export const RemoveStageGuardInput = z.strictObject({ name: modelName, stage: stageName, guard: guardName });
export type RemoveStageGuardInput = Readonly<z.input<typeof RemoveStageGuardInput>>;

/**
 * Takes a guard away, and back what it has issued and nobody used: set again, it starts anew. Where none stands nothing is
 * written. Under the lock of the model; three round trips. Announces `stage_guard.removed`, with its row in the history.
 *
 * @throws DomainError `not_found` without the model.
 */
export async function removeStageGuard(tx: TenantTx, input: RemoveStageGuardInput): Promise<void> {
  const { name, stage, guard } = parseInput(RemoveStageGuardInput, input);
  const model = await lockModel(tx, name);
  const removed = await tx
    .delete(stageGuards)
    .where(
      and(
        eq(stageGuards.tenantId, tenantOf(tx)),
        eq(stageGuards.modelId, model.id),
        eq(stageGuards.stage, stage),
        eq(stageGuards.guard, guard),
      ),
    )
    .returning({ guard: stageGuards.guard });
  if (removed.length === 0) return;
  const tenant = tenantOf(tx);
  await Promise.all([
    countChange(tx, model),
    recordModelChange(tx, model, { kind: 'guard_removed', stage, guard }),
    tx.execute(sql`
      update ${stageClearances} c set ${revoked}
        from ${modelRegistry} v
       where v.tenant_id = ${tenant} and v.name = ${model.name}
         and c.tenant_id = ${tenant} and c.version_id = v.id and c.stage = ${stage} and c.guard = ${guard} and ${stands}`),
  ]);
}

export const IssueStageClearanceInput = z.strictObject({
  name: modelName,
  version: versionName,
  stage: stageName,
  guard: guardName,
  evidence: jsonObject.optional(),
  expiresAt: z.date().nullish(),
  /** One for each clearance that the client wants: a repeated call with it makes no other and gives the first id. */
  idempotencyKey,
});
export type IssueStageClearanceInput = Readonly<z.input<typeof IssueStageClearanceInput>>;

/**
 * Clears a version to enter a stage once, on behalf of a guard. Two round trips, no lock.
 *
 * @throws DomainError `not_found` without the version, `conflict` where the idempotency key came with other input before.
 */
export async function issueStageClearance(
  tx: TenantTx,
  input: IssueStageClearanceInput,
): Promise<Id<'StageClearance'>> {
  const { idempotencyKey: key, ...given } = parseInput(IssueStageClearanceInput, input);
  const { name, version, ...clearance } = given;
  const id = await oncePerKey(tx, { scope: 'registry.issueStageClearance', key, request: given }, async () => {
    const found = await findVersion(tx, { name, version });
    if (found === undefined) throw versionNotFound();
    const made: string = newId();
    await tx.insert(stageClearances).values({ ...clearance, id: toId(made, 'id'), versionId: found.id });
    return made;
  });
  return toId(id, 'id');
}

export const RevokeStageClearancesInput = z.strictObject({
  name: modelName,
  version: versionName,
  stage: stageName,
  guard: guardName,
});
export type RevokeStageClearancesInput = Readonly<z.input<typeof RevokeStageClearancesInput>>;

/**
 * Takes back every clearance of a guard that a version has not used, expired ones included; the rows stay. Gives their
 * number. Under the lock of the model, so that a transition at the same time has either used one before or finds none; two
 * round trips.
 *
 * @throws DomainError `not_found` without the version.
 */
export async function revokeStageClearances(tx: TenantTx, input: RevokeStageClearancesInput): Promise<number> {
  const { name, version, stage, guard } = parseInput(RevokeStageClearancesInput, input);
  const model = await lockModel(tx, name);
  const [found] = await tx.execute<{ revoked: number }>(sql`
    with version as (
      select id from ${modelRegistry} where ${liveVersion(tx, model.name, version)}
    ), revoked as (
      update ${stageClearances} c set ${revoked}
        from version
       where c.tenant_id = ${tenantOf(tx)} and c.version_id = version.id and c.stage = ${stage} and c.guard = ${guard}
         and ${stands}
      returning c.id
    )
    select (select count(*) from revoked)::int as revoked from version`);
  if (found === undefined) throw versionNotFound();
  return found.revoked;
}

const revoked: SQL = sql`revoked_at = app_now(), revoked_by = nullif(current_setting('app.actor', true), '')`;

/** Of a clearance `c`: nobody has used it or taken it back. */
const stands: SQL = sql`c.used_by_change_number is null and c.revoked_at is null`;

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
               and ${stands} and (c.expires_at is null or c.expires_at > app_now())
             order by c.id limit 1) as clearance
      from ${stageGuards} g
     where g.tenant_id = ${tenant} and g.model_id = ${model.id} and g.stage = ${stage}`);
  if (guards.length === 0) return;
  const found = guards.flatMap(({ clearance }) => (clearance === null ? [] : [clearance]));
  if (found.length < guards.length) {
    const remedy = 'Issue a clearance for each, or decide on its gates by promoteThroughGate of @mcp-hub/evaluation.';
    throw new DomainError('failed_precondition', `Guards of ${stage} have not cleared this version. ${remedy}`, {
      details: { stage, guards: guards.length, cleared: found.length },
    });
  }
  await tx.execute(sql`
    update ${stageClearances} set used_by_change_number = ${model.changeNumber}
     where tenant_id = ${tenant} and id = any(${uuidArray(found)})`);
}
