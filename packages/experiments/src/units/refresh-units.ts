import { DomainError, idFloor, parseInput, type TenantTx, tenantOf, textArray, timeParameter } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { abAssignments } from '../assignment/schema.ts';
import { abExposures } from '../exposures/schema.ts';
import { abOutcomes } from '../outcomes/schema.ts';
import { abUnitDays, abUnitRefreshes, abUnitSums, abUnits } from './schema.ts';
import { constantTime, readUnitDefinition, type UnitDefinition } from './unit-definition.ts';
import { unitFacts } from './unit-facts.ts';
import { dayOf, sumsOf } from './unit-sums.ts';

export const RefreshUnitsInput = z.strictObject({
  experimentId: z.uuid(),
  /** Exposures and outcomes from this time on are not looked at. Never earlier than at the refresh before. */
  asOf: z.date(),
});
export type RefreshUnitsInput = Readonly<z.input<typeof RefreshUnitsInput>>;

export interface RefreshedUnits {
  /** Units that were looked at. */
  readonly looked: number;
  /** Units that were other than before. */
  readonly changed: number;
  /** Whether all were made anew: the first time, after a change of metrics or allocations, and in a restored database. */
  readonly rebuilt: boolean;
}

/**
 * Brings units and sums of an experiment up to what is recorded, as of a time: makes the units anew of which something was
 * written since the last refresh, and takes the difference into the sums. Those who record wait for nothing of it.
 *
 * Lock: the experiment's row of ab_unit_refreshes, for which other refreshes of the experiment wait. Four round trips.
 *
 * @throws DomainError `not_found` without the experiment; `invalid_input` for a time before that of the last refresh, or ahead;
 *   `failed_precondition` in a transaction above read committed, whose snapshot may be older than the lock.
 */
export async function refreshUnits(tx: TenantTx, input: RefreshUnitsInput): Promise<RefreshedUnits> {
  const { experimentId, asOf } = parseInput(RefreshUnitsInput, input);
  const definition = await readUnitDefinition(tx, experimentId);
  const last = await lockRefresh(tx, definition);
  if (last.as_of_ms !== null && last.as_of_ms > asOf.getTime()) throw timeBefore();
  if (liesAhead(asOf, last)) throw timeAhead();
  return await refreshLocked(tx, definition, asOf, last);
}

const timeBefore = () =>
  new DomainError('invalid_input', 'asOf must not be before the asOf of the last refresh.', {
    details: { field: 'asOf' },
  });

const timeAhead = () =>
  new DomainError('invalid_input', 'asOf must not lie ahead: refreshes up to now would be refused until then.', {
    details: { field: 'asOf' },
  });

export const liesAhead = (asOf: Date, { now_ms: now }: LastRefresh): boolean => asOf.getTime() > now;

export interface LastRefresh extends Record<string, unknown> {
  readonly as_of_ms: number | null;
  readonly seen_before: string | null;
  readonly definition: string | null;
  readonly is_same_cluster: boolean;
  readonly isolation: string;
  readonly now_ms: number;
}

/** Holds the row of the experiment's refreshes, which is made where there is none. */
export async function lockRefresh(tx: TenantTx, { experimentId }: UnitDefinition): Promise<LastRefresh> {
  const tenant = tenantOf(tx);
  const lock = sql`
    select (extract(epoch from r.as_of) * 1000)::float8 as as_of_ms, r.seen_before::text, r.definition,
           r.cluster is not distinct from (select system_identifier::text from pg_control_system()) as is_same_cluster,
           current_setting('transaction_isolation') as isolation,
           (extract(epoch from app_now()) * 1000)::float8 as now_ms
      from ${abUnitRefreshes} r
     where r.tenant_id = ${tenant} and r.experiment_id = ${experimentId}::uuid
       for no key update`;
  let [row] = await tx.execute<LastRefresh>(lock);
  if (row === undefined) {
    await tx.execute(sql`
      insert into ${abUnitRefreshes} (tenant_id, experiment_id) values (${tenant}, ${experimentId}::uuid)
          on conflict (tenant_id, experiment_id) do nothing`);
    [row] = await tx.execute<LastRefresh>(lock);
  }
  if (row === undefined) throw new TypeError('A row that was inserted is there');
  if (row.isolation !== 'read committed') {
    throw new DomainError(
      'failed_precondition',
      'Units are refreshed at read committed: another snapshot may be older than the lock. Open the transaction without an isolationLevel.',
    );
  }
  return row;
}

/** By a statement of its own, whose snapshot is younger than whatever the last holder of the lock committed. */
export async function refreshLocked(
  tx: TenantTx,
  definition: UnitDefinition,
  asOf: Date,
  last: LastRefresh,
): Promise<RefreshedUnits> {
  const isKnown = last.seen_before !== null && last.definition === definition.digest && last.is_same_cluster;
  if (!isKnown) await forgetUnits(tx, definition);
  const [made] = await tx.execute<{ looked: number; changed: number }>(
    refreshStatement(tx, definition, asOf, isKnown ? last : undefined),
  );
  return { looked: made?.looked ?? 0, changed: made?.changed ?? 0, rebuilt: !isKnown };
}

async function forgetUnits(tx: TenantTx, { experimentId }: UnitDefinition): Promise<void> {
  const own = sql`tenant_id = ${tenantOf(tx)} and experiment_id = ${experimentId}::uuid`;
  await tx.execute(sql`
    with units as (delete from ${abUnits} where ${own}),
         days as (delete from ${abUnitDays} where ${own}),
         sums as (delete from ${abUnitSums} where ${own})
    update ${abUnitRefreshes} set units = 0, several = 0, forced = 0, early = 0, outcomes = 0 where ${own}`);
}

/** Units of which exposures, outcomes or assignments were written since, or lay ahead of the time then, exposed or not. */
function dirtyUnits(tx: TenantTx, { experimentId, reads }: UnitDefinition, asOf: Date, last: LastRefresh): SQL {
  const tenant = tenantOf(tx);
  // What a snapshot cannot see yet lies beyond its xmax, unless another cluster numbered it before a restore, or it is this
  // transaction's own.
  const since = (alias: string) => sql`
    ${sql.raw(alias)}.written_by >= ${last.seen_before}::text::xid8
    and (${sql.raw(alias)}.written_by < (select pg_snapshot_xmax(pg_current_snapshot()))
         or ${sql.raw(alias)}.written_by = (select pg_current_xact_id()))`;
  const names = [...new Set(reads.map(({ outcome }) => outcome))];
  return sql`
    select e.unit from ${abExposures} e
     where e.tenant_id = ${tenant} and e.experiment_id = ${experimentId}::uuid and ${since('e')}
     union
    select o.unit from ${abOutcomes} o
     where o.tenant_id = ${tenant} and ${since('o')} and o.outcome = any (${textArray(names)})
     union
    select a.unit from ${abAssignments} a
     where a.tenant_id = ${tenant} and a.experiment_id = ${experimentId}::uuid and ${since('a')}
     union
    select u.unit from ${abUnits} u
     where u.tenant_id = ${tenant} and u.experiment_id = ${experimentId}::uuid and u.next_at < ${timeParameter(asOf)}`;
}

/** What is known of units to lie at or after the time. */
function aheadOf(tx: TenantTx, { experimentId }: UnitDefinition, asOf: Date, isPart: boolean): SQL {
  const tenant = tenantOf(tx);
  const ahead = sql`o.tenant_id = ${tenant} and o.id >= ${idFloor(asOf)}::uuid`;
  if (isPart) {
    // Mostly nothing at all lies ahead, which one look-up tells for all units.
    return sql`
      select n.unit, min(n.at) as at
        from (select unit, first_at as at from exposed where not is_past
               union all
              select d.unit, n.at
                from (select distinct unit from exposed) d
               cross join lateral (select o.occurred_at as at from ${abOutcomes} o
                                    where ${ahead} and o.unit = d.unit order by o.id limit 1) n
               where (select o.id from ${abOutcomes} o where ${ahead} order by o.id limit 1) is not null) n
       group by n.unit`;
  }
  return sql`
    select n.unit, min(n.at) as at
      from (select e.unit, e.first_at as at from ${abExposures} e
             where e.tenant_id = ${tenant} and e.experiment_id = ${experimentId}::uuid and e.first_at >= ${constantTime(asOf)}
             union all
            select o.unit, o.occurred_at from ${abOutcomes} o
             where ${ahead} and exists (select from ${abExposures} e
                                     where e.tenant_id = ${tenant} and e.experiment_id = ${experimentId}::uuid
                                       and e.unit = o.unit)) n
     group by n.unit`;
}

const stored = sql.raw(
  'unit, state, variant_id, first_at, epoch, slices, seen, early, outcomes, places, y, x, next_at',
);

function refreshStatement(tx: TenantTx, definition: UnitDefinition, asOf: Date, last: LastRefresh | undefined): SQL {
  const tenant = tenantOf(tx);
  const { experimentId } = definition;
  const isPart = last !== undefined;
  const own = (alias: string) =>
    sql`${sql.raw(alias)}.tenant_id = ${tenant} and ${sql.raw(alias)}.experiment_id = ${experimentId}::uuid`;
  const dirty = isPart ? sql`dirty as materialized (${dirtyUnits(tx, definition, asOf, last)}),` : sql``;
  const before = isPart
    ? sql`select u.* from made m cross join lateral (select ${stored} from ${abUnits} u where ${own('u')} and u.unit = m.unit offset 0) u`
    : sql`select ${stored} from ${abUnits} where false`;
  const added = (table: string, columns: readonly string[]) =>
    sql.raw(columns.map((column) => `${column} = ${table}.${column} + excluded.${column}`).join(', '));
  return sql`
    with ${dirty} ${unitFacts(tx, { definition, asOf, units: isPart ? sql`dirty` : null })},
    ahead as materialized (${aheadOf(tx, definition, asOf, isPart)}),
    -- Brought together by grouping and not by joins, which with estimates of a few rows would be loops over thousands.
    made as materialized (
      select unit,
             case when bool_or(part = 's') then 'counted' when bool_or(forced) then 'forced'
                  when bool_or(part = 'o') then 'several' else 'ahead' end as state,
             (array_agg(variant_id) filter (where part = 's'))[1] as variant_id, min(first_at) filter (where part = 's') as first_at,
             min(epoch) filter (where part = 's') as epoch,
             coalesce((array_agg(slices) filter (where part = 's'))[1], '{}') as slices,
             jsonb_agg(jsonb_build_array(variant_id, ${dayOf(sql`first_at`)}, epoch) order by first_at, variant_id)
               filter (where part = 'o' and not forced) as seen,
             coalesce(bool_or(early and not forced), false)::int::smallint as early, coalesce(sum(outcomes), 0)::int as outcomes,
             coalesce(array_agg(place order by place) filter (where part = 'v'), '{}') as places,
             coalesce(array_agg(y order by place) filter (where part = 'v'), '{}') as y,
             coalesce(array_agg(x order by place) filter (where part = 'v'), '{}') as x,
             min(at) as next_at
        from (select 's' as part, unit, variant_id, first_at, epoch, slices, early, false as forced, null::bigint as outcomes,
                     null::smallint as place, null::numeric as y, null::numeric as x, null::timestamptz as at
                from single
               union all
              select 'o', unit, variant_id, first_at, epoch, null, early, forced, null, null, null, null, null from other
               union all
              select 'v', unit, null, null, null, null, false, false, outcomes, place, y, x, null from valued
               union all
              select 'a', unit, null, null, null, null, false, false, null, null, null, null, at from ahead) p
       group by unit
    ), before as materialized (${before}), upserted as (
      insert into ${abUnits} as u (tenant_id, experiment_id, ${stored})
      select ${tenant}, ${experimentId}::uuid, ${stored} from made order by unit
          on conflict (tenant_id, experiment_id, unit) do update
             set (${sql.raw(updated)}) = (${sql.raw(excluded)})
           where (${sql.raw(current)}) is distinct from (${sql.raw(excluded)})
      returning 1
    ), entry as materialized (
      select 1 as sign, made.* from made union all select -1, before.* from before
    ), ${sumsOf({
      units: sql`(select * from entry where state = 'counted')`,
      values: sql`(select e.variant_id, e.epoch, e.slices, e.sign, v.place, v.y, v.x
                     from entry e cross join lateral unnest(e.places, e.y, e.x) as v (place, y, x)
                    where e.state = 'counted')`,
    })}, days as (
      insert into ${abUnitDays} as t (tenant_id, experiment_id, day, epoch, variant_id, units, with_several)
      select ${tenant}, ${experimentId}::uuid, day, epoch, variant_id, sum(units), sum(sign)
        from (select ${dayOf(sql`first_at`)} as day, epoch, variant_id, sign as units, sign from entry where state = 'counted'
               union all
              select (s.seen ->> 1)::date, (s.seen ->> 2)::int, (s.seen ->> 0)::uuid, 0, sign
                from entry e cross join lateral jsonb_array_elements(e.seen) as s (seen)
               where e.state = 'several') d
       group by day, epoch, variant_id
      having sum(units) <> 0 or sum(sign) <> 0
       order by day, epoch, variant_id
          on conflict (tenant_id, experiment_id, day, epoch, variant_id) do update
             set ${added('t', ['units', 'with_several'])}
    ), sums as (
      insert into ${abUnitSums} as t (tenant_id, experiment_id, variant_id, dimension, value, place, observed, non_zero,
                                      sum_y, sum_yy, sum_x, sum_xx, sum_xy)
      select ${tenant}, ${experimentId}::uuid, variant_id, dimension, value, place, observed, non_zero,
             sum_y, sum_yy, sum_x, sum_xx, sum_xy
        from summed
       order by variant_id, dimension, value, place
          on conflict (tenant_id, experiment_id, variant_id, dimension, value, place) do update
             set ${added('t', ['observed', 'non_zero', 'sum_y', 'sum_yy', 'sum_x', 'sum_xx', 'sum_xy'])}
    ), told as (
      update ${abUnitRefreshes} r
         set as_of = ${timeParameter(asOf)}, definition = ${definition.digest},
             -- Of the snapshot that all of this statement sees.
             seen_before = pg_snapshot_xmin(pg_current_snapshot()),
             cluster = (select system_identifier::text from pg_control_system()),
             units = r.units + t.units, several = r.several + t.several, forced = r.forced + t.forced,
             early = r.early + t.early, outcomes = r.outcomes + t.outcomes
        from (select coalesce(sum(sign) filter (where state <> 'ahead'), 0) as units,
                     coalesce(sum(sign) filter (where state = 'several'), 0) as several,
                     coalesce(sum(sign) filter (where state = 'forced'), 0) as forced,
                     coalesce(sum(sign * early), 0) as early, coalesce(sum(sign * outcomes), 0) as outcomes
                from entry) t
       where ${own('r')}
    )
    select (select count(*) from made)::float8 as looked, (select count(*) from upserted)::float8 as changed`;
}

const mutable = [
  'state',
  'variant_id',
  'first_at',
  'epoch',
  'slices',
  'seen',
  'early',
  'outcomes',
  'places',
  'y',
  'x',
  'next_at',
];
const updated = mutable.join(', ');
const excluded = mutable.map((column) => `excluded.${column}`).join(', ');
const current = mutable.map((column) => `u.${column}`).join(', ');
