import { DomainError, parseInput, type TenantTx, tenantOf, timestampArray, uuidArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { eventsHorizon } from './events-horizon.ts';
import { histogramKey } from './histogram.ts';
import { idFloor } from './id-floor.ts';
import { TELEMETRY_LIMITS } from './limits.ts';
import { fromAggregates, mergeParts, partColumns } from './merge-parts.ts';
import {
  mlTelemetryAggregates,
  mlTelemetryDirtyBuckets,
  mlTelemetryEvents,
  mlTelemetrySeries,
  type TelemetryGrain,
} from './schema.ts';

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

interface Bucket {
  readonly seriesId: string;
  readonly from: Date;
  readonly to: Date;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Hours and days of UTC are all of one length. */
const bucketAt = (seriesId: string, ms: number, lengthMs: number): Bucket => {
  const from = Math.floor(ms / lengthMs) * lengthMs;
  return { seriesId, from: new Date(from), to: new Date(from + lengthMs) };
};

const bucketsOf = (minutes: readonly Bucket[], lengthMs: number): readonly Bucket[] => {
  const buckets = minutes.map(({ seriesId, from }) => bucketAt(seriesId, from.getTime(), lengthMs));
  return [...new Map(buckets.map((bucket) => [`${bucket.seriesId} ${bucket.from.getTime()}`, bucket])).values()];
};

interface ClaimedRow extends Record<string, unknown> {
  readonly series: readonly string[];
  readonly at_ms: readonly number[];
  readonly more: boolean;
  readonly isolation: string;
}

async function claimMinutes(tx: TenantTx, limit: number): Promise<{ minutes: readonly Bucket[]; more: boolean }> {
  const tenant = tenantOf(tx);
  const [claimed] = await tx.execute<ClaimedRow>(sql`
    with oldest as materialized (
      select series_id, bucket_at
        from ${mlTelemetryDirtyBuckets}
       where tenant_id = ${tenant}
       order by id
       limit ${limit}
    ), locked as materialized (
      select s.id
        from (select distinct series_id from oldest) o
        join ${mlTelemetrySeries} s on s.tenant_id = ${tenant} and s.id = o.series_id
       order by s.id
         for no key update of s skip locked
    ), claimed as materialized (
      select distinct o.series_id, o.bucket_at from oldest o join locked l on l.id = o.series_id
    ), cleared as (
      -- By id, and laterally: joined, it read all marks of the tenant and compared each with each that is claimed.
      delete from ${mlTelemetryDirtyBuckets}
       where tenant_id = ${tenant}
         and id = any (array(
               select d.id
                 from claimed c,
                      lateral (select id from ${mlTelemetryDirtyBuckets}
                                where tenant_id = ${tenant} and series_id = c.series_id and bucket_at = c.bucket_at
                               offset 0) d))
    )
    select coalesce(array_agg(series_id order by series_id, bucket_at), '{}') as series,
           coalesce(array_agg((extract(epoch from bucket_at) * 1000)::float8 order by series_id, bucket_at), '{}') as at_ms,
           (select count(*) from oldest) = ${limit}
           or exists (select from oldest o where not exists (select from locked l where l.id = o.series_id)) as more,
           current_setting('transaction_isolation') as isolation
      from claimed`);
  if (claimed === undefined) throw new TypeError('An aggregate without groups gives one row');
  if (claimed.isolation !== 'read committed') {
    throw new DomainError(
      'failed_precondition',
      'Aggregates are refreshed in a transaction of isolation level read committed.',
    );
  }
  const minutes = claimed.series.map((id, n) => bucketAt(id, claimed.at_ms[n] ?? Number.NaN, MINUTE_MS));
  return { minutes, more: claimed.more };
}

async function refreshMinutes(tx: TenantTx, minutes: readonly Bucket[]): Promise<number> {
  const events = sql`
    from ${mlTelemetryEvents} e
   where e.tenant_id = ${tenantOf(tx)} and e.series_id = b.series_id and e.id >= b.low and e.id < b.high`;
  // NaN is above all numbers here.
  const finite = sql`e.value > '-Infinity' and e.value < 'Infinity'`;
  return await writeFresh(
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
  return await writeFresh(
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

/** Writes what differs, and deletes the row of a bucket without events. The number of rows. */
async function writeFresh(tx: TenantTx, grain: TelemetryGrain, fresh: SQL, before = sql``): Promise<number> {
  const tenant = tenantOf(tx);
  const [written] = await tx.execute<{ rows: number }>(sql`
    with ${before} fresh (series_id, bucket_at, n, mean, m2, min, max, nan_count, infinity_count, negative_infinity_count,
                histogram_keys, histogram_counts) as materialized (${fresh}
    ), written as (
      insert into ${mlTelemetryAggregates} as a
             (tenant_id, series_id, grain, bucket_at, n, mean, m2, min, max, nan_count, infinity_count,
              negative_infinity_count, histogram_keys, histogram_counts)
      select ${tenant}, series_id, ${grain}, bucket_at, n, mean, m2, min, max, nan_count, infinity_count,
             negative_infinity_count, coalesce(histogram_keys, '{}'), coalesce(histogram_counts, '{}')
        from fresh
       where n + nan_count + infinity_count + negative_infinity_count > 0
       order by series_id, bucket_at
          on conflict (tenant_id, series_id, grain, bucket_at) do update
         set n                       = excluded.n,
             mean                    = excluded.mean,
             m2                      = excluded.m2,
             min                     = excluded.min,
             max                     = excluded.max,
             nan_count               = excluded.nan_count,
             infinity_count          = excluded.infinity_count,
             negative_infinity_count = excluded.negative_infinity_count,
             histogram_keys          = excluded.histogram_keys,
             histogram_counts        = excluded.histogram_counts,
             updated_at              = app_now()
       where (a.n, a.mean, a.m2, a.min, a.max, a.nan_count, a.infinity_count, a.negative_infinity_count,
              a.histogram_keys, a.histogram_counts)
             is distinct from
             (excluded.n, excluded.mean, excluded.m2, excluded.min, excluded.max, excluded.nan_count,
              excluded.infinity_count, excluded.negative_infinity_count, excluded.histogram_keys,
              excluded.histogram_counts)
      returning 1
    ), emptied as (
      -- Laterally, as above. The lock of the series keeps the rows where they are.
      delete from ${mlTelemetryAggregates}
       where tenant_id = ${tenant}
         and ctid = any (array(
               select a.row
                 from fresh f,
                      lateral (select ctid as row from ${mlTelemetryAggregates}
                                where tenant_id = ${tenant} and series_id = f.series_id and grain = ${grain}
                                  and bucket_at = f.bucket_at
                               offset 0) a
                where f.n + f.nan_count + f.infinity_count + f.negative_infinity_count = 0))
      returning 1
    )
    select ((select count(*) from written) + (select count(*) from emptied))::int as rows`);
  return written?.rows ?? 0;
}
