import { Socket } from 'node:net';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import type { Logger } from '../logger.ts';
import { arrayTypes } from './array-types.ts';

export interface ClientOptions {
  readonly url: string;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  readonly prepare?: boolean;
  readonly applicationName?: string;
  readonly logger: Logger;
}

/** A client of postgres.js with one connection, which opens with its first statement. */
export function openClient(options: ClientOptions): Sql {
  const { url, connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, logger } = options;
  const client = postgres(url, {
    max: 1,
    prepare: options.prepare ?? true,
    fetch_types: false,
    types: arrayTypes,
    max_lifetime: null,
    // An option that the types of postgres.js leave out.
    ...({ socket: openSocket } as object),
    connect_timeout: Math.ceil(connectTimeoutMs / 1_000),
    onnotice: (notice) => logger.debug({ code: notice['code'] }, 'notice of the server'),
    connection: {
      application_name: options.applicationName ?? 'mcp-hub',
      ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
      ...(lockTimeoutMs === undefined ? {} : { lock_timeout: lockTimeoutMs }),
    },
  });
  // Leaves times and JSON as text in this client, as Drizzle's columns want them.
  drizzle(client);
  return client;
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
