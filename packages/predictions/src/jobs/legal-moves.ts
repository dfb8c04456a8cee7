import { DomainError } from '@mcp-hub/db-core';
import type { BatchJobStatus } from './schema.ts';

/**
 * Where a job may go from each status. A paused job may end: what its workers had in hand counts. One with dead letters has
 * failed, and is queued again when they are retried.
 */
export const legalBatchJobMoves: Readonly<Record<BatchJobStatus, readonly BatchJobStatus[]>> = {
  queued: ['running', 'paused', 'cancelled'],
  running: ['paused', 'succeeded', 'failed', 'cancelled'],
  paused: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: ['queued'],
  cancelled: [],
};

/** @throws DomainError `failed_precondition` that lists where the job may go. */
export function refuseIllegalMove(from: BatchJobStatus, to: BatchJobStatus): void {
  const legal = legalBatchJobMoves[from];
  if (legal.includes(to)) return;
  const open =
    legal.length === 0 ? `A job that is ${from} has ended` : `A job that is ${from} may become ${legal.join(' or ')}`;
  const mend = from === 'failed' ? ' Retry its dead letters with retryDeadLetters.' : '';
  throw new DomainError('failed_precondition', `${open}; it cannot become ${to}.${mend}`, {
    details: { from, to, legal },
  });
}
