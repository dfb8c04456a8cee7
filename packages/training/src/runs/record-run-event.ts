import { type NewOutboxEvent, recordEvents, type TenantTx } from '@mcp-hub/db-core';
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
  const rows = events.map(({ runId, name, attempt, changeNumber, kind, fromStatus, toStatus, reason, model }) => ({
    ...{ runId, name, attempt, changeNumber, kind, fromStatus, toStatus, reason },
    ...{ modelName: model?.name, modelVersion: model?.version },
  }));
  await Promise.all([tx.insert(trainingEvents).values(rows), recordEvents(tx, events.map(toOutboxEvent))]);
}

function toOutboxEvent({ runId, kind, model, name, group, attempt, changeNumber, ...rest }: RunEvent): NewOutboxEvent {
  const { fromStatus, toStatus, fromName } = rest;
  return {
    topic: `run.${kind}`,
    subjectId: runId,
    payload: {
      ...{ name, group, attempt, changeNumber },
      ...(toStatus === undefined ? {} : { fromStatus, toStatus }),
      ...(fromName === undefined ? {} : { fromName }),
      ...(model === undefined
        ? {}
        : { versionId: model.versionId, modelName: model.name, modelVersion: model.version, role: model.role }),
    },
  };
}
