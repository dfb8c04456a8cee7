import { float8Array } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { histogramValue } from './histogram.ts';
import { TELEMETRY_LIMITS } from './limits.ts';

/**
 * What a set of values comes to. All but the four counts are over the finite values and null where there are none: n is 0.
 */
export interface TelemetryStatistics {
  /** Finite values. */
  readonly n: number;
  readonly nanCount: number;
  readonly infinityCount: number;
  readonly negativeInfinityCount: number;
  readonly sum: number | null;
  readonly mean: number | null;
  /** Of the sample: the squared differences from the mean over n - 1. Null also where n is 1. */
  readonly variance: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** In the order in which they were asked for: values at most 1 % off; those of 0 and 1 are min and max themselves. */
  readonly percentiles: readonly (number | null)[];
  /** Values a second, finite or not, over the whole length of the window. */
  readonly perSecond: number;
}

export const percentileList = z.array(z.number().min(0).max(1)).max(TELEMETRY_LIMITS.percentiles);

/**
 * The CTE `percentiles` (bin, values) over mergeParts: of each share, the value at the rank floor(share * (n - 1)) in
 * ascending order, read off the histogram.
 */
export const percentilesOf = (shares: readonly number[]): SQL =>
  shares.length === 0
    ? sql`percentiles as (select bin, '{}'::float8[] as values from merged)`
    : sql`
  running as materialized (
    select bin, key, (sum(count) over (partition by bin order by key))::float8 as upto from histogram_keys
  ), percentiles as (
    select bin, array_agg(value order by number) as values
      from (select m.bin, q.number,
                   case q.share when 0 then m.min when 1 then m.max
                                else least(greatest(${histogramValue(sql`found.key`)}, m.min), m.max) end as value
              from merged m
             cross join unnest(${float8Array(shares)}) with ordinality as q (share, number)
              join lateral (
                   select min(r.key) as key from running r where r.bin = m.bin and r.upto > floor(q.share * (m.n - 1))) found
                on true) each
     group by bin
  )`;

/** The columns of `merged` m and `percentiles` p that statisticsOf reads. */
export const statisticsColumns = sql`
  coalesce(m.n, 0)::float8                       as n,
  coalesce(m.nan_count, 0)::float8               as nan_count,
  coalesce(m.infinity_count, 0)::float8          as infinity_count,
  coalesce(m.negative_infinity_count, 0)::float8 as negative_infinity_count,
  m.total, m.mean, m.m2, m.min, m.max, p.values`;

export interface StatisticsRow extends Record<string, unknown> {
  readonly n: number;
  readonly nan_count: number;
  readonly infinity_count: number;
  readonly negative_infinity_count: number;
  readonly total: number | null;
  readonly mean: number | null;
  readonly m2: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly values: readonly (number | null)[] | null;
}

export function statisticsOf(row: StatisticsRow, shares: readonly number[], seconds: number): TelemetryStatistics {
  const { n, nan_count, infinity_count, negative_infinity_count, total, mean, m2, min, max, values } = row;
  return {
    n,
    nanCount: nan_count,
    infinityCount: infinity_count,
    negativeInfinityCount: negative_infinity_count,
    sum: total,
    mean,
    variance: m2 === null || n < 2 ? null : m2 / (n - 1),
    min,
    max,
    percentiles: shares.map((_, index) => values?.[index] ?? null),
    perSecond: (n + nan_count + infinity_count + negative_infinity_count) / seconds,
  };
}
