import { DomainError } from '../errors.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { checkLogin } from './check-login.ts';
import { createConnectionPool } from './connection-pool.ts';
import { type Database, type DatabaseInternals, makeDatabase } from './database.ts';
import { toDomainError } from './database-error.ts';

export interface ConnectOptions<Schema extends Record<string, unknown> = Record<string, never>> {
  /** The service's login (`POSTGRES_SERVICE_URL`): one that owns nothing and may become app_tenant. */
  readonly url: string;
  /** Tables for `tx.query`; the query builder needs none. */
  readonly schema?: Schema;
  /** Connections at the most. Default 10. */
  readonly max?: number;
  /** How long a transaction waits for a connection before it is `unavailable`. Default 10,000. */
  readonly acquireTimeoutMs?: number;
  /** Of each statement, unless withTenant is given another. Default: the server's. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /**
   * The server ends a transaction that has sent nothing for so long, so that a process that is stopped inside one does not
   * hold its locks for ever; what it does next is `unavailable`. 0 means never. Default 300,000.
   */
  readonly idleInTransactionTimeoutMs?: number;
  /** false behind PgBouncer before 1.21, which hangs under load with prepared statements. Default true. */
  readonly prepare?: boolean;
  /** Refuse a login that owns tables, is a superuser or bypasses RLS, instead of a warning. Default false. */
  readonly requireUnprivileged?: boolean;
  readonly applicationName?: string;
  readonly logger?: Logger;
}

/**
 * Opens a pool and checks the login once: `failed_precondition` where the roles are missing (run `db:migrate`),
 * `permission_denied` where the login may not become app_tenant (run `db:grant-runtime`) or has privileges that
 * `requireUnprivileged` refuses, `unavailable` where the server does not answer.
 */
export async function connect<Schema extends Record<string, unknown> = Record<string, never>>(
  options: ConnectOptions<Schema>,
): Promise<Database<Schema>> {
  const max = wholeNumber('max', options.max ?? 10, 1, 1_000);
  const acquireTimeoutMs = wholeNumber('acquireTimeoutMs', options.acquireTimeoutMs ?? 10_000, 1, 600_000);
  const idleInTransactionTimeoutMs = wholeNumber(
    'idleInTransactionTimeoutMs',
    options.idleInTransactionTimeoutMs ?? 300_000,
    0,
    2_147_483_647,
  );
  const logger = options.logger ?? silentLogger;
  const url = parsedUrl(options.url);
  // A login is slower than a turn in the queue for a connection that is open.
  const connectTimeoutMs = Math.max(acquireTimeoutMs, 10_000);
  // Loaded here and not with the package: what a connection needs is half of what all modules take.
  const [{ openClient }, { handleMaker }] = await Promise.all([
    import('./open-client.ts'),
    import('./tenant-handle.ts'),
  ]);
  const pool = createConnectionPool(() => openClient({ ...options, url, logger, connectTimeoutMs }), max);
  try {
    await checkLogin(pool, connectTimeoutMs, {
      requireUnprivileged: options.requireUnprivileged ?? false,
      logger,
    });
  } catch (error) {
    await pool.close(0);
    throw toDomainError(error);
  }
  const makeHandle = handleMaker(options.schema);
  const inside: DatabaseInternals = { pool, makeHandle, acquireTimeoutMs, idleInTransactionTimeoutMs, logger };
  return makeDatabase(inside, ({ timeoutMs = 5_000 } = {}) => pool.close(timeoutMs));
}

function parsedUrl(url: unknown): string {
  if (typeof url === 'string' && /^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new DomainError('invalid_input', 'The url must read postgresql://user:password@host:port/database.', {
    details: { field: 'url' },
  });
}

function wholeNumber(field: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new DomainError('invalid_input', `${field} must be a whole number from ${min} to ${max}.`, {
    details: { field, min, max },
  });
}
