import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countOf, numberText, percentText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireAmount, requireFewSeries, requireFinite, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { seriesColours } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { timeAxis } from '../time-axis.ts';
import { axisTitle } from '../vega-text.ts';

/** What the values of one day, or of a span of another length, come to. */
export interface RollupRow {
  /** Its beginning. */
  readonly at: Date;
  /** Rows that have a value. */
  readonly count: number;
  /** Rows that have none. */
  readonly missing: number;
  /** Empty where no row has a value; else the same levels in each row, from 0 to 1. */
  readonly quantiles: readonly { readonly level: number; readonly value: number }[];
}

export interface RollupChartInput extends ChartOptions {
  /** What is rolled up, such as a feature: the title of the axis. */
  readonly name: string;
  /** In any order; where one is missing, there were no rows. */
  readonly rows: readonly RollupRow[];
  /** The length of each span; a day if left out. */
  readonly spanMs?: number | undefined;
  /** Spans that are drawn; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * How many rows each day had, with and without a value, and below it the percentiles of the values, with a gap where there
 * are none. Times are UTC.
 * @throws ChartError `invalid_input`: counts that are none, values that are not finite, two rows of one span, too many levels.
 */
export function rollupChart(input: RollupChartInput): ChartSpec {
  const name = plainText(input.name, CHART_LIMITS.nameLength);
  const title = `${name} by day`;
  const { spanMs = 86_400_000 } = input;
  if (!(Number.isFinite(spanMs) && spanMs > 0)) {
    throw new ChartError('invalid_input', 'spanMs must be a number of milliseconds above 0.');
  }
  const all = inOrder(input.rows);
  const levels = [...new Set(all.flatMap(({ quantiles }) => quantiles.map(({ level }) => level)))].sort(
    (a, b) => a - b,
  );
  requireFewSeries('quantiles', levels.length);
  const sumOf = (which: 'count' | 'missing') => all.reduce((sum, row) => sum + row[which], 0);
  const [count, missing] = [sumOf('count'), sumOf('missing')];
  if (count + missing === 0) return emptyChart(input, title, 'No rows to draw');
  const drawn = thinRows(all, {
    maxRows: pointsOf(input.maxPoints),
    measures: [
      (row) => row.count,
      (row) => row.missing,
      ...levels.map((level) => (row: RollupRow) => quantileOf(row, level)),
    ],
  });
  const { width, height } = sizeOf(input, 420, 140);
  const ends = [all[0]?.at.getTime() ?? 0, (all.at(-1)?.at.getTime() ?? 0) + spanMs] as const;
  const x = (axis: string | null) => ({ ...timeAxis(ends, axis, 4), field: 'from' });
  const rows = countsView({ drawn, spanMs, x: x(levels.length === 0 ? 'Time (UTC)' : null) });
  const { params, line } = seriesScales('Percentile', levels.map(levelName), true);
  const quantiles = {
    ...{ width, height: 1.3 * height },
    data: { values: quantileRows({ drawn, all, levels, spanMs }) },
    mark: { type: 'line', strokeWidth: 1.75, invalid: 'break-paths-filter-domains', point: { size: 12 }, aria: false },
    encoding: {
      x: x('Time (UTC)'),
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { zero: false },
        axis: { title: axisTitle(input.name, 'Value'), tickCount: 5 },
      },
      ...line,
    },
  };
  const share = percentText(missing / (count + missing));
  const notes = [
    `${countOf(count + missing, 'row')} in ${countOf(all.length, spanMs === 86_400_000 ? 'day' : 'span')}${missing === 0 ? '' : `; ${share} have no value (orange)`}`,
    thinnedNote(all.length, drawn.length, 'spans'),
  ];
  const views = levels.length === 0 ? [] : [quantiles];
  const body = {
    params: levels.length === 0 ? [] : params,
    vconcat: [{ width, height, ...rows }, ...views],
    spacing: 16,
  };
  return chartSpec({ options: input, title, width, notes, body });
}

const missingColour = seriesColours[1];

/** Such as p5 or p99.9. */
const levelName = (level: number) => `p${numberText(100 * level)}`;

/** Bars of the rows, those without a value on top of the others. */
function countsView({
  drawn,
  spanMs,
  x,
}: {
  readonly drawn: readonly RollupRow[];
  readonly spanMs: number;
  readonly x: { readonly [key: string]: Json };
}) {
  const spanOf = ({ at }: RollupRow) => ({ from: at.getTime(), to: at.getTime() + spanMs });
  const bars = (colour: string, values: readonly Json[]): Json => ({
    data: { values },
    // The colour is no encoding: its legend would stand beside that of the lines.
    mark: { type: 'rect', color: colour, aria: false, tooltip: { content: 'data' } },
    encoding: {
      x,
      x2: { field: 'to' },
      y: {
        field: 'lower',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Rows', tickCount: 4, format: '~s' },
      },
      y2: { field: 'upper' },
    },
  });
  const present = drawn.map((row) => ({ ...spanOf(row), rows: row.count, lower: 0, upper: row.count }));
  const absent = drawn
    .filter(({ missing }) => missing > 0)
    .map((row) => ({ ...spanOf(row), rows: row.missing, lower: row.count, upper: row.count + row.missing }));
  return { layer: [bars(seriesColours[0], present), ...(absent.length === 0 ? [] : [bars(missingColour, absent)])] };
}

function inOrder(rows: readonly RollupRow[]): readonly RollupRow[] {
  const ordered = rows.toSorted((a, b) => requireTime('at', a.at) - requireTime('at', b.at));
  for (const [index, { at, count, missing, quantiles }] of ordered.entries()) {
    requireAmount('count', count);
    requireAmount('missing', missing);
    for (const { level, value } of quantiles) {
      requireFinite('value', value);
      if (level >= 0 && level <= 1) continue;
      throw new ChartError('invalid_input', 'level must be a share from 0 to 1 in each row.');
    }
    if (requireTime('at', at) === ordered[index - 1]?.at.getTime()) {
      throw new ChartError('invalid_input', 'rows must hold one row of each span.');
    }
  }
  return ordered;
}

function quantileOf({ quantiles }: RollupRow, wanted: number): number | null {
  return quantiles.find(({ level }) => level === wanted)?.value ?? null;
}

/** One point a level in the middle of each span; one without a value where spans are missing, so that the line breaks. */
function quantileRows(input: {
  readonly drawn: readonly RollupRow[];
  readonly all: readonly RollupRow[];
  readonly levels: readonly number[];
  readonly spanMs: number;
}): readonly Json[] {
  const { drawn, all, levels, spanMs } = input;
  const followsGap = new Set(
    all.filter(({ at }, i) => at.getTime() - (all[i - 1]?.at.getTime() ?? at.getTime()) > 1.5 * spanMs),
  );
  return levels.flatMap((level, series) =>
    drawn.flatMap((row) => {
      const from = row.at.getTime();
      const point = { series, percentile: levelName(level), from: from + spanMs / 2, value: quantileOf(row, level) };
      return followsGap.has(row) ? [{ ...point, from, value: null }, point] : [point];
    }),
  );
}
