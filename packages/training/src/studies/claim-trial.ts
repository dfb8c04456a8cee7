import { type Id, newId, type TenantTx, tenantOf, toId } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import type { TrialParams } from '../samplers/search-space.ts';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { nextTrialToken } from './trial-lease.ts';

/** A trial that has just been put under a lease. */
export interface ClaimedTrial {
  readonly trialId: Id<'Trial'>;
  readonly number: number;
  readonly attempt: number;
  /** null where the sampler has to choose them. */
  readonly params: TrialParams | null;
  readonly fixedParams: TrialParams | null;
  readonly fencingToken: number;
  readonly leasedUntil: Date;
}

export interface Claim {
  readonly claimed: ClaimedTrial | undefined;
  /** What `app_now()` is. */
  readonly now: Date;
  /** Where nothing was claimed: the end of the first lease among trials that would be tried again. */
  readonly nextLeaseEnd: Date | null;
}

interface ClaimRow extends Record<string, unknown> {
  readonly now_ms: number;
  readonly next_lease_ms: number | null;
  readonly id: string | null;
  readonly number: number;
  readonly attempt: number;
  readonly params: TrialParams | null;
  readonly fixed_params: TrialParams | null;
  readonly fencing_token: number;
  readonly leased_ms: number;
}

/**
 * Claims the trial of the lowest number that waits; else one whose lease has run out and that has an attempt left; else
 * makes the next, while the budgets last. One statement, which does nothing where the study does not run.
 *
 * The caller holds the study's lock: nobody else claims or numbers, and what others claimed before can be seen.
 */
export async function claimTrial(tx: TenantTx, studyId: string): Promise<Claim> {
  const tenant = tenantOf(tx);
  // A lost worker may come back and tell its trial in this moment. The update then waits for it, finds the trial ended,
  // and a new one is made.
  const [row] = await tx.execute<ClaimRow>(sql`
    with study as materialized (
      select id, max_trials, max_attempts, next_trial_number,
             app_now() + interval '1 millisecond' * lease_ms as lease_end
        from ${hyperparameterStudies}
       where tenant_id = ${tenant} and id = ${studyId} and status = 'running' and deleted_at is null
         and (deadline_at is null or deadline_at > app_now())
    ), candidate as materialized (
      select coalesce(
               (select t.id from ${hyperparameterTrials} t
                 where t.tenant_id = ${tenant} and t.study_id = ${studyId} and t.status = 'waiting'
                 order by t.number limit 1),
               (select t.id from ${hyperparameterTrials} t
                 where t.tenant_id = ${tenant} and t.study_id = ${studyId} and t.leased_until <= (select app_now())
                   and (t.params is null or t.attempt < study.max_attempts)
                 order by t.leased_until limit 1)) as id
        from study
    ), taken as (
      update ${hyperparameterTrials} t
         set status        = 'running',
             attempt       = t.attempt + case when t.status = 'running' and t.params is null then 0 else 1 end,
             leased_until  = study.lease_end,
             fencing_token = ${nextTrialToken(sql`t.fencing_token`)},
             started_at    = app_now(),
             ended_at      = null
        from study, candidate
       where t.tenant_id = ${tenant} and t.id = candidate.id
         and (t.status = 'waiting' or (t.status = 'running' and t.leased_until <= app_now()))
      returning t.id, t.number, t.attempt, t.params, t.fixed_params, t.fencing_token, t.leased_until
    ), numbered as (
      update ${hyperparameterStudies} s
         set next_trial_number = s.next_trial_number + 1
        from study
       where s.tenant_id = ${tenant} and s.id = study.id and not exists (select from taken)
         and (s.max_trials is null or s.next_trial_number < s.max_trials)
      returning s.next_trial_number - 1 as number
    ), made as (
      insert into ${hyperparameterTrials}
             (tenant_id, id, study_id, number, status, attempt, leased_until, fencing_token, started_at)
      select ${tenant}, ${newId()}, study.id, numbered.number, 'running', 1, study.lease_end,
             ${nextTrialToken(sql`0`)}, app_now()
        from numbered, study
      returning id, number, attempt, params, fixed_params, fencing_token, leased_until
    ), claimed as (
      select * from taken union all select * from made
    )
    select (extract(epoch from app_now()) * 1000)::float8 as now_ms,
           case when c.id is null then (
             select (extract(epoch from t.leased_until) * 1000)::float8
               from ${hyperparameterTrials} t, study
              where t.tenant_id = ${tenant} and t.study_id = ${studyId} and t.leased_until is not null
                and (t.params is null or t.attempt < study.max_attempts)
              order by t.leased_until limit 1) end as next_lease_ms,
           c.id, c.number, c.attempt, c.params, c.fixed_params, c.fencing_token::float8 as fencing_token,
           (extract(epoch from c.leased_until) * 1000)::float8 as leased_ms
      from (values (1)) as always
      left join claimed c on true`);
  if (row === undefined) throw new Error('A row always comes.');
  return {
    now: new Date(row.now_ms),
    nextLeaseEnd: row.next_lease_ms === null ? null : new Date(row.next_lease_ms),
    claimed:
      row.id === null
        ? undefined
        : {
            trialId: toId(row.id, 'id'),
            number: row.number,
            attempt: row.attempt,
            params: row.params,
            fixedParams: row.fixed_params,
            fencingToken: row.fencing_token,
            leasedUntil: new Date(row.leased_ms),
          },
  };
}
