import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, asc, eq, sql } from 'drizzle-orm';
import type { AnalysisDefinition } from '../analysis/analysis-definition.ts';
import { type ExperimentDefinition, type GetExperimentInput, getExperiment } from '../design/get-experiment.ts';
import { abAllocations } from '../design/schema.ts';

/** What a snapshot is taken by. */
export interface ReadDefinition {
  readonly experiment: ExperimentDefinition;
  readonly definition: AnalysisDefinition;
  /** What app_now() answers. */
  readonly now: Date;
}

/** Reads what an experiment is analysed by. Two round trips, no lock. @throws DomainError `not_found`. */
export async function readAnalysisDefinition(tx: TenantTx, input: GetExperimentInput): Promise<ReadDefinition> {
  const experiment = await getExperiment(tx, input);
  const rows = await tx
    .select({
      epoch: abAllocations.epoch,
      weights: abAllocations.weights,
      now: sql<Date>`app_now()`.mapWith(abAllocations.createdAt),
    })
    .from(abAllocations)
    .where(and(eq(abAllocations.tenantId, tenantOf(tx)), eq(abAllocations.experimentId, experiment.id)))
    .orderBy(asc(abAllocations.epoch));
  const [first] = rows;
  if (first === undefined) throw new TypeError('An experiment has an allocation from the beginning.');
  const allocations = rows.map(({ epoch, weights }) => ({ epoch, weights }));
  return { experiment, definition: analysisDefinitionOf(experiment, allocations), now: first.now };
}

/** What of a definition the analysis depends on, in fields that are listed here: it is stored and hashed. */
function analysisDefinitionOf(
  experiment: ExperimentDefinition,
  allocations: AnalysisDefinition['allocations'],
): AnalysisDefinition {
  const { revision, test, alpha, correction, plannedUnits, minimumUnits } = experiment;
  return {
    ...{ revision, test, alpha, correction, plannedUnits, minimumUnits },
    variants: experiment.variants.map(({ id, key, isControl }) => ({ id, key, isControl })),
    metrics: experiment.metrics.map((metric) => {
      const { id, key, role, kind, direction, quantile, minimumEffect, alpha: own, cupedMs } = metric;
      return { id, key, role, kind, direction, quantile, minimumEffect, alpha: own, cupedMs };
    }),
    allocations,
  };
}
