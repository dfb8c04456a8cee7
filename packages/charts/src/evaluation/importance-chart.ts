import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { namedCategories } from '../named-categories.ts';
import { countText, numberText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { byCodeUnits, requireAmount, requireFinite } from '../require-rows.ts';
import { seriesColours } from '../theme.ts';

/** A row of feature_importance. */
export interface ImportanceRow {
  /** Such as `permutation`, `gain`, `shap`. */
  readonly method: string;
  readonly feature: string;
  readonly value: number;
  /** Over repeats; null where there was one. */
  readonly std: number | null;
}

export interface ImportanceChartInput extends ChartOptions {
  /** Those of one evaluation and method, in any order. */
  readonly rows: readonly ImportanceRow[];
  /** What a value is counted in, such as `drop of the area under the ROC curve`. */
  readonly unit?: string | undefined;
  /** How many features are drawn, the most important first; 30 if left out. */
  readonly maxFeatures?: number | undefined;
}

/**
 * Features by importance, the largest value on top and equal ones by name, each with its standard deviation to both
 * sides. Features beyond `maxFeatures` are left out, which the subtitle says.
 * @throws ChartError `invalid_input`: values that are not finite, several methods, a feature twice.
 */
export function importanceChart(input: ImportanceChartInput): ChartSpec {
  const title = 'Feature importance';
  const rows = input.rows.toSorted((a, b) => b.value - a.value || byCodeUnits(a.feature, b.feature));
  const method = checkRows(rows);
  if (method === undefined) return emptyChart(input, title, 'No features to draw');
  const { maxFeatures = CHART_LIMITS.features } = input;
  if (!(Number.isInteger(maxFeatures) && maxFeatures >= 1 && maxFeatures <= 200)) {
    throw new ChartError('invalid_input', 'maxFeatures must be an integer from 1 to 200.');
  }
  const drawn = rows.slice(0, maxFeatures);
  const { param, domain, labelExpr, describe } = namedCategories(
    'featureNames',
    drawn.map(({ feature }) => feature),
  );
  const unit = input.unit === undefined ? '' : `: ${plainText(input.unit, CHART_LIMITS.nameLength)}`;
  const axisTitle = `Importance by ${plainText(method, CHART_LIMITS.nameLength)}${unit}`;
  const values = drawn.map(({ feature, value, std }, position) => ({
    position,
    feature,
    value,
    std,
    low: std === null ? null : value - std,
    high: std === null ? null : value + std,
  }));
  const spreads = values.filter(({ std }) => std !== null);
  const y = {
    field: 'position',
    type: 'nominal',
    scale: { domain, paddingInner: 0.25 },
    axis: { title: 'Feature', labelExpr, description: describe('Feature') },
  };
  const x = { type: 'quantitative', axis: { title: axisTitle, tickCount: 6 } };
  const size = sizeOf(input, 420, Math.max(CHART_LIMITS.minSide, 20 * drawn.length));
  const body = {
    ...size,
    params: [param],
    layer: [
      {
        data: { values },
        mark: { type: 'bar', color: seriesColours[0], aria: false, tooltip: { content: 'data' } },
        encoding: { y, x: { ...x, field: 'value' } },
      },
      ...(spreads.length === 0
        ? []
        : [
            {
              data: { values: spreads },
              mark: { type: 'rule', color: '#222222', strokeWidth: 1.5, aria: false },
              encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
            },
            ...['low', 'high'].map((field) => ({
              data: { values: spreads },
              mark: { type: 'tick', color: '#222222', thickness: 1.5, size: 8, aria: false },
              encoding: { y, x: { ...x, field } },
            })),
          ]),
    ],
  };
  const notes = [
    spreads.length === 0 ? undefined : 'Lines: one standard deviation to each side, over repeats.',
    drawn.length === rows.length
      ? undefined
      : `${countText(drawn.length)} of ${countText(rows.length)} features; those left out are at or below ${numberText(rows[drawn.length]?.value ?? 0)}.`,
  ];
  return chartSpec({ options: input, title, width: size.width, notes, body });
}

function checkRows(rows: readonly ImportanceRow[]): string | undefined {
  for (const { value, std } of rows) {
    requireFinite('value', value);
    if (std !== null) requireAmount('std', std);
  }
  const [method, ...others] = new Set(rows.map((row) => row.method));
  if (others.length > 0) {
    throw new ChartError('invalid_input', 'rows must be those of one method: their values have no common unit.');
  }
  if (new Set(rows.map(({ feature }) => feature)).size < rows.length) {
    throw new ChartError('invalid_input', 'rows must be those of one evaluation: each feature once.');
  }
  return method;
}
