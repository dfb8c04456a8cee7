import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { bestTrialNotFound } from '../not-found.ts';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { studyIdInput } from './study-inputs.ts';
import { ofLiveStudy, type Trial, trialColumns } from './trials.ts';

export const GetBestTrialInput = z.strictObject({
  studyId: studyIdInput,
  /** Which of several objectives counts, from 0. Default 0. */
  objective: z.int().min(0).optional(),
});
export type GetBestTrialInput = Readonly<z.input<typeof GetBestTrialInput>>;

/** As findBestTrial. @throws DomainError `not_found` where it gives undefined. */
export async function getBestTrial(tx: TenantTx, input: GetBestTrialInput): Promise<Trial> {
  const trial = await findBestTrial(tx, input);
  if (trial === undefined) throw bestTrialNotFound();
  return trial;
}

/**
 * The complete trial with the least value, or the greatest where the objective is maximized; of several the one with the
 * lowest number. Undefined where none is complete, or there is no such study or objective. One statement, no lock; for
 * the first objective two looks into an index.
 */
export async function findBestTrial(tx: TenantTx, input: GetBestTrialInput): Promise<Trial | undefined> {
  const { studyId: id, objective = 0 } = parseInput(GetBestTrialInput, input);
  const tenant = tenantOf(tx);
  const [trial] = await tx
    .select(trialColumns)
    .from(hyperparameterTrials)
    .where(
      and(
        eq(hyperparameterTrials.tenantId, tenant),
        eq(hyperparameterTrials.studyId, id as Trial['studyId']),
        eq(hyperparameterTrials.status, 'complete'),
        ofLiveStudy(tx),
        hasBestValue(tx, id, objective),
      ),
    )
    .orderBy(hyperparameterTrials.number)
    .limit(1);
  return trial;
}

/** The condition that a complete trial has the best value of the objective that any has. */
export function hasBestValue(tx: TenantTx, studyId: string, objective: number): SQL {
  const tenant = tenantOf(tx);
  const value = (table: string) => sql.raw(`(${table}."values")[${objective + 1}]`);
  const best = (aggregate: 'min' | 'max'): SQL => sql`(
    select ${sql.raw(aggregate)}(${value('t')}) from ${hyperparameterTrials} t
     where t.tenant_id = ${tenant} and t.study_id = ${studyId} and t.status = 'complete')`;
  return sql`${value('hyperparameter_trials')} = (
    select case when s.objectives->${objective}::int->>'direction' = 'maximize' then ${best('max')} else ${best('min')} end
      from ${hyperparameterStudies} s where s.tenant_id = ${tenant} and s.id = ${studyId})`;
}
