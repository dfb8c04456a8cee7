import type { Objectives } from '../objectives.ts';
import { isActive } from '../param-order.ts';
import type { RandomNumbers } from '../random-numbers.ts';
import { sampleRandom } from '../sample-random.ts';
import type { TpeOptions } from '../sampler-options.ts';
import type { ParamValue, SearchSpace, TrialParams } from '../search-space.ts';
import type { EndedTrial, RunningTrial } from '../trial-outcome.ts';
import { type Axis, axisOf } from './axis.ts';
import { groupParams } from './groups.ts';
import { mixtureOf, type Point } from './mixture.ts';
import { rankTrials } from './rank-trials.ts';
import { type SplitPoints, splitPoints } from './split-points.ts';

/** As in Optuna. */
const defaults = { startupTrials: 10, candidates: 24, gamma: 0.1, multivariate: true } as const;

/**
 * How fast the narrowest kernel shrinks with the trials, as a power of their number. Optuna has 1 for both. With 1.5 the best
 * trials, which are few, are followed more closely; the measurement is in the README.
 */
const narrowing = { best: 1.5, others: 1 } as const;

interface TpeInput {
  readonly space: SearchSpace;
  readonly objectives: Objectives;
  readonly history?: readonly EndedTrial[];
  readonly running?: readonly RunningTrial[];
  readonly fixed?: TrialParams;
}

/**
 * Parameters by tree-structured Parzen estimators (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"):
 * of the candidates drawn from the density of the best trials, the one where it is highest beside that of the others.
 *
 * Neither the order of `history` nor that of `running` matters. The cost is bounded by rankTrials, whatever their length.
 */
export function sampleTpe(input: TpeInput, options: TpeOptions, random: RandomNumbers): TrialParams {
  const { space, objectives, history = [], running = [], fixed = {} } = input;
  if (history.length < (options.startupTrials ?? defaults.startupTrials)) return sampleRandom(space, random, fixed);
  const ranked = rankTrials(history, objectives);
  const params: Record<string, ParamValue> = {};
  for (const group of groupParams(space, options.multivariate ?? defaults.multivariate)) {
    const [first] = group;
    if (first === undefined || !isActive(space, first.param, params)) continue;
    const axes = group.map(({ name, param }) => axisOf(name, param));
    const fixedAt = axes.map(({ name, coordinateOf }) => {
      const value = Object.hasOwn(fixed, name) ? fixed[name] : undefined;
      return value === undefined ? undefined : coordinateOf(value);
    });
    const points = splitPoints(axes, ranked, running, options.gamma ?? defaults.gamma);
    const point = bestCandidate(axes, points, fixedAt, options.candidates ?? defaults.candidates, random);
    for (const [at, { name, valueOf }] of axes.entries()) {
      const given = Object.hasOwn(fixed, name) ? fixed[name] : undefined;
      params[name] = given === undefined ? valueOf(point[at] ?? 0) : given;
    }
  }
  return params;
}

/** Without any trial both densities are the prior, and the first candidate is taken. */
function bestCandidate(
  axes: readonly Axis[],
  { best, others }: SplitPoints,
  fixedAt: readonly (number | undefined)[],
  candidates: number,
  random: RandomNumbers,
): Point {
  const good = mixtureOf(axes, best, narrowing.best);
  const bad = mixtureOf(axes, others, narrowing.others);
  let chosen: Point = [];
  let highest = Number.NEGATIVE_INFINITY;
  for (let candidate = 0; candidate < candidates; candidate += 1) {
    const point = good.draw(random, fixedAt);
    const gain = good.logDensity(point) - bad.logDensity(point);
    if (candidate === 0 || gain > highest) {
      chosen = point;
      highest = gain;
    }
  }
  return chosen;
}
