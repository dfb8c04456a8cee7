import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countText, numberText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { seriesScales } from '../series-scales.ts';
import { shareEncoding } from '../share-axes.ts';
import { seriesColours } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { type CountsAtThreshold, orderCounts } from './threshold-rows.ts';

/** A row of threshold_analysis. */
export interface ThresholdRow extends CountsAtThreshold {
  /** Null where undefined. */
  readonly precision: number | null;
  readonly recall: number | null;
  readonly specificity: number | null;
  readonly f1: number | null;
  readonly cost: number | null;
  /** Several rows where they tie. */
  readonly bestF1: boolean;
  readonly bestYouden: boolean;
  readonly bestCost: boolean;
}

export interface ThresholdChartInput extends ChartOptions {
  /** Those of one evaluation, in any order. */
  readonly rows: readonly ThresholdRow[];
  /** What a cost is counted in, such as `EUR`. */
  readonly costUnit?: string | undefined;
  /** Of one line; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

const measures = [
  { name: 'Precision', of: (row: ThresholdRow) => row.precision },
  { name: 'Recall', of: (row: ThresholdRow) => row.recall },
  { name: 'Specificity', of: (row: ThresholdRow) => row.specificity },
  { name: 'F1', of: (row: ThresholdRow) => row.f1 },
] as const;

const criteria = [
  { name: 'F1', is: (row: ThresholdRow) => row.bestF1 },
  { name: 'Youden', is: (row: ThresholdRow) => row.bestYouden },
  { name: 'cost', is: (row: ThresholdRow) => row.bestCost },
] as const;

const costColour = seriesColours[4];
const bestDashes = [
  [6, 2],
  [2, 2],
  [8, 3, 2, 3],
] as const;

/**
 * Precision, recall, specificity and F1 at each threshold, in steps, and below them the cost where rows have one. The best
 * thresholds by F1, Youden's index and cost are vertical lines, and the subtitle names them; of more than 20 that tie
 * the outermost and those between at equal steps are marked. The threshold Infinity has no place on the axis; where it
 * is a best one, the subtitle says so.
 * @throws ChartError `invalid_input`: rows of several evaluations, counts that are none.
 */
export function thresholdChart(input: ThresholdChartInput): ChartSpec {
  const title = 'Metrics by threshold';
  const rows = orderCounts(input.rows).rows.toReversed();
  const finite = rows.filter(({ threshold }) => Number.isFinite(threshold));
  if (finite.length === 0) return emptyChart(input, title, 'No rows to draw');
  const marks = criteria.map(({ is }) => spread(finite.filter(is)));
  const marked = new Set(marks.flat());
  const withCost = finite.some(({ cost }) => cost !== null);
  const kept = thinRows(finite, {
    maxRows: pointsOf(input.maxPoints),
    measures: [...measures.map(({ of }) => of), ...(withCost ? [({ cost }: ThresholdRow) => cost] : [])],
    keep: (row) => marked.has(row),
  });
  const size = sizeOf(input, 460, 260);
  const x = (axisTitle: string | null) => thresholdEncoding(finite, axisTitle);
  const axisTitle = 'Threshold (a score at or above it is called positive)';
  const metrics = { ...size, layer: [metricLines(kept, x(withCost ? null : axisTitle)), ...bestLayers(marks, true)] };
  const cost = {
    width: size.width,
    height: 120,
    layer: [costLine(input, kept, x(axisTitle)), ...bestLayers(marks, false)],
  };
  const body = { params: metricScales.params, vconcat: withCost ? [metrics, cost] : [metrics], spacing: 12 };
  const notes = criteria.map(({ name, is }) => bestNote(name, rows.filter(is)));
  return chartSpec({
    options: input,
    title,
    width: size.width,
    notes: [...notes, thinnedNote(finite.length, kept.length)],
    body,
  });
}

const metricScales = seriesScales(
  'Metric',
  measures.map(({ name }) => name),
);

function thresholdEncoding(rows: readonly ThresholdRow[], title: string | null): Json {
  const [first, last] = [rows[0]?.threshold ?? 0, rows.at(-1)?.threshold ?? 1];
  const domain = first === last ? [first - 0.05, last + 0.05] : [first, last];
  return { field: 'threshold', type: 'quantitative', scale: { domain, nice: false }, axis: { title, tickCount: 8 } };
}

// Between two thresholds the classifier does what it does at the upper one: hence step-before.
const stepLine = {
  type: 'line',
  interpolate: 'step-before',
  strokeWidth: 2,
  aria: false,
  invalid: 'break-paths-filter-domains',
};

function metricLines(rows: readonly ThresholdRow[], x: Json): Json {
  const values = measures.flatMap(({ name, of }, series) =>
    rows.map((row) => ({ series, name, threshold: row.threshold, value: of(row) })),
  );
  return {
    data: { values },
    mark: stepLine,
    encoding: { x, y: shareEncoding('value', 'Metric (share of 1)'), ...metricScales.line },
  };
}

function costLine({ costUnit }: ThresholdChartInput, rows: readonly ThresholdRow[], x: Json): Json {
  const unit = costUnit === undefined ? '' : ` (${plainText(costUnit, CHART_LIMITS.nameLength)})`;
  return {
    data: { values: rows.map(({ threshold, cost }) => ({ threshold, cost })) },
    mark: { ...stepLine, color: costColour },
    encoding: {
      x,
      y: {
        field: 'cost',
        type: 'quantitative',
        scale: { zero: false },
        axis: { title: `Cost${unit}`, tickCount: 4, format: '~s' },
      },
    },
  };
}

/** A vertical line at each best threshold, with the criterion's name where there is room for it. */
function bestLayers(marks: readonly (readonly ThresholdRow[])[], named: boolean): readonly Json[] {
  return marks.flatMap((rows, criterion): readonly Json[] => {
    if (rows.length === 0) return [];
    const name = criteria[criterion]?.name ?? '';
    const x = { field: 'threshold', type: 'quantitative' };
    const values = rows.map(({ threshold }) => ({ best: `by ${name}`, threshold }));
    const rule = {
      data: { values },
      mark: {
        type: 'rule',
        color: '#222222',
        strokeDash: bestDashes[criterion] ?? [],
        aria: false,
        tooltip: { content: 'data' },
      },
      encoding: { x },
    };
    const text = {
      data: { values: values.slice(0, 1) },
      mark: { type: 'text', align: 'left', dx: 4, fontSize: 11, color: '#222222', aria: false },
      encoding: { x, y: { value: 10 + 13 * criterion }, text: { value: `best by ${name}` } },
    };
    return named ? [rule, text] : [rule];
  });
}

/** At most as many rows as are marked: of more, the outermost and those between at equal steps. */
function spread(rows: readonly ThresholdRow[]): readonly ThresholdRow[] {
  const most = CHART_LIMITS.marks;
  if (rows.length <= most) return rows;
  const positions = new Set(Array.from({ length: most }, (_, i) => Math.round((i * (rows.length - 1)) / (most - 1))));
  return rows.filter((_, position) => positions.has(position));
}

function bestNote(name: string, best: readonly ThresholdRow[]): string | undefined {
  if (best.length === 0) return undefined;
  const thresholds = best.map(({ threshold }) =>
    threshold === Infinity ? 'Infinity (nothing positive)' : numberText(threshold),
  );
  const named = thresholds.slice(0, 3).join(', ');
  return best.length <= 3
    ? `Best by ${name}: ${named}`
    : `Best by ${name}: ${named} and ${countText(best.length - 3)} more that tie, up to ${thresholds.at(-1) ?? ''}`;
}
