/** What the db:* commands end with; 0 is done. */
export const exitCodes = { unexpected: 1, usage: 2, refused: 3, unreachable: 4, differences: 5 } as const;

export type MigrateExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * A failure that the person at the terminal can mend: the message says what is wrong and how.
 * It never holds a value out of a tenant's rows.
 */
export class MigrateError extends Error {
  override readonly name = 'MigrateError';
  /** Stable and in snake_case, for `--json` and for tests. */
  readonly code: string;
  readonly exitCode: MigrateExitCode;

  constructor(code: string, message: string, exitCode: MigrateExitCode = exitCodes.refused, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
  }
}
