import { type Id, parseInput, scheduleWork, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { groupName, leaseMs, runId } from '../inputs.ts';
import { trainingRuns } from '../schema.ts';
import { changeRun, leaseEnd, nextToken, nextTokenIfLeased } from './change-run.ts';
import { refuseIllegalMove } from './legal-moves.ts';
import { type LockedRun, lockedRunColumns, lockRun } from './lock-run.ts';
import { STALE_RUNS_KIND } from './stale-runs-kind.ts';

/** A run that its worker has begun. */
export interface StartedRun {
  readonly runId: Id<'Run'>;
  readonly attempt: number;
  /** What its writers present; 0 where the run never had a lease, and none is asked for. */
  readonly fencingToken: number;
  /** Until when the worker must send a heartbeat; null without a lease. */
  readonly leasedUntil: Date | null;
}

export const StartRunInput = z.strictObject({
  runId,
  /** Takes the run under a lease: without a heartbeat for so long it becomes stale. Default: no lease. */
  leaseMs: leaseMs.optional(),
});
export type StartRunInput = Readonly<z.input<typeof StartRunInput>>;

/**
 * Begins a queued run. Under the run's lock; two round trips. Announces `run.started`.
 *
 * @throws DomainError `not_found`; `failed_precondition` where it is deleted or not queued.
 */
export async function startRun(tx: TenantTx, input: StartRunInput): Promise<StartedRun> {
  const given = parseInput(StartRunInput, input);
  const run = await lockRun(tx, given.runId);
  refuseIllegalMove(run.status, 'running');
  return await begin(tx, run, given.leaseMs);
}

export const ClaimRunInput = z.strictObject({
  /** Runs of this group only. */
  group: groupName.optional(),
  leaseMs,
});
export type ClaimRunInput = Readonly<z.input<typeof ClaimRunInput>>;

/**
 * Begins the run that has been queued longest, by the time of its creation, under a lease; undefined where none is
 * queued. Runs that others are about to take are passed over, so that each is given to one worker and none waits. Two
 * round trips; the lock of the run alone. Announces `run.started`.
 */
export async function claimRun(tx: TenantTx, input: ClaimRunInput): Promise<StartedRun | undefined> {
  const given = parseInput(ClaimRunInput, input);
  const [run] = await tx
    .select(lockedRunColumns)
    .from(trainingRuns)
    .where(
      and(
        eq(trainingRuns.tenantId, tenantOf(tx)),
        // As text, not as a parameter: by that a kept plan would not see that the index of the queued runs serves it.
        sql`${trainingRuns.status} = 'queued'`,
        isNull(trainingRuns.deletedAt),
        given.group === undefined ? undefined : eq(trainingRuns.group, given.group),
      ),
    )
    .orderBy(asc(trainingRuns.createdAt), asc(trainingRuns.id))
    .limit(1)
    .for('no key update', { skipLocked: true });
  return run === undefined ? undefined : await begin(tx, run, given.leaseMs);
}

async function begin(tx: TenantTx, run: LockedRun, lease: number | undefined): Promise<StartedRun> {
  const [changed] = await Promise.all([
    changeRun(tx, run, {
      kind: 'started',
      toStatus: 'running',
      set: {
        startedAt: sql`app_now()`,
        endedAt: null,
        error: null,
        leasedUntil: lease === undefined ? null : leaseEnd(lease),
        fencingToken: lease === undefined ? nextTokenIfLeased : nextToken,
      },
    }),
    ...(lease === undefined ? [] : [scheduleWork(tx, { kind: STALE_RUNS_KIND, dueAt: leaseEnd(lease) })]),
  ]);
  return { runId: run.id, attempt: run.attempt, ...changed };
}
