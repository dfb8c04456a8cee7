import { DomainError, type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { runNotFound } from '../not-found.ts';
import { type RunStatus, trainingRuns } from '../schema.ts';

/** A run under a lease, as startRun and claimRun gave it. Whoever presents an older token has lost the run. */
export const RunLease = z.object({
  runId: z.uuid(),
  /** Grows with each start, sweep and cancellation. */
  fencingToken: z.int().min(1),
});
export type RunLease = Readonly<z.input<typeof RunLease>>;

/** A run whose row this transaction holds; the change is the next. */
export interface LockedRun {
  readonly id: Id<'Run'>;
  readonly name: string;
  readonly group: string;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly fencingToken: number;
  readonly leasedUntil: Date | null;
  readonly deletedAt: Date | null;
  readonly changeNumber: number;
}

/**
 * Takes the one lock of a run: its row, until the transaction ends. Whatever changes a run's state takes it. NO KEY
 * UPDATE, because rows that refer to the run hold a KEY SHARE of it. Whoever takes the locks of several runs takes them
 * in the order of their ids.
 *
 * @throws DomainError `not_found` for a run that is not there, `failed_precondition` for one that is deleted.
 */
export async function lockRun(tx: TenantTx, runId: string): Promise<LockedRun> {
  return requireLive(await findLockedRun(tx, runId));
}

/** As lockRun; a run that is deleted is found too, and undefined stands for one that is not there. */
export async function findLockedRun(tx: TenantTx, runId: string): Promise<LockedRun | undefined> {
  const [run] = await tx
    .select(lockedRunColumns)
    .from(trainingRuns)
    .where(and(eq(trainingRuns.tenantId, tenantOf(tx)), eq(trainingRuns.id, runId as Id<'Run'>)))
    .for('no key update');
  return run;
}

export const lockedRunColumns = {
  id: trainingRuns.id,
  name: trainingRuns.name,
  group: trainingRuns.group,
  status: trainingRuns.status,
  attempt: trainingRuns.attempt,
  fencingToken: trainingRuns.fencingToken,
  leasedUntil: trainingRuns.leasedUntil,
  deletedAt: trainingRuns.deletedAt,
  changeNumber: sql<number>`${trainingRuns.lastChangeNumber} + 1`.mapWith(Number),
};

/** @throws DomainError as lockRun does. */
export function requireLive<Run extends Pick<LockedRun, 'deletedAt'>>(run: Run | undefined): Run {
  if (run === undefined) throw runNotFound();
  if (run.deletedAt !== null) throw runDeleted();
  return run;
}

/** @throws DomainError `conflict` that isLeaseLost recognises, where the token is not the run's present one. */
export function requireToken(run: Pick<LockedRun, 'fencingToken'>, given: number | undefined): void {
  if ((given ?? 0) !== run.fencingToken) throw runLeaseLost();
}

export const runDeleted = () =>
  new DomainError('failed_precondition', 'The run is deleted. Restore it with restoreRun before it is changed.', {
    details: { reason: 'run_deleted' },
  });

export const runLeaseLost = () =>
  new DomainError(
    'conflict',
    'This run is not yours: it runs under a lease whose fencingToken was not given, or the lease was lost by another start, a sweep or a cancellation.',
    { details: { reason: 'lease_lost' } },
  );
