import { DomainError, type Id, newId, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { versionIdOf } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import { versionNotFound } from '../not-found.ts';
import { announceWork, makeLimitsRow } from './announce-work.ts';
import { recordJobEvent } from './change-job.ts';
import type { jobShape } from './job-inputs.ts';
import { type BatchJobStatus, batchJobs } from './schema.ts';
import { scheduleChunkSweep } from './sweep-kind.ts';

type JobFacts = z.output<z.ZodObject<typeof jobShape>>;

/** A job that nobody sees yet. */
export interface NewJob {
  readonly id: Id<'BatchJob'>;
  readonly name: string;
  readonly versionId: Id<'ModelVersion'>;
  readonly chunkRows: number;
}

export interface SubmittedBatchJob {
  readonly jobId: Id<'BatchJob'>;
  /** Queued, or succeeded where there were no rows. */
  readonly status: BatchJobStatus;
  readonly versionId: Id<'ModelVersion'>;
  readonly chunkCount: number;
  readonly rowCount: number;
}

/**
 * Makes a job that is not submitted yet; where `submissionMs` is given, it is abandoned that time from now.
 *
 * @throws DomainError `not_found` without the version.
 */
export async function insertJob(tx: TenantTx, given: JobFacts, submissionMs?: number): Promise<NewJob> {
  const { jobName: name, priority = 0, chunkRows = 500, maxRunningChunks, maxAttempts = 5, backoff } = given;
  const tenant = tenantOf(tx);
  // The id carries the time of all its predictions: that of the transaction.
  const [clock] = await tx.execute<{ now_ms: number; version_id: Id<'ModelVersion'> | null }>(sql`
    select (extract(epoch from app_now()) * 1000)::float8 as now_ms, ${versionIdOf(tx, given)} as version_id`);
  if (clock === undefined || clock.version_id === null) throw versionNotFound();
  const id = newId<'BatchJob'>(new Date(clock.now_ms));
  await tx.insert(batchJobs).values({
    ...{ tenantId: tenant, id, name, modelVersionId: clock.version_id, priority, chunkRows, maxAttempts },
    maxRunningChunks: maxRunningChunks ?? null,
    backoffBaseMs: backoff?.baseMs ?? 1_000,
    backoffMaxMs: backoff?.maxMs ?? 300_000,
    submissionUntil:
      submissionMs === undefined ? null : sql`app_now() + interval '1 millisecond' * ${submissionMs}::float8`,
  });
  if (maxRunningChunks !== undefined) await makeLimitsRow(tx);
  return { id, name, versionId: clock.version_id, chunkRows };
}

/** Lets everybody see a job that has all its chunks. Where it has none it has succeeded. */
export async function publishJob(
  tx: TenantTx,
  { id, name, versionId }: NewJob,
  { chunkCount, rowCount }: { readonly chunkCount: number; readonly rowCount: number },
): Promise<SubmittedBatchJob> {
  const status = rowCount === 0 ? 'succeeded' : 'queued';
  const rows = await tx.execute(sql`
    update ${batchJobs}
       set submitted_at = app_now(), submission_until = null, chunk_count = ${chunkCount}::int,
           row_count = ${rowCount}::bigint, last_change_number = 1, status = ${status}, updated_at = app_now(),
           ended_at = case when ${rowCount}::bigint = 0 then app_now() end
     where tenant_id = ${tenantOf(tx)} and id = ${id}::uuid
    returning 1`);
  if (rows.length === 0) throw submissionGone();
  await recordJobEvent(tx, {
    job: { id, name, changeNumber: 1 },
    kind: 'submitted',
    fromStatus: null,
    toStatus: status,
  });
  if (rowCount > 0) {
    await announceWork(tx);
    await scheduleChunkSweep(tx, id);
  }
  return { jobId: id, status, versionId, chunkCount, rowCount };
}

export const submissionGone = () =>
  new DomainError(
    'conflict',
    'The submission was taken for abandoned, because no rows came for too long. Submit again.',
    {
      details: { reason: 'submission_abandoned', retryable: false },
    },
  );
