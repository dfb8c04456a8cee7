import { dispatchWork, isDomainError } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createAlertChannel,
  createSilence,
  type DeliveryOptions,
  deliveryHandler,
  listAlertChannels,
  listAlertDeliveries,
  pruneAlertDeliveries,
  removeAlertChannel,
  retryAlertDelivery,
  updateAlertChannel,
  verifyWebhook,
} from '../../src/index.ts';
import { postWebhook } from '../../src/notifications/post-webhook.ts';
import { isPrivateAddress } from '../../src/notifications/private-addresses.ts';
import { above, minute, ofMinutes, type Story, tellStory } from '../support/telemetry-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';
import { useWebhookReceiver } from '../support/webhook-receiver.ts';

const monitoring = useMonitoring();
const receiver = useWebhookReceiver();
const secret = 'a secret of thirty-two characters';

/** A story with a channel whose path is the tenant's name. */
async function story(
  values: readonly (number | null)[],
  rule: object = {},
): Promise<Story & { readonly path: string }> {
  const tenant = freshTenant();
  const path = `/${tenant}`;
  await monitoring.run(tenant, (tx) => createAlertChannel(tx, { name: 'hook', url: receiver.url(path), secret }));
  return { ...(await tellStory(monitoring, tenant, ofMinutes(values), rule)), path };
}

/** Delivers what is due at a minute of the story. */
const deliver = (n: number, options: DeliveryOptions = {}) => {
  const now = () => minute(n);
  return dispatchWork(monitoring.db, {
    ...deliveryHandler({ allowPrivate: true, timeoutMs: 2_000, ...options, now }),
    now,
  });
};

const tidingsAt = (path: string) =>
  receiver.received(path).map(({ body }) => (JSON.parse(body) as { tiding: string }).tiding);

const deliveriesOf = async (tenant: string) => (await monitoring.run(tenant, (tx) => listAlertDeliveries(tx))).items;

describe('a webhook', () => {
  it('hears of firing and resolve, once each, in order and signed', async () => {
    const { tenant, path, evaluate } = await story([300, 300, 100], {
      labels: { team: 'web' },
      summary: 'Look at it.',
    });
    await evaluate([1, 2, 3]);
    await deliver(3);
    await deliver(4);
    expect(tidingsAt(path)).toEqual(['firing', 'resolved']);
    const [first, second] = receiver.received(path);
    if (first === undefined || second === undefined) throw new Error('Two came.');
    const body = JSON.parse(first.body) as Record<string, unknown>;
    expect(body).toMatchObject({
      ...{ rule: 'slow', severity: 'warning', value: 300, labels: { team: 'web' }, summary: 'Look at it.', number: 3 },
      ...{ firedAt: minute(1).toISOString(), status: 'firing', deliveryId: first.headers['idempotency-key'] },
    });
    expect(first.headers['idempotency-key']).not.toBe(second.headers['idempotency-key']);
    const verify = (more: object) =>
      verifyWebhook({ secret, headers: first.headers, body: first.body, now: minute(3), ...more });
    expect(verify({})).toBe(true);
    expect(verify({ secret: `${secret}r` })).toBe(false);
    expect(verify({ body: first.body.replace('300', '301') })).toBe(false);
    expect(verify({ now: minute(9) })).toBe(false);
    expect(verify({ headers: {} })).toBe(false);
    expect(verify({ headers: { ...first.headers, 'x-mcp-hub-signature': 'v1=short' } })).toBe(false);
    expect((await deliveriesOf(tenant)).map(({ status, attempts }) => [status, attempts])).toEqual([
      ...[
        ['delivered', 1],
        ['delivered', 1],
      ],
    ]);
  });

  it('that fails is tried again with the same key, and what is behind it waits', async () => {
    const { tenant, path, evaluate } = await story([300, 100]);
    receiver.answer(path, 500);
    await evaluate([1, 2]);
    expect((await deliver(2)).failed).toBe(1);
    expect(await deliveriesOf(tenant)).toMatchObject([
      { status: 'waiting', attempts: 1, errorCode: 'http_500' },
      { status: 'waiting', attempts: 0 },
    ]);
    receiver.answer(path, 204);
    await deliver(60);
    expect(tidingsAt(path)).toEqual(['firing', 'firing', 'resolved']);
    const [one, again] = receiver.received(path);
    expect(one?.headers['idempotency-key']).toBe(again?.headers['idempotency-key']);
    expect(one?.body).toBe(again?.body);
  });

  it('that never answers is a dead letter in the end, the next is delivered, and it can be sent again', async () => {
    const { tenant, path, evaluate } = await story([300, 100]);
    receiver.answer(path, 404);
    await evaluate([1, 2]);
    for (const n of [2, 60]) await deliver(n, { maxAttempts: 3 });
    receiver.answer(path, 204);
    const gone = new URL(receiver.url(path));
    gone.port = '1';
    const [channel] = await monitoring.run(tenant, (tx) => listAlertChannels(tx));
    const channelId = channel?.id ?? '';
    await monitoring.run(tenant, (tx) => updateAlertChannel(tx, { channelId, url: gone.href }), { now: minute(61) });
    await deliver(120, { maxAttempts: 3 });
    const [dead, waiting] = await deliveriesOf(tenant);
    expect([dead?.status, dead?.attempts, dead?.errorCode]).toEqual(['dead', 3, 'ECONNREFUSED']);
    expect(waiting?.status).toBe('waiting');
    const url = receiver.url(path);
    await monitoring.run(tenant, (tx) => updateAlertChannel(tx, { channelId, url }), { now: minute(121) });
    await deliver(240, { maxAttempts: 3 });
    expect(tidingsAt(path)).toEqual(['firing', 'firing', 'resolved']);
    await monitoring.run(tenant, (tx) => retryAlertDelivery(tx, { deliveryId: dead?.id ?? '' }), { now: minute(241) });
    await deliver(242, { maxAttempts: 3 });
    expect(tidingsAt(path).at(-1)).toBe('firing');
    const again = monitoring.run(tenant, (tx) => retryAlertDelivery(tx, { deliveryId: dead?.id ?? '' }));
    expect(isDomainError(await failureOf(again), 'not_found')).toBe(true);
  });

  it('one that hangs keeps no other channel of its tenant waiting', async () => {
    const { tenant, path, evaluate } = await story([300]);
    receiver.answer(path, 'hang');
    const other = `${path}/other`;
    await monitoring.run(tenant, (tx) => createAlertChannel(tx, { name: 'other', url: receiver.url(other), secret }));
    await evaluate([1]);
    await deliver(1, { timeoutMs: 300 });
    expect(tidingsAt(other)).toEqual(['firing']);
    expect((await deliveriesOf(tenant)).map(({ errorCode }) => String(errorCode)).sort()).toEqual(['null', 'timeout']);
  });

  it('is told of what its matchers match, and of the resolve where it was told of the alert', async () => {
    const { tenant, path, evaluate } = await story([300, 500, 100], {
      condition: above(200, { levels: [{ severity: 'critical', value: 400 }] }),
    });
    const [worst, app] = [`${path}/worst`, `${path}/app`];
    await monitoring.run(tenant, async (tx) => {
      const matchers = [{ label: 'severity', op: '=', value: 'critical' } as const];
      await createAlertChannel(tx, { name: 'worst', url: receiver.url(worst), secret, matchers });
      const others = [{ label: 'team', op: '=', value: 'app' } as const];
      await createAlertChannel(tx, { name: 'app', url: receiver.url(app), secret, matchers: others });
    });
    await evaluate([1, 2, 3]);
    await deliver(3);
    expect([tidingsAt(path), tidingsAt(worst), tidingsAt(app)]).toEqual([
      ...[['firing', 'escalated', 'resolved'], ['escalated', 'resolved'], []],
    ]);
  });

  it('is told nothing under a silence, and that it fires when that ends', async () => {
    const { tenant, path, evaluate } = await story([300, 300]);
    const matchers = [{ label: 'rule', op: '=', value: 'slow' } as const];
    await monitoring.run(tenant, (tx) => createSilence(tx, { matchers, endsAt: minute(2) }), { now: minute(0) });
    await evaluate([1]);
    await deliver(1);
    expect(tidingsAt(path)).toEqual([]);
    await evaluate([2]);
    await deliver(2);
    expect(tidingsAt(path)).toEqual(['firing']);
  });

  it('that is disabled waits, and is told when it is enabled', async () => {
    const { tenant, path, evaluate } = await story([300]);
    await evaluate([1]);
    const [channel] = await monitoring.run(tenant, (tx) => listAlertChannels(tx));
    const channelId = channel?.id ?? '';
    await monitoring.run(tenant, (tx) => updateAlertChannel(tx, { channelId, isEnabled: false }), { now: minute(1) });
    await deliver(1);
    expect(tidingsAt(path)).toEqual([]);
    await monitoring.run(tenant, (tx) => updateAlertChannel(tx, { channelId, isEnabled: true }), { now: minute(2) });
    await deliver(2);
    expect(tidingsAt(path)).toEqual(['firing']);
    await monitoring.run(tenant, (tx) => removeAlertChannel(tx, { channelId }));
    expect(await deliveriesOf(tenant)).toEqual([]);
  });

  it('that is stopped in the middle of a request is no failed attempt', async () => {
    const { tenant, path, evaluate } = await story([300]);
    receiver.answer(path, 'hang');
    await evaluate([1]);
    const stop = new AbortController();
    const now = () => minute(1);
    const handler = deliveryHandler({ allowPrivate: true, now });
    const stopped = dispatchWork(monitoring.db, { ...handler, now, signal: stop.signal });
    while (receiver.received(path).length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await stopped).toMatchObject({ released: 1, failed: 0 });
    expect(await deliveriesOf(tenant)).toMatchObject([{ status: 'waiting', attempts: 0 }]);
    receiver.answer(path, 204);
    await deliver(1);
    expect(tidingsAt(path)).toEqual(['firing', 'firing']);
  });
});

describe('what was delivered', () => {
  it('is pruned once its alert is over, and what waits never', async () => {
    const { tenant, path, evaluate } = await story([300, 300, 100, 300]);
    const prune = (n: number) =>
      monitoring.run(tenant, (tx) => pruneAlertDeliveries(tx, { before: minute(n) }), { now: minute(n) });
    await evaluate([1, 2]);
    await deliver(2);
    expect(await prune(9)).toEqual({ deleted: 0, more: false });
    await evaluate([3]);
    expect(await prune(9)).toEqual({ deleted: 1, more: false });
    await deliver(3);
    expect(tidingsAt(path)).toEqual(['firing', 'resolved']);
    expect(await prune(3)).toEqual({ deleted: 0, more: false });
    expect(await prune(9)).toEqual({ deleted: 1, more: false });
    expect(await deliveriesOf(tenant)).toEqual([]);
  });
});

describe('what a channel keeps to itself', () => {
  it('its secret is in no result, event, history, delivery or error', async () => {
    const hidden = 'hidden-hidden-hidden-hidden';
    const tenant = freshTenant();
    const errors: unknown[] = [];
    await monitoring.run(tenant, async (tx) => {
      const input = { name: 'hook', url: 'https://example.com/hidden-hidden-hidden-hidden', secret: hidden };
      const { channelId } = await createAlertChannel(tx, input);
      await updateAlertChannel(tx, { channelId, secret: `${hidden}!` });
      const again = tx.transaction((inner) => createAlertChannel(inner, input));
      errors.push(await failureOf(again));
      const tooLong = createAlertChannel(tx, { ...input, name: 'x', secret: hidden.repeat(20) });
      errors.push(await failureOf(tooLong));
      const badUrl = createAlertChannel(tx, { ...input, name: 'x', url: `ftp://${hidden}` });
      errors.push(await failureOf(badUrl));
      const [channel] = await listAlertChannels(tx);
      expect(JSON.stringify({ ...channel, url: '' })).not.toContain('hidden');
      for (const table of ['alert_setting_events', 'outbox_events', 'tenant_work', 'alert_deliveries']) {
        const rows = await tx.execute(sql`select t::text as row from ${sql.identifier(table)} t`);
        expect(JSON.stringify(rows)).not.toContain('hidden');
      }
    });
    for (const error of errors) {
      expect(isDomainError(error)).toBe(true);
      const { message, details, cause, stack } = error as {
        message: string;
        details: object;
        cause: unknown;
        stack: string;
      };
      expect(JSON.stringify([message, details, String(cause), stack])).not.toContain('hidden');
    }
  });
});

describe('where a webhook may lead', () => {
  const post = (url: string, allowPrivate = false) =>
    postWebhook({ url, headers: {}, body: '{}', timeoutMs: 2_000, signal: new AbortController().signal, allowPrivate });

  it('not to loopback, private networks or the metadata of a cloud, however that is written', async () => {
    for (const host of [
      '127.0.0.1',
      '10.1.2.3',
      '169.254.169.254',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0x7f.1',
      '[fd00::1]',
    ]) {
      expect([host, await post(`https://${host}:1/`)]).toEqual([host, 'address_not_allowed']);
    }
    expect(await post('https://localhost:1/')).toBe('address_not_allowed');
  });

  it('not without TLS, and not along a redirect', async () => {
    expect(await post('http://example.com/')).toBe('tls_required');
    receiver.answer('/redirect', { redirect: receiver.url('/secret') });
    expect(await post(receiver.url('/redirect'), true)).toBe('http_302');
    expect(receiver.received('/secret')).toEqual([]);
  });

  it('an answer that never comes, or is cut off, is told by its code', async () => {
    receiver.answer('/cut', 'close');
    expect(await post(receiver.url('/cut'), true)).toBe('ECONNRESET');
  });

  it.each([
    ['8.8.8.8', 4, false],
    ['100.64.0.1', 4, true],
    ['172.31.255.255', 4, true],
    ['172.32.0.1', 4, false],
    ['224.0.0.1', 4, true],
    ['255.255.255.255', 4, true],
    ['2606:4700::1111', 6, false],
    ['::', 6, true],
    ['fe80::1', 6, true],
    ['::ffff:8.8.8.8', 6, true],
    ['2002:7f00:1::', 6, true],
  ] as const)('%s (IPv%d) is private: %s', (address, family, expected) => {
    expect(isPrivateAddress(address, family)).toBe(expected);
  });
});
