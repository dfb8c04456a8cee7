import { type SQL, sql } from 'drizzle-orm';
import { hyperparameterTrials, hyperparameterTrialValues } from '../schema.ts';

/**
 * Whether a trial is worse than the percentile of the others, as Optuna's PercentilePruner says: a boolean expression over
 * the CTEs of reportTrialValue (`held`, `point`, `last`). Each condition stands before those that cost more.
 *
 * The trial's best value so far is held against the percentile (linear between two values, NaN left out) of what the
 * complete trials reported at its last step. NaN alone is pruned.
 */
export const worseThanOthers = (tenant: string): SQL => sql`(
  case
    when (select count(*)
            from (select from ${hyperparameterTrials} t
                   where t.tenant_id = ${tenant} and t.study_id = held.study_id and t.status = 'complete'
                   limit greatest(${option('startupTrials', 5)}, 1)) as complete)
         < greatest(${option('startupTrials', 5)}, 1) then false
    when (select step from last) < ${option('warmupSteps', 0)} then false
    when ${afterLastDecision} then false
    when not exists (select from point where value <> 'NaN') then true
    else coalesce(
      (select case when held.up then own.best < others.worst else own.best > others.worst end
         from (select case when held.up then max(value) else min(value) end as best
                 from point where value <> 'NaN') as own,
              (select case when count(*) >= ${option('minTrials', 1)}
                           then nullif(percentile_cont(${share}) within group (order by nullif(v.value, 'NaN')), 'NaN')
                      end as worst
                 from ${hyperparameterTrialValues} v
                 join ${hyperparameterTrials} t
                   on t.tenant_id = v.tenant_id and t.id = v.trial_id and t.attempt = v.attempt
                where v.tenant_id = ${tenant} and v.study_id = held.study_id and v.step = (select step from last)
                  and t.tenant_id = ${tenant} and t.study_id = held.study_id and t.status = 'complete') as others),
      false)
  end)`;

const option = (name: string, otherwise: number): SQL =>
  sql`coalesce((held.pruner->>${sql.raw(`'${name}'`)})::bigint, ${sql.raw(String(otherwise))})`;

/** Of an interval only the first step that is reported decides; the others come after it. */
const afterLastDecision = sql`
  coalesce((select max(step) from point where step <> (select step from last)), -1)
    >= ((select step from last) - ${option('warmupSteps', 0)}) / ${option('intervalSteps', 1)}
       * ${option('intervalSteps', 1)} + ${option('warmupSteps', 0)}`;

/** Where values are maximized, the best quarter lies above the 75th percentile. */
const share = sql`(
  case when held.up then 100 - coalesce((held.pruner->>'percentile')::float8, 50)
       else coalesce((held.pruner->>'percentile')::float8, 50) end / 100)`;
