import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countText, numberText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireFewSeries, requireFinite, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { referenceColour } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { timeAxis } from '../time-axis.ts';
import { axisTitle } from '../vega-text.ts';

/** A metric of a model in one window. */
export interface PerformanceWindow {
  readonly from: Date;
  readonly to: Date;
  /** Null where it is undefined: a gap. */
  readonly value: number | null;
  /** Null where there is no interval. */
  readonly interval: readonly [lower: number, upper: number] | null;
}

export interface PerformanceSeries {
  /** Such as `realised`, `estimated` or a version. */
  readonly name: string;
  /** In any order. */
  readonly windows: readonly PerformanceWindow[];
}

export interface PerformanceChartInput extends ChartOptions {
  /** The title of the axis, such as `ROC AUC`. */
  readonly metric: string;
  readonly series: readonly PerformanceSeries[];
  /** What is expected: a value, and within what it varies without cause. */
  readonly baseline?:
    | { readonly value: number; readonly band: readonly [lower: number, upper: number] | null }
    | undefined;
  /** Of one series; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * A metric of a model over windows with its intervals, before the band of its baseline. A point stands in the middle of its
 * window. Times are UTC.
 * @throws ChartError `invalid_input`: values that are not finite, intervals and windows in the wrong order, too many series.
 */
export function performanceChart(input: PerformanceChartInput): ChartSpec {
  const metric = plainText(input.metric, CHART_LIMITS.nameLength);
  const title = `${metric} over time`;
  const { series, baseline } = input;
  requireFewSeries('series', series.length);
  if (baseline !== undefined) {
    requireFinite('baseline', baseline.value);
    requireOrder(baseline.band);
  }
  const ordered = series.map(({ windows }) => inOrder(windows));
  const all = ordered.flat();
  if (!all.some(({ value }) => value !== null)) return emptyChart(input, title, 'No values to draw');
  const maxRows = pointsOf(input.maxPoints);
  const measures = [
    ({ value }: PerformanceWindow) => value,
    ({ interval }: PerformanceWindow) => interval?.[0] ?? null,
    ({ interval }: PerformanceWindow) => interval?.[1] ?? null,
  ];
  const values = ordered.flatMap((windows, index) =>
    thinRows(windows, { maxRows, measures }).map(({ from, to, value, interval }) => ({
      ...{ series: index, name: series[index]?.name ?? '', at: (from.getTime() + to.getTime()) / 2, value },
      ...{
        lower: value === null ? null : (interval?.[0] ?? null),
        upper: value === null ? null : (interval?.[1] ?? null),
      },
    })),
  );
  const ends = [
    Math.min(...all.map(({ from }) => from.getTime())),
    Math.max(...all.map(({ to }) => to.getTime())),
  ] as const;
  const { width, height } = sizeOf(input, 420, 240);
  const outside = all.filter((window) => isOutside(window, baseline?.band ?? null)).length;
  const notes = [
    baseline === undefined ? undefined : baselineNote(baseline, outside, all.length),
    thinnedNote(all.length, values.length, 'windows'),
  ];
  const names = series.map(({ name }) => name);
  const body = {
    width,
    height,
    ...layersOf({ values, names, ends, yTitle: axisTitle(input.metric, 'Value'), baseline }),
  };
  return chartSpec({ options: input, title, width, notes, body });
}

interface LayersInput {
  readonly values: readonly { readonly [key: string]: Json }[];
  readonly names: readonly string[];
  readonly ends: readonly [number, number];
  readonly yTitle: string;
  readonly baseline: PerformanceChartInput['baseline'];
}

function layersOf({ values, names, ends, yTitle, baseline }: LayersInput) {
  const scales = seriesScales('Series', names);
  const x = { ...timeAxis(ends, 'Time (UTC)', 4), field: 'at' };
  const y = {
    type: 'quantitative',
    scale: { zero: false },
    axis: { title: yTitle, tickCount: 6 },
  };
  const layer: Json[] = [];
  if (baseline !== undefined && baseline.band !== null) {
    layer.push({
      data: { values: [{ lower: baseline.band[0], upper: baseline.band[1] }] },
      mark: { type: 'rect', color: '#DADADA', opacity: 0.7, aria: false },
      encoding: { y: { ...y, field: 'lower' }, y2: { field: 'upper' } },
    });
  }
  if (baseline !== undefined) {
    layer.push({
      data: { values: [{ value: baseline.value }] },
      mark: { type: 'rule', strokeDash: [6, 4], color: referenceColour, aria: false },
      encoding: { y: { ...y, field: 'value' } },
    });
  }
  layer.push(
    {
      data: { values: values.filter(({ lower }) => lower !== null) },
      mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.7, aria: false },
      encoding: { x, y: { ...y, field: 'lower' }, y2: { field: 'upper' }, ...scales.colour },
    },
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 1.5, invalid: 'break-paths-filter-domains', aria: false },
      encoding: { x, y: { ...y, field: 'value' }, ...scales.line },
    },
    {
      data: { values: values.filter(({ value }) => value !== null) },
      mark: { type: 'point', filled: true, size: 32, opacity: 1, aria: false, tooltip: { content: 'data' } },
      encoding: { x, y: { ...y, field: 'value' }, ...scales.colour },
    },
  );
  return { params: scales.params, layer };
}

function inOrder(windows: readonly PerformanceWindow[]): readonly PerformanceWindow[] {
  for (const { from, to, value, interval } of windows) {
    if (requireTime('from', from) >= requireTime('to', to)) {
      throw new ChartError('invalid_input', 'from must be before to in each row.');
    }
    if (value !== null) requireFinite('value', value);
    requireOrder(interval);
  }
  return windows.toSorted((a, b) => a.from.getTime() - b.from.getTime() || a.to.getTime() - b.to.getTime());
}

function requireOrder(bounds: readonly [number, number] | null): void {
  if (bounds === null) return;
  if (requireFinite('A bound', bounds[0]) <= requireFinite('A bound', bounds[1])) return;
  throw new ChartError('invalid_input', 'The lower bound must not exceed the upper one.');
}

function isOutside({ value }: PerformanceWindow, band: readonly [number, number] | null): boolean {
  return value !== null && band !== null && (value < band[0] || value > band[1]);
}

function baselineNote(
  { value, band }: NonNullable<PerformanceChartInput['baseline']>,
  outside: number,
  windows: number,
): string {
  if (band === null) return `Baseline ${numberText(value)}`;
  const range = `${numberText(band[0])} to ${numberText(band[1])}`;
  return `Baseline ${numberText(value)}, band ${range}; ${countText(outside)} of ${countText(windows)} windows outside`;
}
