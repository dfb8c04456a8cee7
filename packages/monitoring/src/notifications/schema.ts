import {
  createdAtColumn,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { boolean, integer, text, uuid } from 'drizzle-orm/pg-core';
import { tidings } from '../alerts/episode.ts';
import type { Matcher } from '../silences/matcher.ts';

/** Where alerts are told: a webhook. */
export const alertChannels = tenantTable(
  'alert_channels',
  {
    id: idColumn<'AlertChannel'>(),
    name: text('name').notNull(),
    url: text('url').notNull(),
    /** Signs what is sent. No function of the package gives it back. */
    secret: text('secret').notNull(),
    /** Alerts that all of these match are told here; none: all alerts. */
    matchers: jsonColumn<readonly Matcher[]>('matchers').notNull(),
    isEnabled: boolean('is_enabled').notNull(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(t.id), constraint.unique('name', t.name)],
);

export const deliveryStatuses = ['waiting', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** A tiding on its way to one channel, written in the transaction of the transition that it tells of. */
export const alertDeliveries = tenantTable(
  'alert_deliveries',
  {
    /** In the order in which they were made; the receiver's idempotency key. */
    id: idColumn<'AlertDelivery'>(),
    channelId: referenceColumn<'AlertChannel'>('channel_id').notNull(),
    alertId: uuid('alert_id').notNull(),
    /** Of the alert's transitions. */
    transitionNumber: integer('transition_number').notNull(),
    tiding: stateColumn('tiding', tidings).notNull(),
    /** What is sent, the same with each attempt. */
    payload: jsonColumn<Readonly<Record<string, unknown>>>('payload').notNull(),
    status: stateColumn('status', deliveryStatuses).notNull(),
    attempts: integer('attempts').notNull(),
    /** Of the last failure: a status of HTTP, or a code of the connection. */
    errorCode: text('error_code'),
    createdAt: createdAtColumn(),
    endedAt: timeColumn('ended_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('status', t.status, deliveryStatuses),
    constraint.oneOf('tiding', t.tiding, tidings),
    constraint.foreignKey('channel', [t.channelId], [alertChannels.id], { onDelete: 'cascade' }),
    // Delivery: what waits for a channel, in order.
    constraint.index('waiting', [t.channelId, t.id], sql`status = 'waiting'`),
    // Which channels were told of an alert; the deliveries of an alert.
    constraint.index('alert', [t.alertId, t.channelId, t.transitionNumber]),
    // The cascade, and lists of a channel.
    constraint.index('channel', [t.channelId, t.id]),
  ],
);
