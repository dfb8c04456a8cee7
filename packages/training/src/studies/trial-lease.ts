import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, type SQLWrapper, sql } from 'drizzle-orm';
import { z } from 'zod';
import { trialNotFound } from '../not-found.ts';
import type { Objectives } from '../samplers/objectives.ts';
import {
  hyperparameterStudies,
  hyperparameterTrialRungs,
  hyperparameterTrials,
  hyperparameterTrialValues,
} from '../schema.ts';
import { trialIdInput } from './study-inputs.ts';
import type { Trial } from './trials.ts';

/** A trial under a lease, as askTrial gave it. Whoever presents an older token has lost the trial. */
export const TrialLease = z.object({
  trialId: trialIdInput,
  /** Grows with each claim and sweep. */
  fencingToken: z.int().min(1),
});
export type TrialLease = Readonly<z.input<typeof TrialLease>>;

/** The token after another has taken the trial; the clock keeps tokens growing where a backup brought older ones back. */
export const nextTrialToken = (token: SQLWrapper) =>
  sql`greatest(${token} + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)`;

/** The condition that a worker holds the trial. A lease that ran out does not refuse its holder; the sweep does. */
export const heldBy = (tx: TenantTx, { trialId, fencingToken }: TrialLease) =>
  and(
    eq(hyperparameterTrials.tenantId, tenantOf(tx)),
    eq(hyperparameterTrials.id, trialId as Trial['id']),
    eq(hyperparameterTrials.fencingToken, fencingToken),
    eq(hyperparameterTrials.status, 'running'),
  );

/** The condition that joins a trial's study, which is not deleted. */
export const withItsStudy = and(
  eq(hyperparameterStudies.tenantId, hyperparameterTrials.tenantId),
  eq(hyperparameterStudies.id, hyperparameterTrials.studyId),
  sql`${hyperparameterStudies.deletedAt} is null`,
);

export const trialLeaseLost = () =>
  new DomainError(
    'conflict',
    'The lease of this trial was lost: it ran out and the trial was given to another worker, or it was told already.',
    { details: { reason: 'lease_lost' } },
  );

/** The trial as it stands now, and what else a refusal hangs on. */
export interface RefusedTrial {
  readonly trial: Trial;
  readonly objectives: Objectives;
}

/**
 * Finds out why a trial's worker was refused: what it gives was told under this lease, or is held by it.
 *
 * @throws DomainError `not_found` without the trial, `failed_precondition` where its study is deleted, `conflict` where
 *   the lease was lost to another.
 */
export async function readRefused(tx: TenantTx, lease: TrialLease): Promise<RefusedTrial> {
  const [found] = await tx
    .select({
      trial: hyperparameterTrials,
      objectives: hyperparameterStudies.objectives,
      deletedAt: hyperparameterStudies.deletedAt,
    })
    .from(hyperparameterTrials)
    .innerJoin(
      hyperparameterStudies,
      and(
        eq(hyperparameterStudies.tenantId, hyperparameterTrials.tenantId),
        eq(hyperparameterStudies.id, hyperparameterTrials.studyId),
      ),
    )
    .where(
      and(eq(hyperparameterTrials.tenantId, tenantOf(tx)), eq(hyperparameterTrials.id, lease.trialId as Trial['id'])),
    );
  if (found === undefined) throw trialNotFound();
  if (found.deletedAt !== null) {
    throw new DomainError('failed_precondition', 'The study of this trial is deleted. Restore it first.');
  }
  const { fencingToken, ...trial } = found.trial;
  if (fencingToken !== lease.fencingToken) throw trialLeaseLost();
  return { trial, objectives: found.objectives };
}

/**
 * Says that a trial's worker is alive: holds the lease for the study's leaseMs from now, and gives its end. One round
 * trip; the trial's row.
 *
 * @throws DomainError `conflict` where the lease was lost (isLeaseLost), `not_found`, `failed_precondition` where the
 *   study is deleted.
 */
export async function heartbeatTrial(tx: TenantTx, input: TrialLease): Promise<Date> {
  const lease = parseInput(TrialLease, input);
  const [held] = await tx
    .update(hyperparameterTrials)
    .set({ leasedUntil: leaseEnd })
    .from(hyperparameterStudies)
    .where(and(heldBy(tx, lease), withItsStudy))
    .returning({ leasedUntil: hyperparameterTrials.leasedUntil });
  if (held !== undefined && held.leasedUntil !== null) return held.leasedUntil;
  await readRefused(tx, lease);
  throw trialLeaseLost();
}

/** The end of a lease taken now, in a statement that has the study's row. */
export const leaseEnd = sql`app_now() + interval '1 millisecond' * ${hyperparameterStudies.leaseMs}`;

/**
 * Gives a trial back as if it had not been claimed, because its worker stops: it waits for the next with the parameters
 * it has, the attempt does not count, and what it reported is deleted. One round trip; the trial's row.
 *
 * @throws DomainError as heartbeatTrial.
 */
export async function releaseTrial(tx: TenantTx, input: TrialLease): Promise<void> {
  const lease = parseInput(TrialLease, input);
  const tenant = tenantOf(tx);
  const [released] = await tx.execute(sql`
    with released as (
      update ${hyperparameterTrials}
         set status = 'waiting', leased_until = null, attempt = greatest(attempt - 1, 0)
        from ${hyperparameterStudies}
       where ${and(heldBy(tx, lease), withItsStudy)}
      returning hyperparameter_trials.id, hyperparameter_trials.attempt + 1 as attempt
    ), values_gone as (
      delete from ${hyperparameterTrialValues} v using released r
       where v.tenant_id = ${tenant} and v.trial_id = r.id and v.attempt = r.attempt
    ), rungs_gone as (
      delete from ${hyperparameterTrialRungs} g using released r
       where g.tenant_id = ${tenant} and g.trial_id = r.id and g.attempt = r.attempt
    )
    select 1 from released`);
  if (released !== undefined) return;
  await readRefused(tx, lease);
  throw trialLeaseLost();
}
