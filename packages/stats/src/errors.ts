/** Where in the data it lies: the name of the column and the number of the row, from 0. */
export interface StatsErrorPlace {
  readonly field: string;
  readonly index: number;
}

/**
 * What every function of this package throws for input that it cannot take: `message` says what is wrong and how to
 * mend it, and holds no value of the data. One bad value of many has its `place`.
 */
export class StatsError extends Error {
  override readonly name = 'StatsError';
  readonly code = 'invalid_input';
  readonly place: StatsErrorPlace | undefined;

  constructor(message: string, place?: StatsErrorPlace) {
    super(message);
    this.place = place;
  }
}

/** True for a StatsError. */
export function isStatsError(error: unknown): error is StatsError {
  return error instanceof StatsError;
}
