import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countOf } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireFewSeries, requireFinite, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { type LiftUnit, signedFormat, signedText } from '../signed-text.ts';
import { referenceColour } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { timeAxis } from '../time-axis.ts';
import { type Bounds, boundsText, intervalNote, requireBounds } from './bounds.ts';

/** What one look at an experiment found of one metric and variant. */
export interface LiftPoint {
  readonly at: Date;
  /** Null where it is undefined: a gap. */
  readonly lift: number | null;
  /** Of the fixed test, which holds for one look alone. */
  readonly interval: Bounds | null;
  /** Of the sequential test, which holds at every look. */
  readonly alwaysValid: Bounds | null;
}

export interface LiftSeries {
  /** The variant that is compared with the control. */
  readonly name: string;
  /** In any order, one a time. */
  readonly points: readonly LiftPoint[];
}

export interface LiftChartInput extends ChartOptions {
  /** The metric's key. */
  readonly metric: string;
  readonly series: readonly LiftSeries[];
  /** `relative` if left out. */
  readonly unit?: LiftUnit | undefined;
  /** Of one series; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * The lift of each variant over the control at each look, with its fixed interval (dark) and its always-valid one (pale).
 * Early intervals that are far wider than those of the last look are cut at the edge of the plot. Times are UTC.
 * @throws ChartError `invalid_input`: values that are not finite, invalid times, two points of one time, too many series.
 */
export function liftChart(input: LiftChartInput): ChartSpec {
  const metric = plainText(input.metric, CHART_LIMITS.nameLength);
  const title = `Lift of ${metric}`;
  const { unit = 'relative', series } = input;
  requireFewSeries('series', series.length);
  const ordered = series.map(({ points }) => inOrder(points));
  const all = ordered.flat();
  if (!all.some(({ lift }) => lift !== null)) return emptyChart(input, title, 'No lift to draw');
  const maxRows = pointsOf(input.maxPoints);
  const drawn = ordered.map((points) => thinRows(points, { maxRows, measures: measuresOf }));
  const domain = domainOf(ordered);
  const cut = all.some((point) => valuesOf(point).some((value) => value < domain[0] || value > domain[1]));
  const values = drawn.flatMap((points, index) => rowsOf(points, index, series[index]?.name ?? '', domain));
  const times = all.map(({ at }) => at.getTime());
  const { width, height } = sizeOf(input, 420, 260);
  const looks = new Set(times).size;
  const notes = [
    // One line each while they are few.
    ...(series.length > 5 ? [] : ordered.map((points, i) => lastNote(series[i]?.name ?? '', points, unit))),
    intervalNote(all),
    cut ? 'Wide intervals of early looks are cut.' : undefined,
    thinnedNote(
      all.length,
      drawn.reduce((sum, points) => sum + points.length, 0),
    ),
  ];
  const x = { ...timeAxis(endsOf(times), `Time (UTC), ${countOf(looks, 'look')}`, 4), field: 'at' };
  const body = {
    ...{ width, height },
    ...layersOf({ values, names: series.map(({ name }) => name), domain, x, yTitle: `Lift of ${metric}`, unit }),
  };
  return chartSpec({ options: input, title, width, notes, body });
}

const measuresOf = [
  ({ lift }: LiftPoint) => lift,
  ({ interval }: LiftPoint) => interval?.[0] ?? null,
  ({ interval }: LiftPoint) => interval?.[1] ?? null,
];

interface LayersInput {
  readonly values: readonly LiftRow[];
  readonly names: readonly string[];
  readonly domain: readonly [number, number];
  readonly x: { readonly [key: string]: Json };
  readonly yTitle: string;
  readonly unit: LiftUnit;
}

function layersOf({ values, names, domain, x, yTitle, unit }: LayersInput) {
  const scales = seriesScales('Variant', names, true);
  const axis = {
    title: unit === 'relative' ? `${yTitle}, relative` : yTitle,
    tickCount: 6,
    format: signedFormat(unit),
  };
  const y = { type: 'quantitative', scale: { domain: [...domain], nice: false }, axis };
  const bandOf = (kind: 'always' | 'fixed', opacity: number): Json => ({
    mark: { type: 'area', opacity, invalid: 'break-paths-filter-domains', aria: false },
    encoding: { x, y: { ...y, field: `${kind}Lower` }, y2: { field: `${kind}Upper` }, ...scales.colour },
  });
  const barOf = (kind: 'always' | 'fixed', strokeWidth: number): Json => ({
    data: { values: values.filter(({ alone }) => alone) },
    mark: { type: 'rule', strokeWidth, opacity: 0.6, aria: false },
    encoding: { x, y: { ...y, field: `${kind}Lower` }, y2: { field: `${kind}Upper` }, ...scales.colour },
  });
  const alone = values.some((value) => value.alone);
  const layer: Json[] = [
    {
      data: { values: [{ zero: 0 }] },
      mark: { type: 'rule', strokeDash: [4, 4], color: referenceColour, aria: false },
      encoding: { y: { ...y, field: 'zero' } },
    },
    bandOf('always', 0.14),
    bandOf('fixed', 0.28),
    ...(alone ? [barOf('always', 1.5), barOf('fixed', 4)] : []),
    {
      mark: { type: 'line', strokeWidth: 1.75, invalid: 'break-paths-filter-domains', aria: false },
      encoding: { x, y: { ...y, field: 'lift' }, order: { field: 'order', type: 'quantitative' }, ...scales.line },
    },
    {
      data: { values: values.filter(({ lift }) => lift !== null) },
      mark: { type: 'point', filled: true, size: 28, opacity: 1, aria: false, tooltip: { content: 'data' } },
      encoding: { x, y: { ...y, field: 'lift' }, ...scales.colour },
    },
  ];
  return { params: scales.params, data: { values }, layer };
}

interface LiftRow {
  readonly [key: string]: Json;
  readonly lift: number | null;
  readonly alone: boolean;
}

function rowsOf(
  points: readonly LiftPoint[],
  series: number,
  variant: string,
  [low, high]: readonly [number, number],
): readonly LiftRow[] {
  // Held within the plot here: where vega cuts marks, ids in the SVG would depend on what was rendered before.
  const held = (value: number) => Math.min(high, Math.max(low, value));
  return points.map(({ at, lift, interval, alwaysValid }, order) => {
    const gapAt = (index: number) => (points[index]?.lift ?? null) === null;
    const bounds = (kind: string, of: Bounds | null): { readonly [key: string]: Json } =>
      lift === null || of === null
        ? { [`${kind}Lower`]: null, [`${kind}Upper`]: null }
        : { [`${kind}Lower`]: held(of[0] ?? low), [`${kind}Upper`]: held(of[1] ?? high) };
    return {
      ...{ series, variant, order, at: at.getTime(), lift },
      ...bounds('fixed', interval),
      ...bounds('always', alwaysValid),
      alone: lift !== null && gapAt(order - 1) && gapAt(order + 1),
    };
  });
}

function inOrder(points: readonly LiftPoint[]): readonly LiftPoint[] {
  const ordered = points.toSorted((a, b) => requireTime('at', a.at) - requireTime('at', b.at));
  for (const [index, point] of ordered.entries()) {
    if (point.lift !== null) requireFinite('lift', point.lift);
    requireBounds(point.interval);
    requireBounds(point.alwaysValid);
    if (requireTime('at', point.at) === ordered[index - 1]?.at.getTime()) {
      throw new ChartError('invalid_input', 'points of one series must be of different times.');
    }
  }
  return ordered;
}

function valuesOf({ lift, interval, alwaysValid }: LiftPoint): readonly number[] {
  return [lift, ...(interval ?? []), ...(alwaysValid ?? [])].filter((value) => value !== null);
}

/** What the lifts and the last look need, half as much again to both sides, and no more than there is. */
function domainOf(ordered: readonly (readonly LiftPoint[])[]): readonly [number, number] {
  const everything = [0, ...ordered.flat().flatMap(valuesOf)];
  const lasts = ordered
    .map((points) => points.findLast(({ lift }) => lift !== null))
    .filter((last) => last !== undefined);
  const lifts = ordered.flat().map(({ lift }) => lift ?? 0);
  const needed = [0, ...lifts, ...lasts.flatMap(valuesOf)];
  const [low, high] = [Math.min(...needed), Math.max(...needed)];
  const room = 0.5 * (high - low);
  const ends = [Math.max(low - room, Math.min(...everything)), Math.min(high + room, Math.max(...everything))] as const;
  const margin = 0.04 * (ends[1] - ends[0]) || 0.01;
  return [ends[0] - margin, ends[1] + margin];
}

/** From the first to the last look; of a single one a day to both sides, so that it stands in the middle. */
function endsOf(times: readonly number[]): readonly [number, number] {
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return first === last ? [first - 86_400_000, last + 86_400_000] : [first, last];
}

function lastNote(name: string, points: readonly LiftPoint[], unit: LiftUnit): string | undefined {
  const last = points.findLast(({ lift }) => lift !== null);
  if (last === undefined || last.lift === null) return undefined;
  const bounds = last.alwaysValid ?? last.interval;
  const range = bounds === null ? '' : ` (${boundsText(bounds, unit)})`;
  return `${plainText(name, CHART_LIMITS.nameLength)}: ${signedText(last.lift, unit)}${range}`;
}
