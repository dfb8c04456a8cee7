import { type Id, parseInput, scheduleWork, type TenantTx, tenantOf, type WorkHandler } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { decideExperiment } from '../decisions/decide-experiment.ts';
import { abExperiments } from '../design/schema.ts';
import { experimentNotFound } from '../not-found.ts';
import { takeSnapshot } from './take-snapshot.ts';

/** Of the work rows that say: take a snapshot of this experiment. Their work_key is its id. */
export const SNAPSHOT_KIND = 'experiments.snapshot';

export const ScheduleSnapshotsInput = z.strictObject({
  experimentId: z.uuid(),
  /** When the first is taken. Default: at once. */
  dueAt: z.date().optional(),
});
export type ScheduleSnapshotsInput = Readonly<z.input<typeof ScheduleSnapshotsInput>>;

/**
 * Asks the dispatcher for snapshots of an experiment from a time on, as experimentSnapshotHandler takes them. Asking again
 * changes nothing, but that an earlier time wins. Two round trips, no lock.
 *
 * @throws DomainError `not_found`.
 */
export async function scheduleSnapshots(tx: TenantTx, input: ScheduleSnapshotsInput): Promise<void> {
  const { experimentId, dueAt } = parseInput(ScheduleSnapshotsInput, input);
  if ((await findStatus(tx, experimentId)) === undefined) throw experimentNotFound();
  await scheduleWork(tx, { kind: SNAPSHOT_KIND, workKey: experimentId, ...(dueAt === undefined ? {} : { dueAt }) });
}

export interface SnapshotHandlerSettings
  extends Pick<WorkHandler, 'leaseMs' | 'concurrency' | 'tenantConcurrency' | 'handlerTimeoutMs' | 'backoff'> {
  /** From one snapshot of an experiment to the next. Default: a day. */
  readonly everyMs?: number;
  /** Whether to decide by each snapshot, too. Default false. */
  readonly decide?: boolean;
}

/**
 * The snapshots of experiments as a handler for runDispatcher: of a sequential test while it runs or is paused, and of every
 * test once it has stopped, which is the last. A fixed test is left alone until then, because it is read once.
 *
 * Each is taken in the transaction that completes its work, so that a crash takes none twice.
 */
export function experimentSnapshotHandler({
  everyMs = 86_400_000,
  decide = false,
  ...settings
}: SnapshotHandlerSettings = {}): WorkHandler {
  return {
    ...settings,
    kind: SNAPSHOT_KIND,
    handle: ({ workKey }) => {
      const take = async (tx: TenantTx) => {
        const found = await findStatus(tx, workKey);
        const goesOn = found?.status === 'running' || found?.status === 'paused';
        if (found?.status === 'stopped' || (goesOn && found.test === 'sequential')) {
          const { id: snapshotId } = await takeSnapshot(tx, { experimentId: workKey });
          if (decide) await decideExperiment(tx, { experimentId: workKey, snapshotId });
        }
        if (!goesOn && found?.status !== 'draft') return;
        const dueAt = sql`app_now() + ${everyMs}::float8 * interval '1 millisecond'`;
        await scheduleWork(tx, { kind: SNAPSHOT_KIND, workKey, dueAt });
      };
      return Promise.resolve(take);
    },
  };
}

async function findStatus(tx: TenantTx, experimentId: string) {
  const [row] = await tx
    .select({ status: abExperiments.status, test: abExperiments.test })
    .from(abExperiments)
    .where(and(eq(abExperiments.tenantId, tenantOf(tx)), eq(abExperiments.id, experimentId as Id<'Experiment'>)));
  return row;
}
