import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countOf } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireFewSeries, requireFinite, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { axisTitle } from '../vega-text.ts';
import { timeUnit } from './time-unit.ts';

/** A row of training_metrics. */
export interface MetricPoint {
  readonly step: number;
  readonly at: Date;
  /** NaN and infinities are values. */
  readonly value: number;
}

export interface MetricSeries {
  /** Such as the run's name. */
  readonly name: string;
  /** Of one metric of one run, in any order. */
  readonly points: readonly MetricPoint[];
}

export interface MetricChartInput extends ChartOptions {
  /** The metric's key: the title of the axis. */
  readonly metric: string;
  /** What a value is counted in, such as `nats` or `ms`. */
  readonly unit?: string | undefined;
  readonly series: readonly MetricSeries[];
  /** `elapsed`: time since the first point of each series; `step` if left out. */
  readonly x?: 'step' | 'elapsed' | undefined;
  /** `linear` if left out; `log` has no place for values of 0 and below. */
  readonly yScale?: 'linear' | 'log' | undefined;
  /** Of one series; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * One metric of several runs over steps or time. Where a value is NaN or infinite, or not above 0 on a log scale, the line
 * has a gap, with a cross at the foot of the plot; the subtitle counts them. A point between two gaps is a dot.
 * @throws ChartError `invalid_input`: steps that are not finite, invalid times, more than 24 series.
 */
export function metricChart(input: MetricChartInput): ChartSpec {
  const metric = plainText(input.metric, CHART_LIMITS.nameLength);
  requireFewSeries('series', input.series.length);
  const log = input.yScale === 'log';
  const ordered = input.series.map(({ points }) => orderPoints(points));
  const total = ordered.reduce((sum, points) => sum + points.length, 0);
  if (total === 0) return emptyChart(input, metric, 'No points to draw');
  const { unit, toX } = axisOf(input.x ?? 'step', ordered);
  const yOf = ({ value }: MetricPoint) => (Number.isFinite(value) && !(log && value <= 0) ? value : null);
  const maxRows = pointsOf(input.maxPoints);
  const values = ordered.flatMap((points, series) => {
    const name = input.series[series]?.name ?? '';
    const start = points[0];
    const drawn = thinRows(points, { maxRows, measures: [yOf] });
    return drawn.map((point, order) => ({
      ...{ series, name, order, x: start === undefined ? 0 : toX(point, start), y: yOf(point) },
      ...{ alone: isGap(drawn[order - 1], yOf) && isGap(drawn[order + 1], yOf), value: String(point.value) },
    }));
  });
  const gaps = ordered.flat().filter((point) => yOf(point) === null).length;
  const size = sizeOf(input, 480, 280);
  const notes = [gapNote(gaps, log), thinnedNote(total, values.length)];
  const names = input.series.map(({ name }) => name);
  const yTitle =
    input.unit === undefined
      ? axisTitle(input.metric, 'Value')
      : `${metric} (${plainText(input.unit, CHART_LIMITS.nameLength)})`;
  const body = {
    ...size,
    ...metricLayers({ values, names, height: size.height, xTitle: unit, yTitle, log }),
  };
  return chartSpec({ options: input, title: metric, width: size.width, notes, body });
}

interface DrawnPoint {
  readonly [key: string]: Json;
  readonly series: number;
  readonly y: number | null;
  readonly alone: boolean;
}

interface MetricLayers {
  readonly values: readonly DrawnPoint[];
  readonly names: readonly string[];
  readonly height: number;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly log: boolean;
}

function metricLayers({ values, names, height, xTitle, yTitle, log }: MetricLayers) {
  const scales = seriesScales('Run', names, true);
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: { zero: false, nice: false },
    axis: { title: xTitle, tickCount: 8 },
  };
  const dots = values.filter((value) => value.y !== null && value.alone);
  const gaps = values.filter((value) => value.y === null);
  const scale = valueScale(log, gaps.length > 0, gaps.length < values.length);
  const axis = { title: log ? `${yTitle}, log scale` : yTitle, tickCount: 6 };
  const y = { field: 'y', type: 'quantitative', scale, axis };
  const layer: Json[] = [
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 1.75, invalid: 'break-paths-filter-domains', aria: false },
      encoding: { x, y, order: { field: 'order', type: 'quantitative' }, ...scales.line },
    },
  ];
  if (dots.length > 0) {
    const mark = { type: 'point', opacity: 1, filled: true, size: 30, aria: false, tooltip: { content: 'data' } };
    layer.push({ data: { values: dots }, mark, encoding: { x, y, ...scales.colour } });
  }
  if (gaps.length > 0) {
    const mark = {
      type: 'point',
      opacity: 1,
      shape: cross,
      size: 40,
      strokeWidth: 1.5,
      aria: false,
      tooltip: { content: 'data' },
    };
    layer.push({ data: { values: gaps }, mark, encoding: { x, y: { value: height - 5 }, ...scales.colour } });
  }
  return { params: scales.params, layer };
}

/** The scale of values: with room at the foot for marks of what has none, and with a domain where nothing else gives one. */
export function valueScale(log: boolean, withFoot: boolean, withValues: boolean) {
  const type = log ? { type: 'log' } : { zero: false };
  if (!withValues) return { ...type, domain: [1, 10] };
  return withFoot ? { ...type, padding: 14 } : type;
}

/** An oblique cross; vega's own `cross` is a filled plus. */
export const cross = 'M-1,-1L1,1M-1,1L1,-1';

/** By step, then time, then value with NaN last: the order of the table's key, so that equal rows give equal charts. */
function orderPoints(points: readonly MetricPoint[]): readonly MetricPoint[] {
  for (const { step, at } of points) {
    requireFinite('step', step);
    requireTime('at', at);
  }
  return points.toSorted((a, b) => a.step - b.step || a.at.getTime() - b.at.getTime() || byValue(a.value, b.value));
}

function byValue(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function isGap(point: MetricPoint | undefined, yOf: (point: MetricPoint) => number | null): boolean {
  return point === undefined || yOf(point) === null;
}

function axisOf(x: 'step' | 'elapsed', ordered: readonly (readonly MetricPoint[])[]) {
  if (x === 'step') return { unit: 'Step', toX: ({ step }: MetricPoint) => step };
  const elapsed = (point: MetricPoint, start: MetricPoint) => point.at.getTime() - start.at.getTime();
  let longest = 0;
  for (const points of ordered) {
    const [start] = points;
    if (start !== undefined) for (const point of points) longest = Math.max(longest, elapsed(point, start));
  }
  const { name, milliseconds } = timeUnit(longest);
  return {
    unit: `Time since the first point (${name})`,
    toX: (point: MetricPoint, start: MetricPoint) => elapsed(point, start) / milliseconds,
  };
}

function gapNote(gaps: number, log: boolean): string | undefined {
  if (gaps === 0) return undefined;
  const what = log ? 'NaN, infinite or not above 0' : 'NaN or infinite';
  return `${countOf(gaps, 'value')} ${gaps === 1 ? 'is' : 'are'} ${what}: a gap in the line, a cross at the foot.`;
}
