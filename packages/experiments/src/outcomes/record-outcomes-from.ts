import { nameInput, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { optionalField, queryField, queryInput } from '../query-field.ts';
import { otherContent, type RecordedOutcomes } from './record-outcomes.ts';
import { abOutcomes } from './schema.ts';

export const RecordOutcomesFromInput = z.strictObject({
  /** The name that metrics read. */
  outcome: nameInput(EXPERIMENT_LIMITS.outcomeLength),
  /**
   * Selects `unit` and `at`, and may select `value` (default 1) and `key`, which tells outcomes of one unit and time apart
   * (default, also where it is null: the unit).
   */
  rows: queryInput,
});
export type RecordOutcomesFromInput = Readonly<z.input<typeof RecordOutcomesFromInput>>;

/**
 * Records as outcomes what a query selects, such as labels of predictions, all or none, in the database. An outcome's id is
 * made of its name, `key` and time, so that the same rows may be selected any number of times.
 *
 * One round trip, two where rows come again. A row whose time has changed is another outcome: select what is final.
 *
 * @throws DomainError `conflict` where a row came before with another unit or value; `invalid_input` for times outside of 2000 to
 *   2099 and values outside the limits.
 */
export async function recordOutcomesFrom(tx: TenantTx, input: RecordOutcomesFromInput): Promise<RecordedOutcomes> {
  const { outcome, rows } = parseInput(RecordOutcomesFromInput, input);
  const tenant = tenantOf(tx);
  const unit = queryField(rows, 'unit');
  const ms = sql`round(extract(epoch from (${queryField(rows, 'at')})::timestamptz(3)) * 1000)::bigint`;
  const source = sql`
    select (substr(t.hex, 1, 8) || '-' || substr(t.hex, 9, 4) || '-7' || substr(t.hash, 1, 3) || '-8' || substr(t.hash, 4, 3)
            || '-' || substr(t.hash, 7, 12))::uuid as id, t.unit, t.value
      from (select ${unit}::text as unit, (${optionalField(rows, 'value') ?? sql`1`})::float8 as value,
                   lpad(to_hex(${ms}), 12, '0') as hex,
                   md5(jsonb_build_array(${outcome}::text, coalesce((${optionalField(rows, 'key') ?? unit})::text, (${unit})::text))::text) as hash
              from ${rows}) t`;
  const [written] = await tx.execute<{ given: number; recorded: number }>(sql`
    with given as materialized (${source}), recorded as (
      insert into ${abOutcomes} (tenant_id, id, outcome, unit, value)
      select ${tenant}, id, ${outcome}, unit, value from given order by id
          on conflict (tenant_id, id) do nothing
      returning 1
    )
    select (select count(*) from given)::float8 as given, (select count(*) from recorded)::float8 as recorded`);
  const { given = 0, recorded = 0 } = written ?? {};
  if (recorded < given) {
    const [other] = await tx.execute(sql`
      select 1
        from (${source}) g
       cross join lateral (select * from ${abOutcomes} o where o.tenant_id = ${tenant} and o.id = g.id limit 1) o
       where (o.outcome, o.unit, o.value) is distinct from (${outcome}, g.unit, g.value)
       limit 1`);
    if (other !== undefined) throw otherContent('A row of rows', {});
  }
  return { recorded, repeated: given - recorded };
}
