import { type WorkHandler, withTenant } from '@mcp-hub/db-core';
import { refreshProfiles } from './refresh-profiles.ts';
import { PROFILES_KIND, scheduleProfiles } from './schedule-profiles.ts';

export interface ProfilesHandlerOptions extends Pick<WorkHandler, 'concurrency' | 'tenantConcurrency' | 'leaseMs'> {
  /** Pause until a tenant's marks are looked at again. Default 1 min. */
  readonly everyMs?: number;
  /** Days of one transaction, as of refreshProfiles. Default 1. */
  readonly limit?: number;
}

/** Transactions of one turn of a tenant. */
const BATCHES_A_TURN = 10;

/**
 * Refreshes a tenant's profiles, a transaction for some days and ten of them a turn, and looks again after a pause: whoever
 * records asks for no work, which would cost each batch a row. For runDispatcher and dispatchWork of db-core; a tenant's
 * first baseline begins it.
 */
export function profilesHandler(options: ProfilesHandlerOptions = {}): WorkHandler {
  const { everyMs = 60_000, limit = 1, ...shares } = options;
  return {
    ...shares,
    kind: PROFILES_KIND,
    handle: async (_work, { db, tenant, signal }) => {
      for (let batch = 1; batch <= BATCHES_A_TURN; batch += 1) {
        const { days, more } = await withTenant(db, tenant, (tx) => refreshProfiles(tx, { limit }));
        // What others are at work on is looked at again, should they be lost.
        if (!more || days === 0) return (tx) => scheduleProfiles(tx, everyMs);
        signal.throwIfAborted();
      }
      return (tx) => scheduleProfiles(tx, 0);
    },
  };
}
