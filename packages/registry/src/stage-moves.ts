import { recordEvent, type TenantTx, tenantOf, textArray, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { countChange, type LockedModel } from './model-lock.ts';
import { type ModelStage, modelRegistry, modelStageTransitions } from './schema.ts';

/** One version on its way from a stage to another. */
export interface StageMove {
  readonly versionId: string;
  readonly version: string;
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
  const tenant = tenantOf(tx);
  const undoes = facts.undoesChangeNumber ?? null;
  await Promise.all([
    tx.execute(sql`
      with move as (
        select * from unnest(${uuidArray(moves.map((move) => move.versionId))},
                             ${textArray(moves.map((move) => move.fromStage))},
                             ${textArray(moves.map((move) => move.toStage))}) as move (version_id, from_stage, to_stage)
      ), moved as (
        update ${modelRegistry} v
           set stage = move.to_stage, stage_change_number = ${model.changeNumber}, updated_at = ${model.changeAt.toISOString()}
          from move
         where v.tenant_id = ${tenant} and v.id = move.version_id
        returning v.id, v.version, move.from_stage, v.stage
      )
      insert into ${modelStageTransitions}
             (tenant_id, model_id, change_number, version_id, name, version, from_stage, to_stage, reason,
              undoes_change_number, occurred_at)
      select ${tenant}, ${model.id}::uuid, ${model.changeNumber}::bigint, id, ${model.name}, version, from_stage, stage,
             ${facts.reason ?? null}, ${undoes}::bigint, ${model.changeAt.toISOString()}::timestamptz
        from moved`),
    countChange(tx, model),
    ...moves.map(({ versionId, ...move }) =>
      recordEvent(tx, {
        topic: 'model_version.stage_changed',
        subjectId: versionId,
        payload: { modelId: model.id, name: model.name, ...move, changeNumber: model.changeNumber, undoes },
      }),
    ),
  ]);
}
