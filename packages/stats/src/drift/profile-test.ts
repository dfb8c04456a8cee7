import { fisherExact } from '../contingency/fisher-exact.ts';
import { normal } from '../distributions/normal.ts';
import { requireNonNegative, requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { twoProportionTest } from '../two-samples/two-proportions.ts';
import { nullOfDistance, type QuadraticForm } from './calibrated-test.ts';
import { foldBins } from './fold-bins.ts';
import { type Grid, requireGrid } from './grid.ts';
import { missingCount, type Profile, presentCount } from './profile.ts';
import {
  binPoints,
  type CountsDistance,
  distributionTests,
  gridKolmogorov,
  gridResolution,
  gridWasserstein,
  sharesDistance,
} from './profile-distances.ts';

export const driftTests = [...distributionTests, 'null_rate', 'new_category'] as const;
/** What two profiles are compared by. */
export type DriftTest = (typeof driftTests)[number];

/**
 * How far profiles may be apart before it matters, however sure it is: about what a mean that moves by 0.14 standard
 * deviations makes of each distance. Rates are shares of all values.
 */
export const effectFloors: Readonly<Record<DriftTest, number>> = {
  psi: 0.02,
  jensen_shannon: 0.06,
  hellinger: 0.05,
  chi_square: 0.14,
  ks: 0.05,
  wasserstein: 0.1,
  null_rate: 0.01,
  new_category: 0.01,
};

/** One comparison of two profiles. */
export interface ProfileTest {
  readonly test: DriftTest;
  /**
   * The distance, at least 0: PSI; Jensen-Shannon's distance to base 2; Hellinger's; √(Σ (r - c)² / q) with q the shares of
   * both together, whose square times n m / (n + m) is Pearson's χ²; D on the grid; Wasserstein's in standard deviations of
   * the reference; the difference of the shares of missing values; the share of new categories above what is to be expected.
   */
  readonly distance: number;
  /**
   * What p is of: χ² of chi_square; of wasserstein the distance with all values moved into the grid; otherwise the distance,
   * for a rate with its sign.
   */
  readonly statistic: number;
  /** The chance of a distance as great as this without drift. */
  readonly p: number;
  /** The distance that chance alone exceeds with probability alpha; of wasserstein within the grid. */
  readonly threshold: number;
  /** The distance from which on it matters. */
  readonly floor: number;
  /** Values that were compared: those that are there, for a rate all. */
  readonly n: number;
  readonly m: number;
  /** Bins that were compared, after those with few values were put together. */
  readonly bins: number;
  /** Of ks: D of the values is at most so much greater. Else null. */
  readonly resolution: number | null;
}

export interface ProfileTestInput {
  readonly grid: Grid;
  readonly reference: Profile;
  readonly current: Profile;
  readonly test: DriftTest;
  /** Default 0.05. */
  readonly alpha?: number;
  /** Default: that of effectFloors. */
  readonly floor?: number;
  /** Of the draws. Default 1. */
  readonly seed?: number;
}

/**
 * Tests two profiles over one grid for drift, with a threshold that is calibrated to their sizes and bins.
 *
 * Undefined where a side has no values, where all stand in one bin, and for a test that the type does not have.
 */
export function testProfiles(input: ProfileTestInput): Outcome<ProfileTest> {
  const { grid, reference, current, test } = input;
  const alpha = requireOpenProbability('alpha', input.alpha ?? 0.05);
  const floor = requireNonNegative('floor', input.floor ?? effectFloors[test]);
  requireGrid(grid);
  if (test === 'null_rate') return rateTest(input, alpha, floor);
  if (test === 'new_category') return newCategoryTest(input, alpha, floor);
  const isOrdered = grid.kind === 'number';
  if (!isOrdered && (test === 'ks' || test === 'wasserstein')) return undefinedBecause('Categories have no order.');
  const [n, m] = [presentCount(reference), presentCount(current)];
  if (n === 0) return undefinedBecause('The reference has no values.');
  if (m === 0) return undefinedBecause('The current window has no values.');
  const usesOrder = test === 'ks' || test === 'wasserstein';
  const counts = usesOrder ? { reference: reference.counts, current: current.counts } : foldBins(input);
  let distance: CountsDistance;
  let whole: CountsDistance | undefined;
  let form: QuadraticForm | undefined;
  if (test === 'ks') distance = gridKolmogorov(n, m);
  else if (test === 'wasserstein') {
    const deviation = reference.kind === 'number' ? Math.sqrt(reference.moments.m2 / reference.moments.n) : 0;
    if (!(deviation > 0)) return undefinedBecause('The values of the reference are all the same.');
    // What is under and over is empty in a reference that made the grid, so how far out it lies is no evidence of its own.
    distance = gridWasserstein(binPoints(grid, []), n, m, deviation);
    whole = gridWasserstein(binPoints(grid, [reference, current]), n, m, deviation);
  } else {
    distance = sharesDistance(test, n, m);
    form = forms[test];
  }
  const filled = counts.reference.filter((count, i) => count + (counts.current[i] ?? 0) > 0).length;
  if (filled < 2) return undefinedBecause('All values stand in one bin.');
  const { p, threshold } = nullOfDistance({
    ...{ ...counts, distance, alpha, seed: input.seed ?? 1, form },
    slack: test === 'wasserstein' ? WIDTH_SLACK : undefined,
  });
  const tested = distance(counts.reference, counts.current);
  const value = whole === undefined ? tested : whole(counts.reference, counts.current);
  const statistic = test === 'chi_square' ? (value * value * n * m) / (n + m) : tested;
  const resolution = test === 'ks' ? gridResolution(reference.counts, current.counts, n, m) : null;
  return defined({ test, distance: value, statistic, p, threshold, floor, n, m, bins: filled, resolution });
}

/**
 * Where a reference spread further by chance its bins are wider, and hold more of what comes after. With this, 18,000 windows
 * without drift that alarmed in 5.5 % do so in less than 5.
 */
const WIDTH_SLACK = 1.02;

// To second order all are Σ (r - c)² / q: PSI itself, Jensen-Shannon's divergence and Hellinger's square an eighth of it.
const forms = {
  psi: { scale: 1, power: 1 },
  jensen_shannon: { scale: 1 / (8 * Math.LN2), power: 2 },
  hellinger: { scale: 1 / 8, power: 2 },
  chi_square: { scale: 1, power: 2 },
} as const;

/** From so many of the rarer kind on, the normal approximation is as good as Fisher's test and takes no time. */
const EXACT_UP_TO = 2_000;

function rateTest({ reference, current }: ProfileTestInput, alpha: number, floor: number): Outcome<ProfileTest> {
  const [r, c] = [missingCount(reference), missingCount(current)];
  const [n, m] = [r + presentCount(reference), c + presentCount(current)];
  if (n === 0) return undefinedBecause('The reference has no values.');
  if (m === 0) return undefinedBecause('The current window has no values.');
  const statistic = c / m - r / n;
  const rare = Math.min(r + c, n + m - r - c);
  const p =
    rare <= EXACT_UP_TO
      ? fisherExact([
          [c, m - c],
          [r, n - r],
        ]).p
      : (twoProportionTest({ successes: c, n: m }, { successes: r, n }).value?.p ?? 1);
  const threshold = normal().inverseSf(alpha / 2) * spread(r + c, n, m);
  return defined({
    ...{ test: 'null_rate', distance: Math.abs(statistic), statistic, p, threshold, floor, n, m },
    ...{ bins: 2, resolution: null },
  });
}

function newCategoryTest(
  { grid, reference, current }: ProfileTestInput,
  alpha: number,
  floor: number,
): Outcome<ProfileTest> {
  if (grid.kind !== 'category' || reference.kind !== 'category') {
    return undefinedBecause('Only categories can be new.');
  }
  if (!grid.isComplete) return undefinedBecause('The reference has more categories than were kept, so none is new.');
  const [n, m] = [presentCount(reference), presentCount(current)];
  if (n === 0) return undefinedBecause('The reference has no values.');
  if (m === 0) return undefinedBecause('The current window has no values.');
  // Good (1953): as often as a value of the reference is the only one of its category, the next is of a new one.
  const expected = reference.singletons ?? 0;
  const found = current.counts[grid.categories.length + 1] ?? 0;
  const statistic = found / m - expected / n;
  const rare = Math.min(expected + found, n + m - expected - found);
  const deviation = spread(expected + found, n, m);
  const p =
    rare <= EXACT_UP_TO
      ? fisherExact([
          [found, m - found],
          [expected, n - expected],
        ]).pGreater
      : deviation === 0
        ? 1
        : normal().sf(statistic / deviation);
  return defined({
    ...{ test: 'new_category', distance: Math.max(0, statistic), statistic, p },
    ...{ threshold: normal().inverseSf(alpha) * deviation, floor, n, m, bins: 2, resolution: null },
  });
}

function spread(successes: number, n: number, m: number): number {
  const share = successes / (n + m);
  return Math.sqrt(share * (1 - share) * (1 / n + 1 / m));
}
