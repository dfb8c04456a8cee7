import {
  type Database,
  type Id,
  isLeaseLost,
  jsonParameter,
  parseInput,
  scheduleWork,
  type TenantOptions,
  type TenantTx,
  tenantOf,
  withTenant,
} from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { studyNotFound } from '../not-found.ts';
import type { TrialParams } from '../samplers/search-space.ts';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { chooseParams } from './choose-params.ts';
import { type ClaimedTrial, claimTrial } from './claim-trial.ts';
import { studyIdInput } from './study-inputs.ts';
import { type StudyColumns, takeStudyLock } from './study-lock.ts';
import { STALE_TRIALS_KIND } from './sweep-stale-trials.ts';
import { heldBy, leaseEnd, releaseTrial, type TrialLease, trialLeaseLost, withItsStudy } from './trial-lease.ts';

export const AskTrialInput = z.strictObject({ studyId: studyIdInput });
export type AskTrialInput = Readonly<z.input<typeof AskTrialInput>>;

/** Who acts, and what `app_now()` answers, in the transactions of a call. */
export type StudyOptions = Pick<TenantOptions, 'actor' | 'now'>;

/** A trial to be run, and what its worker presents. */
export interface AskedTrial {
  readonly trialId: Id<'Trial'>;
  readonly number: number;
  /** 1, and one more for each attempt that failed or whose worker was lost. */
  readonly attempt: number;
  readonly params: TrialParams;
  readonly lease: TrialLease;
  /** Until when heartbeatTrial or reportTrialValue must have come, and by how much they put it off. */
  readonly leasedUntil: Date;
  readonly leaseMs: number;
}

/** A trial; or why there is none, and whether there may be one again without the study being changed. */
export type Asked =
  | { readonly trial: AskedTrial }
  | {
      readonly trial: undefined;
      readonly reason: 'stopped' | 'deadline' | 'trials';
      /** The end of the first lease among trials that would be tried again; null where there is none. */
      readonly nextLeaseEnd: Date | null;
    };

/**
 * Gives out the next trial of a study under a lease: the first that waits, else one whose worker was lost, else a new one
 * with the next number, whose parameters the sampler chooses. Without a trial: the study is stopped or its budgets are used.
 *
 * Round trips: 2 for a trial that has its parameters, 4 for a new one, 5 where the sampler reads what came before. The
 * study's lock is held while a number is taken, and no lock while the sampler thinks: where the process dies then, the
 * trial is given to another when its lease has run out. A sampler that throws gives it back at once.
 *
 * @throws DomainError `not_found`; `conflict` where the sampler took longer than the lease (isLeaseLost).
 */
export async function askTrial(
  db: Database,
  tenant: string,
  input: AskTrialInput,
  options: StudyOptions = {},
): Promise<Asked> {
  const given = parseInput(AskTrialInput, input);
  const asked = await withTenant(db, tenant, (tx) => takeTrial(tx, given.studyId), options);
  if (asked.claimed === undefined) return { trial: undefined, ...asked.end };
  const { study, claimed } = asked;
  const lease = { trialId: claimed.trialId, fencingToken: claimed.fencingToken };
  const { trialId, number, attempt, leasedUntil } = claimed;
  const known = { trialId, number, attempt, lease, leasedUntil, leaseMs: study.leaseMs };
  if (claimed.params !== null) return { trial: { ...known, params: claimed.params } };
  try {
    const params = await chooseParams(db, tenant, { study, number, fixed: claimed.fixedParams ?? {} });
    const renewed = await withTenant(db, tenant, (tx) => storeParams(tx, lease, params), options);
    return { trial: { ...known, params, leasedUntil: renewed } };
  } catch (error) {
    // Else it would wait for its lease to run out; where this fails too, it does.
    if (!isLeaseLost(error)) {
      await withTenant(db, tenant, (tx) => releaseTrial(tx, lease), options).catch(() => {});
    }
    throw error;
  }
}

type Taken =
  | { readonly study: StudyColumns; readonly claimed: ClaimedTrial }
  | { readonly claimed: undefined; readonly end: Omit<Extract<Asked, { trial: undefined }>, 'trial'> };

async function takeTrial(tx: TenantTx, studyId: string): Promise<Taken> {
  // In one flight: the claim begins when the lock is there, and sees what others did before.
  const [study, { claimed, now, nextLeaseEnd }] = await Promise.all([
    takeStudyLock(tx, studyId),
    claimTrial(tx, studyId),
  ]);
  if (study === undefined || study.deletedAt !== null) throw studyNotFound();
  if (claimed === undefined) {
    const late = study.deadlineAt !== null && study.deadlineAt <= now;
    return {
      claimed: undefined,
      end: { reason: study.status === 'stopped' ? 'stopped' : late ? 'deadline' : 'trials', nextLeaseEnd },
    };
  }
  if (isSweepMissing(study, claimed, now)) {
    await Promise.all([
      tx
        .update(hyperparameterStudies)
        .set({ nextSweepAt: claimed.leasedUntil, updatedAt: sql`${hyperparameterStudies.updatedAt}` })
        .where(and(eq(hyperparameterStudies.tenantId, tenantOf(tx)), eq(hyperparameterStudies.id, study.id))),
      scheduleWork(tx, { kind: STALE_TRIALS_KIND, workKey: study.id, dueAt: claimed.leasedUntil }),
    ]);
  }
  return { study, claimed };
}

/** The leases of a study are equally long, so that a sweep at the end of the first serves all that follow. */
const isSweepMissing = ({ nextSweepAt }: StudyColumns, { leasedUntil }: ClaimedTrial, now: Date) =>
  nextSweepAt === null || nextSweepAt > leasedUntil || nextSweepAt.getTime() + OVERDUE_MS < now.getTime();

/** A sweep that is so late is asked for again: nobody runs a dispatcher, or its work was cancelled or is dead. */
const OVERDUE_MS = 60_000;

async function storeParams(tx: TenantTx, lease: TrialLease, params: TrialParams): Promise<Date> {
  const [held] = await tx
    .update(hyperparameterTrials)
    .set({ params: sql`${jsonParameter(params)}`, leasedUntil: leaseEnd })
    .from(hyperparameterStudies)
    .where(and(heldBy(tx, lease), withItsStudy))
    .returning({ leasedUntil: hyperparameterTrials.leasedUntil });
  if (held === undefined || held.leasedUntil === null) throw trialLeaseLost();
  return held.leasedUntil;
}
