import { type CoMoments, mergeCoMoments, type QuantileSummary } from '@mcp-hub/stats';
import type { AnalysisDefinition, AnalysisMetric } from './analysis-definition.ts';
import { type AnalysisInput, EPOCH_DIMENSION, type Slice } from './analysis-input.ts';
import { weightGroups } from './weight-groups.ts';

/** What is known of one variant in one metric, of all units or a slice. */
export interface Arm {
  readonly n: number;
  readonly nonZero: number;
  readonly sums: CoMoments;
  readonly quantile: QuantileSummary | null;
  /** By weight group, in an order that all arms share; one where the weights never changed, none where that is not known. */
  readonly strata: readonly CoMoments[];
}

/** The arms of one analysis, by metric, variant and slice. */
export interface Arms {
  /** Those that some metric has, in the order of their names, after null for all units. */
  readonly slices: readonly (Slice | null)[];
  /** How many weight groups have units. */
  readonly groups: number;
  /** Whether sums by epoch were given, which are needed where there are several. */
  readonly hasStrata: boolean;
  armOf(metric: AnalysisMetric, variantId: string, slice: Slice | null): Arm;
}

const noUnits: CoMoments = { n: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, cXY: 0 };

const keyOf = (metricId: string, variantId: string, slice: Slice | null): string =>
  JSON.stringify([metricId, variantId, slice?.dimension ?? null, slice?.value ?? null]);

/** Where sums were taken by epoch, slices of epochs are no slices to report. */
const isReported = (slice: Slice | null): slice is Slice => slice !== null && slice.dimension !== EPOCH_DIMENSION;

/** Reads the input by what it is of. Rows of metrics and variants that the definition has not are passed over. */
export function readArms(definition: AnalysisDefinition, input: AnalysisInput): Arms {
  const sums = new Map(input.metrics.map((row) => [keyOf(row.metricId, row.variantId, row.slice), row]));
  const quantiles = new Map(input.quantiles.map((row) => [keyOf(row.metricId, row.variantId, row.slice), row]));
  const groups = weightGroups(definition).filter(({ epochs }) =>
    input.daily.some(({ epoch, units }) => units > 0 && epochs.includes(epoch)),
  );
  const hasStrata =
    groups.length > 1 && input.metrics.some(({ slice }) => slice !== null && slice.dimension === EPOCH_DIMENSION);
  const ofEpoch = (metricId: string, variantId: string, epoch: number): CoMoments =>
    sums.get(keyOf(metricId, variantId, { dimension: EPOCH_DIMENSION, value: String(epoch) }))?.sums ?? noUnits;
  return {
    slices: [null, ...slicesOf(input)],
    groups: groups.length,
    hasStrata,
    armOf: ({ id, kind }, variantId, slice) => {
      const key = keyOf(id, variantId, slice);
      if (kind === 'quantile') {
        const { n = 0, quantile = null } = quantiles.get(key) ?? {};
        return { n, nonZero: n, sums: noUnits, quantile, strata: [] };
      }
      const { sums: whole = noUnits, nonZero = 0 } = sums.get(key) ?? {};
      const ofGroups = () =>
        groups.map(({ epochs }) => mergeCoMoments(epochs.map((epoch) => ofEpoch(id, variantId, epoch))));
      const strata = groups.length <= 1 ? [whole] : hasStrata && slice === null ? ofGroups() : [];
      return { n: whole.n, nonZero, sums: whole, quantile: null, strata };
    },
  };
}

function slicesOf({ metrics, quantiles }: AnalysisInput): readonly Slice[] {
  const all = [...metrics, ...quantiles].map(({ slice }) => slice).filter(isReported);
  const unique = new Map(all.map((slice) => [JSON.stringify([slice.dimension, slice.value]), slice]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, slice]) => slice);
}
