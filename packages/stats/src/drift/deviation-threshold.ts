import { requirePositive } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { momentsOf } from '../samples/moments.ts';

/** Limits outside which a value of a metric is unusual. */
export interface Limits {
  readonly lower: number;
  readonly upper: number;
}

/**
 * mean ± multiplier (default 3) times the population standard deviation of the reference's chunks, as NannyML's
 * StandardDeviationThreshold. Undefined without values.
 */
export function deviationThreshold(values: ArrayLike<number>, multiplier = 3): Outcome<Limits> {
  requirePositive('multiplier', multiplier);
  const { n, mean, m2 } = momentsOf(values);
  if (n === 0) return undefinedBecause('There are no reference values.');
  const reach = multiplier * Math.sqrt(m2 / n);
  return defined({ lower: mean - reach, upper: mean + reach });
}
