import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { type RunEventKind, type RunStatus, trainingRuns } from '../schema.ts';
import type { LockedRun } from './lock-run.ts';
import { type RunEvent, recordRunEvents } from './record-run-event.ts';

type RunChanges = Omit<PgUpdateSetSource<typeof trainingRuns>, 'status' | 'lastChangeNumber' | 'updatedAt'>;

export interface RunChange extends Pick<RunEvent, 'reason' | 'fromName' | 'model'> {
  readonly kind: RunEventKind;
  /** Where the status changes. */
  readonly toStatus?: RunStatus;
  readonly set?: RunChanges;
}

/** What the row of a changed run says of its lease. */
export interface ChangedRun {
  readonly fencingToken: number;
  readonly leasedUntil: Date | null;
}

/** Makes the next change of a locked run, with its row in the history and its event, in one flight. */
export async function changeRun(
  tx: TenantTx,
  run: LockedRun,
  { set, kind, toStatus, ...facts }: RunChange,
): Promise<ChangedRun> {
  const [[changed]] = await Promise.all([
    tx
      .update(trainingRuns)
      .set({
        ...set,
        ...(toStatus === undefined ? {} : { status: toStatus }),
        lastChangeNumber: run.changeNumber,
        updatedAt: sql`app_now()`,
      })
      .where(and(eq(trainingRuns.tenantId, tenantOf(tx)), eq(trainingRuns.id, run.id)))
      .returning({ fencingToken: trainingRuns.fencingToken, leasedUntil: trainingRuns.leasedUntil }),
    recordRunEvents(tx, [
      {
        runId: run.id,
        name: typeof set?.name === 'string' ? set.name : run.name,
        group: run.group,
        attempt: typeof set?.attempt === 'number' ? set.attempt : run.attempt,
        changeNumber: run.changeNumber,
        kind,
        ...(toStatus === undefined ? {} : { fromStatus: run.status, toStatus }),
        ...facts,
      },
    ]),
  ]);
  if (changed === undefined) throw new Error('The locked run is gone.');
  return changed;
}

/**
 * The token after another has taken the run from its holder. The clock keeps tokens growing where a backup brought older
 * ones back: a writer from before must not pass.
 */
export const nextToken = sql<number>`greatest(${trainingRuns.fencingToken} + 1,
  (extract(epoch from clock_timestamp()) * 1000000)::bigint)`;

/** As nextToken; stays 0 where the run never had a lease, so that its writers go on without a token. */
export const nextTokenIfLeased = sql<number>`case when ${trainingRuns.fencingToken} = 0 then 0 else ${nextToken} end`;

/** The end of a lease taken now. */
export const leaseEnd = (leaseMs: number) => sql`app_now() + interval '1 millisecond' * ${leaseMs}::float8`;
