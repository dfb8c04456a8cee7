import { StatsError } from '../errors.ts';
import { requireCount } from '../inputs.ts';

/** From `start`, which belongs to it, to `end`, which does not. */
export type BucketRange = readonly [start: number, end: number];

/** How far from 1 weights may sum without being replaced. */
const WEIGHT_TOLERANCE = 0.01;

/**
 * The part of [0, 1) that each variant takes, as GrowthBook lays them out: a variant begins where the full shares of those
 * before it end, and takes `coverage` of its own share, so that growing coverage moves nobody.
 *
 * Coverage is brought into [0, 1]; default 1. Weights of another number, or whose sum is more than 0.01 away from 1, are
 * replaced by equal ones: check what people enter before.
 *
 * @throws StatsError for a number of variants that is no count, and for coverage or weights that are not finite.
 */
export function bucketRanges(input: {
  readonly variants: number;
  readonly coverage?: number | undefined;
  readonly weights?: readonly number[] | undefined;
}): readonly BucketRange[] {
  const variants = requireCount('variants', input.variants);
  const coverage = Math.min(1, Math.max(0, input.coverage ?? 1));
  if (Number.isNaN(coverage)) throw new StatsError('coverage must be a number.');
  let start = 0;
  return sharesOf(variants, input.weights).map((share) => {
    const range: BucketRange = [start, start + coverage * share];
    start += share;
    return range;
  });
}

function sharesOf(variants: number, weights: readonly number[] | undefined): readonly number[] {
  const equal = () => Array.from({ length: variants }, () => 1 / variants);
  if (weights === undefined || weights.length !== variants) return equal();
  if (!weights.every(Number.isFinite)) throw new StatsError('weights must be finite numbers.');
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total < 1 - WEIGHT_TOLERANCE || total > 1 + WEIGHT_TOLERANCE ? equal() : weights;
}

/** The index of the first range that `place` lies in, or -1. */
export function chooseVariant(place: number, ranges: readonly BucketRange[]): number {
  return ranges.findIndex((range) => isInRange(place, range));
}

/** Whether `start <= place < end`. */
export function isInRange(place: number, [start, end]: BucketRange): boolean {
  return place >= start && place < end;
}
