import {
  DomainError,
  int8Array,
  jsonArray,
  newId,
  oncePerKey,
  parseInput,
  type TenantTx,
  tenantOf,
  uuidArray,
} from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { idempotencyKey, jsonObject, recordOf } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { checkFixedParams } from '../samplers/check-params.ts';
import { ParamValue } from '../samplers/search-space.ts';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { studyIdInput } from './study-inputs.ts';
import { lockStudy } from './study-lock.ts';

const NewTrial = z.strictObject({
  /** Of the search space; the sampler chooses those that are not given. Default: none. */
  params: recordOf(z.record(z.string(), ParamValue)).optional(),
  metadata: jsonObject.optional(),
});

export const EnqueueTrialsInput = z.strictObject({
  studyId: studyIdInput,
  trials: z.array(NewTrial).min(1).max(TRAINING_LIMITS.trialsAtOnce),
  /** One for each list of trials that the client wants: a repeated call with it gives the numbers of the first. */
  idempotencyKey,
});
export type EnqueueTrialsInput = Readonly<z.input<typeof EnqueueTrialsInput>>;

/** A trial that waits to be claimed by askTrial. */
export interface EnqueuedTrial {
  readonly trialId: string;
  readonly number: number;
}

/**
 * Has trials with given parameters tried before any that the sampler makes up, in their order. They take the next numbers
 * of the study and count against its maxTrials.
 *
 * Under the study's lock; two round trips.
 *
 * @throws DomainError `not_found`; `invalid_input` for parameters that the search space does not have;
 *   `failed_precondition` where the study has no room for so many or is searched by a grid, whose cells go by the numbers;
 *   `conflict` where the idempotency key came with other input before.
 */
export async function enqueueTrials(tx: TenantTx, input: EnqueueTrialsInput): Promise<readonly EnqueuedTrial[]> {
  const { idempotencyKey: key, ...given } = parseInput(EnqueueTrialsInput, input);
  const scope = 'training.enqueueTrials';
  return await oncePerKey(tx, { scope, key, request: given }, async () => {
    const study = await lockStudy(tx, given.studyId);
    const { sampler, maxTrials, nextTrialNumber } = study;
    if (sampler.kind === 'grid') {
      throw new DomainError('failed_precondition', 'A study that is searched by a grid takes no trials of its own.');
    }
    if (maxTrials !== null && nextTrialNumber + given.trials.length > maxTrials) {
      throw new DomainError('failed_precondition', 'The study has no room for so many trials: raise its maxTrials.', {
        details: { field: 'trials', maxTrials, trials: nextTrialNumber, got: given.trials.length },
      });
    }
    const trials = given.trials.map(({ params, metadata }, place) => ({
      trialId: String(newId()),
      number: nextTrialNumber + place,
      params: checkFixedParams(study.searchSpace, params ?? {}, { field: `trials[${place}].params` }),
      metadata: metadata ?? {},
    }));
    await Promise.all([
      tx
        .update(hyperparameterStudies)
        .set({ nextTrialNumber: nextTrialNumber + trials.length, updatedAt: sql`${hyperparameterStudies.updatedAt}` })
        .where(and(eq(hyperparameterStudies.tenantId, tenantOf(tx)), eq(hyperparameterStudies.id, study.id))),
      tx.execute(sql`
        insert into ${hyperparameterTrials} (tenant_id, id, study_id, number, status, fixed_params, metadata)
        select ${tenantOf(tx)}, id, ${study.id}::uuid, number, 'waiting', fixed_params, metadata
          from unnest(${uuidArray(trials.map(({ trialId }) => trialId))}, ${int8Array(trials.map(({ number }) => number))},
                      ${jsonArray(trials.map(({ params }) => params))}, ${jsonArray(trials.map(({ metadata }) => metadata))})
            as trial (id, number, fixed_params, metadata)`),
    ]);
    return trials.map(({ trialId, number }) => ({ trialId, number }));
  });
}

export const EnqueueTrialInput = z.strictObject({ studyId: studyIdInput, ...NewTrial.shape, idempotencyKey });
export type EnqueueTrialInput = Readonly<z.input<typeof EnqueueTrialInput>>;

/** As enqueueTrials, for one. */
export async function enqueueTrial(tx: TenantTx, input: EnqueueTrialInput): Promise<EnqueuedTrial> {
  const { params, metadata, ...rest } = parseInput(EnqueueTrialInput, input);
  const [trial] = await enqueueTrials(tx, { ...rest, trials: [{ params, metadata }] });
  if (trial === undefined) throw new Error('No trial was enqueued.');
  return trial;
}
