import {
  type Id,
  parseInput,
  scheduleWork,
  type TenantTx,
  tenantOf,
  uuidArray,
  type WorkHandler,
  withTenant,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { TRAINING_LIMITS } from '../limits.ts';
import { trainingRuns } from '../schema.ts';
import { nextToken } from './change-run.ts';
import { recordRunEvents } from './record-run-event.ts';
import { STALE_RUNS_KIND } from './stale-runs-kind.ts';

export const SweepStaleRunsInput = z.strictObject({
  /** Default 100. */
  limit: z.int().min(1).max(TRAINING_LIMITS.sweepBatch).optional(),
});
export type SweepStaleRunsInput = Readonly<z.input<typeof SweepStaleRunsInput>>;

/** A run whose worker was lost. */
export interface StaleRun {
  readonly runId: Id<'Run'>;
  readonly name: string;
  readonly group: string;
  readonly attempt: number;
}

/**
 * Makes up to `limit` running runs stale whose lease has run out, longest over first, and takes them from their workers;
 * gives them. Runs that a transaction holds are passed over: their worker may be at a heartbeat. Two round trips, one
 * where nothing is due; the locks of the runs, waiting for none. Announces `run.stale` for each.
 */
export async function sweepStaleRuns(tx: TenantTx, input: SweepStaleRunsInput = {}): Promise<readonly StaleRun[]> {
  const { limit = 100 } = parseInput(SweepStaleRunsInput, input);
  return (await sweep(tx, limit)).map(asStaleRun);
}

interface SweptRun extends StaleRun {
  readonly changeNumber: number;
  readonly isDeleted: boolean;
}

const asStaleRun = ({ runId, name, group, attempt }: SweptRun): StaleRun => ({ runId, name, group, attempt });

async function sweep(tx: TenantTx, limit: number, except: readonly string[] = []): Promise<readonly SweptRun[]> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute<StaleRow>(sql`
    with due as materialized (
      select id
        from ${trainingRuns}
       where tenant_id = ${tenant} and leased_until <= (select app_now()) and status = 'running'
         and id <> all(${uuidArray(except)})
       order by leased_until, id
       limit ${limit}
         for no key update skip locked
    )
    update ${trainingRuns}
       set status = 'stale', leased_until = null, fencing_token = ${nextToken}, ended_at = app_now(),
           last_change_number = last_change_number + 1, updated_at = app_now()
      from due
     where training_runs.tenant_id = ${tenant} and training_runs.id = due.id
    returning training_runs.id, name, group_name, attempt, deleted_at is not null as is_deleted,
              last_change_number::float8 as change_number`);
  const stale = rows
    .map(({ id, name, group_name, attempt, is_deleted, change_number }) => ({
      ...{ runId: id, name, group: group_name, attempt, isDeleted: is_deleted, changeNumber: change_number },
    }))
    .sort((one, other) => (one.runId < other.runId ? -1 : 1));
  await recordRunEvents(
    tx,
    stale.map((run) => ({
      ...asStaleRun(run),
      changeNumber: run.changeNumber,
      kind: 'stale',
      fromStatus: 'running',
      toStatus: 'stale',
    })),
  );
  return stale;
}

interface StaleRow extends Record<string, unknown> {
  readonly id: Id<'Run'>;
  readonly name: string;
  readonly group_name: string;
  readonly attempt: number;
  readonly is_deleted: boolean;
  readonly change_number: number;
}

/** Runs that one transaction of the handler sweeps. */
const BATCH = 100;

export interface StaleRunsOptions extends Omit<WorkHandler, 'kind' | 'handle' | 'inOrder'> {
  /**
   * Runs in the transaction that made the run stale, for instance `(tx, { runId }) => retryRun(tx, { runId })`; not for a
   * run that is deleted. Where it throws, its run stays as it was, the others are swept, and the work has failed: it is
   * tried again after the back-off.
   */
  readonly onStale?: (tx: TenantTx, run: StaleRun) => Promise<unknown>;
  /** What the sweep takes as now, for tests. Default: the transaction's clock. */
  readonly now?: () => Date;
}

/**
 * The dispatcher's part in leases: give it to `runDispatcher` among the other handlers. Taking a lease asks for a sweep
 * at its end; the sweep asks for the next, at the end of the lease that ends first.
 */
export function staleRunsHandler({ onStale, now, ...options }: StaleRunsOptions = {}): WorkHandler {
  return {
    ...options,
    kind: STALE_RUNS_KIND,
    handle: async (_, { db, tenant, signal }) => {
      // Whose onStale threw: one that always does must not keep the tenant's other runs from being swept.
      const refused = new Map<string, unknown>();
      const sweepSome = async (tx: TenantTx, limit: number) => {
        const stale = await sweep(tx, limit, [...refused.keys()]);
        for (const run of stale) {
          if (run.isDeleted) continue;
          try {
            await onStale?.(tx, asStaleRun(run));
          } catch (error) {
            refused.set(run.runId, error);
            throw error;
          }
        }
        return stale.length;
      };
      for (;;) {
        // One that throws takes what was swept with it back.
        const limit = refused.size === 0 ? BATCH : 1;
        const before = refused.size;
        const swept = await withTenant(
          db,
          tenant,
          (tx) => sweepSome(tx, limit),
          now === undefined ? {} : { now: now() },
        ).catch((error: unknown) => {
          if (refused.size === before) throw error;
          return limit;
        });
        signal.throwIfAborted();
        if (swept < limit) break;
      }
      for (const error of refused.values()) throw error;
      return async (tx) => {
        // A run that was passed over is due already: it is looked at again after a pause.
        await scheduleWork(tx, {
          kind: STALE_RUNS_KIND,
          dueAt: sql`(select greatest(leased_until, app_now() + interval '1 second') from ${trainingRuns}
                       where tenant_id = ${tenantOf(tx)} and leased_until is not null and status = 'running'
                       order by leased_until limit 1)`,
        });
      };
    },
  };
}
