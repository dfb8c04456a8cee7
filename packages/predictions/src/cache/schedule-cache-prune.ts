import { type TenantTx, workRequest } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';

/** Of the work rows that say: this tenant has cached outputs that are due to be deleted. */
export const CACHE_PRUNE_KIND = 'predictions.pruneCache';

/**
 * The part of a writing statement by which the dispatcher is asked for a prune at the one time that `wanted` selects; where that
 * is null, nothing is asked.
 */
export const scheduledPrune = (tx: TenantTx, wanted: SQL): SQL =>
  workRequest(tx, { kind: CACHE_PRUNE_KIND, dueAt: sql`(${wanted})` });
