import { nameInput, textInput } from '@mcp-hub/db-core';
import { REGISTRY_LIMITS } from '@mcp-hub/registry';
import { driftTests } from '@mcp-hub/stats';
import { TELEMETRY_LIMITS } from '@mcp-hub/telemetry';
import { z } from 'zod';
import { profiledFields } from '../baselines/schema.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { performanceMetrics } from '../performance/performance-metrics.ts';
import { performanceBases } from '../performance/schema.ts';

/** What a telemetry condition takes of the values in its window. */
export const telemetryStatistics = ['mean', 'sum', 'min', 'max', 'count', 'p50', 'p90', 'p95', 'p99'] as const;

const labelKey = nameInput(TELEMETRY_LIMITS.labelKeyLength);

/**
 * Values of a metric, as the aggregates have them: in whole minutes. Each combination of what `by` names is a series of its
 * own, and has its own alert.
 */
export const TelemetrySource = z.strictObject({
  source: z.literal('telemetry'),
  metric: nameInput(TELEMETRY_LIMITS.metricLength),
  statistic: z.enum(telemetryStatistics),
  /** Default: all subjects together, unless `by` tells them apart. */
  subject: nameInput(TELEMETRY_LIMITS.subjectLength).optional(),
  /** Series that have at least these. */
  labels: z.record(labelKey, textInput(TELEMETRY_LIMITS.labelValueLength)).optional(),
  /** `subject`, or keys of labels. */
  by: z.array(labelKey).max(MONITORING_LIMITS.byKeys).readonly().optional(),
});

export const batchJobMeasures = ['dead_letters', 'failed_jobs', 'open_jobs', 'oldest_open_ms'] as const;

/** Batch jobs of the predictions package. Where there are none the value is 0. */
export const BatchJobsSource = z.strictObject({
  source: z.literal('batch_jobs'),
  /**
   * `dead_letters` and `failed_jobs` that came about in the window; `open_jobs` at its end, submitted and not ended, paused
   * ones among them; `oldest_open_ms`, how long ago the first of these was submitted.
   */
  measure: z.enum(batchJobMeasures),
  /** Jobs of this name alone. */
  job: nameInput(MONITORING_LIMITS.nameLength).optional(),
  by: z.array(z.literal('job')).max(1).readonly().optional(),
});

const ofVersions = {
  /** Default: all models; their versions together, unless `by` tells them apart. */
  model: nameInput(REGISTRY_LIMITS.nameLength).optional(),
  version: nameInput(REGISTRY_LIMITS.nameLength).optional(),
};

export const driftMeasures = ['drifted', 'distance', 'adjusted_p'] as const;
export const driftKeys = ['model', 'version', 'field', 'feature', 'test'] as const;

/** What the last drift check of each version found, of those that were made in the window. Without one it misses. */
export const DriftSource = z.strictObject({
  source: z.literal('drift'),
  /** How many tests found drift; or the greatest distance, or the least adjusted p, of those that are not told apart. */
  measure: z.enum(driftMeasures),
  ...ofVersions,
  field: z.enum(profiledFields).optional(),
  feature: nameInput(MONITORING_LIMITS.featureNameLength).optional(),
  test: z.enum(driftTests).optional(),
  by: z.array(z.enum(driftKeys)).max(driftKeys.length).readonly().optional(),
});

export const performanceMeasures = ['value', 'difference', 'degraded'] as const;
export const performanceKeys = ['model', 'version'] as const;

/**
 * What the last look at a metric of each version found, of those that were made in the window. Without one it misses, and
 * where labels are still waited for.
 */
export const PerformanceSource = z.strictObject({
  source: z.literal('performance'),
  /** The least value, or difference from the evaluation; or how many versions are degraded. */
  measure: z.enum(performanceMeasures),
  metric: z.enum(performanceMetrics),
  /** Default: what labels say. */
  basis: z.enum(performanceBases).optional(),
  ...ofVersions,
  by: z.array(z.enum(performanceKeys)).max(performanceKeys.length).readonly().optional(),
});

/** Where a condition's numbers come from. */
export const ConditionSource = z.discriminatedUnion('source', [
  TelemetrySource,
  BatchJobsSource,
  DriftSource,
  PerformanceSource,
]);
export type ConditionSource = Readonly<z.output<typeof ConditionSource>>;
