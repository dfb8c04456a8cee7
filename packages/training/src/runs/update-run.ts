import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { groupName, runId, runName } from '../inputs.ts';
import { trainingRuns } from '../schema.ts';
import { changeRun } from './change-run.ts';
import { runFacts } from './create-run.ts';
import { lockRun } from './lock-run.ts';
import { getRun, type Run } from './runs.ts';

export const UpdateRunInput = z.strictObject({
  runId,
  name: runName.optional(),
  group: groupName.optional(),
  /** Of these, null removes and undefined leaves; an environment takes the place of the whole one. */
  ...runFacts,
});
export type UpdateRunInput = Readonly<z.input<typeof UpdateRunInput>>;

/**
 * Changes what describes a run, in whatever status it is; what was logged is changed by nothing. Under the run's lock;
 * two round trips. No token is asked for: people describe runs of others' workers. Announces `run.renamed` where the name
 * becomes another.
 *
 * @throws DomainError `not_found`; `failed_precondition` where the run is deleted.
 */
export async function updateRun(tx: TenantTx, input: UpdateRunInput): Promise<Run> {
  const { runId: id, ...changes } = parseInput(UpdateRunInput, input);
  const set = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const run = await lockRun(tx, id);
  const renamed = changes.name !== undefined && changes.name !== run.name;
  const [, updated] = await Promise.all([
    renamed
      ? changeRun(tx, { ...run, group: changes.group ?? run.group }, { kind: 'renamed', fromName: run.name, set })
      : tx
          .update(trainingRuns)
          .set({ ...set, updatedAt: sql`app_now()` })
          .where(and(eq(trainingRuns.tenantId, tenantOf(tx)), eq(trainingRuns.id, run.id))),
    getRun(tx, { runId: id }),
  ]);
  return updated;
}
