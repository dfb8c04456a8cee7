import { and, eq } from 'drizzle-orm';
import type { Database } from '../context/database.ts';
import type { TenantId } from '../context/tenant-id.ts';
import { tenantOf } from '../context/tenant-tx.ts';
import { readOne } from '../context/with-tenant.ts';
import { outboxEvents } from '../schema.ts';
import { toId } from '../value/ids.ts';
import { type DispatchOptions, dispatchWork } from './dispatch.ts';
import type { DispatchReport } from './kind-loop.ts';
import { OUTBOX_KIND } from './outbox.ts';
import type { WorkHandler } from './run-work.ts';

export type OutboxEvent = typeof outboxEvents.$inferSelect;

export interface OutboxOptions
  extends Pick<WorkHandler, 'leaseMs' | 'maxAttempts' | 'backoff' | 'concurrency' | 'handlerTimeoutMs'> {
  /**
   * Hands one event on. It resolves when the event is safe elsewhere; what it throws means that the event comes again.
   * An event may come more than once: its id tells. No transaction is open meanwhile.
   */
  readonly publish: (event: OutboxEvent, context: { readonly signal: AbortSignal }) => Promise<void>;
  /** Publish these alone; events of other topics are deleted unpublished. All deliverers of a database name the same. */
  readonly topics?: readonly string[];
}

/**
 * The outbox as a handler for runDispatcher: events of one tenant one at a time in the order of their ids, at least
 * once each. A failed one is tried again by the back-off and blocks those of its tenant behind it, and no other tenant's;
 * with `maxAttempts` it is dead then and the next is delivered. A delivered event is deleted.
 */
export function outboxHandler({ publish, topics, ...settings }: OutboxOptions): WorkHandler {
  const wanted = topics === undefined ? undefined : new Set(topics);
  return {
    ...settings,
    kind: OUTBOX_KIND,
    inOrder: true,
    handle: async (work, { db, tenant, signal }) => {
      const event = await readEvent(db, tenant, work.workKey);
      if (event === undefined) return;
      if (wanted?.has(event.topic) ?? true) await publish(event, { signal });
      return async (tx) => {
        await tx
          .delete(outboxEvents)
          .where(and(eq(outboxEvents.tenantId, tenantOf(tx)), eq(outboxEvents.id, event.id)));
      };
    },
  };
}

/** Delivers what waits in the outbox of all active tenants, and returns; as `outboxHandler` otherwise. */
export async function deliverOutbox(db: Database, options: OutboxOptions & DispatchOptions): Promise<DispatchReport> {
  return await dispatchWork(db, { ...options, ...outboxHandler(options) });
}

async function readEvent(db: Database, tenant: TenantId, id: string): Promise<OutboxEvent | undefined> {
  const eventId = toId<'OutboxEvent'>(id, 'workKey');
  const rows = await readOne(db, tenant, (tx) =>
    tx
      .select()
      .from(outboxEvents)
      .where(and(eq(outboxEvents.tenantId, tenantOf(tx)), eq(outboxEvents.id, eventId))),
  );
  return rows[0];
}
