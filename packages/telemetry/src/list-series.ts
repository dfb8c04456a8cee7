import {
  defineFilterFields,
  defineList,
  defineOrder,
  jsonParameter,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { labelRecord, metricName, subjectName } from './field-inputs.ts';
import { mlTelemetrySeries } from './schema.ts';

/** A row of ml_telemetry_series. */
export type TelemetrySeries = Readonly<Omit<typeof mlTelemetrySeries.$inferSelect, 'labelsKey'>>;

const fields = defineFilterFields({
  id: uuidField(mlTelemetrySeries.id),
  subject: textField(mlTelemetrySeries.subject),
  metric: textField(mlTelemetrySeries.metric),
  createdAt: timeField(mlTelemetrySeries.createdAt),
});

const { labelsKey: _, ...columns } = getTableColumns(mlTelemetrySeries);

const seriesList = defineList({
  name: 'telemetry.series',
  from: mlTelemetrySeries,
  columns,
  order: defineOrder({
    fields,
    byDefault: [{ field: 'subject' }, { field: 'metric' }],
    tieBreaker: fields.fields.id,
  }),
});

export const ListSeriesInput = z.strictObject({
  ...PageInput.shape,
  metric: metricName.optional(),
  subject: subjectName.optional(),
  /** Series that have these, whatever others they have. */
  labels: labelRecord.optional(),
});
export type ListSeriesInput = Readonly<z.input<typeof ListSeriesInput>>;

/** The series that were recorded, by subject and metric, by pages. One statement, no lock. */
export async function listSeries(tx: TenantTx, input: ListSeriesInput = {}): Promise<Page<TelemetrySeries>> {
  const { metric, subject, labels, ...page } = parseInput(ListSeriesInput, input);
  const condition = and(
    metric === undefined ? undefined : eq(mlTelemetrySeries.metric, metric),
    subject === undefined ? undefined : eq(mlTelemetrySeries.subject, subject),
    labels === undefined ? undefined : sql`${mlTelemetrySeries.labels} @> ${jsonParameter(labels)}`,
  );
  const of = [metric ?? null, subject ?? null, labels === undefined ? null : JSON.stringify(labels)];
  return await readPage(tx, seriesList, {
    ...page,
    ...(condition === undefined ? {} : { within: { condition, of } }),
  });
}
