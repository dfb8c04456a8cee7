import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { reasonText } from '../inputs.ts';
import { changeStudy } from './change-study.ts';
import { deadlineOf } from './create-study.ts';
import { asStudy, type Study } from './studies.ts';
import { maxTrialsInput, ONE_TIME_BUDGET, oneTimeBudget, studyIdInput, timeBudget } from './study-inputs.ts';
import { lockStudy } from './study-lock.ts';

export const StopStudyInput = z.strictObject({ studyId: studyIdInput, reason: reasonText.optional() });
export type StopStudyInput = Readonly<z.input<typeof StopStudyInput>>;

/**
 * Stops a study: no trial is given out from now on, those that run may be told. Where it is stopped nothing is written.
 *
 * Under the study's lock; two round trips. Announces `study.stopped`. @throws DomainError `not_found`.
 */
export async function stopStudy(tx: TenantTx, input: StopStudyInput): Promise<Study> {
  const given = parseInput(StopStudyInput, input);
  const study = await lockStudy(tx, given.studyId);
  if (study.status === 'stopped') return asStudy(study);
  return asStudy(await changeStudy(tx, study, { kind: 'stopped', reason: given.reason, set: { status: 'stopped' } }));
}

export const ResumeStudyInput = z
  .strictObject({
    studyId: studyIdInput,
    reason: reasonText.optional(),
    /** In place of the present budgets; null takes one away. */
    maxTrials: maxTrialsInput.nullish(),
    ...timeBudget,
  })
  .refine(oneTimeBudget, { error: ONE_TIME_BUDGET });
export type ResumeStudyInput = Readonly<z.input<typeof ResumeStudyInput>>;

/**
 * Goes on with a study that was stopped or has used its budgets, with new ones where they are given. Where it runs and no
 * budget is given nothing is written.
 *
 * Under the study's lock; two round trips. Announces `study.resumed`.
 *
 * @throws DomainError `not_found`; `failed_precondition` where the study has more trials than the new budget.
 */
export async function resumeStudy(tx: TenantTx, input: ResumeStudyInput): Promise<Study> {
  const given = parseInput(ResumeStudyInput, input);
  const study = await lockStudy(tx, given.studyId);
  const deadlineAt = deadlineOf(given);
  if (study.status === 'running' && given.maxTrials === undefined && deadlineAt === undefined) return asStudy(study);
  if (given.maxTrials != null && given.maxTrials < study.nextTrialNumber) {
    throw new DomainError('failed_precondition', 'The study has more trials than this maxTrials: raise it.', {
      details: { field: 'maxTrials', trials: study.nextTrialNumber },
    });
  }
  const set = {
    status: 'running' as const,
    ...(given.maxTrials === undefined ? {} : { maxTrials: given.maxTrials }),
    ...(deadlineAt === undefined ? {} : { deadlineAt }),
  };
  return asStudy(await changeStudy(tx, study, { kind: 'resumed', reason: given.reason, set }));
}
