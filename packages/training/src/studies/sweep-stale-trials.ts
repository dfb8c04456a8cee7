import { parseInput, scheduleWork, type TenantTx, tenantOf, type WorkHandler, withTenant } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { studyIdInput } from './study-inputs.ts';
import { takeStudyLock } from './study-lock.ts';
import { nextTrialToken } from './trial-lease.ts';

/** Of the work rows that say: a lease of this study's trials ends then. Their work_key is the study's id. */
export const STALE_TRIALS_KIND = 'training.staleTrials';

export const SweepStaleTrialsInput = z.strictObject({ studyId: studyIdInput });
export type SweepStaleTrialsInput = Readonly<z.input<typeof SweepStaleTrialsInput>>;

/** What became of trials whose workers were lost. */
export interface SweptTrials {
  /** Back among those that wait. */
  readonly waiting: number;
  /** Without an attempt left. */
  readonly stale: number;
}

/**
 * Takes the trials of a study whose lease has run out from their workers: one with attempts left waits for the next, the
 * others are stale. A worker that was lost before its trial had parameters does not cost an attempt. Asks the dispatcher
 * to come again when the next lease ends. Nothing where there is no such study.
 *
 * Under the study's lock; three round trips. Trials that are just being told are passed over, and looked at a second later.
 */
export async function sweepStaleTrials(tx: TenantTx, input: SweepStaleTrialsInput): Promise<SweptTrials> {
  const given = parseInput(SweepStaleTrialsInput, input);
  const tenant = tenantOf(tx);
  if ((await takeStudyLock(tx, given.studyId)) === undefined) return { waiting: 0, stale: 0 };
  // Two statements, because the second must not count the leases that the first has ended.
  const [swept, [study]] = await Promise.all([
    tx.execute<{ status: 'waiting' | 'stale'; count: number }>(sql`
      with lost as materialized (
        select t.id, t.params is null or t.attempt < s.max_attempts as again
          from ${hyperparameterTrials} t
          join ${hyperparameterStudies} s on s.tenant_id = t.tenant_id and s.id = t.study_id
         where t.tenant_id = ${tenant} and t.study_id = ${given.studyId} and t.leased_until <= (select app_now())
         order by t.id
           for no key update of t skip locked
      ), swept as (
        update ${hyperparameterTrials} t
           set status        = case when lost.again then 'waiting' else 'stale' end,
               attempt       = t.attempt - case when t.params is null then 1 else 0 end,
               leased_until  = null,
               fencing_token = ${nextTrialToken(sql`t.fencing_token`)},
               ended_at      = case when lost.again then null else app_now() end
          from lost
         where t.tenant_id = ${tenant} and t.id = lost.id
        returning t.status
      )
      select status, count(*)::int as count from swept group by status`),
    tx.execute<{ next_ms: number | null }>(sql`
      update ${hyperparameterStudies}
         set next_sweep_at = (select case when min(t.leased_until) <= app_now() then app_now() + interval '1 second'
                                          else min(t.leased_until) end
                                from ${hyperparameterTrials} t
                               where t.tenant_id = ${tenant} and t.study_id = ${given.studyId}
                                 and t.leased_until is not null)
       where tenant_id = ${tenant} and id = ${given.studyId}
      returning (extract(epoch from next_sweep_at) * 1000)::float8 as next_ms`),
  ]);
  if (study?.next_ms != null) {
    await scheduleWork(tx, { kind: STALE_TRIALS_KIND, workKey: given.studyId, dueAt: new Date(study.next_ms) });
  }
  const countOf = (status: 'waiting' | 'stale') => swept.find((row) => row.status === status)?.count ?? 0;
  return { waiting: countOf('waiting'), stale: countOf('stale') };
}

export interface StaleTrialsSettings extends Pick<WorkHandler, 'leaseMs' | 'concurrency' | 'backoff'> {
  /** What `app_now()` answers in the sweeps. Default: the database's clock. */
  readonly now?: () => Date;
}

/**
 * The sweep as a handler for runDispatcher. Studies that gave out trials have asked for it; where no dispatcher runs,
 * askTrial takes over what was lost and has attempts left.
 */
export function staleTrialsHandler({ now, ...settings }: StaleTrialsSettings = {}): WorkHandler {
  return {
    ...settings,
    kind: STALE_TRIALS_KIND,
    // Not in the transaction that completes the work, which holds the work row: askTrial locks the study first.
    handle: async ({ workKey }, { db, tenant }) => {
      const sweep = (tx: TenantTx) => sweepStaleTrials(tx, { studyId: workKey });
      await withTenant(db, tenant, sweep, now === undefined ? {} : { now: now() });
    },
  };
}
