import { StatsError } from '../errors.ts';
import { refuseOverflow, requireFiniteValues, requireWeights } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { momentsOf } from '../samples/moments.ts';

/** Values with weights; without weights each counts 1. */
export interface WeightedValues {
  readonly values: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/**
 * Wasserstein's first distance ∫ |F - G|, in the unit of the values (scipy's wasserstein_distance).
 *
 * Undefined where a sample is empty.
 */
export function wasserstein(u: WeightedValues, v: WeightedValues): Outcome {
  return integrate(u, v, Math.abs);
}

/** Energy distance √(2 ∫ (F - G)²), in the root of the unit of the values (scipy's energy_distance). As wasserstein. */
export function energyDistance(u: WeightedValues, v: WeightedValues): Outcome {
  const integral = integrate(u, v, (gap) => gap * gap);
  return integral.value === null ? integral : defined(Math.SQRT2 * Math.sqrt(integral.value));
}

/** Wasserstein's distance, and in standard deviations of the reference. */
export interface NormedWasserstein {
  readonly distance: number;
  readonly normed: number;
}

/** wasserstein over max(population standard deviation of the reference, 0.001), Evidently's measure of numeric drift. */
export function normedWasserstein(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): Outcome<NormedWasserstein> {
  const distance = wasserstein({ values: reference }, { values: current });
  if (distance.value === null) return distance;
  const { n, m2 } = momentsOf(reference);
  const normed = distance.value / Math.max(Math.sqrt(m2 / n), 0.001);
  return defined(refuseOverflow({ distance: distance.value, normed }));
}

/** ∫ of a function of F - G over the line, with F and G the two distribution functions. */
function integrate(u: WeightedValues, v: WeightedValues, of: (gap: number) => number): Outcome {
  if (u.values.length === 0 || v.values.length === 0) return undefinedBecause('A sample is empty.');
  const [first, second] = [sortedShares('u', u), sortedShares('v', v)];
  const steps = [...first, ...second.map(({ value, share }) => ({ value, share: -share }))];
  steps.sort((a, b) => a.value - b.value);
  let gap = 0;
  let total = 0;
  steps.forEach(({ value, share }, i) => {
    if (i > 0) total += of(gap) * (value - (steps[i - 1]?.value ?? value));
    gap += share;
  });
  refuseOverflow({ total });
  return defined(total);
}

function sortedShares(name: string, { values, weights }: WeightedValues) {
  requireFiniteValues(name, values);
  if (weights !== undefined) requireWeights(`weights of ${name}`, weights, values.length);
  const points = Array.from(values, (value, i) => ({ value, weight: weights === undefined ? 1 : (weights[i] ?? 0) }));
  const total = points.reduce((all, { weight }) => all + weight, 0);
  if (!(total > 0)) throw new StatsError(`The weights of ${name} must not sum to 0.`);
  return points.map(({ value, weight }) => ({ value, share: weight / total }));
}
