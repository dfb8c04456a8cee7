import { DomainError } from '@mcp-hub/db-core';
import type { ExperimentStatus } from '../design/schema.ts';
import type { ExperimentEventKind } from './schema.ts';

type Moves = Readonly<Partial<Record<ExperimentStatus, ExperimentEventKind>>>;

/**
 * Where an experiment may go from each status, and what that is called. One that has stopped assigns nobody again: what it
 * found was found under the allocation that it had. A draft that is not wanted is deleted.
 */
export const experimentMoves: Readonly<Record<ExperimentStatus, Moves>> = {
  draft: { running: 'started' },
  running: { paused: 'paused', stopped: 'stopped' },
  paused: { running: 'resumed', stopped: 'stopped' },
  stopped: { archived: 'archived' },
  archived: {},
};

/** What the move is called. @throws DomainError `failed_precondition` that lists where the experiment may go. */
export function legalMove(from: ExperimentStatus, to: ExperimentStatus): ExperimentEventKind {
  const kind = experimentMoves[from][to];
  if (kind !== undefined) return kind;
  const legal = Object.keys(experimentMoves[from]);
  const open =
    legal.length === 0
      ? `An experiment that is ${from} stays so`
      : `An experiment that is ${from} may become ${legal.join(' or ')}`;
  throw new DomainError('failed_precondition', `${open}; it cannot become ${to}.`, { details: { from, to, legal } });
}
