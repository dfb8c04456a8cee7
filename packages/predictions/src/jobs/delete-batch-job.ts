import { cancelWork, DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { recordJobEvent } from './change-job.ts';
import { jobId, reasonText } from './job-inputs.ts';
import { lockJob } from './lock-job.ts';
import { batchJobs } from './schema.ts';
import { BATCH_SWEEP_KIND } from './sweep-kind.ts';

export const DeleteBatchJobInput = z.strictObject({ jobId, reason: reasonText.optional() });
export type DeleteBatchJobInput = Readonly<z.input<typeof DeleteBatchJobInput>>;

/**
 * Deletes a job that has ended for good, with its chunks and dead letters. Its predictions and its events stay. Three round
 * trips; the job's lock. Announces `batch_job.deleted`.
 *
 * @throws DomainError `failed_precondition` for a job that has not ended, `not_found`.
 */
export async function deleteBatchJob(tx: TenantTx, input: DeleteBatchJobInput): Promise<void> {
  const given = parseInput(DeleteBatchJobInput, input);
  const job = await lockJob(tx, given.jobId);
  if (job.status === 'queued' || job.status === 'running' || job.status === 'paused') {
    throw new DomainError('failed_precondition', `The job is ${job.status}. Cancel it with cancelBatchJob first.`, {
      details: { from: job.status },
    });
  }
  await Promise.all([
    tx.execute(sql`delete from ${batchJobs} where tenant_id = ${tenantOf(tx)} and id = ${job.id}::uuid`),
    recordJobEvent(tx, { job, kind: 'deleted', fromStatus: job.status, toStatus: null, reason: given.reason }),
    cancelWork(tx, { kind: BATCH_SWEEP_KIND, workKey: job.id }),
  ]);
}
