import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { mlTelemetryAggregates, type TelemetryGrain } from './schema.ts';

/**
 * Writes what differs, and deletes the row of a bucket without events. The number of rows.
 *
 * @param fresh a query of series_id, bucket_at and the state in the order of the table's columns, one row a bucket.
 * @param before CTEs that it needs, each with a comma behind.
 */
export async function writeAggregates(
  tx: TenantTx,
  grain: TelemetryGrain,
  fresh: SQL,
  before = sql``,
): Promise<number> {
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
