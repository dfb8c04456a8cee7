import { normal } from '@mcp-hub/stats';
import { type RandomNumbers, randomIndex } from '../random-numbers.ts';
import type { Axis } from './axis.ts';

/** One density for each observation along an axis, and the prior's as the last. */
export interface Kernels {
  /** A coordinate by the density of kernel `index`. */
  readonly draw: (index: number, random: RandomNumbers) => number;
  /** Adds the logarithm of each kernel's density at a coordinate to `sums`; of its mass, where there are steps or choices. */
  readonly addLogDensities: (coordinate: number, sums: Float64Array) => void;
}

const standard = normal();
const halfLogTwoPi = 0.9189385332046728;

/** @param narrowing See normalKernels. */
export function kernelsOf(axis: Axis, observations: readonly number[], narrowing: number): Kernels {
  if (axis.choices !== undefined) return choiceKernels(axis.choices, observations);
  return axis.high - axis.low > narrowestAxis ? normalKernels(axis, observations, narrowing) : pointKernels(axis.low);
}

/** Below it lie ranges of one value, those too narrow for their logarithms to differ, and parts of which are no numbers. */
const narrowestAxis = 1e-300;

const pointKernels = (point: number): Kernels => ({ draw: () => point, addLogDensities: () => undefined });

/**
 * Bergstra et al. (2011), section 4: a truncated normal about each observation, as wide as the way to the farther one of
 * its neighbours, and about the middle of the axis one as wide as the axis.
 *
 * None is wider than the axis, or narrower than its hundredth and its (1 + kernels)^narrowing-th part: the "magic clip" of
 * hyperopt.
 */
function normalKernels(axis: Axis, observations: readonly number[], narrowing: number): Kernels {
  const { low, high } = axis;
  const count = observations.length + 1;
  const width = high - low;
  const centers = Float64Array.from([...observations, low + width / 2]);
  const deviations = Float64Array.from([...neighbourDistances(observations, low, high), width]);
  const narrowest = width / Math.min(100, (1 + count) ** narrowing);
  const shares = new Float64Array(count);
  const logScales = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const deviation = Math.min(Math.max(deviations[index] ?? width, narrowest), width);
    deviations[index] = deviation;
    const center = centers[index] ?? 0;
    // A center lies within the axis, so that a third of a normal distribution at least does.
    shares[index] = standard.cdf((high - center) / deviation) - standard.cdf((low - center) / deviation);
    logScales[index] = Math.log(deviation * (shares[index] ?? 1)) + halfLogTwoPi;
  }
  return {
    draw: (index, random) => {
      const [center = 0, deviation = 1, share = 1] = [centers[index], deviations[index], shares[index]];
      const below = standard.cdf((low - center) / deviation);
      const drawn = center + deviation * standard.inverseCdf(Math.min(below + random() * share, 1));
      return axis.snap(Math.min(Math.max(drawn, low), high));
    },
    addLogDensities: (coordinate, sums) => {
      const [from, to] = axis.cellOf?.(coordinate) ?? [];
      for (let index = 0; index < count; index += 1) {
        const center = centers[index] ?? 0;
        const deviation = deviations[index] ?? 1;
        const logDensity =
          from === undefined || to === undefined
            ? -0.5 * ((coordinate - center) / deviation) ** 2 - (logScales[index] ?? 0)
            : logMass((from - center) / deviation, (to - center) / deviation) - Math.log(shares[index] ?? 1);
        sums[index] = (sums[index] ?? 0) + logDensity;
      }
    },
  };
}

/** Of the share of a standard normal between two points. */
function logMass(from: number, to: number): number {
  // Of so narrow a part the two ends' shares are too much alike to be taken from one another.
  if (to - from < 1e-5) return Math.log(to - from) - 0.125 * (from + to) ** 2 - halfLogTwoPi;
  // In the lower tail small shares are told apart, in the upper one they are lost beside 1.
  return Math.log(from > 0 ? standard.cdf(-from) - standard.cdf(-to) : standard.cdf(to) - standard.cdf(from));
}

function neighbourDistances(observations: readonly number[], low: number, high: number): Float64Array {
  const order = observations.map((_, index) => index).sort((a, b) => (observations[a] ?? 0) - (observations[b] ?? 0));
  const distances = new Float64Array(observations.length);
  const at = (place: number) => observations[order[place] ?? -1];
  for (const [place, index] of order.entries()) {
    const here = observations[index] ?? 0;
    // The ends of the axis are neighbours only of an observation that has no other.
    distances[index] =
      observations.length === 1
        ? Math.max(here - low, high - here)
        : Math.max(here - (at(place - 1) ?? here), (at(place + 1) ?? here) - here);
  }
  return distances;
}

/** Each observation's choice gets 1, and each choice an even share of the prior. */
function choiceKernels(choices: number, observations: readonly number[]): Kernels {
  const count = observations.length + 1;
  const spread = 1 / count;
  const all = 1 + spread * choices;
  const [seen, unseen] = [Math.log((1 + spread) / all), Math.log(spread / all)];
  return {
    draw: (index, random) => {
      const observed = observations[index];
      return observed !== undefined && random() * all < 1 ? observed : randomIndex(random, choices);
    },
    addLogDensities: (coordinate, sums) => {
      for (const [index, observed] of observations.entries()) {
        sums[index] = (sums[index] ?? 0) + (observed === coordinate ? seen : unseen);
      }
      sums[count - 1] = (sums[count - 1] ?? 0) - Math.log(choices);
    },
  };
}
