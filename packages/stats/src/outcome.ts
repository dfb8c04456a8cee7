/** A statistic that the data define. */
export interface Defined<T> {
  readonly value: T;
  readonly reason: null;
}

/** A statistic that the data leave undefined, such as an area under the curve of one class, with the reason in words. */
export interface Undefined {
  readonly value: null;
  readonly reason: string;
}

/**
 * A statistic that some data leave undefined: store `value` and `reason` as they are. Never NaN, and never a 0 that
 * stands for nothing.
 */
export type Outcome<T = number> = Defined<T> | Undefined;

/** The outcome of data that define the statistic. */
export function defined<T>(value: T): Defined<T> {
  return { value, reason: null };
}

/** The outcome of data that leave the statistic undefined. */
export function undefinedBecause(reason: string): Undefined {
  return { value: null, reason };
}

/** `numerator / denominator`, undefined for the given reason where the denominator is 0. */
export function ratio(numerator: number, denominator: number, reason: string): Outcome {
  return denominator === 0 ? undefinedBecause(reason) : defined(numerator / denominator);
}
