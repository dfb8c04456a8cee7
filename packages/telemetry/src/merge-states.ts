import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { mlTelemetryAggregates } from './schema.ts';

/**
 * What the rows `a` of the aggregates that meet a condition come to together, as FROM items `merged` (n, mean, min, max and
 * the counts), `spread` (m2) and `histogram` (keys, counts), in the order in which they are to stand after what the
 * condition names.
 *
 * Chan, Golub and LeVeque's merge for any number of parts at once: m2 is the sum of the parts' m2 and of n times the square
 * of what their means differ from the whole. Sums are taken in the order of series and bucket, so that the same parts give
 * the same bits. What is too small for a float8 counts as nothing: PostgreSQL's operators refuse to underflow.
 */
export const mergeStates = (tx: TenantTx, condition: SQL): SQL => {
  const rows = sql`${mlTelemetryAggregates} a where a.tenant_id = ${tenantOf(tx)} and ${condition}`;
  return sql`
    lateral (
      select coalesce(sum(a.n), 0)::bigint                           as n,
             sum(a.n * a.mean order by a.series_id, a.bucket_at)     as total,
             min(a.min)                                              as min,
             max(a.max)                                              as max,
             coalesce(sum(a.nan_count), 0)::bigint                   as nan_count,
             coalesce(sum(a.infinity_count), 0)::bigint              as infinity_count,
             coalesce(sum(a.negative_infinity_count), 0)::bigint     as negative_infinity_count
        from ${rows}) summed
    cross join lateral (
      select summed.*, case when abs(total) < 1e-290 then 0 else total / nullif(n, 0) end as mean) merged
    cross join lateral (
      select sum(a.m2 + case when abs(a.mean - merged.mean) < 1e-150 then 0
                             else a.n * (a.mean - merged.mean) * (a.mean - merged.mean) end
                 order by a.series_id, a.bucket_at) as m2
        from ${rows}) spread
    cross join lateral (
      select coalesce(array_agg(key order by key), '{}')   as keys,
             coalesce(array_agg(count order by key), '{}') as counts
        from (select h.key, sum(h.count)::bigint as count
                from ${mlTelemetryAggregates} a, unnest(a.histogram_keys, a.histogram_counts) as h (key, count)
               where a.tenant_id = ${tenantOf(tx)} and ${condition}
               group by h.key) summed_histogram) histogram`;
};
