import { DomainError, type DomainErrorDetails, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { abExperiments, abVariants } from '../design/schema.ts';
import { abExposures, abExposureTransitions } from './schema.ts';

/** An experiment and one of its variants, by their keys. */
export interface Pair {
  readonly experiment: string;
  readonly variant: string;
}

export interface WrittenExposures {
  readonly nowMs: number;
  /** The first pair that does not exist, from 1; then nothing was written. */
  readonly missing: { readonly pair: number; readonly name: 'experiment' | 'variant' } | undefined;
  readonly recorded: number;
  /** Units that saw a variant for the first time. */
  readonly newUnits: number;
}

interface Outcome extends Record<string, unknown> {
  readonly now_ms: number;
  readonly missing: number | null;
  readonly missing_experiment: boolean | null;
  readonly recorded: number;
  readonly new_units: number;
}

/**
 * Writes exposures, all or none, in one statement.
 *
 * @param given a query of experiment_id, variant_id, unit, at and slices, that may read `pairs`: one row, with the arrays
 *   `experiments` and `variants` of ids by the pairs' numbers, and `missing`, the first number that does not exist, or null.
 */
export async function writeExposures(tx: TenantTx, pairs: readonly Pair[], given: SQL): Promise<WrittenExposures> {
  const tenant = tenantOf(tx);
  const [outcome] = await tx.execute<Outcome>(sql`
    with ${pairIds(tx, pairs)}, given as materialized (${given}), gathered as materialized (
      select experiment_id, unit, variant_id, min(at) as first_at, max(at) as last_at, count(*)::int as count,
             (array_agg(slices order by at, slices))[1] as slices
        from given
       group by experiment_id, unit, variant_id
    ), upserted as (
      -- In the order of keys, so that two calls do not wait for each other in a circle.
      insert into ${abExposures} as e (tenant_id, experiment_id, unit, variant_id, first_at, last_at, count, slices)
      select ${tenant}, experiment_id, unit, variant_id, first_at, last_at, count, slices
        from gathered
       order by experiment_id, unit collate "C", variant_id
          on conflict (tenant_id, experiment_id, unit, variant_id) do update
             set first_at   = least(e.first_at, excluded.first_at),
                 last_at    = greatest(e.last_at, excluded.last_at),
                 count      = e.count + excluded.count,
                 slices     = case when excluded.first_at < e.first_at then excluded.slices else e.slices end,
                 written_by = case when excluded.first_at < e.first_at then excluded.written_by else e.written_by end
      returning xmax = 0 as is_new
    ), several as materialized (
      -- What was there before this statement, and what came with it.
      select g.experiment_id, g.unit
        from gathered g
       where exists (select from ${abExposures} o
                      where o.tenant_id = ${tenant} and o.experiment_id = g.experiment_id and o.unit = g.unit
                        and o.variant_id <> g.variant_id)
       union
      select experiment_id, unit from gathered group by experiment_id, unit having count(*) > 1
    ), moved as (
      insert into ${abExposureTransitions} (tenant_id, experiment_id, unit, at, variant_id)
      select ${tenant}, experiment_id, unit, at, variant_id
        from (select o.experiment_id, o.unit, t.at, o.variant_id
                from several s
               cross join lateral (select * from ${abExposures} o
                                    where o.tenant_id = ${tenant} and o.experiment_id = s.experiment_id
                                      and o.unit = s.unit) o
               cross join lateral (values (o.first_at), (o.last_at)) t (at)
               union
              select g.experiment_id, g.unit, g.at, g.variant_id
                from several s
                join given g on g.experiment_id = s.experiment_id and g.unit = s.unit) m
       order by experiment_id, unit collate "C", at, variant_id
          on conflict do nothing
    )
    select (extract(epoch from app_now()) * 1000)::float8 as now_ms, pairs.missing::int as missing, pairs.missing_experiment,
           (select count(*) from given)::float8 as recorded,
           (select count(*) from upserted where is_new)::float8 as new_units
      from pairs`);
  if (outcome === undefined) throw new TypeError('An aggregate without groups gives one row');
  const { missing: pair, missing_experiment: noExperiment, recorded, new_units: newUnits } = outcome;
  const missing = pair === null ? undefined : { pair, name: noExperiment ? 'experiment' : 'variant' };
  return { nowMs: Math.floor(outcome.now_ms), missing, recorded, newUnits } as WrittenExposures;
}

/** Finds the pairs, and holds their experiments FOR KEY SHARE, so that they stay. */
function pairIds(tx: TenantTx, pairs: readonly Pair[]): SQL {
  const tenant = tenantOf(tx);
  return sql`
    wanted as materialized (
      select number, experiment, variant
        from unnest(${textArray(pairs.map(({ experiment }) => experiment))},
                    ${textArray(pairs.map(({ variant }) => variant))})
             with ordinality as w (experiment, variant, number)
    ), held as materialized (
      select e.id, e.key
        from ${abExperiments} e
       where e.tenant_id = ${tenant} and e.key = any (array(select experiment from wanted))
       order by e.id
         for key share
    ), pairs as materialized (
      -- Arrays, because joined to thousands of exposures under an estimate of ten it would be a nested loop.
      select array_agg(held.id order by w.number) as experiments, array_agg(v.id order by w.number) as variants,
             min(w.number) filter (where v.id is null) as missing,
             (array_agg(held.id is null order by w.number) filter (where v.id is null))[1] as missing_experiment
        from wanted w
        left join held on held.key = w.experiment
        left join ${abVariants} v on v.tenant_id = ${tenant} and v.experiment_id = held.id and v.key = w.variant
    )`;
}

export function pairNotFound(name: 'experiment' | 'variant', details: DomainErrorDetails): DomainError {
  const rule = name === 'experiment' ? 'names no experiment' : 'names no variant of its experiment';
  return new DomainError('not_found', `${String(details['field'])} ${rule}. Check its key.`, { details });
}
