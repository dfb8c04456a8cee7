import { type Database, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import {
  type BatchJob,
  type BatchProgress,
  batchJobChunks,
  getBatchJob,
  listBatchJobs,
  submitBatchJob,
} from '@mcp-hub/predictions';
import { and, asc, eq, isNotNull } from 'drizzle-orm';
import { actor } from '../actor.ts';
import { modelName } from '../late-arrival-models.ts';
import { startBatchProcess } from './batch-process.ts';
import { featuresOf, type MonthOfFlights, subjectOf } from './month-of-flights.ts';
import type { OnStep } from './month-step.ts';
import type { ServedVersion } from './served-version.ts';

const CHUNK_ROWS = 100;
export const WORKERS = 3;

/** A chunk that has ended. */
interface EndedChunk {
  readonly number: number;
  readonly rowCount: number;
  readonly attempts: number;
  readonly status: (typeof batchJobChunks.$inferSelect)['status'];
  readonly endedAt: Date | null;
}

export interface JobReport {
  /** Whether this run of the example worked on it. */
  readonly isNew: boolean;
  readonly job: BatchJob;
  /** In the order of their ends. */
  readonly chunks: readonly EndedChunk[];
}

export interface JobSettings {
  readonly url: string;
  readonly onStep: OnStep;
  readonly onProgress: (progress: BatchProgress) => void;
}

/**
 * Has the flights that nobody asks about predicted by three worker processes, of which one is killed in the middle of its
 * first chunk. A job that has succeeded is left as it is; one that was broken off is worked on.
 */
export async function runMonthJob(
  db: Database,
  tenant: string,
  served: ServedVersion,
  { batch }: MonthOfFlights,
  settings: JobSettings,
): Promise<JobReport> {
  const known = await ensureJob(db, tenant, served, batch);
  await settings.onStep('submitted');
  const isNew = known.status !== 'succeeded';
  if (isNew) await work(tenant, served, known.status === 'queued', settings);
  return await withTenant(db, tenant, async (tx) => ({
    isNew,
    job: await getBatchJob(tx, { jobId: known.id }),
    chunks: await readEndedChunks(tx, known.id),
  }));
}

/** The job of the version, submitted where there is none. */
async function ensureJob(
  db: Database,
  tenant: string,
  { versionId, version, model }: ServedVersion,
  batch: MonthOfFlights['batch'],
): Promise<Pick<BatchJob, 'id' | 'status'>> {
  const jobName = `March 2001 by ${modelName}/${version}`;
  const { items } = await readOne(db, tenant, (tx) => listBatchJobs(tx, { filter: `name = '${jobName}'`, limit: 1 }));
  if (items[0] !== undefined) return items[0];
  const rows = batch.map((scored) => ({ subject: subjectOf(scored.flight), features: featuresOf(model, scored) }));
  const job = { versionId, jobName, chunkRows: CHUNK_ROWS, rows, idempotencyKey: jobName };
  const { jobId: id, status } = await withTenant(db, tenant, (tx) => submitBatchJob(tx, job), { actor });
  return { id, status };
}

async function work(
  tenant: string,
  { model }: ServedVersion,
  killOne: boolean,
  { url, onStep, onProgress }: JobSettings,
): Promise<void> {
  const start = (standsStill: boolean) => startBatchProcess(tenant, url, { standsStill, onProgress });
  const first = start(killOne);
  const others = Array.from({ length: WORKERS - 1 }, () => start(false));
  try {
    await first.begin(model);
    if (killOne) {
      // The others begin when it has its chunk, and take that up when its lease has ended.
      await first.claimed;
      await onStep('claimed');
      await first.kill();
    }
    await Promise.all(others.map((worker) => worker.begin(model)));
    await Promise.all((killOne ? others : [first, ...others]).map(({ done }) => done));
  } finally {
    // Where one has failed the others would wait for ever.
    await Promise.all([first, ...others].map((worker) => worker.kill()));
  }
  await onStep('predicted');
}

async function readEndedChunks(tx: TenantTx, jobId: BatchJob['id']): Promise<readonly EndedChunk[]> {
  const { number, rowCount, attempts, status, endedAt } = batchJobChunks;
  return await tx
    .select({ number, rowCount, attempts, status, endedAt })
    .from(batchJobChunks)
    .where(and(eq(batchJobChunks.jobId, jobId), isNotNull(endedAt)))
    .orderBy(asc(endedAt), asc(number));
}
