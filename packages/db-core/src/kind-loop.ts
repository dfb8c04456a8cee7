import { type Database, internalsOf } from './database.ts';
import { isDomainError } from './errors.ts';
import { lookForWork } from './look-for-work.ts';
import {
  DEFAULT_LEASE_MS,
  type DispatchHooks,
  pause,
  runWork,
  type WorkHandler,
  type WorkOutcome,
} from './run-work.ts';
import { type TenantId, toTenantId } from './tenant-id.ts';
import { withTenant } from './with-tenant.ts';
import { type ClaimedWork, claimWork } from './work.ts';
import { limitedText, WORK_LIMITS, wholeNumber } from './work-limits.ts';

/** How often work ended in which way. */
export type DispatchReport = Readonly<Record<WorkOutcome, number>>;

export interface KindLoop {
  /** Until nothing is due and nothing runs. */
  toEnd(): Promise<DispatchReport>;
  untilStopped(idleMs: number): Promise<DispatchReport>;
}

/** Tenants that one look steps over. */
const LOOK_LIMIT = 1_000;

/** Looks, claims and runs the work of one kind, in rounds of one claim a tenant. */
export function kindLoop(db: Database, handler: WorkHandler, hooks: DispatchHooks, stop: AbortSignal): KindLoop {
  const kind = limitedText(handler.kind, 'kind', WORK_LIMITS.kindLength);
  const concurrency = wholeNumber(handler.concurrency ?? 4, 'concurrency', 1, WORK_LIMITS.concurrency);
  const leaseMs = wholeNumber(handler.leaseMs ?? DEFAULT_LEASE_MS, 'leaseMs', 1, WORK_LIMITS.leaseMs);
  const inOrder = handler.inOrder ?? false;
  const { logger } = internalsOf(db);
  const wait = hooks.wait ?? pause;
  const running = new Set<Promise<void>>();
  const ended: Record<WorkOutcome, number> = { completed: 0, failed: 0, dead: 0, released: 0, lost: 0 };

  // Work that ends during a round may make due what the round did not see: the next event of a tenant. A round that found
  // nothing counts only when nothing ended meanwhile.
  let finished = 0;

  const claim = async (tenant: TenantId): Promise<ClaimedWork | undefined> => {
    const now = hooks.now?.();
    const claimed = await withTenant(
      db,
      tenant,
      (tx) => claimWork(tx, { kind, leaseMs, inOrder }),
      now === undefined ? {} : { now },
    );
    return claimed[0];
  };

  const start = (tenant: TenantId, work: ClaimedWork): void => {
    const run: Promise<void> = runWork(db, handler, tenant, work, hooks, stop).then((outcome) => {
      ended[outcome] += 1;
      finished += 1;
      running.delete(run);
      return undefined;
    });
    running.add(run);
  };

  /** One claim for each tenant that has due work; how many were made. */
  const round = async (): Promise<number> => {
    let claims = 0;
    let after: string | undefined = '';
    while (after !== undefined && !stop.aborted) {
      const look = await lookForWork(db, { kind, after, limit: LOOK_LIMIT, inOrder, now: hooks.now?.() });
      for (const name of look.tenants) {
        while (running.size >= concurrency) await Promise.race(running);
        if (stop.aborted) return claims;
        const tenant = tenantIdOf(name);
        const work = tenant === undefined ? undefined : await claim(tenant);
        if (tenant === undefined || work === undefined) continue;
        claims += 1;
        start(tenant, work);
      }
      after = look.next;
    }
    return claims;
  };

  // A row inserted by hand may have a tenant id that the packages refuse; it must not end the loop.
  const tenantIdOf = (name: string): TenantId | undefined => {
    try {
      return toTenantId(name);
    } catch {
      logger.error({ kind }, 'work of a tenant whose id is not valid was passed over');
      return undefined;
    }
  };

  return {
    async toEnd() {
      try {
        while (!stop.aborted) {
          const before = finished;
          if ((await round()) > 0 || finished > before) continue;
          if (running.size === 0) break;
          await Promise.race(running);
        }
      } finally {
        await Promise.all(running);
      }
      return ended;
    },

    async untilStopped(idleMs) {
      try {
        while (!stop.aborted) {
          const before = finished;
          const claims = await round().catch((error: unknown) => {
            if (!isDomainError(error, 'unavailable')) throw error;
            logger.warn({ kind, code: error.code }, 'the dispatcher could not look for work and will try again');
            return 0;
          });
          if (claims > 0 || finished > before || stop.aborted) continue;
          // Work that ends may make the next due: an event behind the one that was delivered.
          const awake = new AbortController();
          const wake = () => awake.abort();
          stop.addEventListener('abort', wake);
          await Promise.race([wait(idleMs, awake.signal), ...running]);
          stop.removeEventListener('abort', wake);
          wake();
        }
      } finally {
        await Promise.all(running);
      }
      return ended;
    },
  };
}
