import { recordEvent, type TenantTx } from '@mcp-hub/db-core';
import type { ChangedModel } from './model-lock.ts';
import { type ModelChangeKind, type ModelStage, modelChanges } from './schema.ts';

/** What befalls a model beside the moves of its stages and aliases and its renames. */
export type ModelChangeFacts =
  | {
      readonly kind: 'created' | 'deleted' | 'restored' | 'erased';
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'version_redacted' | 'version_erased';
      readonly versionId: string;
      readonly version: string;
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'guard_set' | 'guard_removed';
      readonly stage: ModelStage;
      readonly guard: string;
      readonly description?: string | null | undefined;
    };

const topics: Readonly<Record<ModelChangeKind, string>> = {
  created: 'model.created',
  deleted: 'model.deleted',
  restored: 'model.restored',
  erased: 'model.erased',
  version_redacted: 'model_version.redacted',
  version_erased: 'model_version.erased',
  guard_set: 'stage_guard.set',
  guard_removed: 'stage_guard.removed',
};

/** Writes the audit row of such a change and announces it, in one flight. The only place that does. */
export async function recordModelChange(tx: TenantTx, model: ChangedModel, facts: ModelChangeFacts): Promise<void> {
  const { id: modelId, name, changeNumber } = model;
  const common = { name, changeNumber };
  await Promise.all([
    tx.insert(modelChanges).values({ modelId, ...common, ...facts, occurredAt: model.changeAt }),
    recordEvent(tx, {
      topic: topics[facts.kind],
      subjectId: 'versionId' in facts ? facts.versionId : modelId,
      payload:
        'versionId' in facts
          ? { modelId, ...common, version: facts.version }
          : 'guard' in facts
            ? { ...common, stage: facts.stage, guard: facts.guard }
            : common,
    }),
  ]);
}
