import { type SQL, sql } from 'drizzle-orm';
import { hyperparameterTrialRungs } from '../schema.ts';

/**
 * The rungs that a trial comes to with this report, as Optuna's SuccessiveHalvingPruner says: a query over the CTEs of
 * reportTrialValue (`held`, `last`) that gives `rung`, and in `ends` whether the trial should end there. It goes on to the
 * next rung where it is among the best 1/reductionFactor of what came to this one, itself included; among fewer than
 * that, where it is the best. With NaN it ends at the rung, and its value is not held against others.
 *
 * Rung k lies at step minResource · reductionFactor^(minEarlyStoppingRate + k). Numbers of steps are below 2^53, so that
 * there are at most 53 rungs.
 */
export const ashaLadder = (tenant: string): SQL => sql`
  with option as (
    select coalesce((held.pruner->>'minResource')::numeric, 1) as min_resource,
           coalesce((held.pruner->>'reductionFactor')::bigint, 4) as factor,
           coalesce((held.pruner->>'minEarlyStoppingRate')::int, 0) as skipped,
           coalesce((held.pruner->>'bootstrapCount')::bigint, 0) as bootstrap
      from held
     where held.pruner->>'kind' = 'asha'
  ), reached as (
    select k as rung
      from held, option, last,
           generate_series(
             (select count(*)::int from ${hyperparameterTrialRungs} r
               where r.tenant_id = ${tenant} and r.trial_id = held.id and r.attempt = held.attempt),
             53 - least(option.skipped, 53)) as k
     where option.min_resource * power(option.factor::numeric, option.skipped + k) <= last.step
  ), competed as (
    select reached.rung,
           last.value = 'NaN' or others.n + 1 <= option.bootstrap
             or others.better > greatest((others.n + 1) / option.factor - 1, 0) as ends
      from held, option, last, reached,
           lateral (
             select count(*) as n,
                    count(*) filter (where case when held.up then r.value > last.value else r.value < last.value end)
                      as better
               from ${hyperparameterTrialRungs} r
              where r.tenant_id = ${tenant} and r.study_id = held.study_id and r.rung = reached.rung
                and r.trial_id <> held.id) as others
  )
  select rung, ends from competed
   where rung <= coalesce((select min(rung) from competed where ends), rung)`;
