import { sumOf } from '../arithmetic/compensated-sum.ts';
import { productMinusDot } from '../arithmetic/dot-difference.ts';
import { normal } from '../distributions/normal.ts';
import { requireCount, requireFiniteValues, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { sortedValues, walkDistinct } from './sorted-values.ts';

/** A Mann-Whitney U test. */
export interface MannWhitneyTest {
  /** Pairs in which x is greater, ties as half. */
  readonly u1: number;
  /** Of the larger U, after the continuity correction. */
  readonly z: number;
  /** Two-sided. */
  readonly p: number;
  /** Of the tail that the data are in, when the direction was fixed before. */
  readonly pOneSided: number;
}

/**
 * The Mann-Whitney U test that neither of two samples tends to be greater: normal approximation with correction for ties
 * and a continuity correction of 1/2, two-sided. For some 8 values a sample and more.
 *
 * Undefined where a sample is empty or all values are equal.
 */
export function mannWhitneyTest(x: ArrayLike<number>, y: ArrayLike<number>): Outcome<MannWhitneyTest> {
  const counts: [number, number][] = [];
  let before: readonly [number, number] = [0, 0];
  walkDistinct(sortedValues('x', x), sortedValues('y', y), (i, j) => {
    counts.push([i - before[0], j - before[1]]);
    before = [i, j];
  });
  return ofCounts(counts);
}

/** As mannWhitneyTest, from how often each of `values` occurs in the samples. */
export function mannWhitneyTestOfCounts(input: {
  readonly values: readonly number[];
  readonly xCounts: readonly number[];
  readonly yCounts: readonly number[];
}): Outcome<MannWhitneyTest> {
  const { values, xCounts, yCounts } = input;
  requireSameLength('values', values, 'xCounts', xCounts);
  requireSameLength('values', values, 'yCounts', yCounts);
  requireFiniteValues('values', values);
  const byValue = new Map<number, [number, number]>();
  values.forEach((value, i) => {
    const [a, b] = byValue.get(value) ?? [0, 0];
    byValue.set(value, [a + requireCount('xCounts', xCounts[i] ?? 0), b + requireCount('yCounts', yCounts[i] ?? 0)]);
  });
  return ofCounts([...byValue].sort(([a], [b]) => a - b).map(([, counts]) => counts));
}

/** From how often each value occurs in x and y, in ascending order of the values. */
function ofCounts(counts: readonly (readonly [number, number])[]): Outcome<MannWhitneyTest> {
  let n1 = 0;
  let n2 = 0;
  const ofX: number[] = [];
  // Of each value the rows of y below it, ties as half.
  const below: number[] = [];
  for (const [a, b] of counts) {
    ofX.push(a);
    below.push(n2 + b / 2);
    n1 += a;
    n2 += b;
  }
  if (n1 === 0 || n2 === 0) return undefinedBecause('A sample is empty.');
  const sizes = counts.map(([a, b]) => a + b).filter((size) => size > 0);
  if (sizes.length < 2) return undefinedBecause('All values are equal.');
  // U less its mean in twice the precision: both are beyond 2^53 from some 1e8 values a sample on.
  const excess = -productMinusDot([n1, n2 / 2], ofX, below);
  const z = (Math.abs(excess) - 0.5) / Math.sqrt(n1 * (n2 / 12) * spreadOfRanks(sizes, n1 + n2));
  const tail = normal().sf(z);
  return defined({ u1: n1 * (n2 / 2) + excess, z, p: Math.min(1, 2 * tail), pOneSided: tail });
}

/**
 * n + 1 - Σ (t³ - t) / (n (n - 1)) over the groups of ties. The largest group is taken from n first, by
 * n³ - n - (t³ - t) = (n - t) (n² + n t + t² - 1), since nearly all values may be in it.
 */
function spreadOfRanks(sizes: readonly number[], n: number): number {
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const at = sizes.indexOf(largest);
  const ofOthers = sumOf(sizes.length, (i) => {
    const size = i === at ? 0 : (sizes[i] ?? 0);
    return (size / n) * ((size * size - 1) / (n - 1));
  });
  return ((n - largest) / n) * ((n * n + n * largest + largest * largest - 1) / (n - 1)) - ofOthers;
}
