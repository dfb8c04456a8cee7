import { type Database, internalsOf } from '../context/database.ts';
import type { TenantId } from '../context/tenant-id.ts';
import type { TenantTx } from '../context/tenant-tx.ts';
import { withTenant } from '../context/with-tenant.ts';
import { DomainError, isDomainError } from '../errors.ts';
import { pause } from './pause.ts';
import type { TenantPauses } from './tenant-pauses.ts';
import {
  type Backoff,
  type ClaimedWork,
  completeWork,
  extendLease,
  failWork,
  isLeaseLost,
  releaseWork,
} from './work.ts';

export interface WorkContext {
  readonly db: Database;
  readonly tenant: TenantId;
  /**
   * Aborts when the dispatcher stops (the work then comes back at once, without a failed attempt), the time of the run is
   * over or the lease is lost.
   */
  readonly signal: AbortSignal;
}

/**
 * Runs in the transaction that completes the work, so that its effects and the completion are one. A lock that is not
 * free within 10 s is a failure.
 */
export type AfterWork = (tx: TenantTx) => Promise<void>;

export interface WorkHandler {
  readonly kind: string;
  /** Runs outside any transaction, and again after a crash: it must bear being run twice for one piece of work. */
  readonly handle: (work: ClaimedWork, context: WorkContext) => Promise<AfterWork | void>;
  /** One piece of a tenant's work at a time, in the order of their keys; a failed one blocks those behind it. */
  readonly inOrder?: boolean;
  /** How long a crashed process keeps its work from others; while a handler runs it is renewed. Default 60,000. */
  readonly leaseMs?: number;
  /** Failed this often, work is dead and waits for an operator. Default: never. */
  readonly maxAttempts?: number;
  readonly backoff?: Backoff;
  /** Handlers running at a time in this process. Default 4. */
  readonly concurrency?: number;
  /** Of these, those of one tenant, so that what hangs in one leaves room for the others. Default half, at least 1. */
  readonly tenantConcurrency?: number;
  /**
   * Time of one run with its completion. Then the signal aborts, the lease is no longer renewed, the attempt has failed
   * (`handler_timeout`) and another run takes its place, also where the handler goes on. Default 900,000.
   */
  readonly handlerTimeoutMs?: number;
}

export type WorkOutcome = 'completed' | 'failed' | 'dead' | 'released' | 'lost';

/** Clock, pause and reports of a dispatcher; tests put their own in place. */
export interface DispatchHooks {
  /** What `app_now()` answers in the dispatcher's transactions. Default: the database's clock, one for all processes. */
  readonly now?: () => Date;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Hears of what handlers throw; only the code is stored. */
  readonly onError?: (error: unknown, work: ClaimedWork, tenant: TenantId) => void;
}

export const DEFAULT_LEASE_MS = 60_000;
export const DEFAULT_HANDLER_TIMEOUT_MS = 900_000;

/** A tenant's transaction may hold the row for as long as it likes; its work is then claimed again. */
const LOCK_TIMEOUT_MS = 10_000;

/** Runs one claimed piece of work to its end, and renews its lease until then. Never rejects, and ends in time. */
export async function runWork(
  db: Database,
  handler: WorkHandler,
  tenant: TenantId,
  work: ClaimedWork,
  hooks: DispatchHooks,
  stop: AbortSignal,
  pauses: TenantPauses,
): Promise<WorkOutcome> {
  const { logger } = internalsOf(db);
  const wait = hooks.wait ?? pause;
  const handlerTimeoutMs = handler.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS;
  const inTenant = <Result>(act: (tx: TenantTx) => Promise<Result>) =>
    withTenant(db, tenant, act, {
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      statementTimeoutMs: handlerTimeoutMs,
      ...(hooks.now === undefined ? {} : { now: hooks.now() }),
    });
  // Not AbortSignal.any: on Node 20 its signals stay alive as long as the dispatcher's own.
  const abort = new AbortController();
  const onStop = () => abort.abort(stop.reason);
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop);
  const [handled, ended] = [new AbortController(), new AbortController()];
  const renewal = renewLease(handler, work, inTenant, wait, handled.signal, abort);
  const perform = async () => {
    const after = await handler.handle(work, { db, tenant, signal: abort.signal });
    handled.abort();
    await renewal;
    await inTenant(async (tx) => {
      await completeWork(tx, work);
      if (typeof after === 'function') await after(tx);
    });
  };
  try {
    // Whatever the run does after its time, it no longer holds the lease.
    await Promise.race([perform(), timeIsOver(handlerTimeoutMs, wait, ended.signal, abort)]);
    pauses.succeeded(tenant);
    return 'completed';
  } catch (error) {
    handled.abort();
    await renewal;
    try {
      if (isLeaseLost(error)) throw error;
      if (stop.aborted && !isTimeout(error)) {
        await inTenant((tx) => releaseWork(tx, work));
        return 'released';
      }
      report(hooks, error, work, tenant);
      const { backoff, maxAttempts } = handler;
      const { dead } = await inTenant((tx) =>
        failWork(tx, work, { errorCode: errorCodeOf(error), backoff, maxAttempts }),
      );
      logger.warn({ kind: work.kind, attempts: work.attempts, code: errorCodeOf(error), dead }, 'work failed');
      pauses.succeeded(tenant);
      return dead ? 'dead' : 'failed';
    } catch (second) {
      // The lease was lost or the database does not answer; either way the work is claimed again, by whoever comes.
      logger.warn(
        { kind: work.kind, attempts: work.attempts, code: errorCodeOf(second) },
        'the lease of work was lost',
      );
      if (!isLeaseLost(second)) pauses.failed(tenant, second);
      return 'lost';
    }
  } finally {
    ended.abort();
    stop.removeEventListener('abort', onStop);
  }
}

/** Rejects, and aborts the handler, when the time is over before `ended`. Never resolves. */
function timeIsOver(
  handlerTimeoutMs: number,
  wait: NonNullable<DispatchHooks['wait']>,
  ended: AbortSignal,
  abort: AbortController,
): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => {
      if (ended.aborted) return;
      const error = new DomainError('unavailable', `The handler did not end within ${handlerTimeoutMs} ms.`, {
        details: { reason: TIMEOUT, handlerTimeoutMs },
      });
      abort.abort(error);
      reject(error);
    };
    wait(handlerTimeoutMs, ended).then(end, reject);
  });
}

const TIMEOUT = 'handler_timeout';

function isTimeout(error: unknown): boolean {
  return isDomainError(error) && error.details['reason'] === TIMEOUT;
}

/** Three renewals a lease: two may fail. When the lease is lost, the handler is told. */
async function renewLease(
  handler: WorkHandler,
  work: ClaimedWork,
  inTenant: (act: (tx: TenantTx) => Promise<void>) => Promise<void>,
  wait: NonNullable<DispatchHooks['wait']>,
  ended: AbortSignal,
  abort: AbortController,
): Promise<void> {
  const leaseMs = handler.leaseMs ?? DEFAULT_LEASE_MS;
  for (let failures = 0; failures < 3; ) {
    await wait(Math.ceil(leaseMs / 3), ended);
    if (ended.aborted) return;
    try {
      await inTenant((tx) => extendLease(tx, work, leaseMs));
      failures = 0;
    } catch (error) {
      failures = isLeaseLost(error) ? 3 : failures + 1;
    }
  }
  abort.abort(new DomainError('conflict', 'The lease of this work was lost.', { details: { reason: 'lease_lost' } }));
}

function report(hooks: DispatchHooks, error: unknown, work: ClaimedWork, tenant: TenantId): void {
  try {
    hooks.onError?.(error, work, tenant);
  } catch {
    // A listener that throws must not keep the failure from being recorded.
  }
}

function errorCodeOf(error: unknown): string {
  if (isTimeout(error)) return TIMEOUT;
  return isDomainError(error) ? error.code : 'handler_failed';
}
