import { coMomentsOf, quantileOfSorted } from '@mcp-hub/stats';
import type {
  AnalysisDefinition,
  AnalysisInput,
  AnalysisMetric,
  DailyUnits,
  MetricQuantile,
  MetricSums,
  Slice,
} from '../../src/index.ts';

/** A unit as a warehouse would know it. */
export interface TestUnit {
  readonly variant: string;
  readonly day: string;
  readonly epoch?: number;
  /** By metric. */
  readonly y: Readonly<Record<string, number>>;
  readonly x?: Readonly<Record<string, number>>;
  readonly country?: string;
}

export const metric = (key: string, given: Partial<AnalysisMetric> = {}): AnalysisMetric => ({
  ...{ id: `id of ${key}`, key, role: 'primary', kind: 'mean', direction: 'increase' },
  ...{ quantile: null, minimumEffect: null, alpha: null, cupedMs: null },
  ...given,
});

export const definitionOf = (given: Partial<AnalysisDefinition> = {}): AnalysisDefinition => ({
  ...{ revision: 1, test: 'sequential', alpha: 0.05, correction: 'holm', plannedUnits: 5_000, minimumUnits: 2 },
  variants: [
    { id: 'A', key: 'control', isControl: true },
    { id: 'B', key: 'treatment', isControl: false },
  ],
  metrics: [metric('revenue')],
  allocations: [{ epoch: 1, weights: [0.5, 0.5] }],
  ...given,
});

/** What `readAnalysisInput` would give of these units, in plain loops. */
export function inputOf(
  definition: AnalysisDefinition,
  units: readonly TestUnit[],
  given: Partial<AnalysisInput> = {},
): AnalysisInput {
  const epochs = new Set(units.map(({ epoch = 1 }) => epoch));
  const parts: { slice: Slice | null; of: readonly TestUnit[] }[] = [{ slice: null, of: units }];
  for (const value of new Set(units.flatMap(({ country }) => country ?? []))) {
    parts.push({ slice: { dimension: 'country', value }, of: units.filter(({ country }) => country === value) });
  }
  if (epochs.size > 1) {
    for (const value of epochs) {
      const of = units.filter(({ epoch = 1 }) => epoch === value);
      parts.push({ slice: { dimension: 'allocation_epoch', value: String(value) }, of });
    }
  }
  const metrics: MetricSums[] = [];
  const quantiles: MetricQuantile[] = [];
  for (const { slice, of } of parts) {
    for (const { id: variantId } of definition.variants) {
      for (const { id: metricId, key, kind, quantile } of definition.metrics) {
        const own = of.filter(({ variant }) => variant === variantId);
        const y = own.map((unit) => unit.y[key] ?? 0);
        if (kind === 'quantile') {
          quantiles.push({ metricId, variantId, slice, n: y.length, quantile: quantileOf(y, quantile ?? 0.5) });
        } else if (y.length > 0) {
          const sums = coMomentsOf(
            own.map((unit) => unit.x?.[key] ?? 0),
            y,
          );
          metrics.push({ metricId, variantId, slice, sums, nonZero: y.filter((value) => value !== 0).length });
        }
      }
    }
  }
  return {
    ...{ asOf: new Date('2026-06-01Z'), units: units.length, multipleUnits: 0, forcedUnits: 0 },
    ...{ exposedBeforeAssignment: 0, outcomes: units.length, daily: dailyOf(units), metrics, quantiles },
    ...given,
  };
}

function dailyOf(units: readonly TestUnit[]): readonly DailyUnits[] {
  const days = new Map<string, DailyUnits>();
  for (const { day, epoch = 1, variant: variantId } of units) {
    const key = [day, epoch, variantId].join();
    const count = (days.get(key)?.units ?? 0) + 1;
    days.set(key, { day, epoch, variantId, units: count, withMultiple: count });
  }
  return [...days.values()];
}

function quantileOf(values: readonly number[], level: number) {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  if (n < 50) return null;
  const reach = 1.96 * Math.sqrt((level * (1 - level)) / n);
  const at = (share: number) => quantileOfSorted(sorted, Math.min(1, Math.max(0, share)));
  return { n, quantile: at(level), lower: at(level - reach), upper: at(level + reach) };
}
