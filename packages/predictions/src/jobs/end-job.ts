import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { changeJob } from './change-job.ts';
import { findLockedJob } from './lock-job.ts';
import { type BatchJobStatus, batchJobChunks, batchJobs, batchJobTallies } from './schema.ts';

/**
 * Ends a job that has no chunk left that waits or is worked on: succeeded where each row has its prediction, else failed.
 * Gives its status then.
 *
 * Takes the job's lock first and looks in a second statement: of two workers that complete the last two chunks at once the
 * second sees what the first has done.
 */
export async function endJobIfDone(tx: TenantTx, jobId: string): Promise<BatchJobStatus | undefined> {
  const tenant = tenantOf(tx);
  const [job, [left]] = await Promise.all([
    findLockedJob(tx, jobId),
    tx.execute<{ open: boolean; dead: boolean }>(sql`
      select exists (${openChunk(tenant, sql`${jobId}::uuid`, 'queued')})
             or exists (${openChunk(tenant, sql`${jobId}::uuid`, 'running')}) as open,
             exists (select from ${batchJobTallies} t
                      where t.tenant_id = ${tenant} and t.job_id = ${jobId}::uuid
                      having sum(t.rows_dead) > 0) as dead`),
  ]);
  if (job === undefined) return undefined;
  const isOpen = job.status === 'queued' || job.status === 'running' || job.status === 'paused';
  if (!isOpen || left?.open !== false) return job.status;
  const toStatus = left.dead ? 'failed' : 'succeeded';
  await changeJob(tx, job, { kind: toStatus, toStatus, set: { endedAt: sql`app_now()` } });
  return toStatus;
}

/**
 * Ends the tenant's open jobs that have no chunk left. Needed where the last two workers missed each other: one stood still
 * between its look for other chunks and its commit.
 */
export async function endDrainedJobs(tx: TenantTx): Promise<void> {
  const tenant = tenantOf(tx);
  const drained = await tx.execute<{ id: string }>(sql`
    select j.id
      from ${batchJobs} j
     where j.tenant_id = ${tenant} and j.status in ('queued', 'running') and j.submitted_at is not null
       and not exists (${openChunk(tenant, sql`j.id`, 'queued')})
       and not exists (${openChunk(tenant, sql`j.id`, 'running')})
     order by j.id`);
  for (const { id } of drained) await endJobIfDone(tx, id);
}

const openChunk = (tenant: string, id: ReturnType<typeof sql>, status: 'queued' | 'running') => sql`
  select from ${batchJobChunks} c
   where c.tenant_id = ${tenant} and c.job_id = ${id} and c.status = ${sql.raw(`'${status}'`)}`;
