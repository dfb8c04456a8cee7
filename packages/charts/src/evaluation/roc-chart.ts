import { type ChartOptions, type ChartSpec, chartSpec } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { numberText } from '../number-text.ts';
import { requireFewSeries } from '../require-rows.ts';
import { curveBody } from './curve-body.ts';
import { type CurveInput, orderCounts } from './threshold-rows.ts';

/** A curve whose area was computed from all scores may bring it; else it is the trapezoid area of the rows. */
export interface RocCurve extends CurveInput {
  readonly area?: number | undefined;
}

export interface RocChartInput extends ChartOptions {
  readonly curves: readonly RocCurve[];
  /** Of one curve; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * Receiver operating characteristic: the share of positives found against the share of negatives wrongly called positive,
 * at each threshold, from (0, 0) to (1, 1), with the diagonal of chance. Curves without positives or without negatives
 * are left out, and named as such; where none is left, the chart says so and is empty.
 * @throws ChartError `invalid_input`: rows of several evaluations, counts that are none, more than 24 curves.
 */
export function rocChart(input: RocChartInput): ChartSpec {
  requireFewSeries('curves', input.curves.length);
  const title = 'ROC curve';
  const ordered = input.curves.map((curve) => ({ ...curve, ...orderCounts(curve.rows) }));
  const defined = ordered.filter(({ positives, negatives }) => positives > 0 && negatives > 0);
  if (defined.length === 0) return emptyChart(input, title, undefinedReason(ordered));
  const curves = defined.map(({ name, rows, positives, negatives, area }) => {
    const inner = rows.map(({ tp, fp }) => ({ x: Math.min(1, fp / negatives), y: Math.min(1, tp / positives) }));
    const points = withEnds(inner);
    return { name, summary: `area ${numberText(area ?? trapezoidArea(points))}`, points };
  });
  const { body, width, notes } = curveBody({
    options: input,
    curves,
    xTitle: 'False positive rate (share of negatives)',
    yTitle: 'True positive rate (share of positives)',
    interpolate: 'linear',
    references: [corners],
  });
  return chartSpec({
    options: input,
    title,
    width,
    notes: [...notes, leftOutNote(ordered.length - defined.length)],
    body,
  });
}

const corners = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];

/** Nothing positive and everything positive are points of every curve, listed or not. */
function withEnds(points: readonly { readonly x: number; readonly y: number }[]) {
  const [first, last] = [points[0], points.at(-1)];
  return [
    ...(first?.x === 0 && first.y === 0 ? [] : [{ x: 0, y: 0 }]),
    ...points,
    ...(last?.x === 1 && last.y === 1 ? [] : [{ x: 1, y: 1 }]),
  ];
}

function trapezoidArea(points: readonly { readonly x: number; readonly y: number }[]): number {
  let area = 0;
  let before = points[0];
  for (const point of points) {
    if (before !== undefined) area += ((point.x - before.x) * (point.y + before.y)) / 2;
    before = point;
  }
  return area;
}

/** Why no curve is drawn. */
export function undefinedReason(curves: readonly { readonly rows: readonly unknown[]; readonly positives: number }[]) {
  if (curves.every(({ rows }) => rows.length === 0)) return 'No rows to draw';
  return curves.every(({ positives }) => positives === 0)
    ? 'There are no positives: the curve is undefined'
    : 'There are no negatives: the curve is undefined';
}

/** What the subtitle says of curves that are undefined beside others. */
export function leftOutNote(count: number): string | undefined {
  return count === 0 ? undefined : `${count} more without rows, or of one class only, left out: undefined.`;
}
