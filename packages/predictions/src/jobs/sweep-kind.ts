import { scheduleWork, type TenantTx } from '@mcp-hub/db-core';

/** Of the work rows that say: look for lost leases of this job, or whether its submission was abandoned. Their work_key is its id. */
export const BATCH_SWEEP_KIND = 'predictions.batchSweep';

/** While a job is open and no lease ends sooner, it is looked at so often: claims ask for nothing. */
export const SWEEP_MS = 60_000;

export async function scheduleChunkSweep(tx: TenantTx, jobId: string, dueAt?: Date): Promise<void> {
  await scheduleWork(tx, {
    kind: BATCH_SWEEP_KIND,
    workKey: jobId,
    ...(dueAt === undefined ? {} : { dueAt }),
  });
}
