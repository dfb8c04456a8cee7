import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  hyperparameterStudies,
  hyperparameterTrialRungs,
  hyperparameterTrials,
  hyperparameterTrialValues,
} from '../schema.ts';
import { ashaLadder } from './asha-ladder.ts';
import { worseThanOthers } from './percentile-rule.ts';
import { anyNumber } from './study-inputs.ts';
import { heldBy, readRefused, TrialLease, trialLeaseLost, withItsStudy } from './trial-lease.ts';

export const ReportTrialValueInput = z.strictObject({
  lease: TrialLease,
  /** Such as the epoch. */
  step: z.int().min(0),
  /** Of the first objective; NaN and infinities are values. */
  value: anyNumber,
});
export type ReportTrialValueInput = Readonly<z.input<typeof ReportTrialValueInput>>;

/** What the pruner says. */
export interface PruneDecision {
  /** Whether the trial should end here, told as pruned. It may go on. */
  readonly shouldPrune: boolean;
}

interface ReportRow extends Record<string, unknown> {
  readonly should_prune: boolean;
  /** Whether the step had another value before. */
  readonly differs: boolean;
}

/**
 * Records a value that a trial has come to at a step, and decides by the study's pruner whether it should go on. A step
 * keeps its first value and decision: reported again with the same value it gives that decision. A report is a sign of
 * life too: it renews a lease of which less than half is left.
 *
 * One round trip, the decision included, which is made about the last step reported so far; the trial's row. A study with
 * several objectives has no pruner. Trials that report at the same time may not see each other's values.
 *
 * @throws DomainError `conflict` where the lease was lost (isLeaseLost) or the step has another value; `not_found`,
 *   `failed_precondition` where the study is deleted.
 */
export async function reportTrialValue(tx: TenantTx, input: ReportTrialValueInput): Promise<PruneDecision> {
  const { lease, step, value } = parseInput(ReportTrialValueInput, input);
  const tenant = tenantOf(tx);
  const number = sql`${String(value)}::text::float8`;
  const [row] = await tx.execute<ReportRow>(sql`
    with held as materialized (
      select hyperparameter_trials.id, hyperparameter_trials.study_id, hyperparameter_trials.attempt,
             hyperparameter_trials.leased_until, hyperparameter_studies.lease_ms,
             case when jsonb_array_length(objectives) = 1 then pruner end as pruner,
             objectives->0->>'direction' = 'maximize' as up
        from ${hyperparameterTrials}, ${hyperparameterStudies}
       where ${and(heldBy(tx, lease), withItsStudy)}
         for no key update of hyperparameter_trials
    ), renewed as (
      update ${hyperparameterTrials} t
         set leased_until = app_now() + interval '1 millisecond' * held.lease_ms
        from held
       where t.tenant_id = ${tenant} and t.id = held.id
         and held.leased_until < app_now() + interval '1 millisecond' * (held.lease_ms / 2)
    ), before as materialized (
      select v.value, v.should_prune
        from held
        join ${hyperparameterTrialValues} v
          on v.tenant_id = ${tenant} and v.trial_id = held.id and v.attempt = held.attempt and v.step = ${step}::bigint
    ), point as materialized (
      select v.step, v.value
        from held
        join ${hyperparameterTrialValues} v
          on v.tenant_id = ${tenant} and v.trial_id = held.id and v.attempt = held.attempt
       where held.pruner is not null and v.step <> ${step}::bigint
       union all
      select ${step}::bigint, ${number}
    ), last as materialized (
      select step, value from point order by step desc limit 1
    ), ladder as materialized (
      ${ashaLadder(tenant)}
    ), decision as materialized (
      select case when held.pruner->>'kind' = 'asha' then exists (select from ladder where ladder.ends)
                  when held.pruner->>'kind' in ('median', 'percentile') then ${worseThanOthers(tenant)}
                  else false
             end as should_prune
        from held
       where not exists (select from before)
    ), climbed as (
      insert into ${hyperparameterTrialRungs} as r (tenant_id, study_id, trial_id, rung, attempt, value)
      select ${tenant}, held.study_id, held.id, ladder.rung, held.attempt, last.value
        from held, ladder, last, decision
       where ladder.rung is not null and last.value <> 'NaN'
          on conflict (tenant_id, trial_id, rung) do update
         set attempt = excluded.attempt, value = excluded.value
       where r.attempt < excluded.attempt
    ), reported as (
      insert into ${hyperparameterTrialValues} (tenant_id, study_id, trial_id, attempt, step, value, should_prune)
      select ${tenant}, held.study_id, held.id, held.attempt, ${step}::bigint, ${number}, decision.should_prune
        from held, decision
          on conflict (tenant_id, trial_id, attempt, step) do nothing
    )
    select coalesce(decision.should_prune, before.should_prune) as should_prune,
           coalesce(before.value <> ${number}, false) as differs
      from held left join before on true left join decision on true`);
  if (row === undefined) {
    await readRefused(tx, lease);
    throw trialLeaseLost();
  }
  if (row.differs) {
    throw new DomainError('conflict', 'The trial reported another value for this step before.', {
      details: { field: 'value' },
    });
  }
  return { shouldPrune: row.should_prune };
}
