import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { abVariants } from '../design/schema.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { unitName } from './exposure-input.ts';
import { abExposures, abExposureTransitions } from './schema.ts';

export const ListExposureTransitionsInput = z.strictObject({
  experimentId: z.uuid(),
  unit: unitName,
  /** Default and most: 1,000. */
  limit: z.int().min(1).max(EXPERIMENT_LIMITS.transitions).optional(),
});
export type ListExposureTransitionsInput = Readonly<z.input<typeof ListExposureTransitionsInput>>;

export interface ExposureTransition {
  readonly variantId: Id<'Variant'>;
  readonly variant: string;
  readonly at: Date;
}

/**
 * How a unit went between variants, in the order of time, the earliest first; of one that saw a single variant its first and
 * last exposure. Empty for a unit that was not exposed. Exact are the first and last of each variant; between them may be
 * more than is kept, from before the second variant was seen.
 */
export async function listExposureTransitions(
  tx: TenantTx,
  input: ListExposureTransitionsInput,
): Promise<readonly ExposureTransition[]> {
  const { experimentId, unit, limit = EXPERIMENT_LIMITS.transitions } = parseInput(ListExposureTransitionsInput, input);
  const tenant = tenantOf(tx);
  const own = (alias: string) =>
    sql`${sql.raw(alias)}.tenant_id = ${tenant} and ${sql.raw(alias)}.experiment_id = ${experimentId}::uuid and ${sql.raw(alias)}.unit = ${unit}`;
  const rows = await tx.execute<{ variant_id: Id<'Variant'>; variant: string; at_ms: number }>(sql`
    select m.variant_id, v.key as variant, (extract(epoch from m.at) * 1000)::float8 as at_ms
      from (select t.variant_id, t.at from ${abExposureTransitions} t where ${own('t')}
             union
            select e.variant_id, b.at
              from ${abExposures} e cross join lateral (values (e.first_at), (e.last_at)) b (at)
             where ${own('e')}) m
      join ${abVariants} v on v.tenant_id = ${tenant} and v.id = m.variant_id
     order by m.at, v.position
     limit ${limit}`);
  return rows.map(({ variant_id: variantId, variant, at_ms: ms }) => ({ variantId, variant, at: new Date(ms) }));
}
