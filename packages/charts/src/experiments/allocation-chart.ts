import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { namedCategories } from '../named-categories.ts';
import { countOf, percentText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireAmount, requireFewSeries, requireTime } from '../require-rows.ts';
import { inkOn, seriesColours } from '../theme.ts';
import { timeAxis } from '../time-axis.ts';

/** How the units were shared out from a time on. */
export interface AllocationEpoch {
  readonly epoch: number;
  readonly from: Date;
  /** The share of all units that is asked, from 0 to 1. */
  readonly coverage: number;
  /** Weights of the variants; they need not sum to 1. */
  readonly variants: readonly { readonly name: string; readonly weight: number }[];
}

export interface AllocationChartInput extends ChartOptions {
  /** Of one experiment, in any order. */
  readonly epochs: readonly AllocationEpoch[];
  /** Where the last one ends: now, or when the experiment was stopped. */
  readonly until: Date;
}

/**
 * Which share of all units each variant had over time, stacked in the order of the variants, epoch by epoch; what is above
 * them was not asked. Times are UTC. What began after `until` is not drawn.
 * @throws ChartError `invalid_input`: weights or coverages that are none, invalid times, two epochs of one time.
 */
export function allocationChart(input: AllocationChartInput): ChartSpec {
  const title = 'Allocation over time';
  const end = requireTime('until', input.until);
  const epochs = inOrder(input.epochs).filter(({ from }) => from.getTime() < end);
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (first === undefined || last === undefined) return emptyChart(input, title, 'No allocation to draw');
  const names = [...new Set(epochs.flatMap(({ variants }) => variants.map(({ name }) => name)))];
  requireFewSeries('variants', names.length);
  const stretches = epochs.flatMap((epoch, index) => sharesOf(epoch, names, epochs[index + 1]?.from.getTime() ?? end));
  const { width, height } = sizeOf(input, 420, 220);
  const scale = width / (end - first.from.getTime());
  const body = {
    ...{ width, height },
    ...layersOf({ stretches, epochs, names, height, pixelsPerMs: scale, ends: [first.from.getTime(), end] }),
  };
  const shares = sharesOf(last, names, end).map(
    ({ name, share }) => `${plainText(name, CHART_LIMITS.nameLength)} ${percentText(share)}`,
  );
  const notes = [`${countOf(epochs.length, 'epoch')}; the last: ${shares.length === 0 ? 'nobody' : shares.join(', ')}`];
  return chartSpec({ options: input, title, width, notes, body });
}

interface Stretch {
  readonly series: number;
  readonly name: string;
  readonly epoch: number;
  readonly share: number;
  /** Shares of all units between which it lies. */
  readonly lower: number;
  readonly upper: number;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

interface LayersInput {
  readonly stretches: readonly Stretch[];
  readonly epochs: readonly AllocationEpoch[];
  readonly names: readonly string[];
  readonly height: number;
  readonly pixelsPerMs: number;
  readonly ends: readonly [number, number];
}

function layersOf({ stretches, epochs, names, height, pixelsPerMs, ends }: LayersInput) {
  const { param, domain, labelExpr, describe } = namedCategories('variantNames', names);
  const colours = names.map((_, i) => seriesColours[i % seriesColours.length] ?? '#000000');
  const x = { ...timeAxis(ends, 'Time (UTC)', 4), field: 'from' };
  const y = {
    field: 'lower',
    type: 'quantitative',
    scale: { domain: [0, 1], nice: false },
    axis: { title: 'Share of all units', tickCount: 5, format: '.0%' },
  };
  const legend = {
    ...{ title: 'Variant', description: describe('Variant'), labelExpr },
    ...{ orient: 'bottom', direction: 'vertical' },
  };
  const values = stretches.map((stretch) => ({ ...stretch, middle: (stretch.lower + stretch.upper) / 2 }));
  // Names where there is room for them, beside the legend: beyond six variants colours come again.
  const labels = values
    .filter(({ share, from, to }) => share * height >= 14 && (to - from) * pixelsPerMs >= 60)
    .map((stretch) => ({
      ...{
        at: (stretch.from + stretch.to) / 2,
        middle: stretch.middle,
        ink: inkOn(colours[stretch.series] ?? '#000000'),
      },
      // Half of a character's height is about its width.
      text: plainText(stretch.name, Math.max(3, Math.floor(((stretch.to - stretch.from) * pixelsPerMs) / 8))),
    }));
  const layer: Json[] = [
    {
      data: { values },
      mark: { type: 'rect', stroke: '#FFFFFF', strokeWidth: 1, aria: false, tooltip: { content: 'data' } },
      encoding: {
        x,
        x2: { field: 'to' },
        y,
        y2: { field: 'upper' },
        color: { field: 'series', type: 'nominal', scale: { domain, range: colours }, legend },
      },
    },
    {
      data: { values: labels },
      mark: { type: 'text', fontSize: 11, aria: false },
      encoding: {
        x: { ...x, field: 'at' },
        y: { ...y, field: 'middle' },
        text: { field: 'text', type: 'nominal' },
        color: { field: 'ink', type: 'nominal', scale: null },
      },
    },
    {
      data: { values: epochs.map(({ epoch, from }) => ({ epoch: `Epoch ${epoch}`, from: from.getTime() })) },
      mark: { type: 'text', align: 'left', baseline: 'bottom', fontSize: 10, dy: -3, aria: false },
      encoding: { x, y: { value: 0 }, text: { field: 'epoch', type: 'nominal' } },
    },
  ];
  return { params: [param], layer };
}

function inOrder(epochs: readonly AllocationEpoch[]): readonly AllocationEpoch[] {
  const ordered = epochs.toSorted((a, b) => requireTime('from', a.from) - requireTime('from', b.from));
  for (const [index, { epoch, from, coverage, variants }] of ordered.entries()) {
    requireAmount('epoch', epoch);
    for (const { weight } of variants) requireAmount('weight', weight);
    if (requireAmount('coverage', coverage) > 1) {
      throw new ChartError('invalid_input', 'coverage must be a share from 0 to 1 in each row.');
    }
    if (requireTime('from', from) === ordered[index - 1]?.from.getTime()) {
      throw new ChartError('invalid_input', 'epochs must begin at different times.');
    }
  }
  return ordered;
}

function sharesOf({ epoch, from, coverage, variants }: AllocationEpoch, names: readonly string[], to: number) {
  const total = variants.reduce((sum, { weight }) => sum + weight, 0);
  let upper = 0;
  return names.flatMap((name, series): readonly Stretch[] => {
    const weight = variants.filter((variant) => variant.name === name).reduce((sum, each) => sum + each.weight, 0);
    if (weight === 0) return [];
    const share = (coverage * weight) / total;
    const lower = upper;
    upper += share;
    return [{ series, name, epoch, share, lower, upper, from: from.getTime(), to }];
  });
}
