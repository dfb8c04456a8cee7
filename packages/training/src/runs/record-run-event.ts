import { recordEvents, type TenantTx } from '@mcp-hub/db-core';
import { type RunEventKind, type RunModelRole, type RunStatus, trainingEvents } from '../schema.ts';

/** A change of a run, of which history and outbox are told. */
export interface RunEvent {
  readonly runId: string;
  /** As they are after the change. */
  readonly name: string;
  readonly group: string;
  readonly attempt: number;
  readonly changeNumber: number;
  readonly kind: RunEventKind;
  /** Of a change of status; null before a run was created. */
  readonly fromStatus?: RunStatus | null;
  readonly toStatus?: RunStatus;
  readonly reason?: string | undefined;
  /** Of renamed. */
  readonly fromName?: string;
  /** Of model_linked and model_unlinked. */
  readonly model?: {
    readonly versionId: string;
    readonly name: string;
    readonly version: string;
    readonly role: RunModelRole;
  };
}

/** Writes the rows of training_events and announces `run.<kind>` for each, in one flight. The only place that does. */
export async function recordRunEvents(tx: TenantTx, events: readonly RunEvent[]): Promise<void> {
  if (events.length === 0) return;
  await Promise.all([
    tx.insert(trainingEvents).values(
      events.map(({ group: _, fromName: __, model, ...event }) => ({
        ...event,
        modelName: model?.name,
        modelVersion: model?.version,
      })),
    ),
    recordEvents(
      tx,
      events.map(({ runId, kind, reason: _, model, ...facts }) => ({
        topic: `run.${kind}`,
        subjectId: runId,
        payload: {
          ...facts,
          ...(model === undefined
            ? {}
            : {
                versionId: model.versionId,
                modelName: model.name,
                modelVersion: model.version,
                role: model.role,
              }),
        },
      })),
    ),
  ]);
}
