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

/** Refuses what is not an integer of at least `least`, below 2^53: beyond, a step by 1 leads nowhere, and loops would not end. */
export function requireCount(name: string, value: number, least = 0): number {
  if (!(Number.isSafeInteger(value) && value >= least)) {
    throw new StatsError(`${name} must be an integer of at least ${least}, below 2^53.`);
  }
  return value;
}

/** Refuses an array with a value that is not finite: drop or impute missing values first. */
export function requireFiniteValues(name: string, values: ArrayLike<number>): void {
  const index = values instanceof Float64Array ? firstNotFinite(values) : firstNotFiniteOf(values);
  if (index < values.length) {
    throw new StatsError(`${name}[${index}] is not a finite number. Drop or impute such rows first.`, {
      ...{ field: name, index },
    });
  }
}

/** Finite numbers as doubles: the given column where it is one already, so that loops over it meet one kind of array. */
export function finiteColumn(name: string, values: ArrayLike<number>): Float64Array {
  requireFiniteValues(name, values);
  return asColumn(values);
}

/** As finiteColumn, of what was checked already. */
export function asColumn(values: ArrayLike<number>): Float64Array {
  return values instanceof Float64Array ? values : new Float64Array(values);
}

// Apart from the one below, which is some ten times slower where it has met several kinds of arrays.
function firstNotFinite(values: Float64Array): number {
  let index = 0;
  while (index < values.length && Number.isFinite(values[index])) index++;
  return index;
}

function firstNotFiniteOf(values: ArrayLike<number>): number {
  let index = 0;
  while (index < values.length && Number.isFinite(values[index])) index++;
  return index;
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
  for (let index = 0; index < length; index++) {
    const weight = weights[index] ?? Number.NaN;
    if (!(weight >= 0 && weight < Infinity)) {
      throw new StatsError(`${name}[${index}] must be a finite number of at least 0.`, { field: name, index });
    }
  }
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
