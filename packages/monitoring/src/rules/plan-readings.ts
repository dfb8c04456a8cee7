import type { Severity } from '../alerts/severity.ts';
import { type Condition, type ConditionLeaf, keysOf, leavesOf } from './condition.ts';
import { evaluateCondition, type LeafNumbers, type Verdict } from './evaluate-condition.ts';
import { unreadValue } from './read-sources.ts';
import type { AlertLabels } from './schema.ts';
import type { Reading, Wanted } from './wanted.ts';
import { windowAt } from './window.ts';

/** A rule at a time. */
export interface Evaluation {
  readonly condition: Condition;
  readonly severity: Severity;
  readonly delayMs: number;
  readonly at: number;
}

/** What the condition says of one series. */
export interface SeriesVerdict extends Verdict {
  readonly labels: AlertLabels;
}

export interface ReadingPlan {
  /** Each source and window once, however many rules want it. */
  readonly wanted: readonly Wanted[];
  /** What each evaluation says of its series, in the order of the evaluations. */
  verdicts(readings: readonly Reading[]): readonly (readonly SeriesVerdict[])[];
  /** What an evaluation says of a series that no reading tells of. */
  unread(evaluation: Evaluation): Verdict;
}

/** What has to be read for evaluations, and what they say by it. Pure. */
export function planReadings(evaluations: readonly Evaluation[]): ReadingPlan {
  const wanted: Wanted[] = [];
  const keys = new Map<string, number>();
  const keyOf = ({ of, windowMs }: ConditionLeaf, at: number, delayMs: number): number => {
    const window = windowAt(at, { windowMs, delayMs });
    const text = JSON.stringify([of, window.from, window.to]);
    let key = keys.get(text);
    if (key === undefined) {
      key = wanted.push({ key: wanted.length, of, window }) - 1;
      keys.set(text, key);
    }
    return key;
  };
  const plans = evaluations.map((evaluation) => {
    const { condition, at, delayMs } = evaluation;
    const leaves = leavesOf(condition).map(({ leaf }) => ({
      unread: unreadValue(leaf.of),
      now: keyOf(leaf, at, delayMs),
      before: leaf.kind === 'change' ? keyOf(leaf, at - (leaf.beforeMs ?? leaf.windowMs), delayMs) : undefined,
    }));
    return { evaluation, by: keysOf(condition), leaves };
  });
  const verdicts = (readings: readonly Reading[]) => {
    const found: Map<string, Reading>[] = wanted.map(() => new Map());
    for (const reading of readings) found[reading.key]?.set(seriesText(reading.labels), reading);
    return plans.map(({ evaluation, by, leaves }) => {
      const series = new Map<string, AlertLabels>();
      // What nothing tells apart is one series, whether there are data or not.
      if (by.length === 0) series.set(seriesText({}), {});
      for (const { now } of leaves) {
        for (const [text, { labels }] of found[now] ?? []) series.set(text, labels);
      }
      return [...series].map(([text, labels]): SeriesVerdict => {
        const value = (key: number | undefined, unread: number | null) => {
          if (key === undefined) return null;
          const reading = found[key]?.get(text);
          return reading === undefined ? unread : reading.value;
        };
        const numbers = leaves.map(
          ({ now, before, unread }): LeafNumbers => ({ now: value(now, unread), before: value(before, unread) }),
        );
        return { ...evaluateCondition(evaluation.condition, numbers, evaluation.severity), labels };
      });
    });
  };
  const unread = ({ condition, severity }: Evaluation) => {
    const numbers = leavesOf(condition).map(({ leaf }) => ({
      now: unreadValue(leaf.of),
      before: unreadValue(leaf.of),
    }));
    return evaluateCondition(condition, numbers, severity);
  };
  return { wanted, verdicts, unread };
}

/** The labels of a series as text, the same for each order of them. */
export const seriesText = (labels: AlertLabels): string =>
  JSON.stringify(
    Object.keys(labels)
      .sort()
      .map((key) => [key, labels[key]]),
  );
