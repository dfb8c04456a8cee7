import { DomainError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { type MakeHandle, noTransaction, type TenantTx } from './tenant-tx.ts';

/** The key to what stays inside this package: no other code can reach the pool past the tenant context. */
export const internals: unique symbol = Symbol('database');

/** The pool behind a Database. */
export interface DatabaseInternals {
  readonly pool: ConnectionPool;
  readonly makeHandle: MakeHandle;
  readonly acquireTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  readonly logger: Logger;
}

declare const schemaOf: unique symbol;

/** A pool of connections. It runs no queries itself: `withTenant` and `readOne` do, inside a tenant. */
export interface Database<Schema extends Record<string, unknown> = Record<string, unknown>> {
  readonly [internals]: DatabaseInternals;
  readonly [schemaOf]?: Schema;
  /** Waits for running transactions up to `timeoutMs` (default 5,000), then ends the connections. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/** What a function does first with a transaction; where a program without types gives it the pool, that is said. */
const queries: readonly (keyof TenantTx)[] = [
  '$with',
  '$count',
  'with',
  'select',
  'selectDistinct',
  'selectDistinctOn',
  'insert',
  'update',
  'delete',
  'execute',
  'query',
  'transaction',
];

export function makeDatabase<Schema extends Record<string, unknown>>(
  inside: DatabaseInternals,
  close: Database['close'],
): Database<Schema> {
  const db: Database<Schema> = { [internals]: inside, close };
  const get = () => {
    throw noTransaction();
  };
  for (const name of queries) Object.defineProperty(db, name, { get });
  return db;
}

/** @throws DomainError `invalid_input` for what `connect` did not make. */
export function internalsOf(db: Database): DatabaseInternals {
  const inside = (db as Partial<Database> | undefined)?.[internals];
  if (inside !== undefined) return inside;
  throw new DomainError('invalid_input', 'The first argument must be the database that connect() gave.');
}
