import { allocationChart, type LiftVerdict, liftChart, metricTableChart } from '@mcp-hub/charts';
import type { EffectResult, MetricResult } from '@mcp-hub/experiments';
import type { ExperimentReport, LookReport } from '../experiment/run-experiment.ts';
import type { NamedCharts } from './evaluation-charts.ts';

/** The lift of the primary metric at each look, all metrics at the last one, and how the flights were shared out. */
export function experimentCharts(tenant: string, { experiment, looks }: ExperimentReport): NamedCharts {
  const subtitle = `${tenant}, ${experiment.key}, flights of March 2001`;
  const primary = experiment.metrics.find(({ role }) => role === 'primary');
  const treatments = experiment.variants.filter(({ isControl }) => !isControl);
  const [first, last] = [looks[0], looks.at(-1)];
  if (primary === undefined || first === undefined || last === undefined) return new Map();
  const series = treatments.map(({ id, key: name }) => ({
    name,
    points: looks.map((look) => ({ at: look.departedBy, ...liftOf(resultOf(look, primary.id, id)) })),
  }));
  const rows = treatments.flatMap(({ id, key: variant }) =>
    experiment.metrics.map((metric) => {
      const result = resultOf(last, metric.id, id);
      const verdict = verdictOf(result, metric.direction === 'increase' ? 1 : -1, experiment.alpha);
      return { metric: metric.key, role: metric.role, variant, ...liftOf(result), verdict };
    }),
  );
  const epoch = {
    ...{ epoch: experiment.allocation.epoch, from: experiment.startedAt ?? experiment.createdAt },
    coverage: experiment.allocation.coverage,
    variants: experiment.variants.map(({ key: name, weight }) => ({ name, weight })),
  };
  return new Map([
    ['experiment-lift', liftChart({ metric: primary.key, series, subtitle })],
    ['experiment-metrics', metricTableChart({ rows, subtitle })],
    ['experiment-allocation', allocationChart({ epochs: [epoch], until: last.snapshot.asOf, subtitle })],
  ]);
}

function resultOf({ snapshot }: LookReport, metricId: string, variantId: string): MetricResult | undefined {
  return snapshot.analysis.results.find(
    (row) => row.metricId === metricId && row.variantId === variantId && row.slice === null,
  );
}

function liftOf(result: MetricResult | undefined) {
  const relative = result?.comparison?.relative;
  if (relative === undefined || relative.estimate === null) return { lift: null, interval: null, alwaysValid: null };
  const bounds = (lower: EffectResult['lower'], upper: EffectResult['upper']) =>
    lower === null && upper === null ? null : ([lower, upper] as const);
  return {
    lift: relative.estimate,
    interval: bounds(relative.lower, relative.upper),
    alwaysValid: bounds(relative.validLower, relative.validUpper),
  };
}

/** By the p that decides, which is valid at every look and corrected for the family. */
function verdictOf(result: MetricResult | undefined, sign: number, alpha: number): LiftVerdict {
  const estimate = result?.comparison?.absolute.estimate ?? 0;
  if ((result?.adjustedValidP ?? 1) > alpha) return 'unclear';
  return sign * estimate > 0 ? 'better' : 'worse';
}
