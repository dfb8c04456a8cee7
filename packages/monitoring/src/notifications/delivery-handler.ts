import { DomainError, type Id, type TenantTx, tenantOf, type WorkHandler, withTenant } from '@mcp-hub/db-core';
import { and, asc, eq, sql } from 'drizzle-orm';
import { announceDeliveries, DELIVERY_KIND } from './announce-deliveries.ts';
import { postWebhook, type WebhookOutcome, type WebhookRequest } from './post-webhook.ts';
import { alertChannels, alertDeliveries } from './schema.ts';
import { signWebhook, WEBHOOK_HEADERS } from './sign-webhook.ts';

export interface DeliveryOptions
  extends Pick<WorkHandler, 'concurrency' | 'tenantConcurrency' | 'leaseMs' | 'backoff'> {
  /** Attempts of one delivery; then it is dead, and the next of the channel is delivered. Default 12. */
  readonly maxAttempts?: number;
  /** Of one attempt. Default 10,000. */
  readonly timeoutMs?: number;
  /** Posts also without TLS, and to addresses that are none of the public internet. Default false. */
  readonly allowPrivate?: boolean;
  /** What `app_now()` answers, and signatures are of. Default: the clocks of database and process. */
  readonly now?: () => Date;
  /** In the place of the package's own. */
  readonly post?: (request: WebhookRequest) => Promise<WebhookOutcome>;
}

/** Deliveries of one turn of a channel. */
const DELIVERIES_A_TURN = 20;

interface Waiting {
  readonly id: Id<'AlertDelivery'>;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly attempts: number;
  readonly url: string;
  readonly secret: string;
}

/**
 * Delivers what waits for a channel, in order, at least once: a key of work is a channel, so that one which does not answer
 * keeps no other waiting. A failed delivery is tried again by the back-off and blocks those of its channel behind it; after
 * `maxAttempts` it is dead.
 *
 * Between two attempts nothing is open but the lease. Errors and logs hold neither address nor secret.
 */
export function deliveryHandler(options: DeliveryOptions = {}): WorkHandler {
  const { maxAttempts = 12, timeoutMs = 10_000, allowPrivate = false, now, post = postWebhook, ...settings } = options;
  const inTenant = now === undefined ? () => ({}) : () => ({ now: now() });
  return {
    ...settings,
    kind: DELIVERY_KIND,
    handle: async ({ workKey: channelId }, { db, tenant, signal }) => {
      for (let delivered = 0; delivered < DELIVERIES_A_TURN; delivered += 1) {
        const waiting = await withTenant(db, tenant, (tx) => findWaiting(tx, channelId), inTenant());
        if (waiting === undefined) return;
        const outcome = await post(requestOf(waiting, { signal, timeoutMs, allowPrivate, at: now?.() ?? new Date() }));
        // What was cut off is no attempt: it comes again at once, wherever.
        if (outcome !== 'delivered') signal.throwIfAborted();
        const isDead = outcome !== 'delivered' && waiting.attempts + 1 >= maxAttempts;
        await withTenant(db, tenant, (tx) => noteOutcome(tx, waiting, outcome, isDead), inTenant());
        if (outcome !== 'delivered' && !isDead) {
          throw new DomainError('unavailable', 'The channel did not take a delivery.', {
            details: { reason: outcome },
          });
        }
      }
      return (tx) => announceDeliveries(tx, [{ channelId }]);
    },
  };
}

async function findWaiting(tx: TenantTx, channelId: string): Promise<Waiting | undefined> {
  const [waiting] = await tx
    .select({
      ...{ id: alertDeliveries.id, payload: alertDeliveries.payload, attempts: alertDeliveries.attempts },
      ...{ url: alertChannels.url, secret: alertChannels.secret },
    })
    .from(alertDeliveries)
    .innerJoin(
      alertChannels,
      and(eq(alertChannels.tenantId, alertDeliveries.tenantId), eq(alertChannels.id, alertDeliveries.channelId)),
    )
    .where(
      and(
        eq(alertDeliveries.tenantId, tenantOf(tx)),
        eq(alertDeliveries.channelId, channelId as Id<'AlertChannel'>),
        // In the words of the partial index.
        sql`${alertDeliveries.status} = 'waiting'`,
        eq(alertChannels.isEnabled, true),
      ),
    )
    .orderBy(asc(alertDeliveries.id))
    .limit(1);
  return waiting;
}

interface Sending extends Pick<WebhookRequest, 'signal' | 'timeoutMs' | 'allowPrivate'> {
  readonly at: Date;
}

function requestOf({ id, payload, url, secret }: Waiting, { at, ...sending }: Sending): WebhookRequest {
  const body = JSON.stringify({ deliveryId: id, ...payload });
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  return {
    ...sending,
    url,
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'mcp-hub-monitoring',
      [WEBHOOK_HEADERS.idempotencyKey]: id,
      [WEBHOOK_HEADERS.timestamp]: timestamp,
      [WEBHOOK_HEADERS.signature]: signWebhook(secret, timestamp, body),
    },
  };
}

async function noteOutcome(tx: TenantTx, { id }: Waiting, outcome: WebhookOutcome, isDead: boolean): Promise<void> {
  const isDelivered = outcome === 'delivered';
  await tx
    .update(alertDeliveries)
    .set({
      status: isDelivered ? 'delivered' : isDead ? 'dead' : 'waiting',
      attempts: sql`${alertDeliveries.attempts} + 1`,
      errorCode: isDelivered ? null : outcome,
      ...(isDelivered || isDead ? { endedAt: sql`app_now()` } : {}),
    })
    .where(
      and(
        eq(alertDeliveries.tenantId, tenantOf(tx)),
        eq(alertDeliveries.id, id),
        // Another has noted that it was delivered, after this one's lease was lost.
        eq(alertDeliveries.status, 'waiting'),
      ),
    );
}
