import { guardStatement } from '../context/statement-guard.ts';
import { contextOf, type TenantTx } from '../context/tenant-tx.ts';
import type { Connection } from '../context/transaction-scope.ts';
import { DomainError } from '../errors.ts';

export interface StreamOptions {
  /** Rows a round trip and in memory at once, 1 to 10,000. Default 1,000. */
  readonly batchRows?: number;
}

const STREAM_BATCH_ROWS_MAX = 10_000;

/**
 * The rows of one query, a batch at a time, in the query's order and in flat memory. The transaction may run other
 * statements meanwhile and may be left early; it stays open until the loop ends, so keep the loop's own work short.
 *
 * A cursor of SQL, because COPY TO with `for await` hangs on a reserved connection of postgres.js, and its own cursor
 * blocks every other statement of the transaction until it is read to the end.
 */
export async function* streamRows<Schema extends Record<string, unknown>, Row>(
  tx: TenantTx<Schema>,
  query: (tx: TenantTx<Schema>) => PromiseLike<readonly Row[]>,
  options: StreamOptions = {},
): AsyncGenerator<Row, void, undefined> {
  const batchRows = options.batchRows ?? 1_000;
  if (!Number.isInteger(batchRows) || batchRows < 1 || batchRows > STREAM_BATCH_ROWS_MAX) {
    throw new DomainError('invalid_input', `batchRows must be a whole number from 1 to ${STREAM_BATCH_ROWS_MAX}.`);
  }
  const context = contextOf(tx);
  const name = context.connection.uniqueName('rows');
  const reader = fetching(context.connection, name, batchRows);
  // Drizzle maps each batch with the mapping of the query itself; the reader answers it from the cursor.
  const handle = context.makeHandle<Schema>({ ...context, connection: reader.connection });
  try {
    for (;;) {
      const rows = await query(handle);
      yield* rows;
      if (rows.length < batchRows) return;
    }
  } finally {
    if (reader.declared()) await context.connection.runOwn(`close ${name}`, [], 'objects').catch(() => {});
  }
}

function fetching(inner: Connection, name: string, batchRows: number) {
  let declared = false;
  const connection: Connection = {
    ...inner,
    run: async (text, parameters, shape) => {
      if (!declared) {
        guardStatement(text);
        await inner.runOwn(`declare ${name} no scroll cursor for ${text}`, parameters, 'objects');
        declared = true;
      }
      return await inner.runOwn(`fetch ${batchRows} from ${name}`, [], shape);
    },
  };
  return { connection, declared: () => declared };
}
