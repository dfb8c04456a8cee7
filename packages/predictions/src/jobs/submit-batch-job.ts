import { createHash } from 'node:crypto';
import { type Jsonable, parseInput, type TenantTx, withIdempotencyKey } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION } from '@mcp-hub/registry';
import { is, Subquery, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { type BatchRowInput, writeNumber } from './batch-row.ts';
import { chunkBuffer, chunkMaker, insertChunks, tooManyRows } from './insert-chunks.ts';
import { insertChunksOfQuery } from './insert-query.ts';
import { jobShape } from './job-inputs.ts';
import { insertJob, publishJob, type SubmittedBatchJob } from './publish-job.ts';

const manyRows = z.custom<readonly BatchRowInput[]>((given) => Array.isArray(given), 'must be an array');
const subquery = z.custom<Subquery>(
  (given) => is(given, Subquery),
  'must be a subquery of Drizzle: select(…).as(name)',
);

export const SubmitBatchJobInput = z
  .strictObject({
    ...jobShape,
    /** What is to be predicted. */
    rows: manyRows.optional(),
    /**
     * In place of rows: a query of this transaction, `tx.select({ … }).from(…).as('flights')`. Its field `subject` is the
     * row's subject where it has one; all others are features by their names in the selection.
     */
    query: subquery.optional(),
  })
  .refine(namesOneVersion, ONE_VERSION)
  .refine(({ rows, query }) => (rows === undefined) !== (query === undefined), 'must have either rows or a query');
export type SubmitBatchJobInput = Readonly<z.input<typeof SubmitBatchJobInput>>;

/**
 * Submits rows to be predicted by one version, which is resolved now: they are copied into chunks, and workers see the job
 * when this transaction commits. The rows of a query never leave the server. A job without rows has succeeded at once.
 *
 * The caller's transaction grows with the rows; for rows that come one by one see submitBatchRows. Announces
 * `batch_job.submitted`.
 *
 * @throws DomainError `not_found` without the version; `invalid_input` naming the row's index; `conflict` where the
 *   idempotency key was used for another job.
 */
export async function submitBatchJob(tx: TenantTx, input: SubmitBatchJobInput): Promise<SubmittedBatchJob> {
  const given = parseInput(SubmitBatchJobInput, input);
  const { idempotencyKey: key, rows, query, ...facts } = given;
  if (rows !== undefined && rows.length > PREDICTION_LIMITS.rowsAtOnce) throw tooManyRows(PREDICTION_LIMITS.rowsAtOnce);
  if (key === undefined) return await submit(tx, given);
  const content = rows === undefined ? queryText(query) : digestOf(rows);
  const request = { ...facts, [rows === undefined ? 'query' : 'rows']: content };
  return await withIdempotencyKey<SubmittedBatchJob>(tx, { scope: SUBMIT_SCOPE, key, request }, () =>
    submit(tx, given),
  );
}

export const SUBMIT_SCOPE = 'predictions.submitBatchJob';

async function submit(
  tx: TenantTx,
  { rows, query, ...job }: z.output<typeof SubmitBatchJobInput>,
): Promise<SubmittedBatchJob & Jsonable<SubmittedBatchJob>> {
  const made = await insertJob(tx, job);
  if (query !== undefined) return await publishJob(tx, made, await insertChunksOfQuery(tx, made, query));
  const maker = chunkMaker(made.chunkRows);
  const buffer = chunkBuffer();
  for (const row of rows ?? []) {
    buffer.add(maker.add(row));
    if (buffer.isFull()) await insertChunks(tx, made.id, buffer.take());
  }
  buffer.add(maker.end());
  await insertChunks(tx, made.id, buffer.take());
  return await publishJob(tx, made, maker);
}

/** Two calls with the same key must give the same rows; a million of them are not kept for that. */
function digestOf(rows: readonly BatchRowInput[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${JSON.stringify(row, inOrder)}\n`);
  return hash.digest('hex');
}

/** The order of members does not count, and a NaN is none of the texts that JSON could write for it. */
function inOrder(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return writeNumber(key, value);
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function queryText(query: Subquery | undefined): string {
  if (query === undefined) return '';
  const { sql: text, params } = new PgDialect().sqlToQuery(sql`${query}`);
  return createHash('sha256')
    .update(JSON.stringify([text, params], exactly))
    .digest('hex');
}

/** A parameter may be a bigint or a NaN, of which JSON has neither. */
const exactly = (key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? { bigint: String(value) } : writeNumber(key, value);
