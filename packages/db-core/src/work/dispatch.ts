import type { Database } from '../context/database.ts';
import { WORK_LIMITS } from '../limits.ts';
import { wholeNumber } from './checked-inputs.ts';
import { type DispatchReport, kindLoop } from './kind-loop.ts';
import type { DispatchHooks, WorkHandler } from './run-work.ts';

export interface DispatchOptions extends DispatchHooks {
  /** Stops: nothing more is claimed, and the call resolves when the handlers that run have ended. */
  readonly signal?: AbortSignal;
}

export interface DispatcherOptions extends DispatchHooks {
  readonly handlers: readonly WorkHandler[];
  readonly signal: AbortSignal;
  /** Pause between looks that found nothing. Default 1,000. */
  readonly idleMs?: number;
}

/**
 * Runs all work of one kind that is due, of all active tenants, until none is left.
 *
 * Fair: in each round every tenant that has due work gives one piece, whoever has waited longest first, and no tenant has
 * more than `tenantConcurrency` handlers at a time. Any number of processes may dispatch the same kinds; one piece runs in
 * one of them at a time, as long as its lease is renewed in time. Handlers run outside transactions, each for
 * `handlerTimeoutMs` at the most. What they throw is counted, not thrown: the work is due again by the back-off, and that
 * is not waited for.
 *
 * No tenant stops the others: a claim waits for no row lock, and where the work of a tenant cannot be claimed or completed
 * the code is logged and that tenant passed over for 1 s to 5 min. Its work waits.
 *
 * @throws DomainError `permission_denied` where the login is no member of app_dispatcher, `unavailable`.
 */
export async function dispatchWork(db: Database, options: WorkHandler & DispatchOptions): Promise<DispatchReport> {
  const stop = options.signal ?? new AbortController().signal;
  return await kindLoop(db, options, options, stop).toEnd();
}

/**
 * Runs the work of several kinds as it becomes due, until `signal` aborts, and then waits for the handlers that run.
 * Kinds do not wait for each other. A look that fails, for whatever reason, is logged and made again after a growing
 * pause of 1 min at the most; tenants are kept apart as in dispatchWork.
 *
 * @throws DomainError `invalid_input` for options outside their limits, and nothing after that.
 */
export async function runDispatcher(
  db: Database,
  options: DispatcherOptions,
): Promise<Readonly<Record<string, DispatchReport>>> {
  const idleMs = wholeNumber(options.idleMs ?? 1_000, 'idleMs', 1, WORK_LIMITS.leaseMs);
  // A kind that cannot go on ends the others too: half a dispatcher would look like a whole one.
  const stop = new AbortController();
  const onStop = () => stop.abort(options.signal.reason);
  if (options.signal.aborted) onStop();
  options.signal.addEventListener('abort', onStop);
  const run = async (handler: WorkHandler): Promise<[string, DispatchReport]> => {
    try {
      return [handler.kind, await kindLoop(db, handler, options, stop.signal).untilStopped(idleMs)];
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  try {
    const reports = await Promise.allSettled(options.handlers.map(run));
    return Object.fromEntries(
      reports.map((report) => {
        if (report.status === 'rejected') throw report.reason;
        return report.value;
      }),
    );
  } finally {
    options.signal.removeEventListener('abort', onStop);
  }
}
