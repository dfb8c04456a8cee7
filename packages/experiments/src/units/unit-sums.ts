import { type SQL, sql } from 'drizzle-orm';
import { EPOCH_DIMENSION } from '../analysis/analysis-input.ts';

/** The place of the number of units, beside those of metrics. */
export const UNITS_PLACE = -1;

/** The day of a time, UTC. */
export const dayOf = (time: SQL): SQL => sql`(${time} at time zone 'UTC')::date`;

/**
 * Sums by variant, slice and place, as parts of WITH, of rows that may be given with a sign (`sign` is 1 or -1):
 *
 * @param units rows of variant_id, epoch, slices, sign: counted units.
 * @param values rows of variant_id, epoch, slices, place, y, x, sign: of counted units by metric.
 */
export function sumsOf({ units, values }: { readonly units: SQL; readonly values: SQL }): SQL {
  // First by all slices together, of which there are fewer than units, then by each. Sums of decimals may be taken in steps.
  return sql`
    grouped as materialized (
      select variant_id, epoch, slices, ${UNITS_PLACE}::smallint as place, sum(sign) as observed, 0::numeric as non_zero,
             0::numeric as sum_y, 0::numeric as sum_yy, 0::numeric as sum_x, 0::numeric as sum_xx, 0::numeric as sum_xy
        from ${units} u
       group by variant_id, epoch, slices
       union all
      select variant_id, epoch, slices, place, coalesce(sum(sign) filter (where y is not null), 0),
             coalesce(sum(sign) filter (where y <> 0), 0), coalesce(sum(sign * y), 0), coalesce(sum(sign * y * y), 0),
             coalesce(sum(sign * x), 0), coalesce(sum(sign * x * x), 0), coalesce(sum(sign * x * y), 0)
        from ${values} v
       group by variant_id, epoch, slices, place
    ), summed as materialized (
      select g.variant_id, s.dimension, s.value, g.place, sum(g.observed) as observed, sum(g.non_zero) as non_zero,
             sum(g.sum_y) as sum_y, sum(g.sum_yy) as sum_yy, sum(g.sum_x) as sum_x, sum(g.sum_xx) as sum_xx,
             sum(g.sum_xy) as sum_xy
        from grouped g
       cross join lateral (
               select '' as dimension, '' as value
                union all
               select e.key, e.value from jsonb_each_text(g.slices) e where e.key not in ('', ${EPOCH_DIMENSION})
                union all
               select ${EPOCH_DIMENSION}, g.epoch::text) s
       group by g.variant_id, s.dimension, s.value, g.place
    )`;
}
