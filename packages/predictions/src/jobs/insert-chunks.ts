import { DomainError, int8Array, parseInput, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { BatchRowInput, storedRowText } from './batch-row.ts';
import { batchJobChunks } from './schema.ts';

/** Rows of one chunk, as JSON. */
export interface ChunkText {
  readonly number: number;
  readonly rowCount: number;
  readonly rows: string;
}

/** Puts rows into chunks as they come. */
export interface ChunkMaker {
  /** The chunk that this row has filled, where it has. @throws DomainError `invalid_input` naming the row's index. */
  add(row: unknown): ChunkText | undefined;
  /** The last chunk, where rows are left. */
  end(): ChunkText | undefined;
  readonly rowCount: number;
  readonly chunkCount: number;
}

const OneRow = z.strictObject({ rows: z.array(BatchRowInput) });

export function chunkMaker(chunkRows: number): ChunkMaker {
  let [rowCount, chunkCount, length] = [0, 0, 0];
  let texts: string[] = [];
  const close = (): ChunkText => {
    chunkCount += 1;
    const chunk = { number: chunkCount, rowCount: texts.length, rows: `[${texts.join(',')}]` };
    [texts, length] = [[], 0];
    return chunk;
  };
  return {
    add(given) {
      if (rowCount >= PREDICTION_LIMITS.jobRows) throw tooManyRows(PREDICTION_LIMITS.jobRows);
      const text = storedRowText(rowCount, checked(given, rowCount));
      if (text.length > PREDICTION_LIMITS.chunkLength) throw rowTooLong(rowCount);
      rowCount += 1;
      const full = texts.length > 0 && length + text.length > PREDICTION_LIMITS.chunkLength ? close() : undefined;
      texts.push(text);
      length += text.length;
      // A row that did not fit any more begins a chunk, which one row cannot fill but where chunks have one row.
      if (full !== undefined || texts.length < chunkRows) return full;
      return close();
    },
    end: () => (texts.length === 0 ? undefined : close()),
    get rowCount() {
      return rowCount;
    },
    get chunkCount() {
      return chunkCount;
    },
  };
}

/** It would be a chunk by itself, and take the memory of a worker that serves other tenants too. */
const rowTooLong = (index: number) =>
  new DomainError(
    'invalid_input',
    `rows[${index}] must be at most ${PREDICTION_LIMITS.chunkLength} characters of JSON. Give only what the model reads.`,
    { details: { field: `rows[${index}]`, index, limit: PREDICTION_LIMITS.chunkLength } },
  );

export const tooManyRows = (limit: number) =>
  new DomainError('invalid_input', `A batch job has at most ${limit} rows here. Submit several jobs.`, {
    details: { limit },
  });

function checked(given: unknown, index: number): BatchRowInput {
  try {
    const [row] = parseInput(OneRow, { rows: [given] }).rows;
    if (row === undefined) throw new TypeError('One row was given.');
    return row;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const named = (text: string) => text.replace('rows[0]', `rows[${index}]`);
    const field = named(String(error.details['field'] ?? ''));
    throw new DomainError(error.code, named(error.message), { details: { ...error.details, field, index } });
  }
}

/** Of the rows that one statement brings, as JSON. */
const STATEMENT_LENGTH = 8_000_000;
const STATEMENT_CHUNKS = 5_000;

/** Collects chunks until a statement is worth its while. */
export interface ChunkBuffer {
  isFull(): boolean;
  add(chunk: ChunkText | undefined): void;
  /** Takes what is there. */
  take(): readonly ChunkText[];
}

export function chunkBuffer(): ChunkBuffer {
  let chunks: ChunkText[] = [];
  let length = 0;
  return {
    isFull: () => length >= STATEMENT_LENGTH || chunks.length >= STATEMENT_CHUNKS,
    add(chunk) {
      if (chunk === undefined) return;
      chunks.push(chunk);
      length += chunk.rows.length;
    },
    take() {
      const taken = chunks;
      [chunks, length] = [[], 0];
      return taken;
    },
  };
}

/** Stores chunks of a job, in one statement; none for none. */
export async function insertChunks(tx: TenantTx, jobId: string, chunks: readonly ChunkText[]): Promise<void> {
  if (chunks.length === 0) return;
  await tx.execute(sql`
    insert into ${batchJobChunks} (tenant_id, job_id, number, row_count, rows)
    select ${tenantOf(tx)}, ${jobId}::uuid, number, row_count, rows::jsonb
      from unnest(${int8Array(chunks.map(({ number }) => number))},
                  ${int8Array(chunks.map(({ rowCount }) => rowCount))},
                  ${textArray(chunks.map(({ rows }) => rows))}) as given (number, row_count, rows)`);
}
