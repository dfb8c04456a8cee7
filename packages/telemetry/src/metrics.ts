import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { metricName, unitName } from './field-inputs.ts';
import { TELEMETRY_LIMITS } from './limits.ts';
import { mlTelemetryMetrics } from './schema.ts';

/** A metric with its unit and how many different sets of labels it has and may have. */
export type TelemetryMetric = Readonly<typeof mlTelemetryMetrics.$inferSelect>;

export const SetMetricInput = z.strictObject({
  metric: metricName,
  /** Default: what it has. */
  unit: unitName.optional(),
  /** Default: what it has, 1,000 where it is new. One below the count lets no further label set in. */
  labelSetLimit: z.int().min(1).max(TELEMETRY_LIMITS.labelSetsMax).optional(),
});
export type SetMetricInput = Readonly<z.input<typeof SetMetricInput>>;

/** Says the unit and the limit of a metric, before it is recorded or after. @throws DomainError `conflict` for another unit. */
export async function setMetric(tx: TenantTx, input: SetMetricInput): Promise<TelemetryMetric> {
  const { metric, unit, labelSetLimit } = parseInput(SetMetricInput, input);
  const [set] = await tx
    .insert(mlTelemetryMetrics)
    .values({
      tenantId: tenantOf(tx),
      metric,
      ...(unit === undefined ? {} : { unit }),
      ...(labelSetLimit === undefined ? {} : { labelSetLimit }),
    })
    .onConflictDoUpdate({
      target: [mlTelemetryMetrics.tenantId, mlTelemetryMetrics.metric],
      set: {
        unit: sql`coalesce(${mlTelemetryMetrics.unit}, excluded.unit)`,
        ...(labelSetLimit === undefined ? {} : { labelSetLimit }),
        updatedAt: sql`app_now()`,
      },
      setWhere: sql`excluded.unit is null or ${mlTelemetryMetrics.unit} is null or ${mlTelemetryMetrics.unit} = excluded.unit`,
    })
    .returning(getTableColumns(mlTelemetryMetrics));
  if (set !== undefined) return set;
  throw new DomainError(
    'conflict',
    'The metric has another unit. Its values mean what they mean: take another metric.',
  );
}

export const GetMetricInput = z.strictObject({ metric: metricName });
export type GetMetricInput = Readonly<z.input<typeof GetMetricInput>>;

/** A metric by its name; undefined where it was never recorded or set. */
export async function findMetric(tx: TenantTx, input: GetMetricInput): Promise<TelemetryMetric | undefined> {
  const { metric } = parseInput(GetMetricInput, input);
  const [row] = await tx
    .select()
    .from(mlTelemetryMetrics)
    .where(and(eq(mlTelemetryMetrics.tenantId, tenantOf(tx)), eq(mlTelemetryMetrics.metric, metric)));
  return row;
}

/** As findMetric. @throws DomainError `not_found`. */
export async function getMetric(tx: TenantTx, input: GetMetricInput): Promise<TelemetryMetric> {
  const metric = await findMetric(tx, input);
  if (metric !== undefined) return metric;
  throw new DomainError('not_found', 'There is no metric with this name.');
}
