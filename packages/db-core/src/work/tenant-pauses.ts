import type { TenantId } from '../context/tenant-id.ts';
import { isDomainError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** Which tenants a dispatcher passes over for a while, because their work could not be claimed or its end not written. */
export interface TenantPauses {
  isPaused(tenant: TenantId): boolean;
  /** Logs the code of the error alone and pauses the tenant: 1 s, doubled with each failure in a row up to 5 min. */
  failed(tenant: TenantId, error: unknown): void;
  succeeded(tenant: TenantId): void;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;

/** `clock` answers in milliseconds. */
export function tenantPauses(kind: string, logger: Logger, clock: () => number): TenantPauses {
  const paused = new Map<TenantId, { readonly failures: number; readonly until: number }>();
  return {
    isPaused: (tenant) => (paused.get(tenant)?.until ?? Number.NEGATIVE_INFINITY) > clock(),
    failed(tenant, error) {
      const now = clock();
      // Those that never came again.
      for (const [other, { until }] of paused) if (until + LONGEST_MS < now) paused.delete(other);
      const failures = (paused.get(tenant)?.failures ?? 0) + 1;
      const pauseMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 30));
      paused.set(tenant, { failures, until: now + pauseMs });
      const code = isDomainError(error) ? error.code : 'internal';
      logger.error({ kind, tenant, code, failures, pauseMs }, 'work of a tenant failed outside its handler');
    },
    succeeded: (tenant) => void paused.delete(tenant),
  };
}
