import { Socket } from 'node:net';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { DomainError } from '../errors.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { arrayTypes } from './array-types.ts';
import { checkLogin } from './check-login.ts';
import { createConnectionPool } from './connection-pool.ts';
import { type Database, type DatabaseInternals, internals } from './database.ts';
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
  /** false behind PgBouncer before 1.21, which hangs under load with prepared statements. Default true. */
  readonly prepare?: boolean;
  /** Refuse a login that owns tables, is a superuser or bypasses RLS, instead of a warning. Default false. */
  readonly requireUnprivileged?: boolean;
  readonly applicationName?: string;
  readonly logger?: Logger;
}

/** Of a login, which is slower than a turn in the queue for a connection that is open. */
const CONNECT_TIMEOUT_MS = 10_000;

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
  const logger = options.logger ?? silentLogger;
  const url = parsedUrl(options.url);
  const openClient = () => {
    const client = postgres(url, {
      max: 1,
      prepare: options.prepare ?? true,
      fetch_types: false,
      types: arrayTypes,
      max_lifetime: null,
      // An option that the types of postgres.js leave out.
      ...({ socket: openSocket } as object),
      connect_timeout: Math.ceil(Math.max(acquireTimeoutMs, CONNECT_TIMEOUT_MS) / 1_000),
      onnotice: (notice) => logger.debug({ code: notice['code'] }, 'notice of the server'),
      connection: {
        application_name: options.applicationName ?? 'mcp-hub',
        ...(options.statementTimeoutMs === undefined ? {} : { statement_timeout: options.statementTimeoutMs }),
        ...(options.lockTimeoutMs === undefined ? {} : { lock_timeout: options.lockTimeoutMs }),
      },
    });
    // Leaves times and JSON as text in this client, as Drizzle's columns want them.
    drizzle(client);
    return client;
  };
  const pool = createConnectionPool(openClient, max);
  try {
    await checkLogin(pool, Math.max(acquireTimeoutMs, CONNECT_TIMEOUT_MS), {
      requireUnprivileged: options.requireUnprivileged ?? false,
      logger,
    });
  } catch (error) {
    await pool.close(0);
    throw toDomainError(error);
  }
  // No client: only the dialect and the relations of the schema, made once.
  const root = drizzle.mock(options.schema === undefined ? {} : { schema: options.schema });
  const inside: DatabaseInternals = { pool, root, acquireTimeoutMs, logger };
  return { [internals]: inside, close: ({ timeoutMs = 5_000 } = {}) => pool.close(timeoutMs) };
}

/**
 * As postgres.js does it, but without Nagle's algorithm: a burst of more than 1 kB leaves in two writes, and the second
 * would wait for the answers to the first. That was one round trip more of each such burst.
 */
function openSocket({ host, port, path }: SocketTarget): Socket {
  const socket = new Socket().setNoDelay(true);
  if (typeof path === 'string') return socket.connect(path);
  const [name = 'localhost'] = host;
  // Read by postgres.js, as the name that the server's certificate must bear.
  Object.assign(socket, { host: name });
  return socket.connect(port[0] ?? 5432, name);
}

interface SocketTarget {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: unknown;
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
