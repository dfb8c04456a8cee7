import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { TRAINING_LIMITS } from '../limits.ts';
import type { Objectives } from '../samplers/objectives.ts';
import type { TrialParams } from '../samplers/search-space.ts';
import type { EndedTrial, RunningTrial } from '../samplers/trial-outcome.ts';
import { hyperparameterTrials, hyperparameterTrialValues } from '../schema.ts';
import type { StudyColumns } from './study-lock.ts';

/** What a sampler learns from. */
export interface StudyHistory {
  readonly history: readonly EndedTrial[];
  readonly running: readonly RunningTrial[];
}

/** The best trials of one objective that are read whenever they ended. */
const BEST = 100;

interface HistoryRow extends Record<string, unknown> {
  readonly number: number;
  readonly status: 'complete' | 'pruned' | 'running';
  readonly params: TrialParams;
  readonly values: readonly number[] | null;
  readonly last_step: number | null;
  readonly last_value: number | null;
}

/**
 * The last trials of a study that ended, the best ones, and those that others are at: at most tpeHistory of the first and
 * the last kind each, so that the cost does not grow with the study. One statement; each part is a range of an index.
 */
export async function readHistory(
  tx: TenantTx,
  input: { readonly study: StudyColumns; readonly objectives: Objectives; readonly number: number },
): Promise<StudyHistory> {
  const { study, objectives } = input;
  const tenant = tenantOf(tx);
  const limit = TRAINING_LIMITS.tpeHistory;
  const columns = sql.raw('t.id, t.number, t.status, t.params, t.values, t.attempt');
  const lastOf = (status: 'complete' | 'pruned' | 'running'): SQL => sql`
    (select ${columns} from ${hyperparameterTrials} t
      where t.tenant_id = ${tenant} and t.study_id = ${study.id} and t.status = ${sql.raw(`'${status}'`)}
      order by t.number desc limit ${limit})`;
  const best =
    objectives.length === 1
      ? sql`union
    (select ${columns} from ${hyperparameterTrials} t
      where t.tenant_id = ${tenant} and t.study_id = ${study.id} and t.status = 'complete'
      order by (t.values)[1] ${sql.raw(objectives[0]?.direction === 'maximize' ? 'desc' : 'asc')} limit ${BEST})`
      : sql``;
  const rows = await tx.execute<HistoryRow>(sql`
    with ended as (
      (select * from (${lastOf('complete')} union all ${lastOf('pruned')}) as t order by number desc limit ${limit})
      ${best}
    )
    select e.number, e.status, e.params, e.values, v.step::float8 as last_step, v.value as last_value
      from (select * from ended union all ${lastOf('running')}) as e
      left join lateral (
        select v.step, v.value
          from ${hyperparameterTrialValues} v
         where e.status = 'pruned' and v.tenant_id = ${tenant} and v.trial_id = e.id and v.attempt = e.attempt
         order by v.step desc limit 1) as v on true
     where e.params is not null and (e.status <> 'running' or e.number <> ${input.number})`);
  const history: EndedTrial[] = [];
  const running: RunningTrial[] = [];
  for (const { number, status, params, values, last_step, last_value } of rows) {
    if (status === 'complete' && values !== null) history.push({ number, params, status, values });
    else if (status === 'running') running.push({ number, params });
    else if (status === 'pruned') {
      const last = last_step === null || last_value === null ? null : { step: last_step, value: last_value };
      history.push({ number, params, status, last });
    }
  }
  return { history, running };
}
