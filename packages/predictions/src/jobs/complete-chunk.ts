import { DomainError, int8Array, parseInput, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { anyNumber, labelText } from '../ledger/prediction-input.ts';
import { recordPredictions } from '../ledger/record-predictions.ts';
import { PREDICTION_LIMITS } from '../limits.ts';
import { type BatchRow, storedRowText } from './batch-row.ts';
import { ChunkLease, heldBy, readRefusedChunk, withItsJob } from './chunk-lease.ts';
import { endJobIfDone } from './end-job.ts';
import { predictionIdsOf } from './prediction-id.ts';
import { type BatchJobStatus, batchDeadLetters, batchJobChunks, batchJobs } from './schema.ts';
import { addTally } from './tally.ts';

/** What a row came to: a prediction, or why there is none. */
export const RowResult = z.strictObject({
  /** The predicted class. */
  label: labelText.nullish(),
  /** The score of the positive class, or the predicted number. */
  score: anyNumber.nullish(),
  /** All else that the model gave, as JSON. */
  output: z.unknown().optional(),
  latencyMs: z.number().min(0).nullish(),
  /** Makes the row a dead letter, with this as its reason. The other rows of the chunk are not concerned. */
  error: z.string().optional(),
});
export type RowResult = Readonly<z.input<typeof RowResult>>;

export const CompleteChunkInput = z.strictObject({
  lease: ChunkLease,
  /** The rows that claimChunk gave. */
  rows: z.custom<readonly BatchRow[]>((given) => Array.isArray(given), 'must be the rows that claimChunk gave'),
  /** One for each row, in their order. */
  results: z.custom<readonly RowResult[]>((given) => Array.isArray(given), 'must be an array'),
});
export type CompleteChunkInput = Readonly<z.input<typeof CompleteChunkInput>>;

export interface CompletedChunk {
  readonly jobStatus: BatchJobStatus;
  readonly rowsSucceeded: number;
  readonly rowsDead: number;
}

interface CompletedRow extends Record<string, unknown> {
  readonly row_count: number;
  readonly version_id: string;
  readonly job_status: BatchJobStatus;
  /** Chunks wait: the job has not ended. */
  readonly more: boolean;
}

/**
 * Ends a chunk: records the predictions of its rows, makes those that have none dead letters, and ends the job where it was
 * the last, all in this transaction. Told again under the same lease, it stays as it is.
 *
 * Where it throws, let the error pass, or call it in a savepoint: a transaction that commits nevertheless has ended the chunk
 * without its predictions.
 *
 * Locks the chunk's row, and the job's where no chunk waits any more. Two round trips and those of recordPredictions.
 * Announces `batch_job.succeeded` or `batch_job.failed` with the job's end.
 *
 * @throws DomainError `conflict` where the lease was lost (isLeaseLost): nothing is written; `invalid_input` naming the
 *   row's index for a result that cannot be recorded: give that row an error; `not_found` without the chunk, or where the
 *   version was deleted.
 */
export async function completeChunk(tx: TenantTx, input: CompleteChunkInput): Promise<CompletedChunk> {
  const given = parseInput(CompleteChunkInput, input);
  const { lease, rows } = given;
  if (given.results.length !== rows.length) {
    throw new DomainError(
      'invalid_input',
      `results must have one for each of the ${rows.length} rows, not ${given.results.length}.`,
      {
        details: { field: 'results', limit: rows.length, got: given.results.length },
      },
    );
  }
  const results = given.results.map(checked);
  const dead = rows.flatMap((row, index) => {
    const result = results[index];
    return result?.error === undefined ? [] : [{ row, reason: reasonOf(result.error) }];
  });
  const counts = { rowsSucceeded: rows.length - dead.length, rowsDead: dead.length };
  const tenant = tenantOf(tx);
  const [chunk] = await tx.execute<CompletedRow>(sql`
    with done as (
      update ${batchJobChunks} c
         set status = 'succeeded', rows = null, leased_until = null, error = null, ended_at = app_now()
        from ${batchJobs} j
       where ${heldBy(tx, lease)} and ${withItsJob(tx)}
      returning c.job_id, c.number, c.row_count, j.model_version_id, j.status
    ), letters as (
      insert into ${batchDeadLetters} (tenant_id, job_id, row_number, chunk_number, kind, reason, input)
      select ${tenant}, done.job_id, d.row_number, done.number, 'row', d.reason, d.input::jsonb
        from done,
             unnest(${int8Array(dead.map(({ row }) => row.row))}, ${textArray(dead.map(({ reason }) => reason))},
                    ${textArray(dead.map(({ row }) => storedRowText(row.row, row)))}) as d (row_number, reason, input)
    ), tallied as (
      ${addTally(tenant, sql`select job_id, 1, 0, ${counts.rowsSucceeded}::bigint, ${counts.rowsDead}::bigint from done`)}
    )
    select done.row_count, done.model_version_id as version_id, done.status as job_status,
           exists (select from ${batchJobChunks} q
                    where q.tenant_id = ${tenant} and q.job_id = done.job_id and q.status = 'queued') as more
      from done`);
  if (chunk === undefined) {
    const { jobStatus } = await readRefusedChunk(tx, lease);
    return { jobStatus, ...counts };
  }
  if (chunk.row_count !== rows.length) {
    throw new DomainError('invalid_input', `rows must be the ${chunk.row_count} rows that claimChunk gave.`, {
      details: { field: 'rows', limit: chunk.row_count, got: rows.length },
    });
  }
  await record(tx, { lease, rows, results, versionId: chunk.version_id });
  const jobStatus = chunk.more ? chunk.job_status : ((await endJobIfDone(tx, lease.jobId)) ?? chunk.job_status);
  return { jobStatus, ...counts };
}

const OneResult = z.strictObject({ results: z.array(RowResult) });

function checked(given: unknown, index: number): RowResult {
  try {
    const [result] = parseInput(OneResult, { results: [given] }).results;
    if (result === undefined) throw new TypeError('One result was given.');
    return result;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const named = (text: string) => text.replace('results[0]', `results[${index}]`);
    const field = named(String(error.details['field'] ?? ''));
    throw new DomainError(error.code, named(error.message), { details: { ...error.details, field, index } });
  }
}

async function record(
  tx: TenantTx,
  { lease, rows, results, versionId }: CompleteChunkInput & { readonly versionId: string },
): Promise<void> {
  const idOf = predictionIdsOf(lease.jobId);
  const indexes: number[] = [];
  const predictions = rows.flatMap(({ row, subject, features }, index) => {
    const result = results[index];
    if (result === undefined || result.error !== undefined) return [];
    indexes.push(index);
    const { error: _, ...prediction } = result;
    return [
      {
        ...prediction,
        ...{ id: idOf(row), features, source: 'batch' as const, batchJobId: lease.jobId },
        ...(subject === undefined ? {} : { subject }),
      },
    ];
  });
  if (predictions.length === 0) return;
  try {
    await recordPredictions(tx, { versionId, predictions });
  } catch (error) {
    throw ofResult(error, indexes);
  }
}

/** The caller counts all rows of the chunk, recordPredictions those that have a prediction. */
function ofResult(error: unknown, indexes: readonly number[]): unknown {
  if (!(error instanceof DomainError) || typeof error.details['index'] !== 'number') return error;
  const index = indexes[error.details['index']] ?? error.details['index'];
  const named = (text: string) => text.replace(/^predictions\[\d+\]/, `results[${index}]`);
  const field = named(String(error.details['field'] ?? ''));
  return new DomainError(error.code, named(error.message), {
    details: { ...error.details, field, index },
    cause: error,
  });
}

/** What a failure said, in at most as much text as is kept. */
export function reasonOf(text: string): string {
  return text.slice(0, PREDICTION_LIMITS.deadLetterReasonLength).replace(/[\0\p{Cs}]/gu, '\ufffd');
}
