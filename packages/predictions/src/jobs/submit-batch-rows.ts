import {
  type Database,
  parseInput,
  type TenantOptions,
  type TenantTx,
  tenantOf,
  withIdempotencyKey,
  withTenant,
} from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import type { BatchRowInput } from './batch-row.ts';
import { type ChunkText, chunkBuffer, chunkMaker, insertChunks } from './insert-chunks.ts';
import { jobShape } from './job-inputs.ts';
import { insertJob, type NewJob, publishJob, type SubmittedBatchJob, submissionGone } from './publish-job.ts';
import { batchJobs } from './schema.ts';
import { SUBMIT_SCOPE } from './submit-batch-job.ts';
import { scheduleChunkSweep } from './sweep-kind.ts';

type Rows = AsyncIterable<BatchRowInput> | Iterable<BatchRowInput>;

const isIterable = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && (Symbol.asyncIterator in given || Symbol.iterator in given);

export const SubmitBatchRowsInput = z
  .strictObject({
    ...jobShape,
    /** Read one at a time. */
    rows: z.custom<Rows>(isIterable, 'must be an iterable or async iterable of rows'),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type SubmitBatchRowsInput = Readonly<z.input<typeof SubmitBatchRowsInput>>;

type Options = Pick<TenantOptions, 'actor' | 'now'>;

/**
 * Submits rows that come one by one, any number of them, in flat memory and small transactions. Nobody sees the job before
 * the last row is in. Where the rows fail, or one is refused, what had come is deleted; where the process dies, the sweep
 * deletes it when no row has come for 15 minutes.
 *
 * With an idempotency key a repeated call gives the first job without reading its rows; it goes by all else that is given,
 * and not by the rows, which are gone. Announces `batch_job.submitted`.
 *
 * @throws what the rows throw; DomainError `not_found` without the version; `invalid_input` naming the row's index;
 *   `conflict` where the idempotency key was used for another job, or where the rows paused for so long that the submission
 *   was taken for abandoned.
 */
export async function submitBatchRows(
  db: Database,
  tenant: string,
  input: SubmitBatchRowsInput,
  options: Options = {},
): Promise<SubmittedBatchJob> {
  const { rows, ...given } = parseInput(SubmitBatchRowsInput, input);
  const { idempotencyKey: key, ...facts } = given;
  const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) => withTenant(db, tenant, work, options);
  const request = { ...facts, rows: 'iterable' };
  const once = async (tx: TenantTx, work: () => Promise<SubmittedBatchJob>) =>
    key === undefined ? await work() : await withIdempotencyKey(tx, { scope: SUBMIT_SCOPE, key, request }, work);

  const before = await earlierResult(key === undefined ? undefined : () => inTenant((tx) => once(tx, isNew)));
  if (before !== undefined) return before;
  const job = await inTenant(async (tx) => {
    const made = await insertJob(tx, given, PREDICTION_LIMITS.submissionMs);
    await scheduleChunkSweep(
      tx,
      made.id,
      new Date((options.now?.getTime() ?? Date.now()) + PREDICTION_LIMITS.submissionMs),
    );
    return made;
  });
  try {
    const maker = chunkMaker(job.chunkRows);
    const buffer = chunkBuffer();
    for await (const row of rows) {
      buffer.add(maker.add(row));
      if (buffer.isFull()) await inTenant((tx) => addChunks(tx, job, buffer.take()));
    }
    buffer.add(maker.end());
    const result = await inTenant((tx) =>
      once(tx, async () => {
        await addChunks(tx, job, buffer.take());
        return await publishJob(tx, job, maker);
      }),
    );
    // Another call with the same key was faster.
    if (result.jobId !== job.id) await inTenant((tx) => dropSubmission(tx, job));
    return result;
  } catch (error) {
    // Where this fails too, the sweep does it.
    await inTenant((tx) => dropSubmission(tx, job)).catch(() => {});
    throw error;
  }
}

class NewKey extends Error {
  override readonly name = 'NewKey';
}

const isNew = (): Promise<SubmittedBatchJob> => Promise.reject(new NewKey());

async function earlierResult(
  look: (() => Promise<SubmittedBatchJob>) | undefined,
): Promise<SubmittedBatchJob | undefined> {
  try {
    return await look?.();
  } catch (error) {
    if (error instanceof NewKey) return undefined;
    throw error;
  }
}

/** Under the job's row, so that the sweep sees that more is coming. */
async function addChunks(tx: TenantTx, job: NewJob, chunks: readonly ChunkText[]): Promise<void> {
  const renewed = await tx.execute(sql`
    update ${batchJobs}
       set submission_until = app_now() + interval '1 millisecond' * ${PREDICTION_LIMITS.submissionMs}::int
     where tenant_id = ${tenantOf(tx)} and id = ${job.id}::uuid and submitted_at is null
    returning 1`);
  if (renewed.length === 0) throw submissionGone();
  await insertChunks(tx, job.id, chunks);
}

async function dropSubmission(tx: TenantTx, job: NewJob): Promise<void> {
  await tx.execute(sql`
    delete from ${batchJobs} where tenant_id = ${tenantOf(tx)} and id = ${job.id}::uuid and submitted_at is null`);
}
