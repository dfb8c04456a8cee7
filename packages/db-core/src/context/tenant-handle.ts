import type { PgDialect } from 'drizzle-orm/pg-core';
import { PgDatabase } from 'drizzle-orm/pg-core/db';
import { drizzle, type PostgresJsQueryResultHKT, PostgresJsSession } from 'drizzle-orm/postgres-js';
import { DomainError } from '../errors.ts';
import { rowMapper, type SelectedField } from './row-mapper.ts';
import { type MakeHandle, registerTx, type TenantContext, type TenantTx } from './tenant-tx.ts';
import type { RowShape } from './wire.ts';

/** Makes Drizzle's dialect and the relations of the schema, once a pool; a transaction's handle then costs little. */
export function handleMaker(schema: Record<string, unknown> | undefined): MakeHandle {
  // Without a client: no query goes by this instance, which has no tenant.
  const root = drizzle.mock(schema === undefined ? {} : { schema });
  return (context) => tenantHandle(context, root as unknown as RootParts);
}

/** A Drizzle database whose statements all run on `context.connection`: a session and a query builder. */
function tenantHandle<Schema extends Record<string, unknown>>(
  context: TenantContext,
  root: RootParts,
): TenantTx<Schema> {
  const { dialect, _: relations } = root;
  const schema =
    relations.schema === undefined
      ? undefined
      : { fullSchema: relations.fullSchema, schema: relations.schema, tableNamesMap: relations.tableNamesMap };
  const session = new PostgresJsSession(clientOf(context) as never, dialect, schema as never, {});
  const prepare = session.prepareQuery.bind(session);
  session.prepareQuery = (...query) => {
    const prepared = prepare(...query);
    // Drizzle wraps each failure into an error whose message holds the parameters, which are a tenant's values.
    Object.defineProperty(prepared, 'queryWithCache', { value: runBare });
    const read = prepared as unknown as Prepared;
    const { fields, customResultMapper } = read;
    if (fields !== undefined && customResultMapper === undefined) {
      const get = () => rowMapper(fields, read.joinsNotNullableMap);
      Object.defineProperty(prepared, 'customResultMapper', { get });
    }
    return prepared;
  };
  const handle = new PgDatabase<PostgresJsQueryResultHKT, Schema>(dialect, session as never, schema as never);
  Object.defineProperty(handle, 'transaction', {
    value: (work: unknown) => {
      if (typeof work !== 'function')
        throw new DomainError('invalid_input', 'tx.transaction takes the work as a function.');
      return context.connection.savepoint((connection) => work(tenantHandle<Schema>({ ...context, connection }, root)));
    },
  });
  registerTx(handle, context);
  return handle as unknown as TenantTx<Schema>;
}

/** As much of Drizzle's prepared query as says how its rows are mapped. */
interface Prepared {
  readonly fields: readonly SelectedField[] | undefined;
  /** Set by the query builder once the query is prepared. */
  readonly joinsNotNullableMap?: Readonly<Record<string, boolean>>;
  readonly customResultMapper: unknown;
}

interface RootParts {
  readonly dialect: PgDialect;
  readonly _: { readonly schema?: unknown; readonly fullSchema: unknown; readonly tableNamesMap: unknown };
}

const runBare = (_text: string, _parameters: unknown, run: () => Promise<unknown>) => run();

/** As much of postgres.js's client as Drizzle's session calls. */
function clientOf({ connection }: TenantContext): object {
  return {
    unsafe(text: string, parameters: readonly unknown[] = []) {
      // Drizzle calls .values() on what it gets before it awaits; a statement is sent once, when it is awaited.
      const pending = (shape: RowShape) => ({
        // oxlint-disable-next-line unicorn/no-thenable -- Drizzle awaits a lazy query; it is sent then.
        then: <A, B>(ok?: (rows: unknown) => A, failed?: (error: unknown) => B) =>
          connection.run(text, parameters, shape).then(ok, failed),
        values: () => pending('arrays'),
      });
      return pending('objects');
    },
  };
}
