import { idFloor, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { abAssignments } from '../assignment/schema.ts';
import { abExposures } from '../exposures/schema.ts';
import { abOutcomes } from '../outcomes/schema.ts';
import { constantTime, epochAt, readRows, type UnitDefinition } from './unit-definition.ts';

export interface FactsInput {
  readonly definition: UnitDefinition;
  /** Exposures and outcomes from this time on are not looked at. */
  readonly asOf: Date;
  /** The units that are asked for, as rows of `unit`; null is all of the experiment. */
  readonly units: SQL | null;
}

/**
 * What the exposures and outcomes of units come to as of a time, as parts of WITH:
 *
 * - `single`: units that saw one variant and were not forced: unit, variant_id, first_at, epoch, early, slices
 * - `other`: the variants of the rest, a row each: unit, variant_id, first_at, epoch, early, forced
 * - `exposed`, of given units: unit, first_at and is_past of each exposure, also of those from that time on
 * - `valued`: units of `single` by metric: unit, variant_id, epoch, slices, place, y, x, outcomes
 *
 * Nothing in it depends on the order of rows: a unit's outcomes are added as decimals, exactly.
 */
export function unitFacts(tx: TenantTx, { definition, asOf, units }: FactsInput): SQL {
  const tenant = tenantOf(tx);
  const { experimentId } = definition;
  const own = (alias: string) =>
    sql`${sql.raw(alias)}.tenant_id = ${tenant} and ${sql.raw(alias)}.experiment_id = ${experimentId}::uuid`;
  const columns = sql`e.unit, e.variant_id, e.first_at, e.slices`;
  // Laterally where few are asked for: they are found by their keys, whatever the statistics say.
  const past = sql`e.first_at < ${constantTime(asOf)}`;
  const exposed =
    units === null
      ? sql`
    exposed as not materialized (
      select ${columns} from ${abExposures} e where ${own('e')} and ${past}
    ), several as materialized (
      select unit from exposed group by unit having count(*) > 1
    )`
      : sql`
    exposed as materialized (
      select e.*, a.forced, a.epoch, a.assigned_at
        from ${units} d
       cross join lateral (select ${columns}, ${past} as is_past, count(*) filter (where ${past}) over () as variants
                             from ${abExposures} e
                            where ${own('e')} and e.unit = d.unit) e
        left join lateral (select * from ${abAssignments} a where ${own('a')} and a.unit = e.unit offset 0) a on true
    )`;
  const sawOne =
    units === null ? sql`not exists (select from several s where s.unit = e.unit)` : sql`e.is_past and e.variants = 1`;
  const assignedByKey = sql`
    left join lateral (select * from ${abAssignments} a where ${own('a')} and a.unit = e.unit offset 0) a on true`;
  // In full by their keys too: the exposures of those that are left out are few.
  const leftOut =
    units === null
      ? sql`
          (select unit from several
            union
           select a.unit from ${abAssignments} a where ${own('a')} and a.forced) d
          cross join lateral (select ${columns} from ${abExposures} e where ${own('e')} and e.unit = d.unit and ${past} offset 0) e
          ${assignedByKey}`
      : sql`exposed e where e.is_past and (e.forced or e.variants > 1)`;
  const single =
    units === null ? sql`exposed e left join ${abAssignments} a on ${own('a')} and a.unit = e.unit` : sql`exposed e`;
  // The unit's assignment: a row of its own in full, else with the exposure.
  const assigned = units === null ? sql.raw('a') : sql.raw('e');
  const early = sql`coalesce(${assigned}.assigned_at > e.first_at, false)`;
  const epoch = sql`coalesce(${assigned}.epoch, ${epochAt(sql`e.first_at`, definition)})`;
  const outcomesOf = (unit: SQL): SQL =>
    sql`o.tenant_id = ${tenant} and o.unit = ${unit} and o.id < ${idFloor(asOf)}::uuid`;
  const joinOutcomes =
    units === null
      ? sql`join ${abOutcomes} o on ${outcomesOf(sql`s.unit`)}`
      : sql`cross join lateral (select o.outcome, o.value, o.occurred_at from ${abOutcomes} o
                                 where ${outcomesOf(sql`s.unit`)} offset 0) o`;
  const within = (first: SQL) => sql`o.occurred_at >= ${first} + r.from_i and o.occurred_at < ${first} + r.to_i`;
  // One outcome is itself and two are the least and the greatest: what needs no sum is most of them.
  const sumOf = (side: 'x' | 'y') => {
    const name = (part: string) => sql.raw(`p.${side}_${part}`);
    return sql`
      case when ${name('n')} = 0 then null
           when p.is_any then 1
           when ${name('n')} = 1 then ${name('high')}::text::numeric
           when ${name('n')} = 2 then ${name('low')}::text::numeric + ${name('high')}::text::numeric
           else (select sum(o.value::text::numeric)
                   from reads r
                   join ${abOutcomes} o on ${outcomesOf(sql`p.unit`)} and o.outcome = r.outcome
                  where r.place = p.place and r.is_x = ${side === 'x'}::boolean and ${within(sql`p.first_at`)}) end`;
  };
  const kept = sql.raw(units === null ? 'not materialized' : 'materialized');
  return sql`
    reads as materialized (${readRows(definition.reads)}), ${exposed}, single as ${kept} (
      select e.unit, e.variant_id, e.first_at, ${epoch} as epoch, ${early} as early, e.slices
        from ${single}
       where ${assigned}.forced is not true and ${sawOne}
    ), other as materialized (
      select e.unit, e.variant_id, e.first_at, ${epoch} as epoch, ${early} as early, coalesce(${assigned}.forced, false) as forced
        from ${leftOut}
    ), paired as (
      select s.unit, s.variant_id, s.first_at, s.epoch, s.slices, r.place, r.is_any,
             count(*) filter (where not r.is_x) as y_n, min(o.value) filter (where not r.is_x) as y_low,
             max(o.value) filter (where not r.is_x) as y_high,
             count(*) filter (where r.is_x) as x_n, min(o.value) filter (where r.is_x) as x_low,
             max(o.value) filter (where r.is_x) as x_high,
             -- An outcome that several metrics count is one.
             count(*) filter (where r.turn = 1 or (r.turn > 1 and not exists (
               select from reads f
                where f.outcome = r.outcome and f.turn between 1 and r.turn - 1
                  and o.occurred_at >= s.first_at + f.from_i and o.occurred_at < s.first_at + f.to_i))) as outcomes
        from single s
        ${joinOutcomes}
        join reads r on r.outcome = o.outcome and ${within(sql`s.first_at`)}
       group by s.unit, s.variant_id, s.first_at, s.epoch, s.slices, r.place, r.is_any
    ), valued as materialized (
      select p.unit, p.variant_id, p.epoch, p.slices, p.place, p.outcomes, ${sumOf('y')} as y, ${sumOf('x')} as x
        from paired p
    )`;
}
