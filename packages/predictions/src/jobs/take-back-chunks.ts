import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { PREDICTION_LIMITS } from '../limits.ts';
import { nextChunkToken } from './chunk-lease.ts';
import { endJobIfDone } from './end-job.ts';
import { batchDeadLetters, batchJobChunks, batchJobs } from './schema.ts';
import { addTally } from './tally.ts';

/** A chunk that was taken from its worker, or given back by it. */
export interface ReturnedChunk extends Record<string, unknown> {
  readonly job_id: string;
  readonly number: number;
  readonly is_dead: boolean;
  readonly due_ms: number;
}

/**
 * Takes chunks from their workers. Those with attempts left wait for the next, the others are dead, and each of their rows
 * becomes a dead letter. One statement, and more where a job may have ended. Nobody has to be told of those that were lost:
 * the tenant is looked at when a lease ends anyway.
 *
 * @param which names the chunks `c` and their jobs `j`, and locks the chunks: a `select` of job_id, number, is_dead, due_at.
 */
export async function returnChunks(tx: TenantTx, which: SQL, reason: string): Promise<readonly ReturnedChunk[]> {
  const tenant = tenantOf(tx);
  const returned = await tx.execute<ReturnedChunk>(sql`
    with given as materialized (
      ${which}
    ), letters as (
      insert into ${batchDeadLetters} (tenant_id, job_id, row_number, chunk_number, kind, reason, input)
      select ${tenant}, g.job_id, (r.value ->> 'row')::bigint, g.number, 'chunk', ${reason}, r.value
        from given g
        join ${batchJobChunks} c on c.tenant_id = ${tenant} and c.job_id = g.job_id and c.number = g.number
       cross join lateral jsonb_array_elements(c.rows) r
       where g.is_dead
    ), tallied as (
      ${addTally(
        tenant,
        sql`select g.job_id, 0, count(*), 0, sum(c.row_count)
              from given g
              join ${batchJobChunks} c on c.tenant_id = ${tenant} and c.job_id = g.job_id and c.number = g.number
             where g.is_dead
             group by g.job_id`,
      )}
    )
    update ${batchJobChunks} c
       set status        = case when g.is_dead then 'dead' else 'queued' end,
           rows          = case when g.is_dead then null else c.rows end,
           leased_until  = null,
           fencing_token = ${nextChunkToken(sql`c.fencing_token`)},
           due_at        = g.due_at,
           error         = ${reason},
           ended_at      = case when g.is_dead then app_now() end
      from given g
     where c.tenant_id = ${tenant} and c.job_id = g.job_id and c.number = g.number
    returning c.job_id, c.number, g.is_dead, (extract(epoch from g.due_at) * 1000)::float8 as due_ms`);
  const ended = new Set(returned.filter((chunk) => chunk.is_dead).map(({ job_id }) => job_id));
  for (const id of [...ended].sort()) await endJobIfDone(tx, id);
  return returned;
}

const LOST = 'The worker was lost: its lease ran out.';

/**
 * Takes back chunks whose lease has run out; how many. Those that a transaction holds are passed over: their worker may be
 * completing them.
 */
export async function takeBackLostChunks(
  tx: TenantTx,
  { jobId, limit = 100 }: { readonly jobId?: string | undefined; readonly limit?: number },
): Promise<number> {
  const tenant = tenantOf(tx);
  const returned = await returnChunks(
    tx,
    sql`select c.job_id, c.number, c.due_at,
               c.attempts >= j.max_attempts and j.status in ('queued', 'running', 'paused') as is_dead
          from ${batchJobChunks} c
          join ${batchJobs} j on j.tenant_id = c.tenant_id and j.id = c.job_id
         where c.tenant_id = ${tenant} and c.status = 'running' and c.leased_until <= (select app_now())
           ${jobId === undefined ? sql`` : sql`and c.job_id = ${jobId}::uuid`}
         order by c.job_id, c.number
         limit ${Math.min(limit, PREDICTION_LIMITS.sweepBatch)}
           for no key update of c skip locked`,
    LOST,
  );
  return returned.length;
}
