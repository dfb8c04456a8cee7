import { DomainError, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { mlTelemetryDirtyBuckets, mlTelemetrySeries } from './schema.ts';

/** A part of a series' time that aggregates are made of. */
export interface Bucket {
  readonly seriesId: string;
  readonly from: Date;
  readonly to: Date;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Hours and days of UTC are all of one length. */
const bucketAt = (seriesId: string, ms: number, lengthMs: number): Bucket => {
  const from = Math.floor(ms / lengthMs) * lengthMs;
  return { seriesId, from: new Date(from), to: new Date(from + lengthMs) };
};

/** The hours or days that minutes lie in, each once. */
export const bucketsOf = (minutes: readonly Bucket[], lengthMs: number): readonly Bucket[] => {
  const buckets = minutes.map(({ seriesId, from }) => bucketAt(seriesId, from.getTime(), lengthMs));
  return [...new Map(buckets.map((bucket) => [`${bucket.seriesId} ${bucket.from.getTime()}`, bucket])).values()];
};

interface ClaimedRow extends Record<string, unknown> {
  readonly series: readonly string[];
  readonly at_ms: readonly number[];
  readonly more: boolean;
  readonly isolation: string;
}

/**
 * Takes the marks of the oldest minutes whose series nobody else refreshes, and with each minute all of its marks. The
 * series stay locked until the transaction ends.
 *
 * @throws DomainError `failed_precondition` above read committed.
 */
export async function claimMinutes(
  tx: TenantTx,
  limit: number,
): Promise<{ readonly minutes: readonly Bucket[]; readonly more: boolean }> {
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
