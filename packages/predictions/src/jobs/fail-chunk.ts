import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { announceWork } from './announce-work.ts';
import { ChunkLease, chunkLeaseLost, heldBy, readRefusedChunk, withItsJob } from './chunk-lease.ts';
import { reasonOf } from './complete-chunk.ts';
import { batchJobChunks, batchJobs } from './schema.ts';
import { returnChunks } from './take-back-chunks.ts';

export const FailChunkInput = z.strictObject({
  lease: ChunkLease,
  /** What went wrong, for people; longer ones are cut. */
  reason: z.string(),
});
export type FailChunkInput = Readonly<z.input<typeof FailChunkInput>>;

export interface FailedChunk {
  /** No attempt is left: its rows are dead letters. */
  readonly dead: boolean;
  /** When it can be claimed again; null where it is dead. */
  readonly dueAt: Date | null;
}

/**
 * Gives a chunk back after an attempt that failed. It is due again after the back-off of its job with full jitter; with
 * all attempts used up it is dead, and each of its rows a dead letter.
 *
 * Two round trips, more with the last chunk of a job; the chunk's row, and the job's where the chunk is dead.
 *
 * @throws DomainError `conflict` where the lease was lost (isLeaseLost), `not_found`.
 */
export async function failChunk(tx: TenantTx, input: FailChunkInput): Promise<FailedChunk> {
  const { lease, reason } = parseInput(FailChunkInput, input);
  const [chunk] = await returnChunks(
    tx,
    sql`select c.job_id, c.number, c.attempts >= j.max_attempts as is_dead,
               app_now() + interval '1 millisecond' * greatest(1, ceil(random() *
                 least(j.backoff_max_ms::float8, j.backoff_base_ms::float8 * 2 ^ least(c.attempts - 1, 40)))) as due_at
          from ${batchJobChunks} c, ${batchJobs} j
         where ${heldBy(tx, lease)} and ${withItsJob(tx)}
           for no key update of c`,
    reasonOf(reason),
  );
  if (chunk === undefined) {
    await readRefusedChunk(tx, lease);
    throw chunkLeaseLost();
  }
  if (chunk.is_dead) return { dead: true, dueAt: null };
  const dueAt = new Date(chunk.due_ms);
  await announceWork(tx, dueAt);
  return { dead: false, dueAt };
}
