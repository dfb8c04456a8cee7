/**
 * What every function of this package throws for input that it cannot take: `message` says what is wrong and how to
 * mend it, and holds no value of the data.
 */
export class StatsError extends Error {
  override readonly name = 'StatsError';
  readonly code = 'invalid_input';
}

/** True for a StatsError. */
export function isStatsError(error: unknown): error is StatsError {
  return error instanceof StatsError;
}
