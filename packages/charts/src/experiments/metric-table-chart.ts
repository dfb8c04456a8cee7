import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireFinite } from '../require-rows.ts';
import { type LiftUnit, signedFormat, signedText } from '../signed-text.ts';
import { referenceColour } from '../theme.ts';
import { type Bounds, boundsText, intervalNote, requireBounds } from './bounds.ts';

/** What a snapshot says of a lift: that it is for the better, for the worse, or neither. */
export type LiftVerdict = 'better' | 'worse' | 'unclear';

/** One metric of one variant against the control. */
export interface MetricTableRow {
  readonly metric: string;
  readonly role: 'primary' | 'secondary' | 'guardrail';
  readonly variant: string;
  /** Null where it is undefined. */
  readonly lift: number | null;
  /** Of the fixed test, which holds for one look alone. */
  readonly interval: Bounds | null;
  /** Of the sequential test, which holds at every look. */
  readonly alwaysValid: Bounds | null;
  readonly verdict: LiftVerdict;
}

export interface MetricTableChartInput extends ChartOptions {
  /** From top to bottom. */
  readonly rows: readonly MetricTableRow[];
  /** `relative` if left out; in the metric's own unit only where all metrics have the same. */
  readonly unit?: LiftUnit | undefined;
}

/**
 * The metrics of a snapshot, a line for each with its lift, its fixed interval (thick) and its always-valid one (thin),
 * in colours that say better, worse or unclear.
 * @throws ChartError `invalid_input`: values that are not finite, bounds in the wrong order, more than 60 rows.
 */
export function metricTableChart(input: MetricTableChartInput): ChartSpec {
  const title = 'Metrics';
  const { rows, unit = 'relative' } = input;
  if (rows.length > CHART_LIMITS.metrics) {
    throw new ChartError('invalid_input', `rows must hold at most ${CHART_LIMITS.metrics}: draw several charts.`);
  }
  for (const { lift, interval, alwaysValid } of rows) {
    if (lift !== null) requireFinite('lift', lift);
    requireBounds(interval);
    requireBounds(alwaysValid);
  }
  if (rows.length === 0) return emptyChart(input, title, 'No metrics to draw');
  const { width, height } = sizeOf(input, 400, Math.max(CHART_LIMITS.minSide, 58 * rows.length));
  const domain = domainOf(rows);
  const variants = new Set(rows.map(({ variant }) => variant)).size;
  const values = rows.map((row, lane) => valueOf({ row, lane, withVariant: variants > 1, unit, domain }));
  const present = verdicts.filter(({ verdict }) => rows.some((row) => row.verdict === verdict));
  const notes = [
    intervalNote(rows)?.replace('Pale', 'Thin').replace('Dark', 'Thick'),
    `${countText(rows.filter(({ verdict }) => verdict !== 'unclear').length)} of ${countText(rows.length)} clear`,
  ];
  const body = {
    width,
    height,
    data: { values },
    layer: layersOf({ width, lanes: rows.length, domain, unit, present }),
  };
  return chartSpec({ options: input, title, width, notes, body });
}

const verdicts = [
  { verdict: 'better', colour: '#0072B2' },
  { verdict: 'worse', colour: '#D55E00' },
  { verdict: 'unclear', colour: '#5C5C5C' },
] as const;

interface LayersInput {
  readonly width: number;
  readonly lanes: number;
  readonly domain: readonly [number, number];
  readonly unit: LiftUnit;
  readonly present: readonly (typeof verdicts)[number][];
}

function layersOf({ width, lanes, domain, unit, present }: LayersInput): readonly Json[] {
  const x = {
    type: 'quantitative',
    scale: { domain: [...domain], nice: false },
    axis: { title: unit === 'relative' ? 'Lift, relative' : 'Lift', tickCount: 6, format: signedFormat(unit) },
  };
  const y = { field: 'lane', type: 'quantitative', scale: { domain: [lanes - 0.5, -0.5], nice: false }, axis: null };
  const color = {
    field: 'verdict',
    type: 'nominal',
    scale: { domain: present.map(({ verdict }) => verdict), range: present.map(({ colour }) => colour) },
    legend: { title: 'Verdict', orient: 'bottom' },
  };
  const bar = (kind: 'always' | 'fixed', strokeWidth: number, opacity: number): Json => ({
    mark: { type: 'rule', strokeWidth, opacity, yOffset: 15, aria: false },
    encoding: { x: { ...x, field: `${kind}Lower` }, x2: { field: `${kind}Upper` }, y, color },
  });
  // The names stand in the plot, above their intervals, so that the chart is no wider than a phone.
  const text = (field: string, yOffset: number, fontWeight: string): Json => ({
    mark: { type: 'text', align: 'left', yOffset, fontSize: 12, fontWeight, limit: width - 8, aria: false },
    encoding: { x: { value: 4 }, y, text: { field, type: 'nominal' } },
  });
  return [
    {
      data: { values: [{ zero: 0 }] },
      mark: { type: 'rule', strokeDash: [4, 4], color: referenceColour, aria: false },
      encoding: { x: { ...x, field: 'zero' } },
    },
    bar('always', 1.5, 1),
    bar('fixed', 5, 0.55),
    {
      transform: [{ filter: 'datum.lift !== null' }],
      mark: {
        type: 'point',
        filled: true,
        size: 60,
        opacity: 1,
        yOffset: 15,
        aria: false,
        tooltip: { content: 'data' },
      },
      encoding: { x: { ...x, field: 'lift' }, y, color },
    },
    text('name', -17, 'bold'),
    text('figures', -1, 'normal'),
  ];
}

interface ValueInput {
  readonly row: MetricTableRow;
  readonly lane: number;
  readonly withVariant: boolean;
  readonly unit: LiftUnit;
  readonly domain: readonly [number, number];
}

function valueOf({ row, lane, withVariant, unit, domain: [low, high] }: ValueInput) {
  const { metric, role, variant, lift, interval, alwaysValid, verdict } = row;
  const bounds = alwaysValid ?? interval;
  // Held within the plot here: where vega cuts marks, ids in the SVG would depend on what was rendered before.
  const held = (value: number) => Math.min(high, Math.max(low, value));
  const name = plainText(withVariant ? `${metric}, ${variant}` : metric, CHART_LIMITS.nameLength);
  const range = bounds === null ? '' : ` (${boundsText(bounds, unit)})`;
  const ends = (of: Bounds | null) =>
    lift === null || of === null ? [null, null] : [held(of[0] ?? low), held(of[1] ?? high)];
  const [[fixedLower = null, fixedUpper = null], [alwaysLower = null, alwaysUpper = null]] = [
    ends(interval),
    ends(alwaysValid),
  ];
  return {
    ...{ lane, lift, verdict, fixedLower, fixedUpper, alwaysLower, alwaysUpper },
    name: role === 'secondary' ? name : `${name} (${role})`,
    figures: lift === null ? 'undefined' : `${signedText(lift, unit)}${range}`,
  };
}

/** All lifts and fixed intervals, and of the always-valid ones as much as fits in twice that. */
function domainOf(rows: readonly MetricTableRow[]): readonly [number, number] {
  const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
  const needed = known([0, ...rows.flatMap(({ lift, interval }) => [lift, ...(interval ?? [])])]);
  const everything = [...needed, ...known(rows.flatMap(({ alwaysValid }) => alwaysValid ?? []))];
  const [low, high] = [Math.min(...needed), Math.max(...needed)];
  const span = high - low;
  const room = span === 0 ? Infinity : span / 2;
  const ends = [Math.max(low - room, Math.min(...everything)), Math.min(high + room, Math.max(...everything))] as const;
  const margin = 0.04 * (ends[1] - ends[0]) || 0.01;
  return [ends[0] - margin, ends[1] + margin];
}
