import { DomainError, jsonParameter, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { labelRecord, metricName, subjectName } from './field-inputs.ts';
import { TELEMETRY_LIMITS } from './limits.ts';
import { mlTelemetrySeries, type TelemetryLabels } from './schema.ts';

/** What a read brings together: the series of a metric, of one subject or of all, that have at least these labels. */
export const selectionFields = {
  metric: metricName,
  /** Default: all subjects. */
  subject: subjectName.optional(),
  /** Series that have these, whatever others they have. Default: all. */
  labels: labelRecord.optional(),
};

interface Selection {
  readonly metric: string;
  readonly subject?: string | undefined;
  readonly labels?: TelemetryLabels | undefined;
}

/** The condition on series `s`. */
export const isSelected = (tx: TenantTx, { metric, subject, labels }: Selection): SQL => sql`
  s.tenant_id = ${tenantOf(tx)} and s.metric = ${metric}
  ${subject === undefined ? sql`` : sql`and s.subject = ${subject}`}
  ${labels === undefined ? sql`` : sql`and s.labels @> ${jsonParameter(labels)}`}`;

/** The CTE `selected` (ids uuid[], count). */
export const selectedSeries = (tx: TenantTx, selection: Selection): SQL => sql`
  selected as materialized (
    select coalesce(array_agg(id), '{}') as ids, count(*)::int as count
      from (select s.id from ${mlTelemetrySeries} s
             where ${isSelected(tx, selection)}
             limit ${TELEMETRY_LIMITS.seriesAtOnce + 1}) s
  )`;

export function refuseManySeries(count: number): void {
  if (count <= TELEMETRY_LIMITS.seriesAtOnce) return;
  throw new DomainError(
    'invalid_input',
    `The metric has more than ${TELEMETRY_LIMITS.seriesAtOnce} such series. Name a subject, or labels.`,
    { details: { limit: TELEMETRY_LIMITS.seriesAtOnce } },
  );
}
