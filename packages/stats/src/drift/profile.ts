import { StatsError } from '../errors.ts';
import { requireCount } from '../inputs.ts';
import { type Moments, mergeMoments } from '../samples/moments.ts';
import { binCount, type CategoryGrid, type Grid, type NumberGrid, requireGrid } from './grid.ts';

/** Values beyond, in either direction, are counted in their bins and not in moments, least and greatest: their squares overflow. */
export const MOMENTS_UP_TO = 1e140;

/** What the values of a number come to over a grid. Profiles of the same grid merge. */
export interface NumberProfile {
  readonly kind: 'number';
  /** By the bins of the grid: under, between each two edges, over. */
  readonly counts: readonly number[];
  readonly nulls: number;
  readonly nans: number;
  /** Of values of at most 1e140 in size, as the least and the greatest. */
  readonly moments: Moments;
  /** Null where there is no such value. */
  readonly min: number | null;
  readonly max: number | null;
}

/** What the values of a category come to over a grid. */
export interface CategoryProfile {
  readonly kind: 'category';
  /** By the bins of the grid: each category, other, new. */
  readonly counts: readonly number[];
  readonly nulls: number;
  /** Categories that were seen once; of a reference they tell how many new ones are to be expected. Not kept by a merge. */
  readonly singletons: number | null;
}

export type Profile = NumberProfile | CategoryProfile;

/** Values that are there, without null and NaN. */
export function presentCount({ counts }: Profile): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Null and NaN. */
export function missingCount(profile: Profile): number {
  return profile.nulls + (profile.kind === 'number' ? profile.nans : 0);
}

/** The profile of numbers; null and undefined are nulls. */
export function profileNumbers(grid: NumberGrid, values: ArrayLike<number | null | undefined>): NumberProfile {
  requireGrid(grid);
  const counts = Array.from({ length: binCount(grid) }, () => 0);
  const finite: number[] = [];
  let [nulls, nans] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) nulls += 1;
    else if (Number.isNaN(value)) nans += 1;
    else {
      const bin = binOfNumber(grid, value);
      counts[bin] = (counts[bin] ?? 0) + 1;
      if (Math.abs(value) <= MOMENTS_UP_TO) finite.push(value);
    }
  }
  // One by one: momentsOf has fourth powers, which overflow sooner.
  const { n, mean, m2 } = mergeMoments(finite.map((value) => ({ n: 1, mean: value, m2: 0 })));
  const least = (pick: (a: number, b: number) => number) => (n === 0 ? null : finite.reduce((a, b) => pick(a, b)));
  return { kind: 'number', counts, nulls, nans, moments: { n, mean, m2 }, min: least(Math.min), max: least(Math.max) };
}

/** The bin that a number falls into, by halving. */
export function binOfNumber({ edges }: NumberGrid, value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= (edges[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The profile of categories; null and undefined are nulls. */
export function profileCategories(grid: CategoryGrid, values: ArrayLike<string | null | undefined>): CategoryProfile {
  requireGrid(grid);
  const seen = new Map<string, number>();
  let nulls = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) nulls += 1;
    else seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  return profileOfCounts(grid, seen, nulls);
}

/** The profile of categories that were counted elsewhere. */
export function profileOfCounts(grid: CategoryGrid, seen: ReadonlyMap<string, number>, nulls: number): CategoryProfile {
  const counts = Array.from({ length: binCount(grid) }, () => 0);
  const places = new Map(grid.categories.map((name, i) => [name, i]));
  const other = grid.categories.length;
  for (const name of grid.others) places.set(name, other);
  let singletons = 0;
  for (const [name, count] of seen) {
    requireCount('a count', count);
    const bin = places.get(name) ?? (grid.isComplete ? other + 1 : other);
    counts[bin] = (counts[bin] ?? 0) + count;
    if (count === 1) singletons += 1;
  }
  return { kind: 'category', counts, nulls, singletons };
}

/** The profile of all values together, of profiles over one grid. Throws for profiles of different ones. */
export function mergeProfiles(grid: Grid, profiles: readonly Profile[]): Profile {
  const bins = binCount(grid);
  const counts = Array.from({ length: bins }, () => 0);
  let nulls = 0;
  let nans = 0;
  for (const profile of profiles) {
    if (profile.kind !== grid.kind || profile.counts.length !== bins) {
      throw new StatsError('Only profiles over the same grid merge.');
    }
    profile.counts.forEach((count, i) => {
      counts[i] = (counts[i] ?? 0) + count;
    });
    nulls += profile.nulls;
    if (profile.kind === 'number') nans += profile.nans;
  }
  if (grid.kind === 'category') return { kind: 'category', counts, nulls, singletons: null };
  const numbers = profiles.filter((profile) => profile.kind === 'number');
  const ends = (of: (profile: NumberProfile) => number | null, pick: (a: number, b: number) => number) =>
    numbers.reduce<number | null>((end, profile) => {
      const own = of(profile);
      return own === null ? end : end === null ? own : pick(end, own);
    }, null);
  return {
    kind: 'number',
    ...{ counts, nulls, nans, moments: mergeMoments(numbers.map(({ moments }) => moments)) },
    ...{ min: ends(({ min }) => min, Math.min), max: ends(({ max }) => max, Math.max) },
  };
}

/** The values that a profile stands for, missing ones among them. Throws for one that does not fit its grid. */
export function requireProfile(grid: Grid, profile: Profile): number {
  requireGrid(grid);
  if (profile.kind !== grid.kind || profile.counts.length !== binCount(grid)) {
    throw new StatsError('A profile must have the kind of its grid and one count for each of its bins.');
  }
  for (const count of [...profile.counts, missingCount(profile)]) requireCount('a count', count);
  if (profile.kind === 'number') {
    const { n, mean, m2 } = profile.moments;
    requireCount('n', n);
    if (n > presentCount(profile) || !Number.isFinite(mean) || !(m2 >= 0 && m2 < Infinity)) {
      throw new StatsError('moments must be finite and of at most the values that are counted.');
    }
  }
  return presentCount(profile) + missingCount(profile);
}
