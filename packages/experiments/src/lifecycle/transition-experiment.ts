import { DomainError, type Id, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT, reasonText } from '../design/experiment-inputs.ts';
import { type ExperimentStatus, experimentStatuses } from '../design/schema.ts';
import { changeExperiment } from './change-experiment.ts';
import { legalMove } from './legal-moves.ts';
import { lockExperiment } from './lock-experiment.ts';
import { requireReady } from './require-ready.ts';

export const TransitionExperimentInput = z
  .strictObject({
    ...experimentSubject,
    status: z.enum(experimentStatuses),
    reason: reasonText.optional(),
    /** The status that the experiment must be in before the change. */
    expectedStatus: z.enum(experimentStatuses).optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type TransitionExperimentInput = Readonly<z.input<typeof TransitionExperimentInput>>;

export interface ExperimentTransition {
  readonly experimentId: Id<'Experiment'>;
  readonly fromStatus: ExperimentStatus;
  readonly status: ExperimentStatus;
  /** Of ab_experiment_events; undefined where the experiment was in the status already and nothing was written. */
  readonly changeNumber: number | undefined;
}

/**
 * Moves an experiment to another status: see experimentMoves. To start it needs a primary metric, model versions that are
 * there, and a range of its layer that no other running or paused experiment has. One that is in the status already stays
 * as it is.
 *
 * Under the lock of the experiment, and to start under that of its layer; two round trips, four to start. Announces
 * `experiment.started`, `.paused`, `.resumed`, `.stopped` or `.archived`.
 *
 * @throws DomainError `not_found`; `conflict` where `expectedStatus` is given and not the status, or the layer's range is
 *   taken; `failed_precondition` for a move that is not legal, and for a draft that is not ready.
 */
export async function transitionExperiment(
  tx: TenantTx,
  input: TransitionExperimentInput,
): Promise<ExperimentTransition> {
  const { status, reason, expectedStatus, ...subject } = parseInput(TransitionExperimentInput, input);
  const experiment = await lockExperiment(tx, subject);
  const { id: experimentId, status: fromStatus, changeNumber } = experiment;
  if (expectedStatus !== undefined && expectedStatus !== fromStatus) {
    throw new DomainError('conflict', `The experiment is ${fromStatus}, not ${expectedStatus}.`, {
      details: { field: 'expectedStatus', status: fromStatus },
    });
  }
  if (fromStatus === status) return { experimentId, fromStatus, status, changeNumber: undefined };
  const kind = legalMove(fromStatus, status);
  if (kind === 'started') await requireReady(tx, experiment);
  const set =
    kind === 'started' ? { startedAt: sql`app_now()` } : kind === 'stopped' ? { stoppedAt: sql`app_now()` } : {};
  await changeExperiment(tx, experiment, { kind, toStatus: status, reason, set });
  return { experimentId, fromStatus, status, changeNumber };
}
