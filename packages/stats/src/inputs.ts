import { StatsError } from './errors.ts';

/** Refuses a number that is NaN or infinite. */
export function requireFinite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new StatsError(`${name} must be a finite number.`);
  return value;
}

/** Refuses what is not finite and above 0. */
export function requirePositive(name: string, value: number): number {
  if (!(value > 0 && value < Infinity)) throw new StatsError(`${name} must be a finite number above 0.`);
  return value;
}

/** Refuses what is not finite and at least 0. */
export function requireNonNegative(name: string, value: number): number {
  if (!(value >= 0 && value < Infinity)) throw new StatsError(`${name} must be a finite number of at least 0.`);
  return value;
}

/** Refuses what is not in [0, 1]. */
export function requireProbability(name: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw new StatsError(`${name} must be a number from 0 to 1.`);
  return value;
}

/** Refuses what is not strictly between 0 and 1, as an error rate or a confidence level has to be. */
export function requireOpenProbability(name: string, value: number): number {
  if (!(value > 0 && value < 1)) throw new StatsError(`${name} must be a number between 0 and 1, neither of them.`);
  return value;
}

/** Refuses what is not an integer of at least `least`. */
export function requireCount(name: string, value: number, least = 0): number {
  if (!(Number.isInteger(value) && value >= least)) {
    throw new StatsError(`${name} must be an integer of at least ${least}.`);
  }
  return value;
}

/** Refuses an array with a value that is not finite: drop or impute missing values first. */
export function requireFiniteValues(name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new StatsError(`${name} holds a value that is not a finite number. Drop or impute such rows first.`);
    }
  }
}

/** Refuses arrays that do not have one value a row. */
export function requireSameLength(
  name: string,
  values: { readonly length: number },
  otherName: string,
  others: { readonly length: number },
): void {
  if (values.length !== others.length) {
    throw new StatsError(`${name} and ${otherName} must have the same length, one value a row.`);
  }
}

/** Refuses weights that are negative, not finite, or not one a row. */
export function requireWeights(name: string, weights: ArrayLike<number>, length: number): void {
  if (weights.length !== length) throw new StatsError(`${name} must have one weight a row.`);
  for (let i = 0; i < length; i++) requireNonNegative(name, weights[i] ?? Number.NaN);
}

/** Refuses results that overflowed, which their powers do from values near 1e77 or 1e154 on. */
export function refuseOverflow<T extends object>(results: T): T {
  for (const value of Object.values(results)) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new StatsError('The values are too large for their powers to be numbers. Take them in a larger unit.');
    }
  }
  return results;
}
