import type { MetricGoal } from '../schema.ts';

/** One point of a metric. */
export interface MetricPoint {
  readonly step: number;
  readonly at: Date;
  /** NaN and infinities are values. */
  readonly value: number;
}

/** What is known of one metric of a run without reading its points. */
export interface MetricSummary {
  /** Points that are stored. */
  readonly pointCount: number;
  /** The last by (step, at, value). */
  readonly latest: MetricPoint;
  /** Of the points that are not NaN, the first by (step, at) where several have it; null where all are NaN. */
  readonly min: MetricPoint | null;
  readonly max: MetricPoint | null;
  /** Which way is better; null where nobody said. */
  readonly goal: MetricGoal | null;
  /** min or max by the goal; null without one. */
  readonly best: MetricPoint | null;
}

/** (step, at in ms, value), each as text: JSON has no NaN and no infinities. Null where there is no such point. */
type PointText = readonly [step: string | null, atMs: string | null, value: string | null];

/** Of training_metric_keys: point_count, goal, latest, min, max. */
export type MetricSummaryText = readonly [
  pointCount: number,
  goal: MetricGoal | null,
  latest: PointText,
  min: PointText,
  max: PointText,
];

/** Undefined where no point is stored yet. */
export function readMetricSummary([pointCount, goal, ...points]: MetricSummaryText): MetricSummary | undefined {
  const [latest, min, max] = points.map(readPoint);
  if (latest == null) return undefined;
  const best = goal === null ? null : goal === 'minimize' ? min : max;
  return { pointCount, latest, min: min ?? null, max: max ?? null, goal, best: best ?? null };
}

function readPoint([step, atMs, value]: PointText): MetricPoint | null {
  if (step === null || atMs === null || value === null) return null;
  return { step: Number(step), at: new Date(Number(atMs)), value: Number(value) };
}
