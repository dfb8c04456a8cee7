import { compileFilter, type Id, parseInput, readFilter, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT } from '../design/experiment-inputs.ts';
import { abExperiments } from '../design/schema.ts';
import { targetingFields } from '../design/targeting.ts';
import { expressionInput, queryInput } from '../query-field.ts';
import { keptChanging } from './assign.ts';
import type { AssignmentDefinition } from './assignment-definition.ts';
import { readDefinition } from './read-definition.ts';
import { abAssignments } from './schema.ts';

export const AssignQueryInput = z
  .strictObject({
    ...experimentSubject,
    /** A Drizzle subquery, read inside the tenant's transaction: `tx.select({ … }).from(…).where(…).as('rows')`. */
    rows: queryInput,
    columns: z.strictObject({
      /** The unit, as text. NULL is passed over. */
      unit: expressionInput,
      /** A jsonb object with what the targeting asks. Default: nothing is known. */
      attributes: expressionInput.optional(),
    }),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type AssignQueryInput = Readonly<z.input<typeof AssignQueryInput>>;

export interface QueryAssignments {
  readonly experimentId: Id<'Experiment'>;
  /** The allocation by which they were assigned. */
  readonly epoch: number;
  /** False where the experiment does not run: it assigns nobody. */
  readonly isRunning: boolean;
  /** Units that this call has assigned. */
  readonly assigned: number;
  /** Of these, in the order in which the variants were given. */
  readonly variants: readonly {
    readonly variantId: Id<'Variant'>;
    readonly variantKey: string;
    readonly units: number;
  }[];
}

const ATTEMPTS = 5;

/**
 * Assigns the units of a subquery inside the database, as assign does each of them: any number, none of which is loaded. The
 * units that are assigned already stay as they are. Two round trips; it holds the experiment's row FOR KEY SHARE, and waits
 * for who assigns the same units.
 *
 * @throws DomainError `not_found`; `invalid_input` for a unit that is empty or too long, and for a time among the
 *   attributes that is none; `conflict` where the experiment changed all the time.
 */
export async function assignQuery(tx: TenantTx, input: AssignQueryInput): Promise<QueryAssignments> {
  const { rows, columns, ...subject } = parseInput(AssignQueryInput, input);
  const tenant = tenantOf(tx);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const definition = await readDefinition(tx, subject);
    const { id, changeNumber, allocation, variants, status } = definition;
    const result = (units: ReadonlyMap<string, number>): QueryAssignments => ({
      experimentId: id,
      epoch: allocation.epoch,
      isRunning: status === 'running',
      assigned: [...units.values()].reduce((sum, count) => sum + count, 0),
      variants: variants.map((variant) => ({
        ...{ variantId: variant.id, variantKey: variant.key, units: units.get(variant.id) ?? 0 },
      })),
    });
    if (status !== 'running') return result(new Map());
    // What is assigned goes first, for a hash takes longer than a look at the key; OFFSET 0 keeps the planner from taking
    // the parts together again, so that the place is computed once.
    const [outcome] = await tx.execute<{ is_current: boolean; units: Readonly<Record<string, number>> | null }>(sql`
      with held as materialized (
        select 1 from ${abExperiments} e
         where e.tenant_id = ${tenant} and e.id = ${id}::uuid and e.last_change_number = ${changeNumber}::int
           for key share
      ), made as (
        insert into ${abAssignments} (tenant_id, experiment_id, unit, variant_id, epoch)
        select ${tenant}, ${id}::uuid, placed.unit, placed.variant_id, ${allocation.epoch}::int
          from (
            select hashed.unit, ${variantAt(sql`hashed.place`, allocation.ranges)} as variant_id
              from (
                select fresh.unit, app_ab_hash(${allocation.seed}, fresh.unit, ${allocation.hashVersion}::int) as place
                  from (
                    select given.unit, given.attributes
                      from (select (${columns.unit})::text as unit, ${columns.attributes ?? sql`null`}::jsonb as attributes
                              from ${rows}) given
                     where given.unit is not null
                       and exists (select from held)
                       and not exists (select from ${abAssignments} a
                                        where a.tenant_id = ${tenant} and a.experiment_id = ${id}::uuid and a.unit = given.unit)
                    offset 0
                  ) fresh
                 where ${passes(definition, sql`fresh.unit`, sql`fresh.attributes`)}
                offset 0
              ) hashed
          ) placed
         where placed.variant_id is not null
         order by placed.unit collate "C"
            on conflict (tenant_id, experiment_id, unit) do nothing
        returning variant_id
      )
      select exists (select from held) as is_current,
             (select json_object_agg(variant_id, units)
                from (select variant_id, count(*)::float8 as units from made group by variant_id) counted) as units`);
    if (outcome?.is_current) return result(new Map(Object.entries(outcome.units ?? {})));
  }
  throw keptChanging();
}

/** The condition that neither a holdout, nor the layer, nor the targeting keeps a unit out. */
function passes({ holdouts, layer, targeting }: AssignmentDefinition, unit: SQL, attributes: SQL): SQL {
  const conditions = holdouts.map(({ seed, share }) => sql`app_ab_hash(${seed}, ${unit}, 2) >= ${share}::float8`);
  if (layer !== null) {
    const place = sql`app_ab_hash(${`__${layer.seed}`}, ${unit}, 1)`;
    conditions.push(sql`${place} >= ${layer.start}::float8`, sql`${place} < ${layer.end}::float8`);
  }
  if (targeting !== null) {
    const fields = targetingFields(targeting.attributes, attributes);
    conditions.push(compileFilter(fields, readFilter(fields, targeting.filter as Parameters<typeof readFilter>[1])));
  }
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
}

/** The variant whose range a place lies in. No join: of few ranges the server would hash each unit once a range. */
function variantAt(place: SQL, ranges: AssignmentDefinition['allocation']['ranges']): SQL {
  if (ranges.length === 0) return sql`null::uuid`;
  const branches = ranges.map(
    ({ variantId, start, end }) =>
      sql`when ${place} >= ${start}::float8 and ${place} < ${end}::float8 then ${variantId}::uuid`,
  );
  return sql`case ${sql.join(branches, sql` `)} end`;
}
