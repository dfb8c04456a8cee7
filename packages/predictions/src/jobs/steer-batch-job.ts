import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { announceWork } from './announce-work.ts';
import { changeJob } from './change-job.ts';
import { nextChunkToken } from './chunk-lease.ts';
import { jobId, reasonText } from './job-inputs.ts';
import { refuseIllegalMove } from './legal-moves.ts';
import { lockJob } from './lock-job.ts';
import { batchJobChunks } from './schema.ts';
import { scheduleChunkSweep } from './sweep-kind.ts';

export const PauseBatchJobInput = z.strictObject({ jobId, reason: reasonText.optional() });
export type PauseBatchJobInput = Readonly<z.input<typeof PauseBatchJobInput>>;

/**
 * Gives out no more chunks of a job. Workers hear of it with their next heartbeat and release what they have in hand; what
 * they complete before counts. A paused job stays as it is. Two round trips; the job's lock. Announces `batch_job.paused`.
 *
 * @throws DomainError `failed_precondition` for a job that has ended, `not_found`.
 */
export async function pauseBatchJob(tx: TenantTx, input: PauseBatchJobInput): Promise<void> {
  const given = parseInput(PauseBatchJobInput, input);
  const job = await lockJob(tx, given.jobId);
  if (job.status === 'paused') return;
  refuseIllegalMove(job.status, 'paused');
  await changeJob(tx, job, { kind: 'paused', toStatus: 'paused', reason: given.reason });
}

export const ResumeBatchJobInput = z.strictObject({ jobId, reason: reasonText.optional() });
export type ResumeBatchJobInput = Readonly<z.input<typeof ResumeBatchJobInput>>;

/**
 * Gives out the chunks of a paused job again. One that is queued or runs stays as it is. Up to four round trips; the job's
 * lock. Announces `batch_job.resumed`.
 *
 * @throws DomainError `failed_precondition` for a job that has ended, `not_found`.
 */
export async function resumeBatchJob(tx: TenantTx, input: ResumeBatchJobInput): Promise<void> {
  const given = parseInput(ResumeBatchJobInput, input);
  const job = await lockJob(tx, given.jobId);
  if (job.status === 'queued' || job.status === 'running') return;
  const toStatus = job.startedAt === null ? 'queued' : 'running';
  refuseIllegalMove(job.status, toStatus);
  await changeJob(tx, job, { kind: 'resumed', toStatus, reason: given.reason });
  await announceWork(tx);
  await scheduleChunkSweep(tx, job.id);
}

export const CancelBatchJobInput = z.strictObject({ jobId, reason: reasonText.optional() });
export type CancelBatchJobInput = Readonly<z.input<typeof CancelBatchJobInput>>;

/**
 * Ends a job without what was not predicted yet. Its workers lose the chunks that they have in hand, and hear of it with
 * their next heartbeat; predictions that were recorded stay. A cancelled job stays as it is.
 *
 * Two round trips; the locks of the chunks that are worked on, then the job's. Announces `batch_job.cancelled`.
 *
 * @throws DomainError `failed_precondition` for a job that has ended otherwise, `not_found`.
 */
export async function cancelBatchJob(tx: TenantTx, input: CancelBatchJobInput): Promise<void> {
  const given = parseInput(CancelBatchJobInput, input);
  // Chunks before the job, as a worker that completes the last one takes them. A chunk that is claimed in this moment stays
  // with its worker, who is told by the job's status.
  const [, job] = await Promise.all([takeRunningChunks(tx, given.jobId), lockJob(tx, given.jobId)]);
  if (job.status === 'cancelled') return;
  refuseIllegalMove(job.status, 'cancelled');
  await changeJob(tx, job, {
    kind: 'cancelled',
    toStatus: 'cancelled',
    reason: given.reason,
    set: { endedAt: sql`app_now()` },
  });
}

/** An async function, so that its statement is on its way before the caller makes the next: Drizzle's own waits for `await`. */
async function takeRunningChunks(tx: TenantTx, id: string): Promise<void> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    with held as materialized (
      select number from ${batchJobChunks}
       where tenant_id = ${tenant} and job_id = ${id}::uuid and status = 'running'
       order by number
         for no key update
    )
    update ${batchJobChunks} c
       set status = 'queued', leased_until = null, fencing_token = ${nextChunkToken(sql`c.fencing_token`)}
     where c.tenant_id = ${tenant} and c.job_id = ${id}::uuid and c.number = any (array(select number from held))
       and c.status = 'running'`);
}
