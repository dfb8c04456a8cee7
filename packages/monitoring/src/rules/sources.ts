import { nameInput, textInput } from '@mcp-hub/db-core';
import { TELEMETRY_LIMITS } from '@mcp-hub/telemetry';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';

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

/** Where a condition's numbers come from. */
export const ConditionSource = z.discriminatedUnion('source', [TelemetrySource, BatchJobsSource]);
export type ConditionSource = Readonly<z.output<typeof ConditionSource>>;
