import { type TenantTx, tenantOf, textArray, timeParameter, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { countChange, type LockedModel } from './model-lock.ts';
import { type ModelStage, modelRegistry } from './schema.ts';
import { recordStageTransitions, type StageEnds } from './stage-transitions.ts';

/** One version on its way from a stage to another. */
export interface StageMove extends StageEnds {
  readonly fromStage: ModelStage;
  readonly toStage: ModelStage;
}

/**
 * Makes one change of stages of a model whose lock is held: versions, audit rows, counter and one event a version, all
 * in one flight. All of it bears one number and one time.
 */
export async function applyStageMoves(
  tx: TenantTx,
  model: LockedModel,
  moves: readonly StageMove[],
  facts: { readonly reason: string | undefined; readonly undoesChangeNumber?: number },
): Promise<void> {
  await Promise.all([
    tx.execute(sql`
      update ${modelRegistry} v
         set stage = move.to_stage, stage_change_number = ${model.changeNumber}::bigint,
             updated_at = ${timeParameter(model.changeAt)}
        from unnest(${uuidArray(moves.map((move) => move.versionId))},
                    ${textArray(moves.map((move) => move.toStage))}) as move (version_id, to_stage)
       where v.tenant_id = ${tenantOf(tx)} and v.id = move.version_id`),
    countChange(tx, model),
    recordStageTransitions(tx, model, moves, { topic: 'model_version.stage_changed', ...facts }),
  ]);
}
