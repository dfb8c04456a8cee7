import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type PerformanceMetric, performanceMetrics } from './performance-metrics.ts';
import { performanceDrift } from './schema.ts';

export const AuditEstimatesInput = z
  .strictObject({ ...versionSubject, metric: z.enum(performanceMetrics) })
  .refine(namesOneVersion, ONE_VERSION);
export type AuditEstimatesInput = Readonly<z.input<typeof AuditEstimatesInput>>;

/** A window whose labels came after it was estimated. */
export interface AuditedEstimate {
  readonly fromDay: string;
  readonly toDay: string;
  readonly estimated: number;
  readonly lower: number;
  readonly upper: number;
  readonly realised: number;
  /** realised - estimated. */
  readonly error: number;
  readonly isWithin: boolean;
}

export interface EstimatesAudit {
  readonly metric: PerformanceMetric;
  /** In the order of days. */
  readonly windows: readonly AuditedEstimate[];
  /** Means over the windows; null where there are none. */
  readonly bias: number | null;
  readonly meanAbsoluteError: number | null;
  /** The share of windows whose realised value lies in the interval of the estimate. Both are of samples, so less than its level is to be expected. */
  readonly coverage: number | null;
}

/**
 * How right the estimates of a metric were: of each window the first estimate beside the last value by labels that was mature.
 * One statement, no lock.
 */
export async function auditEstimates(tx: TenantTx, input: AuditEstimatesInput): Promise<EstimatesAudit> {
  const { metric, ...version } = parseInput(AuditEstimatesInput, input);
  const rows = await tx.execute<AuditRow>(sql`
    with looks as materialized (
      select d.*
        from ${performanceDrift} d
       where d.tenant_id = ${tenantOf(tx)} and d.model_version_id = ${versionIdOf(tx, version)} and d.metric = ${metric}
         and d.value is not null and d.verdict <> 'immature'
    )
    select e.from_day::text as from_day, e.to_day::text as to_day, e.value as estimated, e.lower, e.upper, r.value as realised
      from (select distinct on (from_day, to_day, time_zone) * from looks
             where basis = 'estimated' order by from_day, to_day, time_zone, created_at, id) e
      join (select distinct on (from_day, to_day, time_zone) * from looks
             where basis = 'realised' order by from_day, to_day, time_zone, created_at desc, id desc) r
     using (from_day, to_day, time_zone)
     order by from_day, to_day`);
  const windows = rows.map(({ from_day, to_day, estimated, lower, upper, realised }) => ({
    ...{ fromDay: from_day, toDay: to_day, estimated, lower, upper, realised, error: realised - estimated },
    isWithin: realised >= lower && realised <= upper,
  }));
  const mean = (of: (window: AuditedEstimate) => number) =>
    windows.length === 0 ? null : windows.reduce((sum, window) => sum + of(window), 0) / windows.length;
  return {
    ...{ metric, windows, bias: mean(({ error }) => error), meanAbsoluteError: mean(({ error }) => Math.abs(error)) },
    coverage: mean(({ isWithin }) => Number(isWithin)),
  };
}

interface AuditRow extends Record<string, unknown> {
  readonly from_day: string;
  readonly to_day: string;
  readonly estimated: number;
  readonly lower: number;
  readonly upper: number;
  readonly realised: number;
}
