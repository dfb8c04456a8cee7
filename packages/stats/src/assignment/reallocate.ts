import { StatsError } from '../errors.ts';
import { requireProbability } from '../inputs.ts';
import { type BucketRange, bucketRanges } from './bucket-ranges.ts';

/** A part of [0, 1) and the index of the variant that takes it. A variant may have several. */
export interface AllocatedRange {
  readonly variant: number;
  readonly range: BucketRange;
}

export interface Reallocation {
  /** In the order of their starts, without overlap; neighbours of one variant are one. */
  readonly ranges: readonly AllocatedRange[];
  /** The share of [0, 1) whose variant is another than before, from and to none included. */
  readonly moved: number;
  /** Whether these are the ranges that an SDK of GrowthBook makes of the same coverage and weights. */
  readonly isSdkCompatible: boolean;
}

/** Shares smaller than this are rounding. */
const NOTHING = 1e-12;
const NOBODY = -1;

/**
 * New shares of the variants, such that as few places as possible change hands: exactly Σ max(0, old share - new share),
 * with what nobody takes counted as a variant. No allocation with these shares can move fewer, since each variant has to give
 * up what it has too much.
 *
 * Equal thirds to 50, 25 and 25 % move 16.7 %, where ranges laid out anew from 0 move 25 %. Where the cumulative ranges of
 * GrowthBook move no more than that they are taken, as for coverage that grows; else an SDK would no longer agree.
 *
 * @throws StatsError for shares (coverage times weight, by variant) that are no numbers of [0, 1] or sum to more than 1, and
 *   for ranges that overlap or leave [0, 1].
 */
export function reallocate(input: {
  readonly allocation: readonly AllocatedRange[];
  readonly coverage?: number;
  readonly weights: readonly number[];
}): Reallocation {
  const coverage = requireProbability('coverage', input.coverage ?? 1);
  const weights = input.weights.map((weight) => requireProbability('a weight', weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (Math.abs(total - 1) > 1e-9) throw new StatsError('weights must sum to 1.');
  const before = withoutGaps(input.allocation);
  const shares = weights.map((weight) => coverage * weight);
  const taken = new Map(shares.map((share, variant) => [variant, share]));
  taken.set(NOBODY, Math.max(0, 1 - shares.reduce((sum, share) => sum + share, 0)));

  const least = movedAtLeast(before, taken);
  const cumulative = bucketRanges({ variants: weights.length, coverage, weights }).map((range, variant) => ({
    variant,
    range,
  }));
  const movedByCumulative = movedBetween(before, withoutGaps(cumulative));
  return movedByCumulative <= least + NOTHING
    ? { ranges: cumulative.filter(isWide), moved: movedByCumulative, isSdkCompatible: true }
    : { ranges: handOver(before, taken), moved: least, isSdkCompatible: false };
}

const widthOf = ([start, end]: BucketRange) => end - start;
const isWide = ({ range }: AllocatedRange) => widthOf(range) > NOTHING;

/** The ranges in order, and between them what nobody takes. */
function withoutGaps(allocation: readonly AllocatedRange[]): readonly AllocatedRange[] {
  const inOrder = allocation.filter(isWide).toSorted((a, b) => a.range[0] - b.range[0]);
  const all: AllocatedRange[] = [];
  let at = 0;
  for (const each of inOrder) {
    const [start, end] = each.range;
    if (!(start >= at - NOTHING && end <= 1 + NOTHING)) {
      throw new StatsError('Ranges of an allocation must lie in [0, 1] and not overlap.');
    }
    if (start - at > NOTHING) all.push({ variant: NOBODY, range: [at, start] });
    all.push(each);
    at = end;
  }
  if (1 - at > NOTHING) all.push({ variant: NOBODY, range: [at, 1] });
  return all;
}

function shareOf(ranges: readonly AllocatedRange[], variant: number): number {
  return ranges.reduce((sum, each) => (each.variant === variant ? sum + widthOf(each.range) : sum), 0);
}

function movedAtLeast(before: readonly AllocatedRange[], taken: ReadonlyMap<number, number>): number {
  const variants = new Set([...before.map(({ variant }) => variant), ...taken.keys()]);
  return [...variants].reduce(
    (sum, variant) => sum + Math.max(0, shareOf(before, variant) - (taken.get(variant) ?? 0)),
    0,
  );
}

function movedBetween(before: readonly AllocatedRange[], after: readonly AllocatedRange[]): number {
  return before.reduce(
    (sum, old) =>
      sum +
      after.reduce((part, { variant, range: [start, end] }) => {
        const shared = Math.min(end, old.range[1]) - Math.max(start, old.range[0]);
        return variant === old.variant || shared <= 0 ? part : part + shared;
      }, 0),
    0,
  );
}

/** Each variant keeps the lower part of what it has; what it has too much goes to those that lack, in their order. */
function handOver(before: readonly AllocatedRange[], taken: ReadonlyMap<number, number>): readonly AllocatedRange[] {
  const room = new Map(taken);
  const kept: AllocatedRange[] = [];
  const free: BucketRange[] = [];
  for (const { variant, range } of before) {
    const [start, end] = range;
    const middle = Math.min(end, start + (room.get(variant) ?? 0));
    room.set(variant, Math.max(0, (room.get(variant) ?? 0) - (middle - start)));
    if (middle - start > NOTHING) kept.push({ variant, range: [start, middle] });
    if (end - middle > NOTHING) free.push([middle, end]);
  }
  for (const [variant, share] of room) {
    let lacks = share;
    while (lacks > NOTHING) {
      const next = free.shift();
      if (next === undefined) break;
      const [start, end] = next;
      // What is left of a piece is rounding where this variant is the last.
      const middle = end - start <= lacks + NOTHING ? end : start + lacks;
      kept.push({ variant, range: [start, middle] });
      if (middle < end) free.unshift([middle, end]);
      lacks -= middle - start;
    }
  }
  return joined(kept).filter(({ variant }) => variant !== NOBODY);
}

function joined(ranges: readonly AllocatedRange[]): readonly AllocatedRange[] {
  const all: AllocatedRange[] = [];
  for (const each of ranges.toSorted((a, b) => a.range[0] - b.range[0])) {
    const last = all.at(-1);
    if (last?.variant === each.variant && Math.abs(last.range[1] - each.range[0]) <= NOTHING) {
      all[all.length - 1] = { variant: each.variant, range: [last.range[0], each.range[1]] };
    } else {
      all.push(each);
    }
  }
  return all;
}
