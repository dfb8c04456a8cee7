import { exitCodes, MigrateError } from './errors.ts';

/** SQLSTATE or the code of a socket error; undefined when there is none. */
export function errorCodeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOENT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
]);

/** Whether the session is gone, or was never there: nothing may be sent on it any more. */
export function isConnectionError(error: unknown): boolean {
  const code = errorCodeOf(error);
  if (code === undefined) return false;
  // 08: connection exception; 57P01 to 57P03: shut down, crashed, starting up; 57P05: idle session time-out; 53300: too many connections.
  return socketCodes.has(code) || /^(08...|57P0[1235]|53300|28...|3D000)$/.test(code);
}

/** The server without login and password, for messages. */
export function describeServer(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
  } catch {
    return 'the given URL';
  }
}

/** The error to show when `url` could not be reached or was lost; undefined when `error` is something else. */
export function toUnreachable(error: unknown, url: string): MigrateError | undefined {
  if (!isConnectionError(error)) return undefined;
  const code = errorCodeOf(error) ?? '';
  const reason =
    code === '3D000'
      ? 'the database does not exist'
      : code.startsWith('28')
        ? 'the server refuses this login or its password'
        : code === 'ECONNREFUSED'
          ? 'nothing listens there; start the server (npm run db:up starts a local one)'
          : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
            ? 'the host name is not known'
            : code === '53300'
              ? 'the server has no free connection'
              : `the connection failed (${code})`;
  return new MigrateError(
    'unreachable',
    `Cannot work with the database ${describeServer(url)}: ${reason}.`,
    exitCodes.unreachable,
    {
      cause: new Error(code),
    },
  );
}
