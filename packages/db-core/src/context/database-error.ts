import { DomainError, type DomainErrorCode, type DomainErrorDetails } from '../errors.ts';

interface ServerError {
  readonly code: string;
  readonly constraint_name?: string;
  readonly table_name?: string;
  readonly column_name?: string;
  readonly message?: string;
  /** The statement's text, which postgres.js adds. */
  readonly query?: string;
}

interface Meaning {
  readonly code: DomainErrorCode;
  readonly message: string;
}

const meaning = (code: DomainErrorCode, message: string): Meaning => ({ code, message });

const serialization = meaning(
  'conflict',
  'Another transaction changed the same rows at the same time. Run it again, or give withTenant the option retry.',
);
const connection = meaning(
  'unavailable',
  'The connection to the database failed. If this was a commit, look before you repeat it: it may have succeeded.',
);

/** By SQLSTATE, or by the code of postgres.js and Node for what never reached the server. */
const exact: Readonly<Record<string, Meaning>> = {
  '23505': meaning('already_exists', 'A row with this key exists already.'),
  '23503': meaning('failed_precondition', 'The row refers to one that does not exist, or others still refer to it.'),
  '23502': meaning('invalid_input', 'A required column was given no value.'),
  '23514': meaning('invalid_input', 'A value is outside what its column accepts.'),
  '23P01': meaning('conflict', 'The row overlaps one that exists.'),
  '40001': serialization,
  '40P01': serialization,
  '55P03': meaning('unavailable', 'A lock was not free within the lock time-out. Try again.'),
  '57014': meaning('unavailable', 'The statement ran longer than its time-out, or was cancelled.'),
  '25006': meaning('failed_precondition', 'This transaction is read-only. Open one without readOnly to write.'),
  '25P02': meaning(
    'failed_precondition',
    'An earlier statement of this transaction failed; nothing more can run in it.',
  ),
  '42501': meaning('permission_denied', 'This role may not do that, or the row belongs to no tenant of this context.'),
  '42601': meaning('internal', 'The statement has a syntax error, or is several statements in one.'),
  '0A000': meaning('internal', 'PostgreSQL does not support what the statement asks for.'),
  '3D000': meaning('failed_precondition', 'The database that the URL names does not exist.'),
  '28P01': meaning('permission_denied', 'The server refused the login of the URL.'),
  '28000': meaning('permission_denied', 'The server refused the login of the URL.'),
  UNDEFINED_VALUE: meaning('invalid_input', 'A parameter is undefined; pass null for no value.'),
  MAX_PARAMETERS_EXCEEDED: meaning(
    'invalid_input',
    'More than 65,534 parameters in one statement; pass arrays instead.',
  ),
};

const byClass: Readonly<Record<string, Meaning>> = {
  '08': connection,
  '22': meaning('invalid_input', 'A value does not fit the type of its column or function.'),
  '23': meaning('failed_precondition', 'A constraint refuses the change.'),
  '25': meaning('failed_precondition', 'The transaction is in a state that does not allow this.'),
  '42': meaning('internal', 'The statement does not fit the schema. Have all migrations run (db:status)?'),
  '53': meaning('unavailable', 'The server has run out of a resource, such as connections or disk.'),
  '57': connection,
  '58': meaning('unavailable', 'The server had a failure of its system.'),
};

const networkCodes = new Set([
  ...['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'CONNECTION_ENDED', 'CONNECT_TIMEOUT'],
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT'],
]);

// Their messages name tables, columns and functions; see nameOf.
const namesOnly = new Set(['42P01', '42703', '42883', '42P07']);

const sqlStateForm = /^[0-9A-Z]{5}$/;

/**
 * The DomainError for an error of PostgreSQL, postgres.js or the socket; anything else comes back as it is.
 *
 * The one place where SQLSTATEs get a meaning. The server's message, detail and the statement's parameters are left
 * out, because they hold values; names of constraint, table and column are kept.
 */
export function toDomainError(error: unknown): unknown {
  if (error instanceof DomainError || !isServerError(error)) return error;
  const found =
    exact[error.code] ??
    (networkCodes.has(error.code) ? connection : undefined) ??
    byClass[error.code.slice(0, 2)] ??
    meaning('internal', 'The database failed in a way that is not expected here.');
  const named = nameOf(error);
  const constraint = error.constraint_name === undefined ? '' : ` (constraint ${error.constraint_name})`;
  const details: Record<string, string | boolean> = { sqlState: error.code };
  if (error.constraint_name !== undefined) details['constraint'] = error.constraint_name;
  if (error.table_name !== undefined) details['table'] = error.table_name;
  if (error.column_name !== undefined) details['column'] = error.column_name;
  if (found === serialization) details['retryable'] = true;
  return new DomainError(found.code, found.message + constraint + named, {
    details: details satisfies DomainErrorDetails,
    cause: new Error(`PostgreSQL or its driver answered ${error.code}.`),
  });
}

/** What the statement itself names, such as a missing table. A name that came as a parameter ('x'::regclass) is a value. */
function nameOf(error: ServerError): string {
  const [, name] = /"([^"]+)"/.exec(error.message ?? '') ?? [];
  if (!namesOnly.has(error.code) || name === undefined || error.query?.includes(name) !== true) return '';
  return ` (${name})`;
}

function isServerError(error: unknown): error is ServerError {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return error.code in exact || networkCodes.has(error.code) || (sqlStateForm.test(error.code) && 'severity' in error);
}
