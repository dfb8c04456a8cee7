import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { TELEMETRY_LIMITS } from './limits.ts';
import { fromAggregates, mergeParts, partColumns } from './merge-parts.ts';
import { mlTelemetrySeries } from './schema.ts';
import { isSelected, selectionFields } from './series-selection.ts';
import {
  percentileList,
  percentilesOf,
  type StatisticsRow,
  statisticsColumns,
  statisticsOf,
  type TelemetryStatistics,
} from './statistics.ts';
import { FORWARDS, isCovered, isForwards, secondsOf, wholeMinutes, windowFields } from './time-window.ts';

const orders = {
  n: sql`m.n`,
  sum: sql`m.total`,
  mean: sql`m.mean`,
  min: sql`m.min`,
  max: sql`m.max`,
} as const;

export const ListTopSubjectsInput = z
  .strictObject({
    metric: selectionFields.metric,
    labels: selectionFields.labels,
    ...windowFields,
    /** What the subjects are ordered by: a statistic, or a share such as 0.99 for that percentile. Default `n`. */
    by: z
      .union([z.enum(['n', 'sum', 'mean', 'min', 'max']), z.strictObject({ percentile: z.number().min(0).max(1) })])
      .optional(),
    /** Default `desc`: the highest first. */
    direction: z.enum(['asc', 'desc']).optional(),
    /** Default 10. */
    limit: z.int().min(1).max(TELEMETRY_LIMITS.topSubjects).optional(),
    percentiles: percentileList.optional(),
  })
  .refine(isForwards, FORWARDS);
export type ListTopSubjectsInput = Readonly<z.input<typeof ListTopSubjectsInput>>;

export interface TopSubject extends TelemetryStatistics {
  readonly subject: string;
}

/**
 * The subjects of a metric that come first by a statistic of a window, widened to whole minutes; those that are equal by
 * name, those without finite values not at all. One statement, no lock, over the aggregates of all subjects of the metric.
 */
export async function listTopSubjects(tx: TenantTx, input: ListTopSubjectsInput): Promise<readonly TopSubject[]> {
  const {
    from,
    to,
    by = 'n',
    direction = 'desc',
    limit = 10,
    percentiles = [],
    ...selection
  } = parseInput(ListTopSubjectsInput, input);
  const window = wholeMinutes({ from, to });
  const tenant = tenantOf(tx);
  // What is ordered by stands last in the list of what is read off the histogram.
  const shares = typeof by === 'string' ? percentiles : [...percentiles, by.percentile];
  const order = typeof by === 'string' ? orders[by] : sql`p.values[${shares.length}::int]`;
  const rows = await tx.execute<StatisticsRow & { subject: string }>(sql`
    with ${mergeParts(sql`
      select s.subject as bin, ${partColumns} ${fromAggregates}
        join ${mlTelemetrySeries} s on s.tenant_id = ${tenant} and s.id = a.series_id
       where a.tenant_id = ${tenant} and ${isSelected(tx, selection)} and ${isCovered(window)}`)},
    ${percentilesOf(shares)}
    select m.bin as subject, ${statisticsColumns}
      from merged m
      join percentiles p on p.bin = m.bin
     where m.n > 0
     order by ${order} ${sql.raw(direction)}, m.bin
     limit ${limit}`);
  return rows.map(({ subject, ...row }) => ({ subject, ...statisticsOf(row, percentiles, secondsOf(window)) }));
}
