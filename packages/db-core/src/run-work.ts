import { type Database, internalsOf } from './database.ts';
import { DomainError, isDomainError } from './errors.ts';
import type { TenantId } from './tenant-id.ts';
import type { TenantTx } from './tenant-tx.ts';
import { withTenant } from './with-tenant.ts';
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
  /** Aborts when the dispatcher stops (the work then comes back at once, without a failed attempt) or the lease is lost. */
  readonly signal: AbortSignal;
}

/** Runs in the transaction that completes the work, so that its effects and the completion are one. */
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

/** Runs one claimed piece of work to its end, and renews its lease until then. Never rejects. */
export async function runWork(
  db: Database,
  handler: WorkHandler,
  tenant: TenantId,
  work: ClaimedWork,
  hooks: DispatchHooks,
  stop: AbortSignal,
): Promise<WorkOutcome> {
  const { logger } = internalsOf(db);
  const inTenant = <Result>(act: (tx: TenantTx) => Promise<Result>) =>
    withTenant(db, tenant, act, hooks.now === undefined ? {} : { now: hooks.now() });
  // Not AbortSignal.any: on Node 20 its signals stay alive as long as the dispatcher's own.
  const abort = new AbortController();
  const onStop = () => abort.abort(stop.reason);
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop);
  const ended = new AbortController();
  const renewal = renewLease(handler, work, inTenant, hooks.wait ?? pause, ended.signal, abort);
  try {
    const after = await handler.handle(work, { db, tenant, signal: abort.signal });
    ended.abort();
    await renewal;
    await inTenant(async (tx) => {
      await completeWork(tx, work);
      if (typeof after === 'function') await after(tx);
    });
    return 'completed';
  } catch (error) {
    ended.abort();
    await renewal;
    try {
      if (isLeaseLost(error)) throw error;
      if (stop.aborted) {
        await inTenant((tx) => releaseWork(tx, work));
        return 'released';
      }
      report(hooks, error, work, tenant);
      const { backoff, maxAttempts } = handler;
      const { dead } = await inTenant((tx) =>
        failWork(tx, work, { errorCode: errorCodeOf(error), backoff, maxAttempts }),
      );
      logger.warn({ kind: work.kind, attempts: work.attempts, code: errorCodeOf(error), dead }, 'work failed');
      return dead ? 'dead' : 'failed';
    } catch (second) {
      // The lease was lost or the database does not answer; either way the work is claimed again, by whoever comes.
      logger.warn(
        { kind: work.kind, attempts: work.attempts, code: errorCodeOf(second) },
        'the lease of work was lost',
      );
      return 'lost';
    }
  } finally {
    stop.removeEventListener('abort', onStop);
  }
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
  return isDomainError(error) ? error.code : 'handler_failed';
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
