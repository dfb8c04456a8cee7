import { differenceOfProducts } from '../arithmetic/exact.ts';
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
  let u1 = 0;
  let ties = 0;
  for (const [a, b] of counts) {
    u1 += a * (n2 + b / 2);
    n1 += a;
    n2 += b;
    ties += (a + b) ** 3 - (a + b);
  }
  const n = n1 + n2;
  if (n1 === 0 || n2 === 0) return undefinedBecause('A sample is empty.');
  const variance = n1 * (n2 / 12) * (n + 1 - ties / n / (n - 1));
  if (!(variance > 0) || counts.filter(([a, b]) => a + b > 0).length < 2)
    return undefinedBecause('All values are equal.');
  const z = (Math.abs(differenceOfProducts(1, u1, n1, n2 / 2)) - 0.5) / Math.sqrt(variance);
  const tail = normal().sf(z);
  return defined({ u1, z, p: Math.min(1, 2 * tail), pOneSided: tail });
}
