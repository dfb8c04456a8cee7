import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countOf } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireAmount, requireFewSeries, requireFinite } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';

/** How many scores lie from `lower` to below `upper`. */
export interface ScoreBin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

export interface ScoreSeries {
  /** Such as the model version. */
  readonly name: string;
  /** In any order, without overlap; empty ones may be left out. */
  readonly bins: readonly ScoreBin[];
}

export interface ScoreHistogramInput extends ChartOptions {
  readonly series: readonly ScoreSeries[];
  /** What a score is counted in, where it is no probability, such as `minutes`. */
  readonly unit?: string | undefined;
}

/**
 * How scores are spread: of each series the share of its scores in each bin, so that versions with more and fewer
 * predictions can be compared.
 * @throws ChartError `invalid_input`: counts that are none, bins without a width or that overlap, more than 24 series.
 */
export function scoreHistogram(input: ScoreHistogramInput): ChartSpec {
  const title = 'Scores';
  requireFewSeries('series', input.series.length);
  const totals = input.series.map(({ bins }) =>
    bins.reduce((sum, { count }) => sum + requireAmount('count', count), 0),
  );
  const all = totals.reduce((sum, total) => sum + total, 0);
  if (all === 0) return emptyChart(input, title, 'No scores to draw');
  const names = input.series.map(({ name }) => name);
  const { params, colour } = seriesScales('Series', names);
  const values = input.series.flatMap(({ name, bins }, series) =>
    inOrder(bins).map(({ lower, upper, count }) => ({
      ...{ series, name, lower, upper, count },
      share: totals[series] === 0 ? 0 : count / (totals[series] ?? 1),
    })),
  );
  const { width, height } = sizeOf(input, 420, 240);
  const scoreTitle = input.unit === undefined ? 'Score' : `Score (${plainText(input.unit, CHART_LIMITS.nameLength)})`;
  const body = {
    ...{ width, height, params },
    data: { values },
    mark: {
      ...{ type: 'rect', strokeWidth: 1.25, aria: false, tooltip: { content: 'data' } },
      fillOpacity: names.length === 1 ? 0.75 : 0.25,
    },
    encoding: {
      x: {
        field: 'lower',
        type: 'quantitative',
        scale: { zero: false, nice: false },
        axis: { title: scoreTitle, tickCount: 8 },
      },
      x2: { field: 'upper' },
      y: {
        field: 'share',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Share of the predictions', tickCount: 5, format: '~%' },
      },
      y2: { datum: 0 },
      ...colour,
      stroke: colour.color ?? null,
    },
  };
  const notes = [
    `${countOf(all, 'score')}${names.length > 1 ? ` in ${countOf(names.length, 'series', 'series')}` : ''}`,
  ];
  return chartSpec({ options: input, title, width, notes, body });
}

function inOrder(bins: readonly ScoreBin[]): readonly ScoreBin[] {
  for (const { lower, upper } of bins) {
    if (requireFinite('lower', lower) < requireFinite('upper', upper)) continue;
    throw new ChartError('invalid_input', 'lower must be below upper in each bin.');
  }
  const ordered = bins.toSorted((a, b) => a.lower - b.lower);
  if (ordered.some(({ lower }, i) => lower < (ordered[i - 1]?.upper ?? lower))) {
    throw new ChartError('invalid_input', 'bins of one series must not overlap.');
  }
  return ordered;
}
