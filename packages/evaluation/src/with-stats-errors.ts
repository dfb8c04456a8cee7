import { DomainError } from '@mcp-hub/db-core';
import { isStatsError } from '@mcp-hub/stats';

/** Runs what computes; what the statistics refuse is `invalid_input`, with its place. Their messages hold no value of the data. */
export function withStatsErrors<Result>(compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    if (isStatsError(error))
      throw new DomainError('invalid_input', error.message, { details: { ...error.place }, cause: error });
    throw error;
  }
}
