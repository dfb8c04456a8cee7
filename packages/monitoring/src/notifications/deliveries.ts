import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  timeParameter,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { tidings } from '../alerts/episode.ts';
import { monitoringAlerts } from '../alerts/schema.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { deliveryNotFound } from '../not-found.ts';
import { announceDeliveries } from './announce-deliveries.ts';
import { alertDeliveries, deliveryStatuses } from './schema.ts';

const { tenantId: _tenantId, ...columns } = getTableColumns(alertDeliveries);

/** A tiding on its way to a channel, or delivered, or dead. */
export type AlertDelivery = Readonly<Omit<typeof alertDeliveries.$inferSelect, 'tenantId'>>;

const fields = defineFilterFields({
  id: uuidField(alertDeliveries.id),
  channel_id: uuidField(alertDeliveries.channelId),
  alert_id: uuidField(alertDeliveries.alertId),
  status: enumField(alertDeliveries.status, deliveryStatuses),
  tiding: enumField(alertDeliveries.tiding, tidings),
  attempts: numberField(alertDeliveries.attempts),
  error_code: textField(alertDeliveries.errorCode),
  created_at: timeField(alertDeliveries.createdAt),
  ended_at: timeField(alertDeliveries.endedAt),
});

export const ListAlertDeliveriesInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `status = 'dead' AND error_code = 'http_500'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: in the order in which they are delivered. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListAlertDeliveriesInput = Readonly<z.input<typeof ListAlertDeliveriesInput>>;

const deliveryList = defineList({
  name: 'monitoring.deliveries',
  from: alertDeliveries,
  columns,
  order: defineOrder({ fields, byDefault: [{ field: 'id', direction: 'asc' }], tieBreaker: fields.fields.id }),
});

/** What was and is to be told, by pages; the dead ones among them. One statement, no lock. */
export async function listAlertDeliveries(
  tx: TenantTx,
  input: ListAlertDeliveriesInput = {},
): Promise<Page<AlertDelivery>> {
  return await readPage(tx, deliveryList, parseInput(ListAlertDeliveriesInput, input));
}

export const RetryAlertDeliveryInput = z.strictObject({ deliveryId: z.uuid() });
export type RetryAlertDeliveryInput = Readonly<z.input<typeof RetryAlertDeliveryInput>>;

/** Delivers a dead one again, from its first attempt on, with the same id. Two round trips. @throws DomainError `not_found`. */
export async function retryAlertDelivery(tx: TenantTx, input: RetryAlertDeliveryInput): Promise<void> {
  const { deliveryId } = parseInput(RetryAlertDeliveryInput, input);
  const [revived] = await tx
    .update(alertDeliveries)
    .set({ status: 'waiting', attempts: 0, endedAt: null })
    .where(
      and(
        eq(alertDeliveries.tenantId, tenantOf(tx)),
        eq(alertDeliveries.id, deliveryId as Id<'AlertDelivery'>),
        eq(alertDeliveries.status, 'dead'),
      ),
    )
    .returning({ channelId: alertDeliveries.channelId });
  if (revived === undefined) throw deliveryNotFound();
  await announceDeliveries(tx, [revived]);
}

export const PruneAlertDeliveriesInput = z.strictObject({
  /** What was delivered, or dead, before. */
  before: z.date(),
  /** Of one call. Default and maximum 10,000. */
  limit: z.int().min(1).max(MONITORING_LIMITS.pruneBatch).optional(),
});
export type PruneAlertDeliveriesInput = Readonly<z.input<typeof PruneAlertDeliveriesInput>>;

/**
 * Deletes what was delivered or is dead, the oldest first, but of alerts that are still open or owe a resolve: by these
 * deliveries it is known who is to hear of it. One statement; the locks of what it deletes, waiting for none.
 */
export async function pruneAlertDeliveries(
  tx: TenantTx,
  input: PruneAlertDeliveriesInput,
): Promise<{ readonly deleted: number; readonly more: boolean }> {
  const { before, limit = MONITORING_LIMITS.pruneBatch } = parseInput(PruneAlertDeliveriesInput, input);
  const tenant = tenantOf(tx);
  const [pruned] = await tx.execute<{ deleted: number }>(sql`
    with old as materialized (
      select d.id
        from ${alertDeliveries} d
       where d.tenant_id = ${tenant} and d.status <> 'waiting' and d.ended_at < ${timeParameter(before)}
         and not exists (
               select from ${monitoringAlerts} a
                where a.tenant_id = ${tenant} and a.id = d.alert_id and (a.status <> 'resolved' or a.owes_resolution))
       order by d.id
       limit ${limit}
         for update of d skip locked
    ), gone as (
      delete from ${alertDeliveries}
       where tenant_id = ${tenant} and id = any (array(select id from old))
      returning 1
    )
    select count(*)::int as deleted from gone`);
  const deleted = pruned?.deleted ?? 0;
  return { deleted, more: deleted === limit };
}
