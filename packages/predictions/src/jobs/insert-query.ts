import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, type SQLWrapper, type Subquery, sql } from 'drizzle-orm';
import { z } from 'zod';
import { featureName } from '../ledger/prediction-input.ts';
import { PREDICTION_LIMITS } from '../limits.ts';
import { tooManyRows } from './insert-chunks.ts';
import type { NewJob } from './publish-job.ts';
import { batchJobChunks } from './schema.ts';

const FieldNames = z.strictObject({ query: z.array(featureName).max(PREDICTION_LIMITS.features) });

/**
 * Puts the rows of a query into chunks, in its order. One statement; no row comes to this process. A chunk whose rows are
 * long has fewer, so that no tenant's takes the memory of a worker that serves others too.
 */
export async function insertChunksOfQuery(
  tx: TenantTx,
  job: NewJob,
  query: Subquery,
): Promise<{ readonly chunkCount: number; readonly rowCount: number }> {
  const selected = Object.keys(query._.selectedFields);
  const names = parseInput(FieldNames, { query: selected.filter((name) => name !== 'subject') }).query;
  const field = (name: string): SQL => {
    const found: unknown = Reflect.get(query, name);
    if (isSql(found)) return sql`${found}`;
    throw new DomainError('invalid_input', 'The fields of query must be columns or expressions with a name.', {
      details: { field: 'query' },
    });
  };
  const subject = selected.includes('subject') ? sql`${field('subject')}::text` : sql`null::text`;
  const most = sql`${PREDICTION_LIMITS.chunkLength}::int`;
  const [made] = await tx.execute<{ chunks: number; rows: number; too_long: boolean }>(sql`
    with numbered as (
      select row_number() over () - 1 as row, ${subject} as subject, ${featuresOf(names, field)} as features
        from ${query}
    ), placed as (
      select row, jsonb_build_object('row', row, 'subject', subject, 'features', features) as stored
        from numbered
    ), sized as (
      -- The size of jsonb, which is about that of its text. Over all rows: one chunk in that length is shorter for it, where
      -- sums by chunk would have all rows sorted.
      select row, stored, sum(pg_column_size(stored)) over (rows unbounded preceding) as bytes
        from placed
    ), chunk as (
      select row_number() over (order by min(row)) as number, count(*) as row_count, jsonb_agg(stored order by row) as rows
        from sized
       group by row / ${job.chunkRows}::int, bytes / ${most}
    ), made as (
      insert into ${batchJobChunks} (tenant_id, job_id, number, row_count, rows)
      select ${tenantOf(tx)}, ${job.id}::uuid, number, row_count, rows from chunk
      returning row_count, pg_column_size(rows) as bytes
    )
    select count(*)::float8 as chunks, coalesce(sum(row_count), 0)::float8 as rows,
           -- Rows together make at most a chunk and one row more.
           coalesce(bool_or(bytes > 2 * ${most}), false) as too_long
      from made`);
  const { chunks: chunkCount = 0, rows: rowCount = 0 } = made ?? {};
  if (made?.too_long === true) throw rowTooLong();
  if (rowCount > PREDICTION_LIMITS.jobRows) throw tooManyRows(PREDICTION_LIMITS.jobRows);
  return { chunkCount, rowCount };
}

const rowTooLong = () =>
  new DomainError(
    'invalid_input',
    `A row of query is longer than ${PREDICTION_LIMITS.chunkLength} bytes as JSON. Select only what the model reads.`,
    { details: { field: 'query', limit: PREDICTION_LIMITS.chunkLength } },
  );

const isSql = (found: unknown): found is SQLWrapper =>
  typeof found === 'object' && found !== null && 'getSQL' in found && typeof found.getSQL === 'function';

/** A function of SQL takes at most 100 arguments. */
const PAIRS_OF_A_CALL = 50;

function featuresOf(names: readonly string[], field: (name: string) => SQL): SQL {
  const parts: SQL[] = [];
  for (let from = 0; from < names.length; from += PAIRS_OF_A_CALL) {
    const pairs = names.slice(from, from + PAIRS_OF_A_CALL).map((name) => sql`${name}::text, ${asStored(field(name))}`);
    parts.push(sql`jsonb_build_object(${sql.join(pairs, sql`, `)})`);
  }
  return parts.length === 0 ? sql`'{}'::jsonb` : sql.join(parts, sql` || `);
}

/** NaN and the infinities as batch-row.ts writes them: to_jsonb would make text of them, which is a category. */
const asStored = (value: SQL): SQL => sql`
  case when pg_typeof(${value})::text in ('double precision', 'real', 'numeric')
        and ${value}::text in ('NaN', 'Infinity', '-Infinity')
       then jsonb_build_object('number', ${value}::text)
       else to_jsonb(${value}) end`;
