import { DomainError, type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { inOneFlight } from '../in-one-flight.ts';
import { recordExperimentEvent } from '../lifecycle/change-experiment.ts';
import { lockExperiment, requireStatus } from '../lifecycle/lock-experiment.ts';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT, reasonText } from './experiment-inputs.ts';
import { deleteUnits, keepsUnits } from './purge-experiment-units.ts';
import { abExperiments } from './schema.ts';

export const DeleteExperimentInput = z
  .strictObject({ ...experimentSubject, reason: reasonText.optional() })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type DeleteExperimentInput = Readonly<z.input<typeof DeleteExperimentInput>>;

/**
 * Deletes a draft or an archived experiment with its parts. Its history stays: listExperimentEvents by the id that is
 * returned. Its key is free again.
 *
 * Two round trips; the experiment's lock, which waits for those that record units of it. Announces `experiment.deleted`.
 *
 * @throws DomainError `not_found`; `failed_precondition` for one that runs, is paused or has only stopped, and for one whose
 *   units are still there: purgeExperimentUnits deletes them.
 */
export async function deleteExperiment(tx: TenantTx, input: DeleteExperimentInput): Promise<Id<'Experiment'>> {
  const { reason, ...subject } = parseInput(DeleteExperimentInput, input);
  const [experiment, hasUnits] = await inOneFlight(
    () => lockExperiment(tx, subject, 'update'),
    () => keepsUnits(tx, subject),
  );
  requireStatus(experiment.status, ['draft', 'archived'], 'be deleted');
  if (hasUnits) {
    throw new DomainError(
      'failed_precondition',
      'The experiment has units. Delete them first, by purgeExperimentUnits.',
    );
  }
  await inOneFlight(
    () =>
      tx
        .delete(abExperiments)
        .where(and(eq(abExperiments.tenantId, tenantOf(tx)), eq(abExperiments.id, experiment.id))),
    // After the experiment, whose row waits for those who are just assigning: without a foreign key this takes their rows too.
    () => deleteUnits(tx, experiment.id),
    () =>
      recordExperimentEvent(tx, {
        ...{ experiment, kind: 'deleted', fromStatus: experiment.status, toStatus: null, reason },
        detail: { seed: experiment.seed },
      }),
  );
  return experiment.id;
}
