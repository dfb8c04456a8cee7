import {
  type Database,
  type DispatchHooks,
  type DispatchReport,
  runDispatcher,
  type WorkHandler,
  withTenant,
} from '@mcp-hub/db-core';
import { DELIVERY_KIND } from '../notifications/announce-deliveries.ts';
import { type DeliveryOptions, deliveryHandler } from '../notifications/delivery-handler.ts';
import { evaluateDueRules, nextTurn } from '../rules/evaluate-due-rules.ts';
import { EVALUATION_KIND, scheduleEvaluation } from './schedule-evaluation.ts';

export interface EvaluationOptions
  extends Pick<WorkHandler, 'concurrency' | 'tenantConcurrency' | 'leaseMs' | 'handlerTimeoutMs' | 'backoff'> {
  /** What `app_now()` answers in the evaluations. Default: the database's clock. */
  readonly now?: () => Date;
  /** Rules of one transaction. Default and maximum 1,000. */
  readonly limit?: number;
  /** For the transitions that evaluations bring about. */
  readonly actor?: string;
}

/** Transactions of one turn of a tenant. */
const BATCHES_A_TURN = 20;

/**
 * Evaluates a tenant's rules that are due, in a transaction a batch, and asks for the next turn. For a dispatcher that runs
 * other kinds too, and for dispatchWork, which runs what is due and ends.
 */
export function evaluationHandler({ now, limit, actor, ...settings }: EvaluationOptions = {}): WorkHandler {
  return {
    ...settings,
    kind: EVALUATION_KIND,
    handle: async (_work, { db, tenant, signal }) => {
      const options = () => ({
        // The tenant's own transactions may hold what an evaluation writes; it then comes again.
        lockTimeoutMs: 10_000,
        ...(now === undefined ? {} : { now: now() }),
        ...(actor === undefined ? {} : { actor }),
      });
      for (let batch = 1; batch <= BATCHES_A_TURN; batch += 1) {
        const { more } = await withTenant(
          db,
          tenant,
          (tx) => evaluateDueRules(tx, limit === undefined ? {} : { limit }),
          options(),
        );
        if (!more) break;
        signal.throwIfAborted();
      }
      // In the transaction that completes the work: whoever enables a rule meanwhile asks for itself.
      return async (tx) => {
        const next = await nextTurn(tx);
        if (next !== undefined) await scheduleEvaluation(tx, next);
      };
    },
  };
}

export interface RunMonitorOptions extends DispatchHooks {
  /** Stops: nothing more is begun, and the call resolves when what runs has ended. */
  readonly signal: AbortSignal;
  /** Pause between looks that found nothing, and so how late a turn may come. Default 1,000. */
  readonly idleMs?: number;
  readonly evaluation?: Omit<EvaluationOptions, 'now'>;
  /** How tidings are delivered; false: by another process. */
  readonly delivery?: Omit<DeliveryOptions, 'now'> | false;
}

/**
 * Evaluates the rules of all tenants when they are due and delivers what is to be told, until `signal` aborts. Any number of
 * processes may run it: a rule is evaluated once for a time, by one of them, and a tiding is on its way to a channel in one
 * of them at a time. Fair between tenants and kept apart as by runDispatcher, whose errors it has.
 */
export async function runMonitor(
  db: Database,
  options: RunMonitorOptions,
): Promise<{ readonly evaluation: DispatchReport; readonly delivery: DispatchReport | undefined }> {
  const { signal, idleMs, now, wait, onError, evaluation = {}, delivery = {} } = options;
  const clock = now === undefined ? {} : { now };
  const reports = await runDispatcher(db, {
    handlers: [
      evaluationHandler({ ...evaluation, ...clock }),
      ...(delivery === false ? [] : [deliveryHandler({ ...delivery, ...clock })]),
    ],
    signal,
    ...(idleMs === undefined ? {} : { idleMs }),
    ...clock,
    ...(wait === undefined ? {} : { wait }),
    ...(onError === undefined ? {} : { onError }),
  });
  const evaluated = reports[EVALUATION_KIND];
  if (evaluated === undefined) throw new TypeError('The dispatcher reports each kind');
  return { evaluation: evaluated, delivery: reports[DELIVERY_KIND] };
}
