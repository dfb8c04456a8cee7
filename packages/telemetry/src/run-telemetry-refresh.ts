import {
  type Database,
  type DispatchHooks,
  type DispatchReport,
  runDispatcher,
  scheduleWork,
  type WorkHandler,
  withTenant,
} from '@mcp-hub/db-core';
import { refreshTime, TELEMETRY_REFRESH_KIND } from './note-refresh.ts';
import { refreshAggregates } from './refresh-aggregates.ts';

export interface TelemetryRefreshOptions extends Pick<WorkHandler, 'concurrency' | 'tenantConcurrency' | 'leaseMs'> {
  /** Marks of one transaction, as of refreshAggregates. Default 1,000. */
  readonly limit?: number;
}

/** Transactions of one turn of a tenant. */
const BATCHES_A_TURN = 10;

/**
 * Refreshes a tenant's aggregates until none of its marks is left, in a transaction a batch and ten of them a turn: a tenant
 * that records as fast as it is refreshed has the next turn after the others. For a dispatcher that runs other kinds too,
 * and for dispatchWork, which runs what is due and ends.
 */
export function telemetryRefreshHandler(options: TelemetryRefreshOptions = {}): WorkHandler {
  const { limit, ...shares } = options;
  return {
    ...shares,
    kind: TELEMETRY_REFRESH_KIND,
    handle: async (_work, { db, tenant, signal }) => {
      for (let batch = 1; batch <= BATCHES_A_TURN; batch += 1) {
        const { minutes, more } = await withTenant(db, tenant, (tx) =>
          refreshAggregates(tx, limit === undefined ? {} : { limit }),
        );
        if (!more) return;
        // Another is at work on all that is left. Should it be lost, somebody has to look again.
        if (minutes === 0) return (tx) => scheduleWork(tx, { kind: TELEMETRY_REFRESH_KIND, dueAt: refreshTime });
        signal.throwIfAborted();
      }
      // In the place of the work that is completed.
      return (tx) => scheduleWork(tx, { kind: TELEMETRY_REFRESH_KIND });
    },
  };
}

export interface RunTelemetryRefreshOptions extends TelemetryRefreshOptions, DispatchHooks {
  readonly signal: AbortSignal;
  /** Pause between looks that found nothing. Default 1,000. */
  readonly idleMs?: number;
}

/**
 * Refreshes the aggregates of all tenants as they record, until `signal` aborts. Any number of processes may run it. Fair
 * between tenants and kept apart as by runDispatcher, whose errors it has.
 */
export async function runTelemetryRefresh(db: Database, options: RunTelemetryRefreshOptions): Promise<DispatchReport> {
  const { signal, idleMs, now, wait, onError, ...handler } = options;
  const reports = await runDispatcher(db, {
    handlers: [telemetryRefreshHandler(handler)],
    signal,
    ...(idleMs === undefined ? {} : { idleMs }),
    ...(now === undefined ? {} : { now }),
    ...(wait === undefined ? {} : { wait }),
    ...(onError === undefined ? {} : { onError }),
  });
  const report = reports[TELEMETRY_REFRESH_KIND];
  if (report === undefined) throw new TypeError('The dispatcher reports each kind');
  return report;
}
