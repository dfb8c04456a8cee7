import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { runNotFound, trialNotFound } from '../not-found.ts';
import { hyperparameterTrials, trainingRuns } from '../schema.ts';
import { trialIdInput } from './study-inputs.ts';
import { ofLiveStudy, type Trial, trialColumns } from './trials.ts';

export const SetTrialRunInput = z.strictObject({
  trialId: trialIdInput,
  /** null: none. */
  runId: runId.nullable(),
});
export type SetTrialRunInput = Readonly<z.input<typeof SetTrialRunInput>>;

/**
 * Says which run trained a trial, in place of what was said before. As long as it is said, the run is not deleted for good.
 *
 * Two round trips, one without a run; the trial's row, and the run's against being deleted.
 *
 * @throws DomainError `not_found` without the trial, or the run.
 */
export async function setTrialRun(tx: TenantTx, input: SetTrialRunInput): Promise<Trial> {
  const given = parseInput(SetTrialRunInput, input);
  const tenant = tenantOf(tx);
  if (given.runId !== null) {
    const [run] = await tx
      .select({ deletedAt: trainingRuns.deletedAt })
      .from(trainingRuns)
      .where(and(eq(trainingRuns.tenantId, tenant), eq(trainingRuns.id, given.runId as Id<'Run'>)))
      .for('key share');
    if (run === undefined || run.deletedAt !== null) throw runNotFound();
  }
  const [trial] = await tx
    .update(hyperparameterTrials)
    .set({ runId: given.runId as Id<'Run'> | null })
    .where(
      and(
        eq(hyperparameterTrials.tenantId, tenant),
        eq(hyperparameterTrials.id, given.trialId as Trial['id']),
        ofLiveStudy(tx),
      ),
    )
    .returning(trialColumns);
  if (trial === undefined) throw trialNotFound();
  return trial;
}
