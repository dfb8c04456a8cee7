import { idFloor, parseInput, type TenantTx, tenantOf, timestampArray, uuidArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Bucket, bucketsOf, claimMinutes, HOUR_MS, MINUTE_MS } from './claim-minutes.ts';
import { eventsHorizon } from './events-horizon.ts';
import { histogramKey } from './histogram.ts';
import { TELEMETRY_LIMITS } from './limits.ts';
import { fromAggregates, mergeParts, partColumns } from './merge-parts.ts';
import { mlTelemetryEvents, type TelemetryGrain } from './schema.ts';
import { writeAggregates } from './write-aggregates.ts';

export const RefreshAggregatesInput = z.strictObject({
  /** Marks to begin with; all marks of the same minutes go along. Default 1,000. */
  limit: z.int().min(1).max(TELEMETRY_LIMITS.bucketsAtOnce).optional(),
});
export type RefreshAggregatesInput = Readonly<z.input<typeof RefreshAggregatesInput>>;

export interface RefreshedAggregates {
  /** Minutes of series that were looked at; 0 where nothing was left, or others are at work on all that is. */
  readonly minutes: number;
  /** Rows of the aggregates that were written, because they differ from what they were. */
  readonly changed: number;
  /** Whether marks may be left, those that others are at work on among them. */
  readonly more: boolean;
}

/**
 * Brings the aggregates up to date with the events that were recorded, the oldest marks first: each minute from its
 * events, its hour from minutes, its day from hours, always in the same order, so that the result is bit for bit what a
 * recomputation of everything gives. Two round trips; locks the rows of the series until the transaction ends and passes
 * over those that another refresh holds; nobody who records waits for it.
 *
 * The lock comes first and the events are read by a later statement, whose snapshot has all that earlier holders wrote. A
 * mark that is deleted was seen, and with it the events of its transaction; one that is committed later stays.
 *
 * @throws DomainError `failed_precondition` in a transaction above read committed, where that would not hold.
 */
export async function refreshAggregates(
  tx: TenantTx,
  input: RefreshAggregatesInput = {},
): Promise<RefreshedAggregates> {
  const { limit = 1_000 } = parseInput(RefreshAggregatesInput, input);
  const claimed = await claimMinutes(tx, limit);
  if (claimed.minutes.length === 0) return { minutes: 0, changed: 0, more: claimed.more };
  // Each sees what the one before wrote; they leave together.
  const written = await Promise.all([
    refreshMinutes(tx, claimed.minutes),
    mergeInto(tx, 'hour', 'minute', bucketsOf(claimed.minutes, HOUR_MS)),
    mergeInto(tx, 'day', 'hour', bucketsOf(claimed.minutes, 24 * HOUR_MS)),
  ]);
  const changed = written.reduce((sum, count) => sum + count, 0);
  return { minutes: claimed.minutes.length, changed, more: claimed.more };
}

async function refreshMinutes(tx: TenantTx, minutes: readonly Bucket[]): Promise<number> {
  const times = minutes.map(({ from }) => from.getTime());
  const lowest = idFloor(new Date(Math.min(...times)));
  const highest = idFloor(new Date(Math.max(...times) + MINUTE_MS));
  // The ends of all minutes as parameters, so that the planner locks the partitions between them and no others: one tenant
  // may have events of many years, and with 324 partitions a refresh of any other took 1,002 locks and 100 ms.
  const events = sql`
    from ${mlTelemetryEvents} e
   where e.tenant_id = ${tenantOf(tx)} and e.series_id = b.series_id and e.id >= b.low and e.id < b.high
     and e.id >= ${lowest}::uuid and e.id < ${highest}::uuid`;
  // NaN is above all numbers here.
  const finite = sql`e.value > '-Infinity' and e.value < 'Infinity'`;
  return await writeAggregates(
    tx,
    'minute',
    sql`
    select b.series_id, b.bucket_at, moments.*, histogram.*
      from (select * from unnest(${seriesOf(minutes)}, ${timestampArray(minutes.map(({ from }) => from))},
                                 ${uuidArray(minutes.map(({ from }) => idFloor(from)))},
                                 ${uuidArray(minutes.map(({ to }) => idFloor(to)))})
                      as given (series_id, bucket_at, low, high)
             where bucket_at >= ${eventsHorizon(tx)}
            -- Or the ids below would be computed for each event again.
            offset 0) b
     cross join lateral (
       select count(*) filter (where ${finite})                                       as n,
              avg(e.value order by e.id) filter (where ${finite})                     as mean,
              -- The sum of squared differences, by Youngs and Cramer's update; var_pop is this divided by n.
              regr_sxx(e.value, e.value order by e.id) filter (where ${finite})       as m2,
              -- Without the sign of a zero, which would depend on the order.
              min(e.value + 0) filter (where ${finite})                               as min,
              max(e.value + 0) filter (where ${finite})                               as max,
              count(*) filter (where e.value = 'NaN')                                 as nan_count,
              count(*) filter (where e.value = 'Infinity')                            as infinity_count,
              count(*) filter (where e.value = '-Infinity')                           as negative_infinity_count
         ${events}) moments
     cross join lateral (
       select array_agg(key order by key) as keys, array_agg(count order by key) as counts
         from (select ${histogramKey(sql`e.value`)} as key, count(*) as count
                 ${events} and ${finite}
                group by key) counted) histogram`,
  );
}

async function mergeInto(
  tx: TenantTx,
  grain: TelemetryGrain,
  parts: TelemetryGrain,
  buckets: readonly Bucket[],
): Promise<number> {
  const numbered = sql`
    select given.*
      from unnest(${seriesOf(buckets)}, ${timestampArray(buckets.map(({ from }) => from))},
                  ${timestampArray(buckets.map(({ to }) => to))})
           with ordinality as given (series_id, bucket_at, until, bin)
     where bucket_at >= ${eventsHorizon(tx)}`;
  // Laterally, so that the aggregates are read a bucket at a time whatever the planner believes of their number.
  const partsOfBuckets = sql`
    select b.bin, a.*
      from bucket b,
           lateral (select ${partColumns} ${fromAggregates}
                     where a.tenant_id = ${tenantOf(tx)} and a.series_id = b.series_id and a.grain = ${parts}
                       and a.bucket_at >= b.bucket_at and a.bucket_at < b.until
                    offset 0) a`;
  return await writeAggregates(
    tx,
    grain,
    sql`
    select b.series_id, b.bucket_at, coalesce(m.n, 0), m.mean, m.m2, m.min, m.max, coalesce(m.nan_count, 0),
           coalesce(m.infinity_count, 0), coalesce(m.negative_infinity_count, 0), h.keys, h.counts
      from bucket b
      left join merged m on m.bin = b.bin
      left join (select bin, array_agg(key order by key) as keys, array_agg(count order by key) as counts
                   from histogram_keys group by bin) h on h.bin = b.bin`,
    sql`bucket as materialized (${numbered}), ${mergeParts(partsOfBuckets)},`,
  );
}

const seriesOf = (buckets: readonly Bucket[]): SQL => uuidArray(buckets.map(({ seriesId }) => seriesId));
