export type PostgresToolErrorCode =
  | 'bad_option'
  | 'cache_not_trusted'
  | 'disk_full'
  | 'lock_timeout'
  | 'logins_lost'
  | 'no_binaries'
  | 'no_server_user'
  | 'not_permitted'
  | 'start_failed'
  | 'unreachable';

/** Something about the server that the reader can mend; `message` says what is wrong and what to do. */
export class PostgresToolError extends Error {
  readonly code: PostgresToolErrorCode;

  constructor(code: PostgresToolErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'PostgresToolError';
    this.code = code;
  }
}

const ANOTHER_SERVER = 'or set POSTGRES_URL (for tests TEST_POSTGRES_URL) to a server of your own';

/** Gives a failed file operation the reason that its reader can act on; anything else is returned as it came. */
export function explainFileError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PostgresToolError('disk_full', `No space left while ${doing}. Free some, ${ANOTHER_SERVER}.`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PostgresToolError(
        'not_permitted',
        `Not permitted while ${doing} (${error.message}). Was it made by another user? Give it to this user or remove it, ${ANOTHER_SERVER}.`,
        { cause: error },
      );
    default:
      return error;
  }
}
