import {
  booleanArray,
  int8Array,
  type TenantTx,
  tenantOf,
  textArray,
  timeParameter,
  timestampArray,
} from '@mcp-hub/db-core';
import { batchDeadLetters, batchJobs } from '@mcp-hub/predictions/schema';
import { sql } from 'drizzle-orm';
import type { Reading, SourceOf, Wanted } from './wanted.ts';

interface Row extends Record<string, unknown> {
  readonly key: number;
  readonly job: string | null;
  readonly value: number;
}

/**
 * What batch jobs come to in each of the windows: any number of sources in one statement, no lock. Jobs that ended before
 * all windows are not read but by the scan of the tenant's jobs; dead letters are found by the jobs that could have any.
 *
 * Of the past it knows what is still there: a job that was tried again is no longer a failed one, and its dead letters are
 * gone.
 */
export async function readBatchJobs(
  tx: TenantTx,
  wanted: readonly Wanted<SourceOf<'batch_jobs'>>[],
): Promise<readonly Reading[]> {
  if (wanted.length === 0) return [];
  const tenant = tenantOf(tx);
  const earliest = new Date(Math.min(...wanted.map(({ window }) => window.from)));
  const letters = wanted.some(({ of }) => of.measure === 'dead_letters');
  const rows = await tx.execute<Row>(sql`
    with wanted as materialized (
      select * from unnest(${int8Array(wanted.map(({ key }) => key))}, ${textArray(wanted.map(({ of }) => of.measure))},
                           ${textArray(wanted.map(({ of }) => of.job ?? null))},
                           ${booleanArray(wanted.map(({ of }) => (of.by ?? []).length > 0))},
                           ${timestampArray(wanted.map(({ window }) => new Date(window.from)))},
                           ${timestampArray(wanted.map(({ window }) => new Date(window.to)))})
                    as w (key, measure, job, by_job, from_at, to_at)
    ), job as materialized (
      select id, name, status, submitted_at, ended_at
        from ${batchJobs}
       where tenant_id = ${tenant} and submitted_at is not null
         and (ended_at is null or ended_at >= ${timeParameter(earliest)})
    ), counted as (
      select w.key, case when w.by_job then j.name end as job,
             case when w.measure = 'oldest_open_ms'
                  then max(extract(epoch from w.to_at - j.submitted_at) * 1000)
                  else count(*) end::float8 as value
        from wanted w
        join job j on w.job is null or j.name = w.job
       where case w.measure
               when 'failed_jobs' then j.status = 'failed' and j.ended_at >= w.from_at and j.ended_at < w.to_at
               when 'dead_letters' then false
               else j.submitted_at < w.to_at and (j.ended_at is null or j.ended_at >= w.to_at) end
       group by 1, 2, w.measure
      ${
        letters
          ? sql`union all
      select w.key, case when w.by_job then j.name end, count(*)::float8
        from wanted w
        join job j on w.job is null or j.name = w.job
        join ${batchDeadLetters} d
          on d.tenant_id = ${tenant} and d.job_id = j.id and d.at >= w.from_at and d.at < w.to_at
       where w.measure = 'dead_letters'
       group by 1, 2`
          : sql``
      }
    )
    select key::int as key, job, value from counted`);
  return rows.map(({ key, job, value }) => ({ key, labels: job === null ? {} : { job }, value }));
}
