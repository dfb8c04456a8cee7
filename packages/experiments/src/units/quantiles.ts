import { float8Array, int8Array } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import type { MetricQuantile } from '../analysis/analysis-input.ts';
import type { UnitDefinition } from './unit-definition.ts';

/** A quantile of the units of a variant that have outcomes, with those that bound it. */
export interface QuantileRow {
  readonly variant_id: string;
  readonly dimension: string;
  readonly value: string;
  readonly place: number;
  readonly n: number;
  readonly quantile: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** The 97.5% quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Quantiles by variant, slice and place, interpolated between values as percentile_cont does, with the two at the levels
 * level ± 1.96 √(level (1 - level) / n) as their bounds; null where these are no levels.
 *
 * @param values rows of variant_id, epoch, slices, place and y.
 */
export function quantileRows({ metrics }: UnitDefinition, values: SQL): SQL {
  const wanted = metrics.filter(({ kind }) => kind === 'quantile');
  if (wanted.length === 0) {
    return sql`(select null::uuid as variant_id, '' as dimension, '' as value, 0::smallint as place where false)`;
  }
  // At which of the sorted values, from 0, a level stands, and the value there.
  const at = (level: SQL) => sql`${level} * (n - 1)`;
  const valueAt = (level: SQL) => sql`
    (max(y) filter (where rank = floor(${at(level)}))
      + (max(y) filter (where rank = ceil(${at(level)})) - max(y) filter (where rank = floor(${at(level)})))
        * (max(${at(level)}) - floor(max(${at(level)}))))`;
  return sql`(
    select variant_id, dimension, value, place, n::float8 as n, ${valueAt(sql`level`)} as quantile,
           case when max(low) > 0 then ${valueAt(sql`low`)} end as lower,
           case when max(high) < 1 then ${valueAt(sql`high`)} end as upper
      from (select r.*, level - ${Z}::float8 * sqrt(level * (1 - level) / n) as low,
                   level + ${Z}::float8 * sqrt(level * (1 - level) / n) as high
              from (select v.variant_id, s.dimension, s.value, v.place, v.y::float8 as y, w.level,
                           count(*) over (partition by v.variant_id, s.dimension, s.value, v.place) as n,
                           row_number() over (partition by v.variant_id, s.dimension, s.value, v.place order by v.y) - 1 as rank
                      from ${values} v
                      join unnest(${int8Array(wanted.map(({ position }) => position))},
                                  ${float8Array(wanted.map(({ quantile }) => quantile))}) as w (place, level) on w.place = v.place
                     cross join lateral (select '' as dimension, '' as value
                                          union all
                                         select e.key, e.value from jsonb_each_text(v.slices) e where e.key <> '') s
                     where v.y is not null) r) b
     group by variant_id, dimension, value, place, n)`;
}

/** The quantile of a metric in a variant and slice. */
export function quantilesOf(rows: readonly QuantileRow[]) {
  const byKey = new Map(
    rows.map((row) => [JSON.stringify([row.variant_id, row.dimension, row.value, row.place]), row]),
  );
  return (key: {
    readonly variantId: string;
    readonly dimension: string;
    readonly value: string;
    readonly place: number;
  }): Pick<MetricQuantile, 'quantile' | 'n'> => {
    const row = byKey.get(JSON.stringify([key.variantId, key.dimension, key.value, key.place]));
    if (row === undefined) return { n: 0, quantile: null };
    const { n, quantile, lower, upper } = row;
    return { n, quantile: lower === null || upper === null ? null : { n, quantile, lower, upper } };
  };
}
