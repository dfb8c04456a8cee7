import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { countOf } from '../number-text.ts';
import { requireAmount, requireFinite } from '../require-rows.ts';
import { referenceLine, shareEncoding } from '../share-axes.ts';
import { referenceColour, seriesColours } from '../theme.ts';

/** A row of calibration_bins: scores from `lower` to `upper`. */
export interface CalibrationBin {
  readonly lower: number;
  readonly upper: number;
  /** Rows in the bin. */
  readonly n: number;
  /** Null where the bin is empty. */
  readonly meanScore: number | null;
  readonly positiveRate: number | null;
}

export interface CalibrationChartInput extends ChartOptions {
  /** Those of one evaluation, in any order. */
  readonly bins: readonly CalibrationBin[];
}

/**
 * Reliability: the share of positives against the mean score of each bin, beside the diagonal on which scores are
 * probabilities; below it, how many rows each bin holds. An empty bin has a bar of height 0 and no point.
 * @throws ChartError `invalid_input`: counts that are none, bounds or rates that are not from 0 to 1.
 */
export function calibrationChart(input: CalibrationChartInput): ChartSpec {
  const title = 'Calibration';
  const bins = input.bins.map(checkBin).sort((a, b) => a.lower - b.lower || a.upper - b.upper);
  const filled = bins.filter(({ meanScore, positiveRate }) => meanScore !== null && positiveRate !== null);
  if (filled.length === 0) return emptyChart(input, title, 'No rows to draw');
  const { width, height } = sizeOf(input, 360, 360);
  const colour = seriesColours[0];
  const reliability = {
    width,
    height,
    layer: [
      referenceLine(
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        referenceColour,
      ),
      {
        data: { values: filled.map(({ meanScore, positiveRate, n }) => ({ meanScore, positiveRate, n })) },
        mark: {
          type: 'line',
          color: colour,
          aria: false,
          point: { filled: true, size: 50, color: colour, aria: false, tooltip: { content: 'data' } },
        },
        encoding: {
          x: shareEncoding('meanScore', 'Mean score of the bin (predicted probability)'),
          y: shareEncoding('positiveRate', 'Share of positives in the bin'),
        },
      },
    ],
  };
  const counts = {
    width,
    height: 80,
    data: { values: bins.map(({ lower, upper, n }) => ({ lower, upper, n })) },
    mark: { type: 'rect', color: colour, opacity: 0.75, stroke: '#FFFFFF', aria: false, tooltip: { content: 'data' } },
    encoding: {
      x: shareEncoding('lower', 'Score'),
      x2: { field: 'upper' },
      y: {
        field: 'n',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Rows', tickCount: 3, format: '~s' },
      },
      y2: { datum: 0 },
    },
  };
  const rows = bins.reduce((sum, { n }) => sum + n, 0);
  const empty = bins.length - filled.length;
  const notes = [
    `${countOf(rows, 'row')} in ${countOf(bins.length, 'bin')}${empty === 0 ? '' : `, ${empty} of them empty`}`,
  ];
  return chartSpec({ options: input, title, width, notes, body: { vconcat: [reliability, counts], spacing: 12 } });
}

function checkBin(bin: CalibrationBin): CalibrationBin {
  requireAmount('n', bin.n);
  for (const name of ['lower', 'upper', 'meanScore', 'positiveRate'] as const) {
    const value = bin[name];
    if (value !== null && !(requireFinite(name, value) >= 0 && value <= 1)) {
      throw new ChartError('invalid_input', `${name} must be from 0 to 1: only probabilities are calibrated.`);
    }
  }
  return bin;
}
