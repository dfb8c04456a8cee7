import { DomainError } from '@mcp-hub/db-core';
import type { RunStatus } from '../schema.ts';

/** Where a run may go from each status. What failed or went stale is tried again by way of the queue. */
export const legalRunMoves: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  queued: ['running', 'cancelled'],
  running: ['succeeded', 'failed', 'cancelled', 'stale'],
  succeeded: [],
  failed: ['queued'],
  cancelled: [],
  stale: ['queued', 'cancelled'],
};

/** @throws DomainError `failed_precondition` that lists where the run may go. */
export function refuseIllegalMove(from: RunStatus, to: RunStatus): void {
  const legal = legalRunMoves[from];
  if (legal.includes(to)) return;
  const open =
    legal.length === 0 ? `A run that is ${from} has ended` : `A run that is ${from} may become ${legal.join(' or ')}`;
  const mend = from === 'queued' ? ' Start it first: by startRun or claimRun, or by createRun with start: true.' : '';
  throw new DomainError('failed_precondition', `${open}; it cannot become ${to}.${mend}`, {
    details: { from, to, legal },
  });
}
