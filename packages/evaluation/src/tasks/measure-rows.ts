import { DomainError } from '@mcp-hub/db-core';
import { bootstrap } from '@mcp-hub/stats';
import { z } from 'zod';
import type { CellRow, EvaluationParts, MetricRow, MetricValue } from '../evaluations/evaluation-parts.ts';
import { column, featureName, openShare, resamples, seed } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { type SliceValue, splitRows } from './split-rows.ts';
import { metricOf, type Task } from './task.ts';

// zod's record leaves this key out in silence, and its slices would be missing.
const hasNoPrototype = z.custom<Readonly<Record<string, ArrayLike<SliceValue>>>>(
  (value) => typeof value !== 'object' || value === null || !Object.hasOwn(value, '__proto__'),
  'must not have the key __proto__',
);

/** How the rows are measured, whatever the task; spread into the schema of an input. */
export const measureOptions = {
  /** By feature, one value a row: each value with enough rows is a slice. A missing value is the slice "". */
  slices: hasNoPrototype.pipe(z.record(featureName, column<SliceValue>())).optional(),
  /** Rows that a slice needs. Default 30. */
  minSliceRows: z.int().min(1).optional(),
  /** Error rate of the intervals, whose level is 1 - alpha. Default 0.05. */
  alpha: openShare.optional(),
  /** Intervals of all rows' metrics by resampling rows, where none is known in closed form. Default: no such intervals. */
  bootstrap: z.strictObject({ seed, resamples: resamples.optional() }).optional(),
};
const MeasureOptions = z.object(measureOptions);
export type MeasureOptions = z.output<typeof MeasureOptions>;

export type MeasuredRows = Pick<EvaluationParts, 'n' | 'weight' | 'confidence' | 'parameters' | 'metrics' | 'cells'>;

/** The metrics and the confusion of all rows and of each slice. */
export function measureRows<Rows>(task: Task<Rows>, rows: Rows, options: MeasureOptions): MeasuredRows {
  const { slices = {}, minSliceRows = 30, alpha = 0.05 } = options;
  const [n, weight] = [task.count(rows), task.weight(rows)];
  const metrics: MetricRow[] = [];
  const cells: CellRow[] = [];
  const add = (part: Rows, values: readonly MetricValue[], sliceFeature: string, sliceValue: string) => {
    const [partN, partWeight] = [task.count(part), task.weight(part)];
    for (const value of values) metrics.push({ ...value, sliceFeature, sliceValue, n: partN, weight: partWeight });
    for (const cell of task.cells(part)) cells.push({ ...cell, sliceFeature, sliceValue });
  };
  add(rows, withBootstrap(task, rows, task.metrics(rows, alpha), alpha, options.bootstrap), '', '');
  const { parts, leftOut } = splitRows(slices, n, minSliceRows);
  if (parts.length > EVALUATION_LIMITS.slices) {
    throw new DomainError('invalid_input', `slices must make at most ${EVALUATION_LIMITS.slices} slices.`, {
      details: { field: 'slices', limit: EVALUATION_LIMITS.slices, got: parts.length },
    });
  }
  for (const { feature, value, numbers } of parts) {
    const part = task.take(rows, numbers);
    add(part, task.metrics(part, alpha), feature, value);
  }
  const sliced = Object.keys(slices).length === 0 ? {} : { minSliceRows, slicesLeftOut: leftOut };
  const resampled =
    options.bootstrap === undefined ? {} : { bootstrap: { ...resampling(options.bootstrap), generator: 'mulberry32' } };
  return { n, weight, confidence: 1 - alpha, parameters: { ...sliced, ...resampled }, metrics, cells };
}

const resampling = ({
  resamples: draws = 1_000,
  ...rest
}: {
  readonly seed: number;
  readonly resamples?: number | undefined;
}) => ({
  ...rest,
  resamples: draws,
});

/** Gives the metrics without an interval one by the percentile bootstrap. */
function withBootstrap<Rows>(
  task: Task<Rows>,
  rows: Rows,
  metrics: readonly MetricValue[],
  alpha: number,
  given: MeasureOptions['bootstrap'],
): readonly MetricValue[] {
  if (given === undefined) return metrics;
  // Each draw is measured once for all metrics: the generator gives the same draws again for each metric that asks.
  const drawn: ReadonlyMap<string, number | null>[] = [];
  return metrics.map((metric) => {
    if (metric.value === null || metric.intervalMethod !== null) return metric;
    const key = JSON.stringify([metric.metric, metric.classLabel]);
    let draw = 0;
    const found = bootstrap({
      ...resampling(given),
      rows: task.count(rows),
      alpha,
      statistic(numbers) {
        drawn[draw] ??= new Map(
          task
            .metrics(task.take(rows, numbers), undefined)
            .map((value) => [JSON.stringify([value.metric, value.classLabel]), value.value]),
        );
        return drawn[draw++]?.get(key) ?? null;
      },
    });
    if (found.value === null) return metric;
    const interval = { method: 'bootstrap', bounds: found.value.interval } as const;
    return metricOf(metric.metric, { value: metric.value, reason: null }, { classLabel: metric.classLabel, interval });
  });
}
