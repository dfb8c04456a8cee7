import { type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { jobNotFound } from '../not-found.ts';
import { type BatchJobStatus, batchJobs } from './schema.ts';

/** A job whose row this transaction holds; the change is the next. */
export interface LockedJob {
  readonly id: Id<'BatchJob'>;
  readonly name: string;
  readonly status: BatchJobStatus;
  readonly startedAt: Date | null;
  readonly changeNumber: number;
}

/**
 * Takes the lock of a job's state: its row, until the transaction ends. Whoever locks chunks of the job as well locks them
 * before it. NO KEY UPDATE, because rows that refer to the job hold a KEY SHARE of it.
 *
 * @throws DomainError `not_found` for a job that is not there, or not submitted yet.
 */
export async function lockJob(tx: TenantTx, jobId: string): Promise<LockedJob> {
  const job = await findLockedJob(tx, jobId);
  if (job === undefined) throw jobNotFound();
  return job;
}

/** As lockJob; undefined where it is not there. */
export async function findLockedJob(tx: TenantTx, jobId: string): Promise<LockedJob | undefined> {
  const [job] = await tx
    .select({
      id: batchJobs.id,
      name: batchJobs.name,
      status: batchJobs.status,
      startedAt: batchJobs.startedAt,
      changeNumber: sql<number>`${batchJobs.lastChangeNumber} + 1`.mapWith(Number),
    })
    .from(batchJobs)
    .where(
      and(
        eq(batchJobs.tenantId, tenantOf(tx)),
        eq(batchJobs.id, jobId as Id<'BatchJob'>),
        isNotNull(batchJobs.submittedAt),
      ),
    )
    .for('no key update');
  return job;
}
