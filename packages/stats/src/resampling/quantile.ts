import { StatsError } from '../errors.ts';
import { requireFinite, requireProbability } from '../inputs.ts';

/**
 * A quantile of ascending values by linear interpolation: numpy's default, type 7 in R. Throws without values, and where one
 * of the two values that it lies between is not finite.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, level: number): number {
  requireProbability('level', level);
  if (sorted.length === 0) throw new StatsError('A quantile needs at least one value.');
  const at = level * (sorted.length - 1);
  const below = Math.floor(at);
  const low = requireFinite('sorted', sorted[below] ?? 0);
  const high = requireFinite('sorted', sorted[Math.min(below + 1, sorted.length - 1)] ?? low);
  if (low === high) return low;
  const gap = high - low;
  const share = at - below;
  // The gap between values of some 1e308 is infinite.
  return gap < Infinity ? low + share * gap : (1 - share) * low + share * high;
}
