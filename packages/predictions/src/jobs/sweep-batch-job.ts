import { parseInput, type TenantTx, tenantOf, type WorkHandler, withTenant } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { endJobIfDone } from './end-job.ts';
import { jobId } from './job-inputs.ts';
import { batchJobChunks, batchJobs } from './schema.ts';
import { BATCH_SWEEP_KIND, SWEEP_MS, scheduleChunkSweep } from './sweep-kind.ts';
import { takeBackLostChunks } from './take-back-chunks.ts';

export const SweepBatchJobInput = z.strictObject({ jobId });
export type SweepBatchJobInput = Readonly<z.input<typeof SweepBatchJobInput>>;

export interface SweptBatchJob {
  /** Chunks that were taken from workers that were lost. */
  readonly chunks: number;
  /** The job was never submitted whole, and is gone with what had come of it. */
  readonly abandoned: boolean;
}

/**
 * Takes chunks back whose workers were lost, ends the job where none is left, and deletes one whose submission was abandoned.
 * Asks the dispatcher to come again while the job is open. Nothing where there is no such job.
 *
 * Up to six round trips; the locks of the chunks, waiting for none, then the job's.
 */
export async function sweepBatchJob(tx: TenantTx, input: SweepBatchJobInput): Promise<SweptBatchJob> {
  const given = parseInput(SweepBatchJobInput, input);
  const own = sql`tenant_id = ${tenantOf(tx)} and id = ${given.jobId}::uuid`;
  const gone = await tx.execute(sql`
    delete from ${batchJobs} where ${own} and submitted_at is null and submission_until <= app_now() returning 1`);
  if (gone.length > 0) return { chunks: 0, abandoned: true };
  const chunks = await takeBackLostChunks(tx, { jobId: given.jobId, limit: PREDICTION_LIMITS.sweepBatch });
  await endJobIfDone(tx, given.jobId);
  const [next] = await tx.execute<{ due_ms: number | null }>(sql`
    select (extract(epoch from case
             when j.submitted_at is null then j.submission_until
             when held.until <= app_now() then app_now() + interval '1 second'
             when j.status in ('queued', 'running')
               then least(held.until, app_now() + interval '1 millisecond' * ${SWEEP_MS}::int)
             else held.until end) * 1000)::float8 as due_ms
      from ${batchJobs} j
     cross join lateral (
       select min(c.leased_until) as until
         from ${batchJobChunks} c
        where c.tenant_id = j.tenant_id and c.job_id = j.id and c.status = 'running') held
     where j.tenant_id = ${tenantOf(tx)} and j.id = ${given.jobId}::uuid`);
  if (next?.due_ms != null) await scheduleChunkSweep(tx, given.jobId, new Date(next.due_ms));
  return { chunks, abandoned: false };
}

export interface BatchSweepSettings extends Pick<WorkHandler, 'leaseMs' | 'concurrency' | 'backoff'> {
  /** What `app_now()` answers in the sweeps. Default: the database's clock. */
  readonly now?: () => Date;
}

/**
 * The sweep as a handler for runDispatcher. Each job that is submitted asks for it; where no dispatcher runs, claimChunk
 * takes back what was lost once nothing else is due.
 */
export function batchSweepHandler({ now, ...settings }: BatchSweepSettings = {}): WorkHandler {
  return {
    ...settings,
    kind: BATCH_SWEEP_KIND,
    // Not in the transaction that completes the work, which holds the work row: whoever submits locks the job first.
    handle: async ({ workKey }, { db, tenant }) => {
      const sweep = (tx: TenantTx) => sweepBatchJob(tx, { jobId: workKey });
      // The tenant's own transactions may hold the job for long, and the handler is one of few.
      await withTenant(db, tenant, sweep, { lockTimeoutMs: 1_000, ...(now === undefined ? {} : { now: now() }) });
    },
  };
}
