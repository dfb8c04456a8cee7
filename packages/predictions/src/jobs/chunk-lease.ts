import { DomainError, type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { z } from 'zod';
import { chunkNotFound } from '../not-found.ts';
import { announceWork } from './announce-work.ts';
import { jobId, leaseMs } from './job-inputs.ts';
import { type BatchChunkStatus, type BatchJobStatus, batchJobChunks, batchJobs } from './schema.ts';

const leaseShape = {
  jobId,
  chunkNumber: z.int().min(1),
  /** Grows with each claim, sweep and cancellation. */
  fencingToken: z.int().min(1),
};

/** A chunk under a lease, as claimChunk gave it. Whoever presents an older token has lost it. */
export const ChunkLease = z.object(leaseShape);
export type ChunkLease = Readonly<z.input<typeof ChunkLease>>;

/** The token after another has taken the chunk; the clock keeps tokens growing where a backup brought older ones back. */
export const nextChunkToken = (token: SQLWrapper): SQL =>
  sql`greatest(${token} + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)`;

/** The end of a lease taken now. */
export const leaseEnd = (ms: number): SQL => sql`app_now() + interval '1 millisecond' * ${ms}::float8`;

/**
 * The condition that a worker holds the chunk `c`. A lease that ran out does not refuse its holder; whoever takes the chunk
 * does.
 */
export const heldBy = (tx: TenantTx, lease: ChunkLease): SQL => sql`
  c.tenant_id = ${tenantOf(tx)} and c.job_id = ${lease.jobId}::uuid and c.number = ${lease.chunkNumber}::int
  and c.fencing_token = ${String(lease.fencingToken)}::bigint and c.status = 'running'`;

/** The condition that `j` is the job of the chunk `c`, and takes what its workers have in hand. */
export const withItsJob = (tx: TenantTx): SQL => sql`
  j.tenant_id = ${tenantOf(tx)} and j.id = c.job_id and j.status in ('queued', 'running', 'paused')`;

export const chunkLeaseLost = () =>
  new DomainError(
    'conflict',
    'The lease of this chunk was lost: it ran out and another worker has the chunk, its job was cancelled, or the chunk has ended. Nothing was written: drop the results and claim the next chunk.',
    { details: { reason: 'lease_lost' } },
  );

export interface ChunkState {
  readonly status: BatchChunkStatus;
  readonly jobStatus: BatchJobStatus;
}

/**
 * Finds out why a chunk's worker was refused: it has ended under this lease.
 *
 * @throws DomainError `not_found` without the chunk, `conflict` (isLeaseLost) where it was lost to another.
 */
export async function readRefusedChunk(tx: TenantTx, lease: ChunkLease): Promise<ChunkState> {
  const [found] = await tx.execute<{
    token: string;
    status: BatchChunkStatus;
    job_status: BatchJobStatus;
  }>(sql`
    select c.fencing_token as token, c.status, j.status as job_status
      from ${batchJobChunks} c
      join ${batchJobs} j on j.tenant_id = c.tenant_id and j.id = c.job_id
     where c.tenant_id = ${tenantOf(tx)} and c.job_id = ${lease.jobId}::uuid and c.number = ${lease.chunkNumber}::int`);
  if (found === undefined) throw chunkNotFound();
  const isEnded = found.status === 'succeeded' || found.status === 'dead';
  if (Number(found.token) !== lease.fencingToken || !isEnded) throw chunkLeaseLost();
  return { status: found.status, jobStatus: found.job_status };
}

export const HeartbeatChunkInput = z.strictObject({ lease: ChunkLease, leaseMs: leaseMs.optional() });
export type HeartbeatChunkInput = Readonly<z.input<typeof HeartbeatChunkInput>>;

export interface HeldChunk {
  readonly leasedUntil: Date;
  /** Where it is paused, the chunk is to be released; what is completed nevertheless counts. */
  readonly jobStatus: BatchJobStatus;
}

/** Of a lease, where nothing else is said. */
export const DEFAULT_LEASE_MS = 60_000;

/**
 * Says that a chunk's worker is alive: holds the lease until `leaseMs` from now (default 60,000), and tells what has become
 * of the job. One round trip; the chunk's row.
 *
 * @throws DomainError `conflict` where the lease was lost (isLeaseLost), also because the job was cancelled; `not_found`.
 */
export async function heartbeatChunk(tx: TenantTx, input: HeartbeatChunkInput): Promise<HeldChunk> {
  const { lease, leaseMs: ms = DEFAULT_LEASE_MS } = parseInput(HeartbeatChunkInput, input);
  const [held] = await tx.execute<{ until_ms: number; job_status: BatchJobStatus }>(sql`
    update ${batchJobChunks} c
       set leased_until = ${leaseEnd(ms)}
      from ${batchJobs} j
     where ${heldBy(tx, lease)} and ${withItsJob(tx)}
    returning (extract(epoch from c.leased_until) * 1000)::float8 as until_ms, j.status as job_status`);
  if (held !== undefined) return { leasedUntil: new Date(held.until_ms), jobStatus: held.job_status };
  await readRefusedChunk(tx, lease);
  throw chunkLeaseLost();
}

export const ReleaseChunkInput = z.strictObject({ lease: ChunkLease });
export type ReleaseChunkInput = Readonly<z.input<typeof ReleaseChunkInput>>;

/**
 * Gives a chunk back as if it had not been claimed, because its worker stops or its job is paused: the attempt does not
 * count. Two round trips; the chunk's row.
 *
 * @throws DomainError as heartbeatChunk.
 */
export async function releaseChunk(tx: TenantTx, input: ReleaseChunkInput): Promise<void> {
  const { lease } = parseInput(ReleaseChunkInput, input);
  const [released] = await tx.execute<{ job_id: Id<'BatchJob'> }>(sql`
    update ${batchJobChunks} c
       set status = 'queued', leased_until = null, attempts = greatest(attempts - 1, 0)
     where ${heldBy(tx, lease)}
    returning c.job_id`);
  if (released !== undefined) return await announceWork(tx);
  await readRefusedChunk(tx, lease);
  throw chunkLeaseLost();
}
