import { sum, sumOf } from '../arithmetic/compensated-sum.ts';
import { StatsError } from '../errors.ts';
import { requireCount, requireFiniteValues, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, ratio, undefinedBecause } from '../outcome.ts';
import { averagePrecision, rocAuc } from './curve-metrics.ts';
import { defaultClip } from './probability-losses.ts';
import { thresholdCurve } from './threshold-curve.ts';

/** Rows with a class and a score for each class. */
export interface MulticlassRows {
  /** The class of each row, as an index into its scores. */
  readonly actual: ArrayLike<number>;
  /** One row of scores each, one score a class. */
  readonly scores: readonly ArrayLike<number>[];
}

/** Ranking metrics of scores over several classes. */
export interface MulticlassReport {
  readonly averagePrecisionPerClass: readonly Outcome[];
  readonly averagePrecisionMacro: Outcome;
  /** Each class against all others. */
  readonly rocAucPerClass: readonly Outcome[];
  readonly rocAucMacro: Outcome;
  /** Hand and Till (2001): the mean over pairs of classes, each judged by both scores among their rows alone. */
  readonly rocAucOneVsOne: Outcome;
  /** Mean of -ln of the score of the true class, held in [2^-52, 1 - 2^-52], in nats: scores have to be probabilities. */
  readonly logLoss: Outcome;
  /** Mean of Σ (score - 1 of the true class)² over the classes, from 0 to 2. */
  readonly brier: Outcome;
  /** The class of the highest score; of several, the one of lowest index. */
  readonly predicted: readonly number[];
}

/**
 * Metrics of scores over several classes. A macro average is undefined where it is of a class.
 *
 * Throws `invalid_input` for rows of different width and classes that have no score.
 */
export function multiclassReport({ actual, scores }: MulticlassRows): MulticlassReport {
  requireSameLength('actual', actual, 'scores', scores);
  const classes = scores[0]?.length ?? 0;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]?.length !== classes) throw new StatsError('Each row must have one score a class.');
    requireFiniteValues(`scores[${i}]`, scores[i] ?? []);
    if (requireCount('actual', actual[i] ?? -1) >= classes)
      throw new StatsError('actual holds a class without a score.');
  }
  const n = scores.length;
  const all = Array.from({ length: n }, (_, i) => i);
  const curveOf = (rows: readonly number[], of: number) =>
    thresholdCurve({
      labels: rows.map((i) => (actual[i] === of ? 1 : 0)),
      scores: rows.map((i) => scores[i]?.[of] ?? 0),
    });
  const curves = Array.from({ length: classes }, (_, of) => curveOf(all, of));
  const trueScore = (i: number) => scores[i]?.[actual[i] ?? 0] ?? 0;
  const pairs = curves.flatMap((_, a) => curves.slice(a + 1).map((_curve, k) => [a, a + 1 + k] as const));
  const ofPair = (a: number, b: number) => {
    const rows = all.filter((i) => actual[i] === a || actual[i] === b);
    return mean([rocAuc(curveOf(rows, a)), rocAuc(curveOf(rows, b))]);
  };
  const averages = curves.map(averagePrecision);
  const areas = curves.map(rocAuc);
  return {
    averagePrecisionPerClass: averages,
    averagePrecisionMacro: mean(averages),
    rocAucPerClass: areas,
    rocAucMacro: mean(areas),
    rocAucOneVsOne: mean(pairs.map(([a, b]) => ofPair(a, b))),
    logLoss: ratio(
      sumOf(n, (i) => -Math.log(Math.min(1 - defaultClip, Math.max(defaultClip, trueScore(i))))),
      n,
      'There are no rows.',
    ),
    brier: ratio(
      sumOf(n, (i) => sumOf(classes, (of) => ((scores[i]?.[of] ?? 0) - (actual[i] === of ? 1 : 0)) ** 2)),
      n,
      'There are no rows.',
    ),
    predicted: scores.map((row) => indexOfMaximum(row)),
  };
}

function mean(values: readonly Outcome[]): Outcome {
  const numbers: number[] = [];
  for (const outcome of values) {
    if (outcome.value === null) return outcome;
    numbers.push(outcome.value);
  }
  return numbers.length === 0
    ? undefinedBecause('There are no classes to compare.')
    : defined(sum(numbers) / numbers.length);
}

function indexOfMaximum(row: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] ?? 0) > (row[at] ?? 0)) at = i;
  return at;
}
