import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { DomainError } from '../errors.ts';
import type { TenantId } from './tenant-id.ts';
import type { Connection } from './transaction-scope.ts';

declare const tenantBrand: unique symbol;

type Queries<Schema extends Record<string, unknown>> = PgDatabase<PostgresJsQueryResultHKT, Schema>;

/**
 * A Drizzle transaction inside one tenant. Only withTenant and readOne make one, so a function that takes it cannot
 * be called without a tenant. It works until the callback that received it settles.
 */
export type TenantTx<Schema extends Record<string, unknown> = Record<string, unknown>> = Pick<
  Queries<Record<string, never>>,
  | '$with'
  | '$count'
  | 'with'
  | 'select'
  | 'selectDistinct'
  | 'selectDistinctOn'
  | 'insert'
  | 'update'
  | 'delete'
  | 'execute'
> & {
  readonly [tenantBrand]: TenantId;
  readonly query: string extends keyof Schema ? unknown : Queries<Schema>['query'];
  /** A savepoint: what `work` did is undone where it throws. One at a time; await it. */
  transaction<Result>(work: (tx: TenantTx<Schema>) => Promise<Result>): Promise<Result>;
};

/** What stands behind a handle. */
export interface TenantContext {
  readonly tenant: TenantId;
  readonly connection: Connection;
  /** The pool's, for a second handle of the same transaction. */
  readonly makeHandle: MakeHandle;
}

/** Made once a pool by `handleMaker`, which is loaded with the driver. */
export type MakeHandle = <Schema extends Record<string, unknown>>(context: TenantContext) => TenantTx<Schema>;

const contexts = new WeakMap<object, TenantContext>();

export function registerTx(tx: object, context: TenantContext): void {
  contexts.set(tx, context);
}

export function contextOf(tx: TenantTx): TenantContext {
  const context = contexts.get(tx);
  if (context !== undefined) return context;
  throw noTransaction();
}

export const noTransaction = () =>
  new DomainError('invalid_input', 'The first argument must be the transaction that withTenant or readOne gave.');

/** The tenant of a transaction. Queries name it beside RLS, so that index conditions stay visible. */
export function tenantOf(tx: TenantTx): TenantId {
  return contextOf(tx).tenant;
}
