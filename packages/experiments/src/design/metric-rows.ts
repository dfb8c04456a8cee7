import { type Id, newId } from '@mcp-hub/db-core';
import type { z } from 'zod';
import type { metricList } from './experiment-inputs.ts';

export type GivenMetrics = z.output<typeof metricList>;

/** The rows of ab_metrics, those that are known under their ids. */
export function metricRows(
  experimentId: Id<'Experiment'>,
  given: GivenMetrics,
  known: ReadonlyMap<string, Id<'ExperimentMetric'>> = new Map(),
) {
  return given.map((metric, position) => ({
    id: known.get(metric.key) ?? newId<'ExperimentMetric'>(),
    experimentId,
    key: metric.key,
    position,
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
