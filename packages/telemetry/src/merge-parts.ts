import { type SQL, sql } from 'drizzle-orm';
import { mlTelemetryAggregates } from './schema.ts';

/** The columns of aggregates `a` that mergeParts needs, to stand after the one that says where a row belongs. */
export const partColumns = sql`
  a.series_id, a.bucket_at, a.n, a.mean, a.m2, a.min, a.max, a.nan_count, a.infinity_count, a.negative_infinity_count,
  a.histogram_keys, a.histogram_counts`;

/** `from` of a query of parts. */
export const fromAggregates = sql`from ${mlTelemetryAggregates} a`;

/**
 * CTEs that bring rows of the aggregates together. `parts` is a query of `bin` and partColumns; `merged` has one row a bin
 * (n, total, mean, m2, min, max and the counts), `histogram_keys` one a bin and key (bin, key, count).
 *
 * Chan, Golub and LeVeque's merge for any number of parts at once: m2 is the sum of the parts' m2 and of n times the square
 * of what their means differ from the whole. Sums are taken in the order of series and bucket, so that the same parts give
 * the same bits. What is too small for a float8 counts as nothing: PostgreSQL's operators refuse to underflow.
 */
export const mergeParts = (parts: SQL): SQL => sql`
  parts as not materialized (${parts}
  ), summed as materialized (
    select bin,
           sum(n)::bigint                                    as n,
           sum(n * mean order by series_id, bucket_at)       as total,
           min(min)                                          as min,
           max(max)                                          as max,
           sum(nan_count)::bigint                            as nan_count,
           sum(infinity_count)::bigint                       as infinity_count,
           sum(negative_infinity_count)::bigint              as negative_infinity_count
      from parts
     group by bin
  ), centred as materialized (
    select *, case when abs(total) < 1e-290 then 0 else total / nullif(n, 0) end as mean from summed
  ), spread as materialized (
    select bin,
           sum(p.m2 + case when abs(p.mean - c.mean) < 1e-150 then 0
                           else p.n * (p.mean - c.mean) * (p.mean - c.mean) end
               order by p.series_id, p.bucket_at) as m2
      from parts p join centred c using (bin)
     group by bin
  ), merged as materialized (
    select centred.*, spread.m2 from centred left join spread using (bin)
  ), histogram_keys as not materialized (
    select p.bin, h.key, sum(h.count)::bigint as count
      from parts p, unnest(p.histogram_keys, p.histogram_counts) as h (key, count)
     group by p.bin, h.key
  )`;
