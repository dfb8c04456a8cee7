import type { Outcome } from '@mcp-hub/stats';
import type { Cell, MetricValue } from '../evaluations/evaluation-parts.ts';

/** What a kind of evaluation says of rows, so that the whole, its slices and its resamples are measured by one code. */
export interface Task<Rows> {
  readonly count: (rows: Rows) => number;
  readonly weight: (rows: Rows) => number;
  /** The rows of these numbers, in their order; a number may come several times. */
  readonly take: (rows: Rows, numbers: Uint32Array) => Rows;
  /** Always the same metrics in the same order, but for those of classes. `alpha` undefined: no intervals. */
  readonly metrics: (rows: Rows, alpha: number | undefined) => readonly MetricValue[];
  readonly cells: (rows: Rows) => readonly Cell[];
}

export interface MetricInterval {
  readonly method: 'wilson' | 'delong' | 'bootstrap';
  readonly bounds: readonly [lower: number, upper: number];
}

/** A statistic as a metric. */
export function metricOf(
  metric: string,
  { value, reason }: Outcome,
  { classLabel = '', interval }: { readonly classLabel?: string; readonly interval?: MetricInterval | undefined } = {},
): MetricValue {
  const shown = value === null ? undefined : interval;
  const [lower, upper] = shown?.bounds ?? [null, null];
  return { metric, classLabel, value, reason, lower, upper, intervalMethod: shown?.method ?? null };
}

/** A column as doubles, the given one where it is so already; what is not a number becomes NaN, which is refused later. */
export function numberColumn(values: ArrayLike<number>): Float64Array {
  if (values instanceof Float64Array) return values;
  const column = new Float64Array(values.length);
  for (let row = 0; row < column.length; row++) {
    const value: unknown = values[row];
    column[row] = typeof value === 'number' ? value : Number.NaN;
  }
  return column;
}

/** The values of a column at some rows. */
export function takeNumbers(values: ArrayLike<number>, numbers: Uint32Array): Float64Array {
  return Float64Array.from(numbers, (row) => values[row] ?? Number.NaN);
}
