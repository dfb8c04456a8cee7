import type { Grid } from './grid.ts';
import type { Profile } from './profile.ts';

/** Values that a bin lets expect in the smaller sample; with fewer it goes together with others. */
const LEAST_EXPECTED = 8;

/**
 * The counts of two profiles in bins that are full enough to be compared by shares: of a number neighbours go together, of a
 * category the rare ones. Only the totals of both sides decide, which leaves the null distribution given these as it is.
 *
 * Eight, because what is under and over the reference's own least and greatest value is 0 there by making: without drift
 * the current side exceeds this once in e^8.
 */
export function foldBins(input: { readonly grid: Grid; readonly reference: Profile; readonly current: Profile }): {
  readonly reference: readonly number[];
  readonly current: readonly number[];
} {
  const { reference, current } = { reference: input.reference.counts, current: input.current.counts };
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(reference), total(current)];
  const least = (LEAST_EXPECTED * (n + m)) / Math.min(n, m);
  const size = (i: number) => (reference[i] ?? 0) + (current[i] ?? 0);
  const all = reference.map((_, i) => i).filter((i) => size(i) > 0);
  const groups = input.grid.kind === 'number' ? neighbours(all, size, least) : withRare(all, size, least);
  const summed = (counts: readonly number[]) =>
    groups.map((group) => group.reduce((sum, i) => sum + (counts[i] ?? 0), 0));
  return { reference: summed(reference), current: summed(current) };
}

type Groups = readonly (readonly number[])[];

function neighbours(bins: readonly number[], size: (i: number) => number, least: number): Groups {
  const groups: number[][] = [];
  let [group, held]: [number[], number] = [[], 0];
  for (const bin of bins) {
    group.push(bin);
    held += size(bin);
    if (held < least) continue;
    groups.push(group);
    [group, held] = [[], 0];
  }
  // What is left over at the end belongs to the last that is full.
  const last = groups[groups.length - 1];
  if (last === undefined) groups.push(group);
  else last.push(...group);
  return groups;
}

function withRare(bins: readonly number[], size: (i: number) => number, least: number): Groups {
  const order = bins.toSorted((a, b) => size(b) - size(a));
  const full = order.filter((bin) => size(bin) >= least).map((bin) => [bin]);
  const rare = order.filter((bin) => size(bin) < least);
  if (rare.length === 0) return full;
  const isFull = rare.reduce((sum, bin) => sum + size(bin), 0) >= least;
  const last = full[full.length - 1];
  if (isFull || last === undefined) return [...full, rare];
  last.push(...rare);
  return full;
}
