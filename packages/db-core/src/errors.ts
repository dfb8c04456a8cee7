/** What went wrong, for a program to act on. The SQLSTATEs behind each are in `database-error.ts`. */
export type DomainErrorCode =
  | 'invalid_input'
  | 'not_found'
  | 'already_exists'
  | 'conflict'
  | 'failed_precondition'
  | 'permission_denied'
  | 'unavailable'
  | 'internal';

/** What a service over HTTP answers with. */
export const HTTP_STATUS: Readonly<Record<DomainErrorCode, number>> = {
  invalid_input: 400,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  failed_precondition: 422,
  unavailable: 503,
  internal: 500,
};

/** Facts about the failure: names of limits, constraints, fields and positions. Never a tenant's value. */
export type DomainErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/**
 * The one error that functions of these packages throw.
 *
 * `message` says what is wrong and how to mend it; it, `details` and `cause` hold no value that a tenant passed in or
 * stored, so that they may be logged.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: DomainErrorCode;
  readonly details: DomainErrorDetails;

  constructor(
    code: DomainErrorCode,
    message: string,
    options: { readonly details?: DomainErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** True for a DomainError, of one code where `code` is given. */
export function isDomainError(error: unknown, code?: DomainErrorCode): error is DomainError {
  return error instanceof DomainError && (code === undefined || error.code === code);
}
