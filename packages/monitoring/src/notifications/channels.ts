import {
  DomainError,
  type Id,
  nameInput,
  parseInput,
  recordEvent,
  type TenantTx,
  tenantOf,
  textInput,
} from '@mcp-hub/db-core';
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';
import { channelNotFound } from '../not-found.ts';
import { Matcher } from '../silences/matcher.ts';
import { recordSettingEvent } from '../silences/record-setting-event.ts';
import { announceDeliveries } from './announce-deliveries.ts';
import { alertChannels } from './schema.ts';

const fields = {
  name: nameInput(MONITORING_LIMITS.nameLength),
  /** https, or http where the deliverer allows it. No user or password: they would stand in logs of others. */
  url: z
    .string()
    .max(MONITORING_LIMITS.urlLength)
    .refine(isWebhook, 'must be an https or http address without user, password and fragment'),
  /** Signs what is sent; not given back by any function. */
  secret: textInput(MONITORING_LIMITS.secretLength).min(MONITORING_LIMITS.secretLengthMin),
  /** Alerts that all of these match are told here; none: all alerts. */
  matchers: z.array(Matcher).max(MONITORING_LIMITS.matchers).readonly(),
  isEnabled: z.boolean(),
};

function isWebhook(text: string): boolean {
  try {
    const { protocol, username, password, hash } = new URL(text);
    return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === '';
  } catch {
    return false;
  }
}

const { name, url, secret, ...optional } = fields;

export const CreateAlertChannelInput = z.strictObject({
  ...{ name, url, secret },
  ...z.strictObject(optional).partial().shape,
});
export type CreateAlertChannelInput = Readonly<z.input<typeof CreateAlertChannelInput>>;

/**
 * Makes a webhook that alerts are told to from now on. Two round trips, no lock. Announces `alert_channel.created`.
 *
 * The secret is stored as it is given, for whoever may read the table; it is in no result, event or error.
 *
 * @throws DomainError `already_exists` for the name, `invalid_input`, also for more than 100 channels.
 */
export async function createAlertChannel(
  tx: TenantTx,
  input: CreateAlertChannelInput,
): Promise<{ readonly channelId: Id<'AlertChannel'> }> {
  const { matchers = [], isEnabled = true, ...given } = parseInput(CreateAlertChannelInput, input);
  const [[made], [count]] = await Promise.all([
    tx
      .insert(alertChannels)
      .values({ ...given, matchers, isEnabled })
      .returning({ id: alertChannels.id }),
    tx
      .select({ all: sql<number>`count(*)::int` })
      .from(alertChannels)
      .where(eq(alertChannels.tenantId, tenantOf(tx))),
  ]);
  if (made === undefined || count === undefined) throw new TypeError('INSERT … RETURNING gives a row');
  if (count.all > MONITORING_LIMITS.channels) {
    throw new DomainError(
      'invalid_input',
      `A tenant has at most ${MONITORING_LIMITS.channels} channels. Remove some.`,
      {
        details: { limit: MONITORING_LIMITS.channels },
      },
    );
  }
  await recordChannelEvent(tx, made.id, 'created', factsOf({ ...given, matchers, isEnabled }));
  return { channelId: made.id };
}

export const UpdateAlertChannelInput = z.strictObject({
  channelId: z.uuid(),
  ...z.strictObject(fields).partial().shape,
});
export type UpdateAlertChannelInput = Readonly<z.input<typeof UpdateAlertChannelInput>>;

/**
 * Changes what is given of a channel. What waits for it goes to the new address with the new secret; of one that is disabled
 * it waits. Two round trips; the channel's lock. Announces `alert_channel.changed`.
 *
 * @throws DomainError `already_exists` for the name, `not_found`.
 */
export async function updateAlertChannel(tx: TenantTx, input: UpdateAlertChannelInput): Promise<void> {
  const { channelId, ...changes } = parseInput(UpdateAlertChannelInput, input);
  const [changed] = await tx
    .update(alertChannels)
    .set({ ...changes, updatedAt: sql`app_now()` })
    .where(and(eq(alertChannels.tenantId, tenantOf(tx)), eq(alertChannels.id, channelId as Id<'AlertChannel'>)))
    .returning(columns);
  if (changed === undefined) throw channelNotFound();
  const isNewSecret = changes.secret !== undefined;
  await Promise.all([
    recordChannelEvent(tx, changed.id, 'changed', { ...factsOf(changed), isNewSecret }),
    ...(changed.isEnabled ? [announceDeliveries(tx, [{ channelId }])] : []),
  ]);
}

export const RemoveAlertChannelInput = z.strictObject({ channelId: z.uuid() });
export type RemoveAlertChannelInput = Readonly<z.input<typeof RemoveAlertChannelInput>>;

/** Removes a channel with its deliveries, made or not. Two round trips. Announces `alert_channel.removed`. @throws `not_found`. */
export async function removeAlertChannel(tx: TenantTx, input: RemoveAlertChannelInput): Promise<void> {
  const { channelId } = parseInput(RemoveAlertChannelInput, input);
  const [removed] = await tx
    .delete(alertChannels)
    .where(and(eq(alertChannels.tenantId, tenantOf(tx)), eq(alertChannels.id, channelId as Id<'AlertChannel'>)))
    .returning(columns);
  if (removed === undefined) throw channelNotFound();
  await recordChannelEvent(tx, removed.id, 'removed', factsOf(removed));
}

const { tenantId: _tenantId, secret: _secret, ...columns } = getTableColumns(alertChannels);

/** A channel, without its secret. */
export type AlertChannel = Readonly<Omit<typeof alertChannels.$inferSelect, 'tenantId' | 'secret'>>;

/** All of the tenant's, by name; 100 at the most. One statement, no lock. */
export async function listAlertChannels(tx: TenantTx): Promise<readonly AlertChannel[]> {
  return await tx
    .select(columns)
    .from(alertChannels)
    .where(eq(alertChannels.tenantId, tenantOf(tx)))
    .orderBy(asc(alertChannels.name));
}

/** Of the address its host: its path may be as good as a secret. */
const factsOf = (channel: Pick<AlertChannel, 'name' | 'url' | 'matchers' | 'isEnabled'>) => ({
  ...{ name: channel.name, host: new URL(channel.url).host, matchers: channel.matchers, isEnabled: channel.isEnabled },
});

async function recordChannelEvent(
  tx: TenantTx,
  id: Id<'AlertChannel'>,
  kind: 'created' | 'changed' | 'removed',
  facts: Readonly<Record<string, unknown>> & { readonly name: string },
): Promise<void> {
  await Promise.all([
    recordSettingEvent(tx, { subject: 'channel', subjectId: id, kind, facts }),
    recordEvent(tx, { topic: `alert_channel.${kind}`, subjectId: id, payload: { name: facts.name } }),
  ]);
}
