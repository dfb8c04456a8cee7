import { type ChartOptions, type ChartSpec, chartSpec } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { numberText } from '../number-text.ts';
import { requireFewSeries } from '../require-rows.ts';
import { curveBody } from './curve-body.ts';
import { leftOutNote, undefinedReason } from './roc-chart.ts';
import { type CountsAtThreshold, type CurveInput, orderCounts } from './threshold-rows.ts';

/** A curve whose average precision was computed from all scores may bring it; else it is the step sum of the rows. */
export interface PrecisionRecallCurve extends CurveInput {
  readonly averagePrecision?: number | undefined;
}

export interface PrecisionRecallChartInput extends ChartOptions {
  readonly curves: readonly PrecisionRecallCurve[];
  /** Of one curve; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * Precision against recall at each threshold, in steps: the area below them is the average precision, the sum of
 * (R_k - R_(k-1)) * P_k. The baseline is the share of positives, which calling rows positive at random reaches; it is
 * drawn once for each share. Curves without positives are left out, and where none is left the chart is empty.
 * @throws ChartError `invalid_input`: rows of several evaluations, counts that are none, more than 24 curves.
 */
export function precisionRecallChart(input: PrecisionRecallChartInput): ChartSpec {
  requireFewSeries('curves', input.curves.length);
  const title = 'Precision-recall curve';
  const ordered = input.curves.map((curve) => ({ ...curve, ...orderCounts(curve.rows) }));
  const steps = ordered.flatMap(({ name, rows, positives, negatives, averagePrecision }) => {
    const points = positives > 0 ? stepPoints(rows, positives) : [];
    const summary = `average precision ${numberText(averagePrecision ?? stepSum(points))}`;
    return points.length === 0 ? [] : [{ name, summary, points, baseline: positives / (positives + negatives) }];
  });
  if (steps.length === 0) return emptyChart(input, title, undefinedReason(ordered));
  const baselines = [...new Set(steps.map(({ baseline }) => baseline))].sort((a, b) => a - b);
  const { body, width, notes } = curveBody({
    options: input,
    curves: steps,
    xTitle: 'Recall (share of positives)',
    yTitle: 'Precision (share of what is called positive)',
    interpolate: 'step-before',
    references: baselines.map((y) => [
      { x: 0, y },
      { x: 1, y },
    ]),
  });
  const baselineNote = `Baseline, the share of positives: ${baselines.map(numberText).join(', ')}`;
  return chartSpec({
    options: input,
    title,
    width,
    notes: [...notes.slice(0, 1), baselineNote, ...notes.slice(1), leftOutNote(ordered.length - steps.length)],
    body,
  });
}

/** Recall and precision where anything is positive, with the first precision repeated at recall 0, where the step begins. */
function stepPoints(rows: readonly CountsAtThreshold[], positives: number) {
  const points = rows.flatMap(({ tp, fp }) =>
    tp + fp > 0 ? [{ x: Math.min(1, tp / positives), y: tp / (tp + fp) }] : [],
  );
  const [first] = points;
  return first === undefined || first.x === 0 ? points : [{ x: 0, y: first.y }, ...points];
}

function stepSum(points: readonly { readonly x: number; readonly y: number }[]): number {
  let sum = 0;
  let recall = 0;
  for (const { x, y } of points) {
    sum += (x - recall) * y;
    recall = x;
  }
  return sum;
}
