import { DomainError } from '../errors.ts';
import { type Database, internalsOf } from './database.ts';
import { inContext, refuseForeignHandle } from './open-context.ts';
import { type RetryOptions, retrying } from './retry.ts';
import { type TenantId, toTenantId } from './tenant-id.ts';
import type { TenantTx } from './tenant-tx.ts';
import { runTransaction, type TransactionMode } from './transaction.ts';

export interface TenantOptions {
  /** Who acts, for the audit rows: 1 to 256 characters. */
  readonly actor?: string;
  /** What `app_now()` answers in this transaction; default the transaction's own clock. */
  readonly now?: Date;
  readonly readOnly?: boolean;
  /** Default 'read committed'. */
  readonly isolationLevel?: 'read committed' | 'repeatable read' | 'serializable';
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** In the place of the pool's: see ConnectOptions. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Runs `work` again after a serialization failure or deadlock; `work` must be free of other effects. */
  readonly retry?: RetryOptions;
}

/**
 * Runs `work` in a transaction that sees and writes one tenant's rows only, and commits when it resolves.
 *
 * Round trips: one for BEGIN, context and the first query together, one for each further query, one for COMMIT.
 * What `work` throws rolls everything back and comes out unchanged; errors of the database come out as DomainError
 * without values. The handle dies with the callback. A call inside another tenant's is refused; inside the same
 * tenant's it is a second transaction on a second connection.
 *
 * @throws DomainError `invalid_input` (tenant id, options), `failed_precondition` (nested in another tenant, a query
 *   not awaited, an error swallowed, a dead handle), `unavailable` (no connection, connection lost), `conflict`
 *   (serialization, deadlock), and what the statements give.
 */
export async function withTenant<Schema extends Record<string, unknown>, Result>(
  db: Database<Schema>,
  tenant: string,
  work: (tx: TenantTx<Schema>) => Promise<Result>,
  options: TenantOptions = {},
): Promise<Result> {
  return await retrying(options.retry, () => enter(db, tenant, work, options, false));
}

/**
 * Runs the one statement that `work` makes, read-only, in one round trip: BEGIN, context, statement and COMMIT leave
 * together. A second statement is `failed_precondition`; otherwise as withTenant.
 */
export async function readOne<Schema extends Record<string, unknown>, Result>(
  db: Database<Schema>,
  tenant: string,
  work: (tx: TenantTx<Schema>) => PromiseLike<Result>,
  options: Omit<TenantOptions, 'readOnly' | 'retry'> = {},
): Promise<Result> {
  return await enter(db, tenant, async (tx) => await work(tx), { ...options, readOnly: true }, true);
}

async function enter<Schema extends Record<string, unknown>, Result>(
  db: Database<Schema>,
  tenant: string,
  work: (tx: TenantTx<Schema>) => Promise<Result>,
  options: TenantOptions,
  oneStatement: boolean,
): Promise<Result> {
  const id = toTenantId(tenant);
  if (typeof work !== 'function')
    throw new DomainError('invalid_input', 'The work must be a function of the transaction.');
  const { makeHandle, idleInTransactionTimeoutMs } = internalsOf(db);
  const mode = transactionMode(id, options, idleInTransactionTimeoutMs, oneStatement);
  return await inContext(id, () =>
    runTransaction(db, mode, (connection) => work(makeHandle<Schema>({ tenant: id, connection, makeHandle }))),
  );
}

function transactionMode(
  tenant: TenantId,
  options: TenantOptions,
  idleMs: number,
  oneStatement: boolean,
): TransactionMode {
  // In the statement that enters the tenant, and not as a parameter of the login, which PgBouncer refuses.
  const idle = checkedTimeout('idle_in_transaction_session_timeout', options.idleInTransactionTimeoutMs ?? idleMs);
  const head = [
    {
      text: `select app_set_tenant($1, $2, $3), set_config('idle_in_transaction_session_timeout', $4, true)`,
      parameters: [tenant, checkedActor(options.actor), checkedNow(options.now), idle],
    },
  ];
  const timeouts = { statement_timeout: options.statementTimeoutMs, lock_timeout: options.lockTimeoutMs };
  for (const [setting, value] of Object.entries(timeouts)) {
    if (value === undefined) continue;
    head.push({
      text: 'select set_config($1, $2, true)',
      parameters: [setting, checkedTimeout(setting, value)],
    });
  }
  return {
    head,
    oneStatement,
    refuseCaller: () => refuseForeignHandle(tenant),
    ...(options.readOnly === undefined ? {} : { readOnly: options.readOnly }),
    ...(options.isolationLevel === undefined ? {} : { isolationLevel: checkedLevel(options.isolationLevel) }),
  };
}

function checkedTimeout(setting: string, ms: number): string {
  if (Number.isInteger(ms) && ms >= 0 && ms <= 2_147_483_647) return String(ms);
  throw new DomainError('invalid_input', 'Time-outs are whole milliseconds; 0 means none.', { details: { setting } });
}

const levels = ['read committed', 'repeatable read', 'serializable'] as const;

// It becomes a part of the BEGIN statement, so what a caller without types passes must not get through.
function checkedLevel(level: string): (typeof levels)[number] {
  const found = levels.find((known) => known === level);
  if (found !== undefined) return found;
  throw new DomainError('invalid_input', `isolationLevel must be one of: ${levels.join(', ')}.`);
}

export const ACTOR_MAX_LENGTH = 256;

function checkedActor(actor: unknown): string | null {
  if (actor === undefined) return null;
  if (
    typeof actor === 'string' &&
    actor.length > 0 &&
    actor.length <= ACTOR_MAX_LENGTH &&
    !/[\p{Cc}\p{Cs}]/u.test(actor)
  ) {
    return actor;
  }
  throw new DomainError(
    'invalid_input',
    `actor must be 1 to ${ACTOR_MAX_LENGTH} characters without control characters.`,
    { details: { field: 'actor' } },
  );
}

function checkedNow(now: unknown): string | null {
  if (now === undefined) return null;
  if (now instanceof Date && !Number.isNaN(now.getTime())) return now.toISOString();
  throw new DomainError('invalid_input', 'now must be a valid Date.', { details: { field: 'now' } });
}
