import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { announceWork } from './announce-work.ts';
import { maxRunningChunks } from './job-inputs.ts';
import { batchLimits } from './schema.ts';

export interface BatchLimit {
  /** Chunks of the tenant that are worked on at a time; null: no cap but those of its jobs. */
  readonly maxRunningChunks: number | null;
}

export const SetBatchLimitInput = z.strictObject({ maxRunningChunks: maxRunningChunks.nullable() });
export type SetBatchLimitInput = Readonly<z.input<typeof SetBatchLimitInput>>;

/**
 * Says how many chunks of the tenant are worked on at a time, over all workers; null lifts the cap. It holds for claims
 * that begin after it: chunks that are worked on then are not taken away, and count. Two round trips; the lock of the
 * tenant's row in batch_limits.
 */
export async function setBatchLimit(tx: TenantTx, input: SetBatchLimitInput): Promise<void> {
  const { maxRunningChunks: most } = parseInput(SetBatchLimitInput, input);
  await tx
    .insert(batchLimits)
    .values({ tenantId: tenantOf(tx), maxRunningChunks: most })
    .onConflictDoUpdate({
      target: [batchLimits.tenantId],
      set: { maxRunningChunks: most, updatedAt: sql`app_now()` },
    });
  await announceWork(tx);
}

/** The tenant's cap. One statement, no lock. */
export async function getBatchLimit(tx: TenantTx): Promise<BatchLimit> {
  const [limit] = await tx
    .select({ maxRunningChunks: batchLimits.maxRunningChunks })
    .from(batchLimits)
    .where(eq(batchLimits.tenantId, tenantOf(tx)));
  return limit ?? { maxRunningChunks: null };
}
