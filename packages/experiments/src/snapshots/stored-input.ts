import type { AnalysisInput, DailyUnits, MetricQuantile, MetricSums } from '../analysis/analysis-input.ts';

/** An input without its bound, which the snapshot has in a column: the same data read later are the same input. */
export type StoredInput = Omit<AnalysisInput, 'asOf'>;

/** The rows in one order, and nothing beside what the analysis knows, so that equal inputs are equal text. */
export function storedInput(input: AnalysisInput): StoredInput {
  const { units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes } = input;
  return {
    ...{ units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes },
    daily: inOrder(input.daily.map(dailyRow), ({ day, epoch, variantId }) => [day, epoch, variantId]),
    metrics: inOrder(input.metrics.map(sumsRow), ofMetric),
    quantiles: inOrder(input.quantiles.map(quantileRow), ofMetric),
  };
}

/** As it was read. */
export function restoredInput(stored: StoredInput, asOf: Date): AnalysisInput {
  return { ...stored, asOf };
}

const ofMetric = ({ metricId, variantId, slice }: Pick<MetricSums, 'metricId' | 'variantId' | 'slice'>) => [
  metricId,
  variantId,
  slice?.dimension ?? null,
  slice?.value ?? null,
];

function inOrder<Row>(rows: readonly Row[], keyOf: (row: Row) => readonly unknown[]): readonly Row[] {
  const keyed = rows.map((row) => ({ key: JSON.stringify(keyOf(row)), row }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row);
}

const dailyRow = ({ day, epoch, variantId, units, withMultiple }: DailyUnits): DailyUnits => ({
  ...{ day, epoch, variantId, units, withMultiple },
});

function sumsRow({ metricId, variantId, slice, sums, nonZero }: MetricSums): MetricSums {
  const { n, meanX, meanY, m2X, m2Y, cXY } = sums;
  return { metricId, variantId, slice: sliceRow(slice), sums: { n, meanX, meanY, m2X, m2Y, cXY }, nonZero };
}

function quantileRow({ metricId, variantId, slice, quantile, n }: MetricQuantile): MetricQuantile {
  return { metricId, variantId, slice: sliceRow(slice), quantile, n };
}

const sliceRow = (slice: MetricSums['slice']) =>
  slice === null ? null : { dimension: slice.dimension, value: slice.value };
