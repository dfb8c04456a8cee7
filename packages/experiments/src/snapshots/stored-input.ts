import {
  type AnalysisInput,
  type DailyUnits,
  EPOCH_DIMENSION,
  type MetricQuantile,
  type MetricSums,
} from '../analysis/analysis-input.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';

/** An input without its bound, which the snapshot has in a column: the same data read later are the same input. */
export type StoredInput = Omit<AnalysisInput, 'asOf'>;

/**
 * The rows in one order, and nothing beside what the analysis knows, so that equal inputs are equal text. Of a dimension with
 * more values than are analysed apart, those with the most units.
 */
export function storedInput(input: AnalysisInput): StoredInput {
  const { units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes } = input;
  const isKept = keptSlices([...input.metrics, ...input.quantiles]);
  return {
    ...{ units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes },
    daily: inOrder(input.daily.map(dailyRow), ({ day, epoch, variantId }) => [day, epoch, variantId]),
    metrics: inOrder(input.metrics.filter(isKept).map(sumsRow), ofMetric),
    quantiles: inOrder(input.quantiles.filter(isKept).map(quantileRow), ofMetric),
  };
}

/** As it was read. */
export function restoredInput(stored: StoredInput, asOf: Date): AnalysisInput {
  return { ...stored, asOf };
}

type Sliced = Pick<MetricSums, 'slice'> & { readonly sums?: MetricSums['sums']; readonly n?: number };

/** Which rows are of slices that are analysed: of each dimension the values with the most units in a row, then by name. */
function keptSlices(rows: readonly Sliced[]): (row: Sliced) => boolean {
  const dimensions = new Map<string, Map<string, number>>();
  for (const { slice, sums, n = sums?.n ?? 0 } of rows) {
    if (slice === null || slice.dimension === EPOCH_DIMENSION) continue;
    const values = dimensions.get(slice.dimension) ?? new Map<string, number>();
    values.set(slice.value, Math.max(n, values.get(slice.value) ?? 0));
    dimensions.set(slice.dimension, values);
  }
  const kept = new Map(
    [...dimensions].map(([dimension, values]) => {
      const first = [...values].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
      return [dimension, new Set(first.slice(0, EXPERIMENT_LIMITS.analysedSlices).map(([value]) => value))];
    }),
  );
  return ({ slice }) =>
    slice === null || slice.dimension === EPOCH_DIMENSION || kept.get(slice.dimension)?.has(slice.value) === true;
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
