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
  /** Selects `unit`, `variant` (its key or id) and `at`, and may select `slices` (jsonb). */
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
 *   times outside of 2000 to 2099 and units outside the limits.
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
  const slices = optionalField(rows, 'slices');
  const source = sql`
    select ${queryField(rows, 'unit')}::text as unit, ${variant} as variant,
           (${queryField(rows, 'at')})::timestamptz(3) as at, coalesce(${slices ?? sql`null`}::jsonb, '{}') as slices
      from ${rows}`;
  const names = textArray(variants.flatMap(({ key, id }) => [key, id]));
  const given: SQL = sql`
    with source as materialized (${source})
    select pairs.experiments[n.number] as experiment_id, pairs.variants[n.number] as variant_id, s.unit, s.at, s.slices
      from pairs
     cross join source s
      join lateral (select (array_position(${names}, s.variant) + 1) / 2 as number) n on true
     where not exists (select from source where variant is null or variant <> all (${names}))`;
  const { recorded, newUnits } = await writeExposures(tx, pairs, given);
  if (recorded === 0) {
    const unknown = await tx.execute(sql`
      select from (${source}) s where variant is null or variant <> all (${names}) limit 1`);
    if (unknown.length > 0) throw pairNotFound('variant', { field: 'rows.variant' });
  }
  return { recorded, newUnits };
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
