import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { namedCategories } from '../named-categories.ts';
import { countOf } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireAmount } from '../require-rows.ts';
import { referenceColour, seriesColours } from '../theme.ts';
import { axisTitle } from '../vega-text.ts';

/** A bin of a feature, in the baseline and in a window. */
export interface BaselineBin {
  /** Its edges or its category, such as `10 to 20`, `below`, `missing` or `AA`. */
  readonly label: string;
  readonly baseline: number;
  readonly current: number;
}

export interface BinsChartInput extends ChartOptions {
  readonly feature: string;
  /** From top to bottom. */
  readonly bins: readonly BaselineBin[];
  /** What the window is called; `Window` if left out. */
  readonly currentName?: string | undefined;
}

/**
 * How a feature is spread in a window beside its baseline: of each bin the share of the rows of both.
 * @throws ChartError `invalid_input`: counts that are none, more than 60 bins.
 */
export function binsChart(input: BinsChartInput): ChartSpec {
  const feature = plainText(input.feature, CHART_LIMITS.nameLength);
  const title = `${feature} beside its baseline`;
  const { bins, currentName = 'Window' } = input;
  if (bins.length > CHART_LIMITS.bins) {
    throw new ChartError('invalid_input', `bins must hold at most ${CHART_LIMITS.bins}: merge some.`);
  }
  const totalOf = (which: 'baseline' | 'current') =>
    bins.reduce((sum, bin) => sum + requireAmount(which, bin[which]), 0);
  const totals = { baseline: totalOf('baseline'), current: totalOf('current') };
  if (totals.baseline + totals.current === 0) return emptyChart(input, title, 'No rows to draw');
  const sides = namedCategories('sideNames', ['Baseline', currentName]);
  const labels = namedCategories(
    'binNames',
    bins.map(({ label }) => label),
  );
  const values = bins.flatMap(({ label, ...counts }, bin) =>
    (['baseline', 'current'] as const).map((which, side) => ({
      ...{ bin, label, side, count: counts[which] },
      share: totals[which] === 0 ? 0 : counts[which] / totals[which],
    })),
  );
  const { width, height } = sizeOf(input, 340, Math.max(CHART_LIMITS.minSide, 30 * bins.length));
  const legend = {
    ...{ title: null, description: sides.describe('Side'), labelExpr: sides.labelExpr },
    ...{ orient: 'bottom', direction: 'vertical' },
  };
  const body: { readonly [key: string]: Json } = {
    ...{ width, height, params: [sides.param, labels.param] },
    data: { values },
    mark: { type: 'bar', aria: false, tooltip: { content: 'data' } },
    encoding: {
      x: {
        field: 'share',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Share of the rows', tickCount: 5, format: '~%' },
      },
      y: {
        field: 'bin',
        type: 'nominal',
        scale: { domain: labels.domain, paddingInner: 0.25 },
        axis: {
          title: axisTitle(input.feature, 'Bin'),
          labelExpr: labels.labelExpr,
          description: labels.describe(feature),
          labelLimit: 140,
        },
      },
      yOffset: { field: 'side', type: 'nominal', scale: { domain: sides.domain } },
      color: {
        field: 'side',
        type: 'nominal',
        scale: { domain: sides.domain, range: [referenceColour, seriesColours[0]] },
        legend,
      },
    },
  };
  const notes = [
    `${countOf(totals.current, 'row')} beside ${countOf(totals.baseline, 'row')} of the baseline`,
    totals.baseline === 0 ? 'The baseline has none.' : totals.current === 0 ? 'The window has none.' : undefined,
  ];
  return chartSpec({ options: input, title, width, notes, body });
}
