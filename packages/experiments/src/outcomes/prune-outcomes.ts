import { type Database, idFloor, parseInput, tenantOf, withTenant } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { abUnitRefreshes } from '../units/schema.ts';
import { abOutcomes } from './schema.ts';

export const PruneOutcomesInput = z.strictObject({
  /** Deletes outcomes of times before. */
  before: z.date(),
  /** Rows of one transaction. Default 5,000. */
  batchSize: z.int().min(1).max(EXPERIMENT_LIMITS.pruneBatch).optional(),
});
export type PruneOutcomesInput = Readonly<z.input<typeof PruneOutcomesInput>>;

export interface PruneOutcomesOptions {
  /** Ends it after the transaction that runs. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes outcomes that a tenant keeps no longer, in small transactions; how many. May be ended and run again. What was
 * counted of them is gone from the next analysis of every experiment, whose units are then made anew: prune what was before
 * the first exposure, and its CUPED window, of all that is still analysed. Waits for refreshes that run.
 */
export async function pruneOutcomes(
  db: Database,
  tenant: string,
  input: PruneOutcomesInput,
  options: PruneOutcomesOptions = {},
): Promise<number> {
  const { before, batchSize = 5_000 } = parseInput(PruneOutcomesInput, input);
  for (let total = 0; ; ) {
    if (options.signal?.aborted === true) return total;
    const deleted = await withTenant(db, tenant, async (tx) => {
      const rows = await tx.execute(sql`
        delete from ${abOutcomes}
         where tenant_id = ${tenantOf(tx)} and id < ${idFloor(before)}::uuid
           and id = any (array(select id from ${abOutcomes}
                                where tenant_id = ${tenantOf(tx)} and id < ${idFloor(before)}::uuid
                                order by id
                                limit ${batchSize}))
        returning 1`);
      if (rows.length > 0) {
        // Also where it is null by now: a refresh that runs sets it, and may have counted what goes here.
        await tx.execute(sql`
          update ${abUnitRefreshes} set definition = null
           where tenant_id = ${tenantOf(tx)}
             and experiment_id = any (array(select experiment_id from ${abUnitRefreshes}
                                             where tenant_id = ${tenantOf(tx)}
                                             order by experiment_id for no key update))`);
      }
      return rows.length;
    });
    total += deleted;
    if (deleted < batchSize) return total;
  }
}
