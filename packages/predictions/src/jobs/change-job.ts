import { recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import type { LockedJob } from './lock-job.ts';
import { type BatchJobEventKind, type BatchJobStatus, batchJobEvents, batchJobs } from './schema.ts';

export interface JobChange {
  readonly kind: BatchJobEventKind;
  /** Where the status changes. */
  readonly toStatus: BatchJobStatus;
  readonly reason?: string | undefined;
  readonly set?: Omit<PgUpdateSetSource<typeof batchJobs>, 'status' | 'lastChangeNumber' | 'updatedAt'>;
}

/** Makes the next change of a locked job, with its row in the history and its event, in one flight. */
export async function changeJob(
  tx: TenantTx,
  job: LockedJob,
  { kind, toStatus, reason, set }: JobChange,
): Promise<void> {
  await Promise.all([
    tx
      .update(batchJobs)
      .set({
        ...activeTime(job.status, toStatus),
        ...set,
        status: toStatus,
        lastChangeNumber: job.changeNumber,
        updatedAt: sql`app_now()`,
      })
      .where(and(eq(batchJobs.tenantId, tenantOf(tx)), eq(batchJobs.id, job.id))),
    recordJobEvent(tx, { job, kind, fromStatus: job.status, toStatus, reason }),
  ]);
}

function activeTime(from: BatchJobStatus, to: BatchJobStatus) {
  if (from === to) return {};
  if (to === 'running') return { activeSince: sql`app_now()` };
  if (from !== 'running') return {};
  const since = sql`extract(epoch from app_now() - coalesce(${batchJobs.activeSince}, app_now()))`;
  return { activeMs: sql`${batchJobs.activeMs} + 1000 * greatest(0, ${since})`, activeSince: null };
}

export interface JobEvent {
  readonly job: Pick<LockedJob, 'id' | 'name' | 'changeNumber'>;
  readonly kind: BatchJobEventKind;
  readonly fromStatus: BatchJobStatus | null;
  /** Null of a job that is deleted. */
  readonly toStatus: BatchJobStatus | null;
  readonly reason?: string | undefined;
}

/** Writes the row of batch_job_events and announces `batch_job.<kind>`, in one flight. The only place that does. */
export async function recordJobEvent(tx: TenantTx, event: JobEvent): Promise<void> {
  const { job, kind, fromStatus, toStatus, reason } = event;
  const { id, name, changeNumber } = job;
  await Promise.all([
    tx.insert(batchJobEvents).values({ jobId: id, changeNumber, kind, jobName: name, fromStatus, toStatus, reason }),
    recordEvent(tx, {
      topic: `batch_job.${kind}`,
      subjectId: id,
      payload: { name, changeNumber, fromStatus, toStatus },
    }),
  ]);
}
