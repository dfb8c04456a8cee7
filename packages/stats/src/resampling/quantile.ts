import { StatsError } from '../errors.ts';
import { requireProbability } from '../inputs.ts';

/** A quantile of ascending values by linear interpolation: numpy's default, type 7 in R. Throws without values. */
export function quantileOfSorted(sorted: ArrayLike<number>, level: number): number {
  requireProbability('level', level);
  if (sorted.length === 0) throw new StatsError('A quantile needs at least one value.');
  const at = level * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low === high ? low : low + (at - below) * (high - low);
}
