import { type Database, internalsOf } from '../context/database.ts';
import { type TenantId, toTenantId } from '../context/tenant-id.ts';
import { withTenant } from '../context/with-tenant.ts';
import { isDomainError } from '../errors.ts';
import { WORK_LIMITS } from '../limits.ts';
import { limitedText, wholeNumber } from './checked-inputs.ts';
import { lookForWork } from './look-for-work.ts';
import { pause } from './pause.ts';
import {
  DEFAULT_HANDLER_TIMEOUT_MS,
  DEFAULT_LEASE_MS,
  type DispatchHooks,
  runWork,
  type WorkHandler,
  type WorkOutcome,
} from './run-work.ts';
import { tenantPauses } from './tenant-pauses.ts';
import { type ClaimedWork, claimWork } from './work.ts';

/** How often work ended in which way. */
export type DispatchReport = Readonly<Record<WorkOutcome, number>>;

export interface KindLoop {
  /** Until nothing is due and nothing runs. */
  toEnd(): Promise<DispatchReport>;
  untilStopped(idleMs: number): Promise<DispatchReport>;
}

/** Tenants that one look steps over. */
const LOOK_LIMIT = 1_000;

/** A claim locks no row that another holds; these bound what is left: table locks, and a tenant's masses of rows. */
const CLAIM_TIMEOUTS = { lockTimeoutMs: 1_000, statementTimeoutMs: 2_000 } as const;

/** Between looks of toEnd while handlers run. */
const LOOK_AGAIN_MS = 1_000;

const LONGEST_LOOK_PAUSE_MS = 60_000;

/**
 * Looks, claims and runs the work of one kind, in rounds of one claim a tenant.
 *
 * What one tenant's rows, locks and handlers do stays with that tenant: it has its share of the handlers, and is passed
 * over for a while where its claim or completion fails.
 */
export function kindLoop(db: Database, handler: WorkHandler, hooks: DispatchHooks, stop: AbortSignal): KindLoop {
  const kind = limitedText(handler.kind, 'kind', WORK_LIMITS.kindLength);
  const concurrency = wholeNumber(handler.concurrency ?? 4, 'concurrency', 1, WORK_LIMITS.concurrency);
  const leaseMs = wholeNumber(handler.leaseMs ?? DEFAULT_LEASE_MS, 'leaseMs', 1, WORK_LIMITS.leaseMs);
  const tenantConcurrency = wholeNumber(
    handler.tenantConcurrency ?? Math.max(1, Math.floor(concurrency / 2)),
    'tenantConcurrency',
    1,
    WORK_LIMITS.concurrency,
  );
  wholeNumber(
    handler.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS,
    'handlerTimeoutMs',
    1,
    WORK_LIMITS.handlerTimeoutMs,
  );
  const inOrder = handler.inOrder ?? false;
  const { logger } = internalsOf(db);
  const wait = hooks.wait ?? pause;
  const running = new Set<Promise<void>>();
  const runningOf = new Map<TenantId, number>();
  const pauses = tenantPauses(kind, logger, () => hooks.now?.().getTime() ?? performance.now());
  const ended: Record<WorkOutcome, number> = { completed: 0, failed: 0, dead: 0, released: 0, lost: 0 };

  // Work that ends during a round may make due what the round did not see: the next event of a tenant. A round that found
  // nothing counts only when nothing ended meanwhile.
  let finished = 0;

  const claim = async (tenant: TenantId): Promise<ClaimedWork | undefined> => {
    const now = hooks.now?.();
    try {
      const claimed = await withTenant(db, tenant, (tx) => claimWork(tx, { kind, leaseMs, inOrder }), {
        ...CLAIM_TIMEOUTS,
        ...(now === undefined ? {} : { now }),
      });
      return claimed[0];
    } catch (error) {
      pauses.failed(tenant, error);
      // The others would fail like this one, each after its time-outs.
      if (isOfDatabase(error)) throw error;
      return undefined;
    }
  };

  const hasRoom = (tenant: TenantId) => (runningOf.get(tenant) ?? 0) < tenantConcurrency && !pauses.isPaused(tenant);

  const start = (tenant: TenantId, work: ClaimedWork): void => {
    const run: Promise<void> = runWork(db, handler, tenant, work, hooks, stop, pauses).then((outcome) => {
      ended[outcome] += 1;
      finished += 1;
      running.delete(run);
      const left = (runningOf.get(tenant) ?? 1) - 1;
      if (left === 0) runningOf.delete(tenant);
      else runningOf.set(tenant, left);
      return undefined;
    });
    running.add(run);
    runningOf.set(tenant, (runningOf.get(tenant) ?? 0) + 1);
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
        const work = tenant === undefined || !hasRoom(tenant) ? undefined : await claim(tenant);
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

  /** Ends early when work ends, which may make the next due: an event behind the one that was delivered. */
  const nap = async (ms: number): Promise<void> => {
    const awake = new AbortController();
    const wake = () => awake.abort();
    if (stop.aborted) wake();
    stop.addEventListener('abort', wake);
    await Promise.race([wait(ms, awake.signal), ...running]);
    stop.removeEventListener('abort', wake);
    wake();
  };

  return {
    async toEnd() {
      try {
        while (!stop.aborted) {
          const before = finished;
          if ((await round()) > 0 || finished > before) continue;
          if (running.size === 0) break;
          // Those that run may be hanging, while work of others becomes due.
          await nap(LOOK_AGAIN_MS);
        }
      } finally {
        await Promise.all(running);
      }
      return ended;
    },

    async untilStopped(idleMs) {
      try {
        for (let failures = 0; !stop.aborted; ) {
          const before = finished;
          try {
            const claims = await round();
            failures = 0;
            if (claims > 0 || finished > before) continue;
            await nap(idleMs);
          } catch (error) {
            const code = isDomainError(error) ? error.code : 'internal';
            const pauseMs = Math.min(Math.max(idleMs, LONGEST_LOOK_PAUSE_MS), idleMs * 2 ** Math.min(failures, 30));
            failures += 1;
            const facts = { kind, code, failures, pauseMs };
            const message = 'the dispatcher could not look for work and will try again';
            if (code === 'unavailable') logger.warn(facts, message);
            else logger.error(facts, message);
            await wait(pauseMs, stop);
          }
        }
      } finally {
        await Promise.all(running);
      }
      return ended;
    },
  };
}

/** No connection, and not a lock or statement of one tenant that took too long. */
function isOfDatabase(error: unknown): boolean {
  return (
    isDomainError(error, 'unavailable') &&
    error.details['sqlState'] !== '55P03' &&
    error.details['sqlState'] !== '57014'
  );
}
