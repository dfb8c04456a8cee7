import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type BatchRow, readStoredRow, type StoredRow } from './batch-row.ts';
import { changeJob } from './change-job.ts';
import { type ChunkLease, DEFAULT_LEASE_MS, leaseEnd, nextChunkToken } from './chunk-lease.ts';
import { endDrainedJobs } from './end-job.ts';
import { jobId, leaseMs } from './job-inputs.ts';
import { lockJob } from './lock-job.ts';
import { type BatchJobStatus, batchJobChunks, batchJobs, batchLimits } from './schema.ts';
import { takeBackLostChunks } from './take-back-chunks.ts';

export const ClaimChunkInput = z.strictObject({
  /** How long the chunk is the worker's without a heartbeat. Default 60,000. */
  leaseMs: leaseMs.optional(),
  /** Default: of all the tenant's jobs, the highest priority first, then the oldest. */
  jobId: jobId.optional(),
});
export type ClaimChunkInput = Readonly<z.input<typeof ClaimChunkInput>>;

export interface ClaimedChunk {
  readonly lease: ChunkLease;
  readonly leasedUntil: Date;
  /** Claims of this chunk, this one among them. */
  readonly attempt: number;
  readonly versionId: Id<'ModelVersion'>;
  readonly jobName: string;
  readonly rows: readonly BatchRow[];
}

interface ClaimRow extends Record<string, unknown> {
  readonly job_id: Id<'BatchJob'>;
  readonly number: number;
  readonly fencing_token: string;
  readonly until_ms: number;
  readonly attempts: number;
  readonly version_id: Id<'ModelVersion'>;
  readonly job_name: string;
  readonly job_status: BatchJobStatus;
  readonly rows: readonly StoredRow[];
}

/**
 * Takes the next due chunk of the tenant under a lease, or undefined where there is none or caps are reached. Commit before
 * the work begins. It waits for no chunk: those that others are at are passed over. Where nothing is due, chunks whose
 * workers were lost are taken back first, and jobs that have no chunk left are ended.
 *
 * One round trip; two in a tenant that has caps, under the lock of its row in batch_limits; more for a job's first chunk,
 * and where nothing is due. Announces `batch_job.started` for a job's first chunk.
 */
export async function claimChunk(tx: TenantTx, input: ClaimChunkInput = {}): Promise<ClaimedChunk | undefined> {
  const given = parseInput(ClaimChunkInput, input);
  const first = await claimOnce(tx, given);
  if (first !== undefined) return first;
  if ((await takeBackLostChunks(tx, {})) > 0) {
    const second = await claimOnce(tx, given);
    if (second !== undefined) return second;
  }
  await endDrainedJobs(tx);
  return undefined;
}

type Claim = z.output<typeof ClaimChunkInput>;

async function claimOnce(tx: TenantTx, given: Claim): Promise<ClaimedChunk | undefined> {
  // The first takes nothing in a tenant that has caps, and the second is the lock under which these are counted: the third
  // then sees all that was claimed before. So no cap is exceeded, and who has none waits for nobody.
  const [[free], limits] = await Promise.all([
    tx.execute<ClaimRow>(claimStatement(tx, given, 'uncapped')),
    tx.execute(sql`select 1 from ${batchLimits} where tenant_id = ${tenantOf(tx)} for no key update`),
  ]);
  const [row] =
    free === undefined && limits.length > 0 ? await tx.execute<ClaimRow>(claimStatement(tx, given, 'capped')) : [free];
  if (row === undefined) return undefined;
  if (row.job_status === 'queued') await startJob(tx, row.job_id);
  return {
    lease: { jobId: row.job_id, chunkNumber: row.number, fencingToken: Number(row.fencing_token) },
    leasedUntil: new Date(row.until_ms),
    attempt: row.attempts,
    versionId: row.version_id,
    jobName: row.job_name,
    rows: row.rows.map(readStoredRow),
  };
}

/**
 * One statement. The jobs are walked in their order, and the walk ends at the first chunk that can be locked: what waits in
 * a job is never read, however much it is. All indexes are reached under row level security, because app_now() stands in a
 * subselect, and the update goes by the primary key whatever is known of the tables.
 */
export function claimStatement(tx: TenantTx, given: Claim, caps: 'capped' | 'uncapped'): SQL {
  const tenant = tenantOf(tx);
  const within =
    caps === 'uncapped'
      ? sql`not exists (select from ${batchLimits} l where l.tenant_id = ${tenant})`
      : sql`(open.max_running_chunks is null or open.max_running_chunks > (
                select count(*) from ${batchJobChunks} r
                 where r.tenant_id = ${tenant} and r.job_id = open.id and r.status = 'running'))
             and coalesce((select l.max_running_chunks > (
                select count(*) from ${batchJobChunks} r
                 where r.tenant_id = ${tenant} and r.status = 'running')
                             from ${batchLimits} l
                            where l.tenant_id = ${tenant} and l.max_running_chunks is not null), true)`;
  return sql`
    with open as materialized (
      select id, name, status, model_version_id, max_running_chunks
        from ${batchJobs}
       where tenant_id = ${tenant} and status in ('queued', 'running') and submitted_at is not null
         ${given.jobId === undefined ? sql`` : sql`and id = ${given.jobId}::uuid`}
       order by priority desc, id
    ), candidate as materialized (
      select open.*, due.number
        from open
       cross join lateral (
         select c.number
           from ${batchJobChunks} c
          where c.tenant_id = ${tenant} and c.job_id = open.id and c.status = 'queued'
            and c.due_at <= (select app_now()) and ${within}
          order by c.due_at, c.number
          limit 1
            for no key update skip locked) due
       limit 1
    ), claimed as (
      update ${batchJobChunks} c
         set status        = 'running',
             attempts      = c.attempts + 1,
             leased_until  = ${leaseEnd(given.leaseMs ?? DEFAULT_LEASE_MS)},
             fencing_token = ${nextChunkToken(sql`c.fencing_token`)}
       where c.tenant_id = ${tenant} and c.job_id = (select id from candidate)
         and c.number = (select number from candidate)
      returning c.job_id, c.number, c.fencing_token, c.attempts, c.rows,
                (extract(epoch from c.leased_until) * 1000)::float8 as until_ms
    )
    select claimed.*, candidate.model_version_id as version_id, candidate.name as job_name, candidate.status as job_status
      from claimed, candidate`;
}

/** Several workers may have a first chunk at once; one of them starts the job. */
async function startJob(tx: TenantTx, id: string): Promise<void> {
  const job = await lockJob(tx, id);
  if (job.status !== 'queued') return;
  await changeJob(tx, job, {
    kind: 'started',
    toStatus: 'running',
    set: { startedAt: job.startedAt ?? sql`app_now()` },
  });
}
