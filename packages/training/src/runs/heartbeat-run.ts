import { DomainError, type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { leaseMs } from '../inputs.ts';
import { trainingRuns } from '../schema.ts';
import { leaseEnd } from './change-run.ts';
import { findLockedRun, RunLease, requireLive, requireToken } from './lock-run.ts';

export const HeartbeatRunInput = z.strictObject({ ...RunLease.shape, leaseMs });
export type HeartbeatRunInput = Readonly<z.input<typeof HeartbeatRunInput>>;

/**
 * Says that the run's worker is alive, and holds its lease until `leaseMs` from now; gives its end. A lease that ran out
 * and was not swept yet is held again. One round trip; the run's lock.
 *
 * @throws DomainError `conflict` that isLeaseLost recognises where the run was taken from its holder: it stops then.
 *   `failed_precondition` where the run does not run under a lease any more, or is deleted; `not_found`.
 */
export async function heartbeatRun(tx: TenantTx, input: HeartbeatRunInput): Promise<Date> {
  const given = parseInput(HeartbeatRunInput, input);
  // In one flight, and two statements: one that finds the run as it does not want it would not wait for who changes it.
  const [run, [held]] = await Promise.all([
    findLockedRun(tx, given.runId),
    tx
      .update(trainingRuns)
      .set({ leasedUntil: leaseEnd(given.leaseMs) })
      .where(
        and(
          eq(trainingRuns.tenantId, tenantOf(tx)),
          eq(trainingRuns.id, given.runId as Id<'Run'>),
          eq(trainingRuns.fencingToken, given.fencingToken),
          eq(trainingRuns.status, 'running'),
          isNull(trainingRuns.deletedAt),
          isNotNull(trainingRuns.leasedUntil),
        ),
      )
      .returning({ leasedUntil: trainingRuns.leasedUntil }),
  ]);
  requireToken(requireLive(run), given.fencingToken);
  if (held?.leasedUntil != null) return held.leasedUntil;
  throw new DomainError(
    'failed_precondition',
    'The run does not run under a lease any more: its holder has finished it, or started it without one.',
    { details: { reason: 'not_running' } },
  );
}
