import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { errorText, fencingToken, reasonText, runId, storableTime } from '../inputs.ts';
import { changeRun, nextTokenIfLeased } from './change-run.ts';
import { refuseIllegalMove } from './legal-moves.ts';
import { lockRun, requireToken } from './lock-run.ts';

export const FinishRunInput = z
  .strictObject({
    runId,
    fencingToken,
    /** Default succeeded. */
    status: z.enum(['succeeded', 'failed', 'cancelled']).optional(),
    /** With failed: what it ended with. */
    error: errorText.optional(),
    /** Default: now. */
    endedAt: storableTime.optional(),
  })
  .refine((input) => input.error === undefined || input.status === 'failed', {
    path: ['error'],
    error: "may be given only with status: 'failed'",
  });
export type FinishRunInput = Readonly<z.input<typeof FinishRunInput>>;

/**
 * Ends a running run, by its own worker. A run that has the status already stays as it is, so that the call can be
 * repeated. Its worker may still log afterwards.
 *
 * Under the run's lock; two round trips. Announces `run.succeeded`, `run.failed` or `run.cancelled`.
 *
 * @throws DomainError `conflict` that isLeaseLost recognises where the run was taken from its holder;
 *   `failed_precondition` where it does not run, or is deleted; `not_found`.
 */
export async function finishRun(tx: TenantTx, input: FinishRunInput): Promise<void> {
  const { status = 'succeeded', ...given } = parseInput(FinishRunInput, input);
  const run = await lockRun(tx, given.runId);
  requireToken(run, given.fencingToken);
  if (run.status === status) return;
  refuseIllegalMove(run.status, status);
  await changeRun(tx, run, {
    kind: status,
    toStatus: status,
    // The transaction's clock may stand before the start that it waited for.
    set: {
      leasedUntil: null,
      error: given.error ?? null,
      endedAt: given.endedAt ?? sql`greatest(app_now(), started_at)`,
    },
  });
}

export const CancelRunInput = z.strictObject({ runId, reason: reasonText.optional() });
export type CancelRunInput = Readonly<z.input<typeof CancelRunInput>>;

/**
 * Cancels a run that is queued, running or stale, by someone other than its worker: where it has a lease, that is lost,
 * and the worker learns of it at its next heartbeat or write. A run that is cancelled already stays as it is.
 *
 * Under the run's lock; two round trips. Announces `run.cancelled`.
 *
 * @throws DomainError `failed_precondition` where the run has ended or is deleted; `not_found`.
 */
export async function cancelRun(tx: TenantTx, input: CancelRunInput): Promise<void> {
  const given = parseInput(CancelRunInput, input);
  const run = await lockRun(tx, given.runId);
  if (run.status === 'cancelled') return;
  refuseIllegalMove(run.status, 'cancelled');
  await changeRun(tx, run, {
    kind: 'cancelled',
    toStatus: 'cancelled',
    reason: given.reason,
    set: {
      leasedUntil: null,
      fencingToken: nextTokenIfLeased,
      endedAt: sql`greatest(app_now(), started_at, ended_at)`,
    },
  });
}
