import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { namedCategories } from '../named-categories.ts';
import { countOf, countText, percentText } from '../number-text.ts';
import { byCodeUnits, requireAmount } from '../require-rows.ts';
import { heatColour, inkOn } from '../theme.ts';

/** A row of confusion_matrices; cells of 0 may be left out. */
export interface ConfusionCell {
  readonly trueLabel: string;
  readonly predictedLabel: string;
  /** Rows of the true class that were predicted as the other. */
  readonly n: number;
}

export interface ConfusionChartInput extends ChartOptions {
  /** Those of one evaluation and slice, in any order. */
  readonly cells: readonly ConfusionCell[];
  /** The order of the classes; if left out, numbers by value and then other labels by their characters. */
  readonly labels?: readonly string[] | undefined;
}

/**
 * True classes down, predicted ones across. A cell bears its count and its share of the true class, which is its colour,
 * so that rare classes are seen too; a class that never occurs has a row of grey cells without shares. Beyond 15 classes
 * a cell has no room for text: counts are in the data and in the tooltip.
 * @throws ChartError `invalid_input`: a cell twice, a label that `labels` lacks, more than 60 classes.
 */
export function confusionChart(input: ConfusionChartInput): ChartSpec {
  const title = 'Confusion matrix';
  const labels = labelsOf(input);
  if (labels.length === 0) return emptyChart(input, title, 'No rows to draw');
  const values = matrixCells(input.cells, labels);
  const total = values.reduce((sum, { n }) => sum + n, 0);
  const right = values.reduce((sum, { n, actual, predicted }) => sum + (actual === predicted ? n : 0), 0);
  const { param, domain, labelExpr, describe } = namedCategories('classNames', labels);
  const axis = { labelExpr, labelLimit: 140, ticks: false, domain: false };
  const scale = { domain, paddingInner: 0, paddingOuter: 0 };
  const withText = labels.length <= 15;
  const side = Math.max(CHART_LIMITS.minSide, (withText ? 64 : 16) * labels.length);
  const ink = { field: 'ink', type: 'nominal', scale: null, legend: null };
  const texts = (field: string, dy: number, fontSize: number) => ({
    mark: { type: 'text', dy, fontSize, aria: false },
    encoding: { text: { field, type: 'nominal' }, color: ink },
  });
  const size = sizeOf(input, side, side);
  const body = {
    ...size,
    params: [param],
    data: { values },
    encoding: {
      x: {
        field: 'predicted',
        type: 'nominal',
        scale,
        axis: {
          ...axis,
          title: 'Predicted class',
          description: describe('Predicted class'),
          orient: 'top',
          labelAngle: labels.length > 4 ? -45 : 0,
        },
      },
      y: {
        field: 'actual',
        type: 'nominal',
        scale,
        axis: { ...axis, title: 'True class', description: describe('True class') },
      },
    },
    layer: [
      {
        mark: { type: 'rect', stroke: '#FFFFFF', aria: false, tooltip: { content: 'data' } },
        encoding: { color: { field: 'fill', type: 'nominal', scale: null, legend: null } },
      },
      ...(withText ? [texts('count', -7, 13), texts('percent', 9, 11)] : []),
    ],
  };
  const notes = [
    `${countOf(total, 'row')}${total === 0 ? '' : `, ${percentText(right / total)} on the diagonal`}; percentages and colour are shares of the true class.`,
  ];
  return chartSpec({ options: input, title, width: size.width, notes, body });
}

function labelsOf({ cells, labels }: ConfusionChartInput): readonly string[] {
  const found = new Set(cells.flatMap(({ trueLabel, predictedLabel }) => [trueLabel, predictedLabel]));
  const order = labels ?? [...found].sort(byLabel);
  const known = new Set(order);
  if (known.size < order.length) throw new ChartError('invalid_input', 'labels must hold each class once.');
  for (const label of found) {
    if (!known.has(label)) throw new ChartError('invalid_input', 'labels must hold every class of the cells.');
  }
  if (order.length > CHART_LIMITS.classes) {
    throw new ChartError('invalid_input', `At most ${CHART_LIMITS.classes} classes can be drawn: merge the rare ones.`);
  }
  return order;
}

/** Labels that are numbers by their values, before all others. */
function byLabel(a: string, b: string): number {
  const number = (label: string) => (label.trim() === '' ? Number.NaN : Number(label));
  const [left, right] = [number(a), number(b)];
  if (Number.isNaN(left) || Number.isNaN(right)) {
    return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || byCodeUnits(a, b);
  }
  return left === right ? byCodeUnits(a, b) : left - right;
}

function matrixCells(cells: readonly ConfusionCell[], labels: readonly string[]) {
  const positions = new Map(labels.map((label, position) => [label, position]));
  const counts = labels.map(() => labels.map(() => 0));
  const seen = new Set<number>();
  for (const { trueLabel, predictedLabel, n } of cells) {
    const [actual, predicted] = [positions.get(trueLabel) ?? -1, positions.get(predictedLabel) ?? -1];
    const key = actual * labels.length + predicted;
    if (seen.has(key)) {
      throw new ChartError(
        'invalid_input',
        'cells must be those of one evaluation and one slice: each pair of classes once.',
      );
    }
    seen.add(key);
    const row = counts[actual];
    if (row !== undefined) row[predicted] = requireAmount('n', n);
  }
  return counts.flatMap((row, actual) => {
    const all = row.reduce((sum, n) => sum + n, 0);
    return row.map((n, predicted) => {
      const share = all === 0 ? null : n / all;
      const fill = share === null ? '#E0E0E0' : heatColour(share);
      const names = { trueClass: labels[actual] ?? '', predictedClass: labels[predicted] ?? '' };
      const percent = share === null ? '' : percentText(share);
      return { actual, predicted, ...names, n, share, count: countText(n), percent, fill, ink: inkOn(fill) };
    });
  });
}
