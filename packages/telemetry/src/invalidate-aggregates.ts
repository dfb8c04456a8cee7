import { idFloor, parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { noteRefresh } from './note-refresh.ts';
import { mlTelemetryAggregates, mlTelemetryDirtyBuckets, mlTelemetryEvents, mlTelemetrySeries } from './schema.ts';

export const InvalidateAggregatesInput = z.strictObject({
  from: z.date(),
  /** Not included. */
  to: z.date(),
});
export type InvalidateAggregatesInput = Readonly<z.input<typeof InvalidateAggregatesInput>>;

/**
 * Marks the minutes of a window, of all series, to be made anew from their events: after events were inserted or deleted
 * by hand. One statement over the events of the window. How many minutes were marked.
 */
export async function invalidateAggregates(tx: TenantTx, input: InvalidateAggregatesInput): Promise<number> {
  const { from, to } = parseInput(InvalidateAggregatesInput, input);
  const tenant = tenantOf(tx);
  const rows = await tx.execute(sql`
    with marked as (
      insert into ${mlTelemetryDirtyBuckets} (tenant_id, id, series_id, bucket_at)
      select ${tenant}, app_uuid_v7(), series_id, bucket_at
        from (select e.series_id, date_trunc('minute', e.recorded_at, 'UTC') as bucket_at
                from ${mlTelemetryEvents} e
                join ${mlTelemetrySeries} s on s.tenant_id = ${tenant} and s.id = e.series_id
               where e.tenant_id = ${tenant} and e.id >= ${idFloor(from)}::uuid and e.id < ${idFloor(to)}::uuid
               union
              select a.series_id, a.bucket_at
                from ${mlTelemetryAggregates} a
               where a.tenant_id = ${tenant} and a.grain = 'minute'
                 and a.bucket_at >= date_trunc('minute', ${timeParameter(from)}, 'UTC') and a.bucket_at < ${timeParameter(to)}) bucket
       order by series_id, bucket_at
      returning 1
    ), ${noteRefresh(tx, sql`marked`)}
    select from marked`);
  return rows.length;
}
