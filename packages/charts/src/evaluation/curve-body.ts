import type { ChartOptions, Json } from '../chart-spec.ts';
import { sizeOf } from '../chart-spec.ts';
import { plainText } from '../plain-text.ts';
import { seriesScales } from '../series-scales.ts';
import { referenceLine, shareEncoding } from '../share-axes.ts';
import { referenceColour } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';

/** One curve of shares: its points in drawing order, x not falling. */
interface ShareCurve {
  readonly name: string;
  /** What the legend, or the subtitle of a single curve, says of it. */
  readonly summary: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface CurveBody {
  readonly options: ChartOptions & { readonly maxPoints?: number | undefined };
  readonly curves: readonly ShareCurve[];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly interpolate: 'linear' | 'step-before';
  readonly references: readonly (readonly { readonly x: number; readonly y: number }[])[];
}

/** The plot that ROC and precision-recall curves share, and what its subtitle has to say. */
export function curveBody({ options, curves, xTitle, yTitle, interpolate, references }: CurveBody) {
  const maxRows = pointsOf(options.maxPoints);
  const drawn = curves.map(({ points }) => thinRows(points, { maxRows, measures: [({ x }) => x, ({ y }) => y] }));
  const scales = seriesScales(
    'Curve',
    curves.map(({ name, summary }) => `${plainText(name, 32)}: ${summary}`),
  );
  const values = drawn.flatMap((points, series) => {
    const name = curves[series]?.name ?? '';
    return points.map(({ x, y }, order) => ({ series, name, order, x, y }));
  });
  const size = sizeOf(options, 360, 360);
  const body: { readonly [key: string]: Json } = {
    ...size,
    params: scales.params,
    layer: [
      ...references.map((points) => referenceLine(points, referenceColour)),
      {
        data: { values },
        mark: { type: 'line', interpolate, strokeWidth: 2, aria: false },
        encoding: {
          x: shareEncoding('x', xTitle),
          y: shareEncoding('y', yTitle),
          order: { field: 'order', type: 'quantitative' },
          ...scales.line,
        },
      },
    ],
  };
  const total = curves.reduce((sum, { points }) => sum + points.length, 0);
  const [only] = curves.length === 1 ? curves : [];
  const summary = only === undefined ? undefined : only.summary.charAt(0).toUpperCase() + only.summary.slice(1);
  return { body, width: size.width, notes: [summary, thinnedNote(total, values.length)] };
}
