import { type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
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
 * @throws DomainError `not_found` for a run that is not there or deleted.
 */
export async function lockRun(tx: TenantTx, runId: string): Promise<LockedRun> {
  const run = await lockRunOrDeleted(tx, runId);
  if (run.deletedAt !== null) throw runNotFound();
  return run;
}

/** As lockRun, and a run that is deleted is found too. */
export async function lockRunOrDeleted(tx: TenantTx, runId: string): Promise<LockedRun> {
  const [run] = await tx
    .select({
      id: trainingRuns.id,
      name: trainingRuns.name,
      status: trainingRuns.status,
      attempt: trainingRuns.attempt,
      fencingToken: trainingRuns.fencingToken,
      leasedUntil: trainingRuns.leasedUntil,
      deletedAt: trainingRuns.deletedAt,
      changeNumber: sql<number>`${trainingRuns.lastChangeNumber} + 1`.mapWith(Number),
    })
    .from(trainingRuns)
    .where(and(eq(trainingRuns.tenantId, tenantOf(tx)), eq(trainingRuns.id, runId as Id<'Run'>)))
    .for('no key update');
  if (run === undefined) throw runNotFound();
  return run;
}
