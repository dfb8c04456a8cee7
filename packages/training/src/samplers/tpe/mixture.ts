import type { RandomNumbers } from '../random-numbers.ts';
import type { Axis } from './axis.ts';
import { type Kernels, kernelsOf } from './kernels.ts';

/** A point on several axes, in their order. */
export type Point = readonly number[];

/** A density on several axes: for each observation, and for the prior, the product of its kernels. */
export interface Mixture {
  readonly logDensity: (point: Point) => number;
  /** A point whose coordinates in `fixed` are those given there: drawn from what the density is, given these. */
  readonly draw: (random: RandomNumbers, fixed: readonly (number | undefined)[]) => Point;
}

/**
 * @param observations One point each, the oldest first: before the last 25 they count for less and less.
 * @param narrowing See kernels.ts.
 */
export function mixtureOf(axes: readonly Axis[], observations: readonly Point[], narrowing: number): Mixture {
  const kernels = axes.map((axis, at) =>
    kernelsOf(
      axis,
      observations.map((point) => point[at] ?? 0),
      narrowing,
    ),
  );
  const weights = [...observationWeights(observations.length), 1];
  const logTotal = Math.log(weights.reduce((sum, weight) => sum + weight, 0));
  const logWeights = Float64Array.from(weights, (weight) => Math.log(weight) - logTotal);

  return {
    logDensity: (point) => logSumExp(addDensities(logWeights, kernels, point)),
    draw: (random, fixed) => {
      const isGiven = fixed.some((coordinate) => coordinate !== undefined);
      const chosen = drawIndex(
        isGiven ? addDensities(logWeights, kernels, fixed) : Float64Array.from(logWeights),
        random,
      );
      return kernels.map((kernel, at) => fixed[at] ?? kernel.draw(chosen, random));
    },
  };
}

/** The logarithm of each component's weight times its density along the axes that the point has a coordinate on. */
function addDensities(
  logWeights: Float64Array,
  kernels: readonly Kernels[],
  point: readonly (number | undefined)[],
): Float64Array {
  const sums = Float64Array.from(logWeights);
  for (const [at, kernel] of kernels.entries()) {
    const coordinate = point[at];
    if (coordinate !== undefined) kernel.addLogDensities(coordinate, sums);
  }
  return sums;
}

/** As hyperopt and Optuna weigh them: the last 25 alike, those before along a line down to 1 / count. */
function observationWeights(count: number): readonly number[] {
  const ramp = Math.max(count - 25, 0);
  return Array.from({ length: count }, (_, index) => {
    if (index >= ramp) return 1;
    return ramp === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * index) / (ramp - 1);
  });
}

function drawIndex(logWeights: Float64Array, random: RandomNumbers): number {
  const highest = highestOf(logWeights);
  const weights = logWeights.map((weight) => Math.exp(weight - highest));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}

function logSumExp(terms: Float64Array): number {
  const highest = highestOf(terms);
  if (!Number.isFinite(highest)) return highest;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - highest);
  return highest + Math.log(sum);
}

function highestOf(terms: Float64Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const term of terms) if (term > highest) highest = term;
  return highest;
}
