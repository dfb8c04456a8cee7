import { sql } from 'drizzle-orm';
import type { Database } from '../context/database.ts';
import { type TenantTx, tenantOf } from '../context/tenant-tx.ts';
import { withTenant } from '../context/with-tenant.ts';
import { RETENTION_LIMITS } from '../limits.ts';
import { outboxEvents, tenantWork } from '../schema.ts';
import { wholeNumber } from './checked-inputs.ts';
import { deleteExpiredIdempotencyKeys } from './idempotency.ts';
import { OUTBOX_KIND } from './outbox.ts';
import { renewRetention } from './retention-work.ts';

export interface Pruned {
  readonly idempotencyKeys: number;
  readonly outboxEvents: number;
  readonly workRows: number;
}

export interface PruneOptions {
  /** Rows of one transaction. Default 1,000. */
  readonly batchSize?: number;
  /** Dead work, and the events that it announced, goes after this time. Default 30 days. */
  readonly deadAfterMs?: number;
  /** Events that nobody has delivered go after this time, for a deployment without a deliverer. Default: never. */
  readonly undeliveredAfterMs?: number;
  readonly now?: Date;
  /** Ends after the batch that runs. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes what one tenant no longer needs: expired idempotency keys, dead work, and dead or undelivered events. In small
 * transactions, which pass over rows that others hold, so that it disturbs nobody.
 */
export async function pruneTenant(db: Database, tenant: string, options: PruneOptions = {}): Promise<Pruned> {
  const limit = wholeNumber(options.batchSize ?? 1_000, 'batchSize', 1, RETENTION_LIMITS.batchSize);
  const { deadAfterMs, undeliveredAfterMs } = retentionAges(options);
  const context = options.now === undefined ? {} : { now: options.now };
  const drain = async (batch: (tx: TenantTx) => Promise<number>): Promise<number> => {
    let total = 0;
    for (;;) {
      const deleted = await withTenant(db, tenant, batch, context);
      total += deleted;
      if (deleted < limit || options.signal?.aborted === true) return total;
    }
  };
  const pruned = {
    idempotencyKeys: await drain((tx) => deleteExpiredIdempotencyKeys(tx, { limit })),
    outboxEvents:
      (await drain((tx) => deleteDeadEvents(tx, deadAfterMs, limit))) +
      (undeliveredAfterMs === undefined ? 0 : await drain((tx) => deleteOldEvents(tx, undeliveredAfterMs, limit))),
    workRows: await drain((tx) => deleteDeadWork(tx, deadAfterMs, limit)),
  };
  if (options.signal?.aborted !== true) await withTenant(db, tenant, renewRetention, context);
  return pruned;
}

const MAX_AGE_MS = 100 * 365 * 86_400_000;

/** @throws DomainError `invalid_input` for what is no time or too long. */
export function retentionAges({ deadAfterMs, undeliveredAfterMs }: PruneOptions): {
  readonly deadAfterMs: number;
  readonly undeliveredAfterMs: number | undefined;
} {
  return {
    deadAfterMs: wholeNumber(deadAfterMs ?? 30 * 86_400_000, 'deadAfterMs', 0, MAX_AGE_MS),
    undeliveredAfterMs:
      undeliveredAfterMs === undefined
        ? undefined
        : wholeNumber(undeliveredAfterMs, 'undeliveredAfterMs', 0, MAX_AGE_MS),
  };
}

/** With their work rows: an event without one would never be delivered, a work row without one means nothing. */
async function deleteDeadEvents(tx: TenantTx, ageMs: number, limit: number): Promise<number> {
  return await deleteEvents(tx, sql`dead_at < ${ago(ageMs)}`, limit);
}

/** Leased ones stay: they are being delivered. */
async function deleteOldEvents(tx: TenantTx, ageMs: number, limit: number): Promise<number> {
  return await deleteEvents(
    tx,
    sql`(leased_until is null or leased_until <= app_now()) and created_at < ${ago(ageMs)}`,
    limit,
  );
}

async function deleteEvents(tx: TenantTx, condition: ReturnType<typeof sql>, limit: number): Promise<number> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute(sql`
    with old as materialized (
      select work_key, request_id
        from ${tenantWork}
       where tenant_id = ${tenant} and kind = ${OUTBOX_KIND} and ${condition}
       order by work_key
       limit ${limit}
         for update skip locked
    ), events as (
      delete from ${outboxEvents} e using old where e.tenant_id = ${tenant} and e.id = old.work_key::uuid
    )
    delete from ${tenantWork} w
     using old
     where w.tenant_id = ${tenant} and w.kind = ${OUTBOX_KIND} and w.work_key = old.work_key
       and w.request_id = old.request_id
    returning 1`);
  return rows.length;
}

async function deleteDeadWork(tx: TenantTx, ageMs: number, limit: number): Promise<number> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute(sql`
    with old as materialized (
      select kind, work_key, request_id
        from ${tenantWork}
       where tenant_id = ${tenant} and kind <> ${OUTBOX_KIND} and dead_at < ${ago(ageMs)}
       order by kind, work_key
       limit ${limit}
         for update skip locked
    )
    delete from ${tenantWork} w
     using old
     where w.tenant_id = ${tenant} and w.kind = old.kind and w.work_key = old.work_key
       and w.request_id = old.request_id
    returning 1`);
  return rows.length;
}

function ago(ms: number) {
  return sql`app_now() - interval '1 millisecond' * ${ms}::float8`;
}
