import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { fromAggregates, mergeParts, partColumns } from './merge-parts.ts';
import { refuseManySeries, selectedSeries, selectionFields } from './series-selection.ts';
import {
  percentileList,
  percentilesOf,
  type StatisticsRow,
  statisticsColumns,
  statisticsOf,
  type TelemetryStatistics,
} from './statistics.ts';
import { FORWARDS, isCovered, isForwards, secondsOf, wholeMinutes, windowFields } from './time-window.ts';

export const ReadSummaryInput = z
  .strictObject({ ...selectionFields, ...windowFields, percentiles: percentileList.optional() })
  .refine(isForwards, FORWARDS);
export type ReadSummaryInput = Readonly<z.input<typeof ReadSummaryInput>>;

export interface TelemetrySummary extends TelemetryStatistics {
  /** The window in whole minutes. */
  readonly from: Date;
  readonly to: Date;
}

/**
 * What a metric's values of a window come to, widened to whole minutes, from as few aggregates as make it up. One
 * statement, no lock. Where there is no such series, n is 0.
 *
 * @throws DomainError `invalid_input` where more than 1,000 series are meant.
 */
export async function readSummary(tx: TenantTx, input: ReadSummaryInput): Promise<TelemetrySummary> {
  const { from, to, percentiles = [], ...selection } = parseInput(ReadSummaryInput, input);
  const window = wholeMinutes({ from, to });
  const [row] = await tx.execute<StatisticsRow & { series: number }>(sql`
    with ${selectedSeries(tx, selection)}, ${mergeParts(sql`
      select 0 as bin, ${partColumns} ${fromAggregates}
       where a.tenant_id = ${tenantOf(tx)} and a.series_id = any (array(select unnest(ids) from selected))
         and ${isCovered(window)}`)}, ${percentilesOf(percentiles)}
    select selected.count as series, ${statisticsColumns}
      from selected left join merged m on true left join percentiles p on true`);
  if (row === undefined) throw new TypeError('An aggregate without groups gives one row');
  refuseManySeries(row.series);
  return { ...window, ...statisticsOf(row, percentiles, secondsOf(window)) };
}
