import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { announceWork } from './announce-work.ts';
import { changeJob } from './change-job.ts';
import { nextChunkToken } from './chunk-lease.ts';
import { jobId, reasonText } from './job-inputs.ts';
import { lockJob } from './lock-job.ts';
import { batchDeadLetters, batchJobChunks } from './schema.ts';
import { scheduleChunkSweep } from './sweep-kind.ts';
import { addTally } from './tally.ts';

export const RetryDeadLettersInput = z.strictObject({ jobId, reason: reasonText.optional() });
export type RetryDeadLettersInput = Readonly<z.input<typeof RetryDeadLettersInput>>;

export interface RetriedDeadLetters {
  readonly rows: number;
  readonly chunks: number;
}

/**
 * Has all dead letters of a job predicted anew, in their chunks, with all attempts before them; how many. A job that has
 * failed is queued again. Nothing happens where there are none.
 *
 * Up to six round trips; the locks of the chunks, then the job's. Announces `batch_job.retried`.
 *
 * @throws DomainError `failed_precondition` for a job that was cancelled, `not_found`.
 */
export async function retryDeadLetters(tx: TenantTx, input: RetryDeadLettersInput): Promise<RetriedDeadLetters> {
  const given = parseInput(RetryDeadLettersInput, input);
  const [{ rows, chunks }, job] = await Promise.all([requeue(tx, given.jobId), lockJob(tx, given.jobId)]);
  if (job.status === 'cancelled') {
    throw new DomainError('failed_precondition', 'The job was cancelled. Submit its rows as another job.', {
      details: { from: job.status },
    });
  }
  if (rows === 0) return { rows, chunks };
  await changeJob(tx, job, {
    kind: 'retried',
    toStatus: job.status === 'failed' ? 'queued' : job.status,
    reason: given.reason,
    set: { endedAt: null },
  });
  if (job.status !== 'paused') {
    await announceWork(tx);
    await scheduleChunkSweep(tx, job.id);
  }
  return { rows, chunks };
}

/** An async function, so that its statement is on its way before the caller makes the next: Drizzle's own waits for `await`. */
async function requeue(tx: TenantTx, jobIdText: string): Promise<RetriedDeadLetters> {
  const tenant = tenantOf(tx);
  const id = sql`${jobIdText}::uuid`;
  const [retried] = await tx.execute<{ rows: number; chunks: number }>(sql`
      with ended as materialized (
        select number, status
          from ${batchJobChunks}
         where tenant_id = ${tenant} and job_id = ${id}
           and number in (select chunk_number from ${batchDeadLetters} where tenant_id = ${tenant} and job_id = ${id})
         order by number
           for no key update
      ), letters as (
        delete from ${batchDeadLetters}
         where tenant_id = ${tenant} and job_id = ${id}
           and chunk_number in (select number from ended where status in ('succeeded', 'dead'))
        returning row_number, chunk_number, input
      ), again as (
        select chunk_number, count(*)::int as row_count, jsonb_agg(input order by row_number) as rows
          from letters
         group by chunk_number
      ), tallied as (
        ${addTally(
          tenant,
          sql`select ${id}, -count(*) filter (where e.status = 'succeeded'), -count(*) filter (where e.status = 'dead'),
                     0, -sum(a.row_count)
                from again a join ended e on e.number = a.chunk_number
              having count(*) > 0`,
        )}
      ), queued as (
        update ${batchJobChunks} c
           set status = 'queued', rows = a.rows, row_count = a.row_count, attempts = 0, due_at = app_now(), error = null,
               ended_at = null, fencing_token = ${nextChunkToken(sql`c.fencing_token`)}
          from again a
         where c.tenant_id = ${tenant} and c.job_id = ${id} and c.number = a.chunk_number
        returning c.row_count
      )
      select coalesce(sum(row_count), 0)::float8 as rows, count(*)::float8 as chunks from queued`);
  return { rows: retried?.rows ?? 0, chunks: retried?.chunks ?? 0 };
}
