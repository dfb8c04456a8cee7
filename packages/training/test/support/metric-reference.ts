import type { MetricGoal } from '../../src/index.ts';

/** A point as it is stored. */
export interface Point {
  readonly step: number;
  readonly at: Date;
  readonly value: number;
}

/** By (step, time, value): NaN above all else, as PostgreSQL has it. */
export function inOrder(left: Point, right: Point): number {
  const rank = (value: number) => (Number.isNaN(value) ? 1 : 0);
  return (
    left.step - right.step ||
    left.at.getTime() - right.at.getTime() ||
    rank(left.value) - rank(right.value) ||
    (left.value < right.value ? -1 : left.value > right.value ? 1 : 0)
  );
}

/** Sorted, each once. */
export function distinct(points: readonly Point[]): readonly Point[] {
  const sorted = [...points].sort(inOrder);
  return sorted.filter((point, index) => {
    const before = sorted[index - 1];
    return before === undefined || inOrder(before, point) !== 0;
  });
}

/** What listMetricKeys says of a metric with these points, told from all of them at once. */
export function summaryOf(key: string, given: readonly Point[], goal: MetricGoal | null = null) {
  const points = distinct(given);
  const numbers = points.filter(({ value }) => !Number.isNaN(value));
  const min = numbers.reduce<Point | null>(
    (least, point) => (least === null || point.value < least.value ? point : least),
    null,
  );
  const max = numbers.reduce<Point | null>(
    (most, point) => (most === null || point.value > most.value ? point : most),
    null,
  );
  const best = goal === null ? null : goal === 'minimize' ? min : max;
  return { key, pointCount: points.length, latest: points.at(-1), min, max, goal, best };
}
