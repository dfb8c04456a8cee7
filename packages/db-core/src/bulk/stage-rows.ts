import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getTableColumns, getTableName, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { contextOf, type TenantTx } from '../context/tenant-tx.ts';
import { DomainError } from '../errors.ts';
import { type CopyValue, copyLine } from './copy-format.ts';

export interface StagedRows {
  /** The temporary table, for `insert … select … from ${staged.table}`. It is gone at the end of the transaction. */
  readonly table: SQL;
  readonly columns: SQL;
  readonly count: number;
}

/**
 * Sends rows by COPY into a temporary table with the named columns of `like`: the fastest way in, since COPY straight
 * into a table is refused under row level security. The caller then inserts from it in one statement.
 *
 * @param columns Drizzle's names of columns of `like`, in the order of each row's values.
 * @param rows read one at a time; memory stays flat.
 * @throws DomainError `invalid_input` naming the row's index where a row has another number of values or one that has
 *   no text form. The transaction is then lost: let the error pass.
 */
export async function stageRows<Table extends PgTable>(
  tx: TenantTx,
  like: Table,
  columns: readonly (keyof Table['_']['columns'] & string)[],
  rows: Iterable<readonly CopyValue[]> | AsyncIterable<readonly CopyValue[]>,
): Promise<StagedRows> {
  const { connection } = contextOf(tx);
  const known = getTableColumns(like) as Readonly<Record<string, PgColumn>>;
  const names = columns.map((column) => {
    const found = known[column];
    if (found !== undefined) return found.name;
    throw new DomainError('invalid_input', `${getTableName(like)} has no column of one of the given names.`);
  });
  if (names.length === 0) throw new DomainError('invalid_input', 'Name at least one column to stage.');

  const stage = connection.uniqueName('stage');
  const list = names.map(quoteIdentifier).join(', ');
  const table = quoteIdentifier(getTableName(like));
  await connection.runOwn(
    `create temporary table ${stage} on commit drop as select ${list} from ${table} with no data`,
    [],
    'objects',
  );
  let count = 0;
  async function* lines() {
    for await (const row of rows) {
      if (row.length !== names.length) {
        throw new DomainError('invalid_input', `Row ${count} has ${row.length} values for ${names.length} columns.`, {
          details: { index: count },
        });
      }
      yield copyLine(row, count);
      count += 1;
    }
  }
  const source = remembered(chunked(lines()));
  await connection.copyIn(`copy ${stage} (${list}) from stdin`, async (sink) => {
    try {
      await pipeline(Readable.from(source.chunks), sink);
    } catch (error) {
      throw source.failure() ?? error;
    }
  });
  return { table: sql.raw(stage), columns: sql.raw(list), count };
}

/** The driver tells the server why a copy was broken off, and the server logs it: it gets to hear nothing of the cause. */
function remembered(chunks: AsyncIterable<string>) {
  let failure: unknown;
  async function* passed() {
    try {
      yield* chunks;
    } catch (error) {
      failure = error;
      // oxlint-disable-next-line preserve-caught-error -- the driver would send it to the server's log.
      throw new Error('The source of the rows failed.');
    }
  }
  return { chunks: passed(), failure: () => failure };
}

const quoteIdentifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

const CHUNK_CHARACTERS = 65_536;

/** One write a line costs a syscall and a promise each; 64 KiB at a time costs neither. */
async function* chunked(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
