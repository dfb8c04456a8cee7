import { TRAINING_LIMITS } from '../../limits.ts';
import type { TrialParams } from '../search-space.ts';
import type { EndedTrial, RunningTrial } from '../trial-outcome.ts';
import type { Axis } from './axis.ts';
import type { Point } from './mixture.ts';

/** The most trials that count as the best ones, as in Optuna. */
const mostBest = 25;

export interface SplitPoints {
  readonly best: readonly Point[];
  readonly others: readonly Point[];
}

/**
 * Where the trials lie on the axes, parted into the best ones and the others, each by number. Trials that lack one of the
 * parameters are left out before the best are counted, so that a rare branch of a space has best trials of its own.
 *
 * @param ranked The best first.
 * @param running Taken as others: the constant liar of Ginsbourger et al. (2010), for workers that ask at the same time.
 * @param share Of the trials that count as the best ones, rounded up, and 25 at most.
 */
export function splitPoints(
  axes: readonly Axis[],
  ranked: readonly EndedTrial[],
  running: readonly RunningTrial[],
  share: number,
): SplitPoints {
  const placed = ranked.flatMap((trial) => place(axes, trial));
  const count = Math.min(Math.ceil(share * placed.length), mostBest);
  const others = [...placed.slice(count), ...running.flatMap((trial) => place(axes, trial))];
  return {
    best: byNumber(placed.slice(0, count)),
    others: byNumber(others).slice(-TRAINING_LIMITS.tpeHistory),
  };
}

interface Placed {
  readonly number: number;
  readonly point: Point;
}

function place(
  axes: readonly Axis[],
  trial: { readonly number: number; readonly params: TrialParams },
): readonly Placed[] {
  const point: number[] = [];
  for (const axis of axes) {
    const value = Object.hasOwn(trial.params, axis.name) ? trial.params[axis.name] : undefined;
    const coordinate = value === undefined ? undefined : axis.coordinateOf(value);
    if (coordinate === undefined) return [];
    point.push(coordinate);
  }
  return [{ number: trial.number, point }];
}

const byNumber = (trials: readonly Placed[]) =>
  trials.toSorted((a, b) => a.number - b.number).map(({ point }) => point);
