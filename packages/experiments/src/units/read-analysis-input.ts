import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { AnalysisInput, DailyUnits, MetricQuantile, MetricSums, Slice } from '../analysis/analysis-input.ts';
import { coMomentsOfExactSums } from './exact-moments.ts';
import { type QuantileRow, quantileRows, quantilesOf } from './quantiles.ts';
import { liesAhead, lockRefresh, refreshLocked } from './refresh-units.ts';
import { abUnitDays, abUnitRefreshes, abUnitSums, abUnits } from './schema.ts';
import { readUnitDefinition, type UnitDefinition } from './unit-definition.ts';
import { unitFacts } from './unit-facts.ts';
import { dayOf, sumsOf, UNITS_PLACE } from './unit-sums.ts';

export const ReadAnalysisInputInput = z.strictObject({
  experimentId: z.uuid(),
  /** Exposures and outcomes from this time on are not looked at. */
  asOf: z.date(),
  /** Computes it from all exposures and outcomes, and neither reads nor writes units and sums. Default false. */
  full: z.boolean().optional(),
});
export type ReadAnalysisInputInput = Readonly<z.input<typeof ReadAnalysisInputInput>>;

/**
 * Reads what an analysis is computed from: of refreshed units and sums, or straight from all that was recorded, which gives
 * the same to the last bit. A time before that of the last refresh, or ahead, is computed in full too.
 *
 * Lock: that of refreshUnits, unless in full. Five round trips; in full two.
 *
 * @throws DomainError `not_found` without the experiment; `failed_precondition`, unless in full, in a transaction above read
 *   committed.
 */
export async function readAnalysisInput(tx: TenantTx, input: ReadAnalysisInputInput): Promise<AnalysisInput> {
  const { experimentId, asOf, full = false } = parseInput(ReadAnalysisInputInput, input);
  const definition = await readUnitDefinition(tx, experimentId);
  const last = full ? undefined : await lockRefresh(tx, definition);
  const isPast = last !== undefined && last.as_of_ms !== null && last.as_of_ms > asOf.getTime();
  // Stored is only what a later refresh can go on from.
  if (last === undefined || isPast || liesAhead(asOf, last))
    return inputOf(definition, asOf, await read(tx, fromRaw(tx, definition, asOf)));
  await refreshLocked(tx, definition, asOf, last);
  return inputOf(definition, asOf, await read(tx, fromSums(tx, definition)));
}

type Sum = readonly [
  variantId: string,
  dimension: string,
  value: string,
  place: number,
  observed: string,
  nonZero: string,
  y: string,
  yy: string,
  x: string,
  xx: string,
  xy: string,
];

interface Found extends Record<string, unknown> {
  readonly units: number;
  readonly several: number;
  readonly forced: number;
  readonly early: number;
  readonly outcomes: number;
  readonly days: readonly (readonly [
    day: string,
    epoch: number,
    variantId: string,
    units: number,
    withSeveral: number,
  ])[];
  readonly sums: readonly Sum[];
  readonly quantiles: readonly QuantileRow[];
}

async function read(tx: TenantTx, statement: SQL): Promise<Found> {
  const [found] = await tx.execute<Found>(statement);
  if (found === undefined) throw new TypeError('An aggregate without groups gives one row');
  return found;
}

// Decimals as text, because a number of JSON is read as a float.
const told = (days: SQL, sums: SQL, quantiles: SQL): SQL => sql`
  coalesce((select jsonb_agg(jsonb_build_array(day, epoch, variant_id, units, with_several) order by day, epoch, variant_id)
              from ${days} d), '[]') as days,
  coalesce((select jsonb_agg(jsonb_build_array(variant_id, dimension, value, place, observed::text, non_zero::text, sum_y::text,
                             sum_yy::text, sum_x::text, sum_xx::text, sum_xy::text)
                             order by variant_id, dimension collate "C", value collate "C", place)
              from ${sums} s), '[]') as sums,
  coalesce((select jsonb_agg(q order by q.variant_id, q.dimension collate "C", q.value collate "C", q.place)
              from ${quantiles} q), '[]') as quantiles`;

function fromSums(tx: TenantTx, definition: UnitDefinition): SQL {
  const own = (alias: string) =>
    sql`${sql.raw(alias)}.tenant_id = ${tenantOf(tx)} and ${sql.raw(alias)}.experiment_id = ${definition.experimentId}::uuid`;
  const values = sql`(
    select u.variant_id, u.epoch, u.slices, v.place, v.y
      from ${abUnits} u cross join lateral unnest(u.places, u.y) as v (place, y)
     where ${own('u')} and u.state = 'counted')`;
  return sql`
    select r.units::float8 as units, r.several::float8 as several, r.forced::float8 as forced, r.early::float8 as early,
           r.outcomes::float8 as outcomes,
           ${told(
             sql`(select * from ${abUnitDays} t where ${own('t')} and t.with_several <> 0)`,
             sql`(select * from ${abUnitSums} t where ${own('t')})`,
             quantileRows(definition, values),
           )}
      from ${abUnitRefreshes} r
     where ${own('r')}`;
}

function fromRaw(tx: TenantTx, definition: UnitDefinition, asOf: Date): SQL {
  // One pass over the units, whose groups all else is taken from.
  return sql`
    with ${unitFacts(tx, { definition, asOf, units: null })}, counted as materialized (
      select variant_id, epoch, slices, ${dayOf(sql`first_at`)} as day, count(*) as sign, count(*) filter (where early) as early
        from single
       group by 1, 2, 3, 4
    ), ${sumsOf({
      units: sql`counted`,
      values: sql`(select variant_id, epoch, slices, place, y, x, 1 as sign from valued)`,
    })}, other_units as (
      select unit, bool_or(forced) as forced, bool_or(early and not forced) as early from other group by unit
    ), days as (
      select day, epoch, variant_id, sum(units) as units, sum(all_units) as with_several
        from (select day, epoch, variant_id, sign as units, sign as all_units from counted
               union all
              select ${dayOf(sql`first_at`)}, epoch, variant_id, 0, 1 from other where not forced) d
       group by day, epoch, variant_id
    ), singles as (
      select coalesce(sum(sign), 0) as units, coalesce(sum(early), 0) as early from counted
    ), others as (
      select count(*) as units, count(*) filter (where forced) as forced, count(*) filter (where early) as early
        from other_units
    )
    select (s.units + o.units)::float8 as units, (o.units - o.forced)::float8 as several, o.forced::float8 as forced,
           (s.early + o.early)::float8 as early,
           (select coalesce(sum(outcomes), 0) from valued)::float8 as outcomes,
           ${told(sql`days`, sql`summed`, quantileRows(definition, sql`valued`))}
      from singles s, others o`;
}

function inputOf(definition: UnitDefinition, asOf: Date, found: Found): AnalysisInput {
  const metricAt = new Map(definition.metrics.map((metric) => [metric.position, metric]));
  const { units, several: multipleUnits, forced: forcedUnits, early: exposedBeforeAssignment, outcomes } = found;
  const daily = found.days.map(([day, epoch, variantId, counted, withMultiple]): DailyUnits => {
    return { day, epoch, variantId, units: counted, withMultiple };
  });
  const metrics: MetricSums[] = [];
  const quantiles: MetricQuantile[] = [];
  const sumAt = new Map(found.sums.map((sum) => [keyOf(sum), sum]));
  const quantileAt = quantilesOf(found.quantiles);
  for (const whole of found.sums) {
    const [variantId, dimension, value, place, observed] = whole;
    const n = Number(observed);
    if (place !== UNITS_PLACE || n === 0) continue;
    const slice: Slice | null = dimension === '' ? null : { dimension, value };
    for (const metric of metricAt.values()) {
      const key = { variantId, dimension, value, place: metric.position };
      if (metric.kind === 'quantile') {
        quantiles.push({ metricId: metric.id, variantId, slice, ...quantileAt(key) });
        continue;
      }
      const sum = sumAt.get(keyOf([variantId, dimension, value, metric.position]));
      const [, , , , , nonZero = '0', y = '0', yy = '0', x = '0', xx = '0', xy = '0'] = sum ?? [];
      const sums = coMomentsOfExactSums({ n, y, yy, x, xx, xy });
      metrics.push({ metricId: metric.id, variantId, slice, sums, nonZero: Number(nonZero) });
    }
  }
  return { asOf, units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes, daily, metrics, quantiles };
}

const keyOf = ([variantId, dimension, value, place]: readonly [string, string, string, number, ...unknown[]]): string =>
  JSON.stringify([variantId, dimension, value, place]);
