import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { reasonText, runId } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { changeRun } from './change-run.ts';
import { refuseIllegalMove } from './legal-moves.ts';
import { lockRun } from './lock-run.ts';

export const RetryRunInput = z.strictObject({
  runId,
  /** The attempt that is to be followed by another: a repeated call with it makes no third one. */
  expectedAttempt: z.int().min(1).optional(),
  reason: reasonText.optional(),
});
export type RetryRunInput = Readonly<z.input<typeof RetryRunInput>>;

/**
 * Queues a run that failed or went stale again, as its next attempt, and gives the number of that. What was logged stays:
 * the history tells at what times each attempt ran.
 *
 * Under the run's lock; two round trips. Announces `run.retried`.
 *
 * @throws DomainError `conflict` where `expectedAttempt` is given and another; `failed_precondition` where the run has
 *   not failed, is deleted or has no attempt left; `not_found`.
 */
export async function retryRun(tx: TenantTx, input: RetryRunInput): Promise<number> {
  const given = parseInput(RetryRunInput, input);
  const run = await lockRun(tx, given.runId);
  if (given.expectedAttempt !== undefined && given.expectedAttempt !== run.attempt) {
    throw new DomainError('conflict', `The run is at attempt ${run.attempt}, not at ${given.expectedAttempt}.`, {
      details: { field: 'expectedAttempt', attempt: run.attempt },
    });
  }
  refuseIllegalMove(run.status, 'queued');
  if (run.attempt >= TRAINING_LIMITS.attempts) {
    throw new DomainError('failed_precondition', `A run has at most ${TRAINING_LIMITS.attempts} attempts.`, {
      details: { limit: TRAINING_LIMITS.attempts },
    });
  }
  const attempt = run.attempt + 1;
  await changeRun(tx, run, {
    kind: 'retried',
    toStatus: 'queued',
    reason: given.reason,
    set: { attempt, startedAt: null, endedAt: null, error: null, leasedUntil: null },
  });
  return attempt;
}
