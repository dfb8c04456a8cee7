import { type Id, newId } from '@mcp-hub/db-core';
import type { z } from 'zod';
import type { metricList } from './experiment-inputs.ts';

export type GivenMetrics = z.output<typeof metricList>;

/** What the rows of ab_metrics hold, in the order of their positions; those that are known under their ids. */
export function metricRows(given: GivenMetrics, known: ReadonlyMap<string, Id<'ExperimentMetric'>> = new Map()) {
  return given.map((metric) => ({
    id: known.get(metric.key) ?? newId<'ExperimentMetric'>(),
    key: metric.key,
    role: metric.role,
    kind: metric.kind,
    outcome: metric.outcome ?? metric.key,
    denominator: metric.denominator ?? null,
    quantile: metric.quantile ?? null,
    direction: metric.direction ?? ('increase' as const),
    minimumEffect: metric.minimumEffect ?? null,
    alpha: metric.alpha ?? null,
    delayMs: metric.delayMs ?? 0,
    windowMs: metric.windowMs ?? null,
    cupedMs: metric.cupedMs ?? null,
  }));
}
