import { recordEvents, type TenantTx, tenantOf, textArray, timeParameter, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import type { ChangedModel } from './model-lock.ts';
import { type ModelStage, modelStageTransitions } from './schema.ts';

/** One version whose stage changes: null before it is registered or restored, and after it is deleted. */
export interface StageEnds {
  readonly versionId: string;
  readonly version: string;
  readonly fromStage: ModelStage | null;
  readonly toStage: ModelStage | null;
}

export interface StageTransitionFacts {
  readonly topic:
    | 'model_version.registered'
    | 'model_version.stage_changed'
    | 'model_version.deleted'
    | 'model_version.restored';
  readonly reason?: string | undefined;
  readonly undoesChangeNumber?: number | undefined;
}

/**
 * Writes the audit rows of one change of stages and announces each version that changed, in one flight. The only place
 * that does, so that none goes without the other.
 */
export async function recordStageTransitions(
  tx: TenantTx,
  model: ChangedModel,
  versions: readonly StageEnds[],
  facts: StageTransitionFacts,
): Promise<void> {
  if (versions.length === 0) return;
  const { topic, reason } = facts;
  const undoes = facts.undoesChangeNumber ?? null;
  await Promise.all([
    tx.execute(sql`
      insert into ${modelStageTransitions}
             (tenant_id, model_id, change_number, name, reason, undoes_change_number, occurred_at,
              version_id, version, from_stage, to_stage)
      select ${tenantOf(tx)}, ${model.id}::uuid, ${model.changeNumber}::bigint, ${model.name}, ${reason ?? null},
             ${undoes}::bigint, ${timeParameter(model.changeAt)}, version.*
        from unnest(${uuidArray(versions.map(({ versionId }) => versionId))},
                    ${textArray(versions.map(({ version }) => version))},
                    ${textArray(versions.map(({ fromStage }) => fromStage))},
                    ${textArray(versions.map(({ toStage }) => toStage))}) as version`),
    recordEvents(
      tx,
      versions.map(({ versionId, version, fromStage, toStage }) => ({
        topic,
        subjectId: versionId,
        payload: {
          modelId: model.id,
          name: model.name,
          version,
          fromStage,
          toStage,
          changeNumber: model.changeNumber,
          ...(topic === 'model_version.stage_changed' ? { undoes } : {}),
        },
      })),
    ),
  ]);
}
