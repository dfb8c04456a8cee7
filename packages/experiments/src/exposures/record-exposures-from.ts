import { DomainError, nameInput, oncePerKey, parseInput, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { abExperiments, abVariants } from '../design/schema.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { optionalField, queryDigest, queryField, queryInput } from '../query-field.ts';
import type { RecordedExposures } from './record-exposures.ts';
import { pairNotFound, writeExposures } from './write-exposures.ts';

export const RecordExposuresFromInput = z.strictObject({
  /** The key of the experiment. */
  experiment: nameInput(EXPERIMENT_LIMITS.keyLength),
  /**
   * Selects `unit`, `variant` (its key or id) and `at`, and may select `slices`, a jsonb object: values are taken as text,
   * and what is null is left out.
   */
  rows: queryInput,
  /** The same key and query again change nothing, not even how often a unit was exposed. */
  idempotencyKey: z.string().optional(),
});
export type RecordExposuresFromInput = Readonly<z.input<typeof RecordExposuresFromInput>>;

/**
 * Records as exposures what a query selects, such as the predictions that name an experiment and variant, all or none, in
 * the database. Each call counts its rows: take windows of time that do not overlap, or an idempotency key for each.
 *
 * Two round trips. Locks as recordExposures.
 *
 * @throws DomainError `not_found` without the experiment, and where a row names none of its variants; `invalid_input` for
 *   times outside of 2000 to 2099, and for units and slices outside the limits.
 */
export async function recordExposuresFrom(tx: TenantTx, input: RecordExposuresFromInput): Promise<RecordedExposures> {
  const { experiment, rows, idempotencyKey: key } = parseInput(RecordExposuresFromInput, input);
  const request = key === undefined ? null : { experiment, rows: queryDigest(rows) };
  return await oncePerKey<RecordedExposures>(tx, { scope: 'experiments.recordExposuresFrom', key, request }, () =>
    record(tx, experiment, rows),
  );
}

async function record(tx: TenantTx, experiment: string, rows: z.output<typeof queryInput>): Promise<RecordedExposures> {
  const variants = await variantsOf(tx, experiment);
  const pairs = variants.map(({ key }) => ({ experiment, variant: key }));
  const variant = sql`${queryField(rows, 'variant')}::text`;
  const slices = slicesOf(rows);
  const source = sql`
    select ${queryField(rows, 'unit')}::text as unit, ${variant} as variant,
           (${queryField(rows, 'at')})::timestamptz(3) as at, ${slices.taken} as slices
      from ${rows}`;
  const names = textArray(variants.flatMap(({ key, id }) => [key, id]));
  const isUnknown = sql`(variant is null or variant <> all (${names}))`;
  const given: SQL = sql`
    with source as materialized (${source})
    select pairs.experiments[n.number] as experiment_id, pairs.variants[n.number] as variant_id, s.unit, s.at, s.slices
      from pairs
     cross join source s
      join lateral (select (array_position(${names}, s.variant) + 1) / 2 as number) n on true
     where not exists (select from source where ${isUnknown} or ${slices.areTooMany})`;
  const { recorded, newUnits } = await writeExposures(tx, pairs, given);
  if (recorded === 0) {
    const [bad] = await tx.execute<{ unknown: boolean }>(sql`
      select ${isUnknown} as unknown from (${source}) s where ${isUnknown} or ${slices.areTooMany} limit 1`);
    if (bad?.unknown === true) throw pairNotFound('variant', { field: 'rows.variant' });
    if (bad !== undefined) throw slicesOutsideLimits();
  }
  return { recorded, newUnits };
}

/** Of one null in them, or a text that no index holds, all later analyses of the experiment would fail. */
function slicesOf(rows: z.output<typeof queryInput>): { readonly taken: SQL; readonly areTooMany: SQL } {
  const field = optionalField(rows, 'slices');
  if (field === undefined) return { taken: sql`'{}'::jsonb`, areTooMany: sql`false` };
  const { slices: most, sliceNameLength, sliceValueLength } = EXPERIMENT_LIMITS;
  return {
    taken: sql`coalesce((select jsonb_object_agg(e.key, e.value)
                           from jsonb_each_text((${field})::jsonb) e where e.value is not null), '{}')`,
    areTooMany: sql`(
      select count(*) > ${most}::int
             or coalesce(bool_or(length(e.key) not between 1 and ${sliceNameLength}::int
                                 or length(e.value) > ${sliceValueLength}::int), false)
        from jsonb_each_text(slices) e)`,
  };
}

function slicesOutsideLimits(): DomainError {
  const { slices: limit, sliceNameLength, sliceValueLength } = EXPERIMENT_LIMITS;
  const message = `rows.slices must have at most ${limit} attributes, with names of 1 to ${sliceNameLength} characters and values of at most ${sliceValueLength}.`;
  return new DomainError('invalid_input', message, { details: { field: 'rows.slices', limit } });
}

async function variantsOf(tx: TenantTx, experiment: string): Promise<readonly { key: string; id: string }[]> {
  const variants = await tx.execute<{ key: string; id: string }>(sql`
    select v.key, v.id
      from ${abExperiments} e
      join ${abVariants} v on v.tenant_id = e.tenant_id and v.experiment_id = e.id
     where e.tenant_id = ${tenantOf(tx)} and e.key = ${experiment}
     order by v.position`);
  if (variants.length > 0) return variants;
  throw new DomainError('not_found', 'experiment names no experiment. Check its key.', {
    details: { field: 'experiment' },
  });
}
