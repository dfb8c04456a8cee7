import { recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { abExperiments, type ExperimentStatus } from '../design/schema.ts';
import { inOneFlight } from '../in-one-flight.ts';
import type { LockedExperiment } from './lock-experiment.ts';
import { abExperimentEvents, type ExperimentEventKind } from './schema.ts';

type Setting = Omit<PgUpdateSetSource<typeof abExperiments>, 'status' | 'lastChangeNumber' | 'updatedAt'>;

export interface ExperimentChange {
  readonly kind: ExperimentEventKind;
  /** Where the status changes. */
  readonly toStatus?: ExperimentStatus;
  readonly reason?: string | undefined;
  /** Ids, keys and numbers of what changed. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** What differs, before and after: for the history, too long to announce. */
  readonly sides?: { readonly from: Readonly<Record<string, unknown>>; readonly to: Readonly<Record<string, unknown>> };
  readonly set?: Setting;
}

/** Makes the next change of a locked experiment, with its row in the history and its event, in one flight. */
export async function changeExperiment(
  tx: TenantTx,
  experiment: LockedExperiment,
  { set, toStatus = experiment.status, ...change }: ExperimentChange,
): Promise<void> {
  await inOneFlight(
    () =>
      tx
        .update(abExperiments)
        .set({
          ...set,
          status: toStatus,
          lastChangeNumber: experiment.changeNumber,
          updatedAt: sql`app_now()`,
        })
        .where(and(eq(abExperiments.tenantId, tenantOf(tx)), eq(abExperiments.id, experiment.id))),
    () => recordExperimentEvent(tx, { ...change, experiment, fromStatus: experiment.status, toStatus }),
  );
}

export interface NewExperimentEvent {
  readonly experiment: Pick<LockedExperiment, 'id' | 'key' | 'changeNumber'>;
  readonly kind: ExperimentEventKind;
  readonly fromStatus: ExperimentStatus | null;
  /** Null of an experiment that is deleted. */
  readonly toStatus: ExperimentStatus | null;
  readonly reason?: string | undefined;
  readonly detail?: ExperimentChange['detail'] | undefined;
  readonly sides?: ExperimentChange['sides'] | undefined;
}

/** Writes the row of ab_experiment_events and announces `experiment.<kind>`, in one flight. The only place that does. */
export async function recordExperimentEvent(tx: TenantTx, event: NewExperimentEvent): Promise<void> {
  const { experiment, kind, fromStatus, toStatus, reason, detail = {}, sides } = event;
  const { id: experimentId, key, changeNumber } = experiment;
  await inOneFlight(
    () =>
      tx.insert(abExperimentEvents).values({
        ...{ experimentId, changeNumber, kind, experimentKey: key, fromStatus, toStatus, reason },
        detail: { ...detail, ...sides },
      }),
    () =>
      recordEvent(tx, {
        topic: `experiment.${kind}`,
        subjectId: experimentId,
        payload: { key, changeNumber, fromStatus, toStatus, ...detail },
      }),
  );
}
