import { DomainError, oncePerKey, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { idempotencyKey, modelName, reasonText, versionName } from './field-inputs.ts';
import { type LockedModel, lockModel } from './model-lock.ts';
import { type ModelStage, modelRegistry, modelStageTransitions } from './schema.ts';
import { applyStageMoves, type StageMove } from './stage-moves.ts';
import type { StageChange } from './transition-stage.ts';

export const RollbackPromotionInput = z.strictObject({
  name: modelName,
  reason: reasonText.optional(),
  /** The version whose promotion is meant; another one promoted in the meantime is a `conflict`. */
  expectedVersion: versionName.optional(),
  /** One for each promotion to take back: a repeated call with it changes nothing more and gives the first result. */
  idempotencyKey,
});
export type RollbackPromotionInput = Readonly<z.input<typeof RollbackPromotionInput>>;

/**
 * Takes back the last promotion to production that has not been taken back: the promoted version and those archived
 * for it return to the stages that they came from. A second call takes back the one before; a client that may repeat a
 * call gives an `idempotencyKey`.
 *
 * Under the lock of the model; three round trips. It needs no clearance, since it restores what was cleared before.
 * Writes and announces what transitionStage does.
 *
 * @throws DomainError `not_found` without the model; `failed_precondition` where there is no such promotion, or one of
 *   its versions has moved or was deleted since; `conflict` where it is not of `expectedVersion`, or the idempotency key came with
 *   other input before.
 */
export async function rollbackPromotion(tx: TenantTx, input: RollbackPromotionInput): Promise<StageChange> {
  const { idempotencyKey: key, ...given } = parseInput(RollbackPromotionInput, input);
  return await oncePerKey(tx, { scope: 'registry.rollbackPromotion', key, request: given }, () =>
    takeBackLastPromotion(tx, given),
  );
}

async function takeBackLastPromotion(
  tx: TenantTx,
  given: Omit<z.output<typeof RollbackPromotionInput>, 'idempotencyKey'>,
): Promise<{ changeNumber: number; moves: StageMove[] }> {
  const model = await lockModel(tx, given.name);
  const promotion = await readLastPromotion(tx, model);
  const promoted = promotion.find((row) => row.to_stage === 'production');
  if (promoted === undefined) {
    throw new DomainError('failed_precondition', 'The model has no promotion that could be taken back.');
  }
  if (given.expectedVersion !== undefined && given.expectedVersion !== promoted.version) {
    throw new DomainError('conflict', 'The last promotion is not that of the expected version.', {
      details: { field: 'expectedVersion' },
    });
  }
  if (promotion.some((row) => row.stage !== row.to_stage)) {
    throw new DomainError(
      'failed_precondition',
      'A version of the last promotion has moved or was deleted since. Use transitionStage.',
    );
  }
  const moves = promotion.map(
    (row): StageMove => ({
      versionId: row.version_id,
      version: row.version,
      fromStage: row.to_stage,
      toStage: row.from_stage,
    }),
  );
  const undoesChangeNumber = Number(promoted.change_number);
  await applyStageMoves(tx, model, moves, { reason: given.reason, undoesChangeNumber });
  return { changeNumber: model.changeNumber, moves };
}

interface PromotionRow extends Record<string, unknown> {
  readonly change_number: string;
  readonly version_id: string;
  readonly version: string;
  readonly from_stage: ModelStage;
  readonly to_stage: ModelStage;
  /** Where the version is now; null where it is deleted. */
  readonly stage: ModelStage | null;
}

/** The rows of the last promotion that stands, the promoted version first. */
async function readLastPromotion(tx: TenantTx, model: LockedModel): Promise<readonly PromotionRow[]> {
  const tenant = tenantOf(tx);
  return await tx.execute<PromotionRow>(sql`
    with promotion as (
      select t.change_number
        from ${modelStageTransitions} t
       where t.tenant_id = ${tenant} and t.model_id = ${model.id} and t.to_stage = 'production'
         and t.from_stage is not null and t.undoes_change_number is null
         and not exists (select from ${modelStageTransitions} undo
                          where undo.tenant_id = ${tenant} and undo.model_id = ${model.id}
                            and undo.undoes_change_number = t.change_number)
       order by t.change_number desc
       limit 1
    )
    select t.change_number, t.version_id, coalesce(v.version, t.version) as version, t.from_stage, t.to_stage, v.stage
      from promotion
      join ${modelStageTransitions} t
        on t.tenant_id = ${tenant} and t.model_id = ${model.id} and t.change_number = promotion.change_number
      left join ${modelRegistry} v on v.tenant_id = t.tenant_id and v.id = t.version_id and v.deleted_at is null
     order by t.to_stage = 'production' desc, t.version_id`);
}
