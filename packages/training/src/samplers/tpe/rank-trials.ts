import { TRAINING_LIMITS } from '../../limits.ts';
import type { Objectives } from '../objectives.ts';
import type { CompleteTrial, EndedTrial, PrunedTrial } from '../trial-outcome.ts';
import { orderByFronts } from './order-by-fronts.ts';

/** Of one objective, the best trials that are kept however long ago they ended. */
const bestKept = 100;

/**
 * The trials that are learned from, the best first: complete ones by their values, then pruned ones, those that came farther
 * before others.
 *
 * They are the last tpeHistory by number and, with one objective, the 100 best. NaN stands behind every number. Among
 * equals the earlier number is first, so that the order of `trials` does not matter.
 */
export function rankTrials(trials: readonly EndedTrial[], objectives: Objectives): readonly EndedTrial[] {
  const byNumber = trials.toSorted((a, b) => a.number - b.number);
  const last = byNumber.slice(-TRAINING_LIMITS.tpeHistory);
  if (objectives.length > 1) return byRank(last, objectives);
  const [oldest] = last;
  return byRank(byNumber, objectives).filter(
    ({ number }, rank) => rank < bestKept || (oldest !== undefined && number >= oldest.number),
  );
}

function byRank(trials: readonly EndedTrial[], objectives: Objectives): readonly EndedTrial[] {
  const signs = objectives.map(({ direction }) => (direction === 'maximize' ? -1 : 1));
  const complete = trials.filter((trial) => trial.status === 'complete');
  const pruned = trials.filter((trial) => trial.status === 'pruned');
  return [...byValues(complete, signs), ...pruned.toSorted((a, b) => comparePruned(a, b, signs[0] ?? 1))];
}

function byValues(trials: readonly CompleteTrial[], signs: readonly number[]): readonly CompleteTrial[] {
  const losses = trials.map(({ values }) => signs.map((sign, index) => lossOf(values[index], sign)));
  const order =
    signs.length > 1
      ? orderByFronts(losses)
      : losses.map((_, index) => index).sort((a, b) => compareLosses(losses[a]?.[0], losses[b]?.[0]));
  return order.flatMap((index) => trials[index] ?? []);
}

/** What is to be small; NaN for a value that is not there. */
const lossOf = (value: number | undefined, sign: number) => (value === undefined ? Number.NaN : sign * value);

function compareLosses(a = Number.NaN, b = Number.NaN): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

function comparePruned(a: PrunedTrial, b: PrunedTrial, sign: number): number {
  if (a.last === null || b.last === null) return Number(a.last === null) - Number(b.last === null);
  return b.last.step - a.last.step || compareLosses(sign * a.last.value, sign * b.last.value);
}
