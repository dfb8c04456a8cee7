import { sum, sumOf } from '../arithmetic/compensated-sum.ts';
import { type BinaryLabels, binaryLabels } from '../classification/labels.ts';
import { normal } from '../distributions/normal.ts';
import { requireFiniteValues, requireOpenProbability, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';

/** Two models' areas under the ROC curve on the same rows. */
export interface DeLongTest {
  readonly aucFirst: number;
  readonly aucSecond: number;
  /** First less second. */
  readonly difference: number;
  readonly varianceFirst: number;
  readonly varianceSecond: number;
  readonly covariance: number;
  readonly varianceOfDifference: number;
  /** 0 where the models rank all rows alike; undefined where the areas differ without variance. */
  readonly z: Outcome;
  /** Two-sided. */
  readonly p: Outcome;
}

/** An area under the ROC curve with its error. */
export interface AucInterval {
  readonly auc: number;
  readonly standardError: number;
  /** Normal, of level 1 - alpha, held in [0, 1]. */
  readonly interval: readonly [lower: number, upper: number];
}

/**
 * DeLong's test (1988) of two correlated areas under the ROC curve, by midranks (Sun and Xu 2014), in n log n.
 *
 * The variance of the difference is taken of the differences of placements, so that two models that rank alike have
 * exactly none. Undefined below two rows of a class.
 */
export function deLongTest(input: {
  readonly labels: BinaryLabels;
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
}): Outcome<DeLongTest> {
  const a = placements(input.labels, input.first);
  const b = placements(input.labels, input.second);
  if (a.value === null) return a;
  if (b.value === null) return b;
  const [first, second] = [a.value, b.value];
  const subtract = (of: 'positive' | 'negative') => first[of].map((value, i) => value - (second[of][i] ?? 0));
  const difference = first.auc - second.auc;
  const varianceOfDifference = variance(subtract('positive')) + variance(subtract('negative'));
  const [varianceFirst, varianceSecond] = [varianceOf(first), varianceOf(second)];
  const z = zOf(difference, varianceOfDifference);
  return defined({
    aucFirst: first.auc,
    aucSecond: second.auc,
    difference,
    varianceFirst,
    varianceSecond,
    covariance: (varianceFirst + varianceSecond - varianceOfDifference) / 2,
    varianceOfDifference,
    z,
    p: z.value === null ? z : defined(2 * normal().sf(Math.abs(z.value))),
  });
}

/** The area under the ROC curve with DeLong's interval. Undefined below two rows of a class. */
export function aucInterval(labels: BinaryLabels, scores: ArrayLike<number>, alpha = 0.05): Outcome<AucInterval> {
  const z = normal().inverseSf(requireOpenProbability('alpha', alpha) / 2);
  const found = placements(labels, scores);
  if (found.value === null) return found;
  const { auc } = found.value;
  const standardError = Math.sqrt(varianceOf(found.value));
  const interval = [Math.max(0, auc - z * standardError), Math.min(1, auc + z * standardError)] as const;
  return defined({ auc, standardError, interval });
}

interface Placements {
  readonly auc: number;
  /** Of each positive row, the share of negative ones that it outranks, ties as half. */
  readonly positive: Float64Array;
  /** Of each negative row, the share of positive ones that outrank it. */
  readonly negative: Float64Array;
}

function placements(labels: BinaryLabels, scores: ArrayLike<number>): Outcome<Placements> {
  requireSameLength('labels', labels, 'scores', scores);
  requireFiniteValues('scores', scores);
  const isPositive = binaryLabels('labels', labels);
  const of = (label: number) => Float64Array.from(scores).filter((_, i) => isPositive[i] === label);
  const [ofPositive, ofNegative] = [of(1), of(0)];
  if (ofPositive.length < 2 || ofNegative.length < 2) return undefinedBecause('Each class needs two rows.');
  const positive = sharesBelow(ofPositive, ofNegative.toSorted());
  const negative = sharesBelow(ofNegative, ofPositive.toSorted()).map((share) => 1 - share);
  return defined({ auc: sum(positive) / positive.length, positive, negative });
}

/** Of each value the share of the ascending others that lie below it, ties as half. */
function sharesBelow(values: Float64Array, others: Float64Array): Float64Array {
  return values.map(
    (value) => (countBelow(others, value, false) + countBelow(others, value, true)) / 2 / others.length,
  );
}

/** How many of ascending numbers are below a value, or at most it. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const between = (low + high) >>> 1;
    const at = sorted[between] ?? 0;
    if (at < value || (orEqual && at === value)) low = between + 1;
    else high = between;
  }
  return low;
}

function varianceOf({ positive, negative }: Placements): number {
  return variance(positive) + variance(negative);
}

/** Sample variance over the number of values. */
function variance(values: Float64Array): number {
  const n = values.length;
  const mean = sum(values) / n;
  return sumOf(n, (i) => ((values[i] ?? 0) - mean) ** 2) / (n - 1) / n;
}

function zOf(difference: number, varianceOfDifference: number): Outcome {
  if (varianceOfDifference > 0) return defined(difference / Math.sqrt(varianceOfDifference));
  return difference === 0 ? defined(0) : undefinedBecause('The areas differ, but no row gives them variance.');
}
