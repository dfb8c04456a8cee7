import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  createTenant,
  type Database,
  deliverOutbox,
  isDomainError,
  type OutboxEvent,
  outboxEvents,
  outboxHandler,
  recordEvent,
  recordEvents,
  runDispatcher,
  scheduleWork,
  setTenantStatus,
  tenantOf,
  tenantWork,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
let other: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
  other = await connect({ url: database.serviceUrl });
});
afterAll(() => Promise.all([db.close(), other.close()]));

const eventsOf = (tenant: string) =>
  withTenant(db, tenant, (tx) =>
    tx
      .select()
      .from(outboxEvents)
      .where(eq(outboxEvents.tenantId, tenantOf(tx)))
      .orderBy(outboxEvents.id),
  );
const workOf = (tenant: string) =>
  withTenant(db, tenant, (tx) =>
    tx
      .select()
      .from(tenantWork)
      .where(and(eq(tenantWork.tenantId, tenantOf(tx)), eq(tenantWork.kind, 'outbox')))
      .orderBy(tenantWork.workKey),
  );
const record = (tenant: string, ...subjects: readonly string[]) =>
  withTenant(db, tenant, async (tx) => {
    for (const subjectId of subjects) await recordEvent(tx, { topic: 'model.changed', subjectId });
  });
const mine =
  (tenant: string, seen: string[], act: (event: OutboxEvent) => Promise<void> = async () => {}) =>
  async (event: OutboxEvent) => {
    if (event.tenantId !== tenant) return;
    seen.push(event.subjectId);
    await act(event);
  };

describe('recordEvent', () => {
  it('writes the event and the row that announces it', async () => {
    const tenant = freshTenant();
    const payload = { text: `it's "q" \\ ü 😀`, list: [1, null, true] };
    const id = await withTenant(db, tenant, (tx) => recordEvent(tx, { topic: 'm.created', subjectId: 's', payload }));
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await eventsOf(tenant)).toMatchObject([{ id, topic: 'm.created', subjectId: 's', payload }]);
    expect(await workOf(tenant)).toMatchObject([{ workKey: id, attempts: 0 }]);
  });

  it('keeps the order in which one transaction records, however fast', async () => {
    const tenant = freshTenant();
    const subjects = Array.from({ length: 100 }, (_, n) => `${n}`);
    await withTenant(db, tenant, (tx) =>
      Promise.all(subjects.map((subjectId) => recordEvent(tx, { topic: 't', subjectId }))),
    );
    expect((await eventsOf(tenant)).map((event) => event.subjectId)).toEqual(subjects);
  });

  it('writes many in one statement, in the order given, before what is recorded after them', async () => {
    const tenant = freshTenant();
    const subjects = Array.from({ length: 2_000 }, (_, n) => `${n}`);
    const [ids] = await withTenant(db, tenant, (tx) =>
      Promise.all([
        recordEvents(
          tx,
          subjects.map((subjectId) => ({ topic: 't', subjectId, payload: { text: `{"${subjectId}\\` } })),
        ),
        recordEvent(tx, { topic: 't', subjectId: 'last' }),
      ]),
    );
    const events = await eventsOf(tenant);
    expect(events.map((event) => event.subjectId)).toEqual([...subjects, 'last']);
    expect(events.slice(0, -1).map(({ id }) => id)).toEqual(ids);
    expect(events[7]?.payload).toEqual({ text: '{"7\\' });
    expect(await workOf(tenant)).toHaveLength(2_001);
    expect(await withTenant(db, tenant, (tx) => recordEvents(tx, []))).toEqual([]);
  });

  it('leaves nothing when the transaction rolls back', async () => {
    const tenant = freshTenant();
    await failureOf(
      withTenant(db, tenant, async (tx) => {
        await recordEvent(tx, { topic: 't', subjectId: 's' });
        throw new Error('rolled back');
      }),
    );
    expect(await eventsOf(tenant)).toEqual([]);
    expect(await workOf(tenant)).toEqual([]);
  });

  it('lets transactions of one tenant record side by side', async () => {
    const tenant = freshTenant();
    const both = barrier(2);
    const recordOne = (subjectId: string) =>
      withTenant(
        db,
        tenant,
        async (tx) => {
          await recordEvent(tx, { topic: 't', subjectId });
          both.arrive();
          await both.passed;
        },
        { lockTimeoutMs: 1_000 },
      );
    await Promise.all([recordOne('a'), recordOne('b')]);
    expect(await eventsOf(tenant)).toHaveLength(2);
  });

  it('names the limit that is exceeded and never the value', async () => {
    const tenant = freshTenant();
    const long = 'secret'.repeat(20_000);
    for (const event of [
      { topic: long, subjectId: 's' },
      { topic: 't', subjectId: '' },
      { topic: 't', subjectId: 's', payload: { long } },
      { topic: 't', subjectId: 's', payload: { secret: Number.NaN } },
    ]) {
      expect(await failureOf(withTenant(db, tenant, (tx) => recordEvent(tx, event)))).toSatisfy(
        (error) =>
          isDomainError(error, 'invalid_input') && !JSON.stringify([error.message, error.details]).includes('secret'),
      );
    }
  });
});

describe('deliverOutbox', () => {
  // What the tests above left.
  beforeAll(() => deliverOutbox(db, { publish: async () => {} }));

  it('delivers in order, whole, and deletes what was delivered', async () => {
    const tenant = freshTenant();
    const ids = await withTenant(db, tenant, async (tx) => [
      await recordEvent(tx, { topic: 'a', subjectId: '1', payload: { n: 1 } }),
      await recordEvent(tx, { topic: 'b', subjectId: '2' }),
    ]);
    const seen: OutboxEvent[] = [];
    const report = await deliverOutbox(db, { publish: async (event) => void seen.push(event) });
    expect(report).toMatchObject({ completed: 2, failed: 0 });
    expect(seen).toMatchObject([
      { id: ids[0], tenantId: tenant, topic: 'a', subjectId: '1', payload: { n: 1 }, occurredAt: expect.any(Date) },
      { id: ids[1], tenantId: tenant, topic: 'b', subjectId: '2', payload: {} },
    ]);
    expect(await eventsOf(tenant)).toEqual([]);
    expect(await workOf(tenant)).toEqual([]);
  });

  it('leaves nothing behind when an event ends while it looks for the next', async () => {
    for (let n = 0; n < 3; n += 1) {
      const tenant = freshTenant();
      const subjects = Array.from({ length: 100 }, (_, subject) => `${subject}`);
      await record(tenant, ...subjects);
      const seen: string[] = [];
      // As long as a look takes, more or less: the two meet.
      const publish = mine(tenant, seen, () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3)));
      expect(await deliverOutbox(db, { publish })).toMatchObject({ completed: 100 });
      expect(seen).toEqual(subjects);
    }
  });

  it('delivers one at a time and in order with two deliverers at it', async () => {
    const tenant = freshTenant();
    const subjects = Array.from({ length: 12 }, (_, n) => `${n}`);
    await record(tenant, ...subjects);
    const seen: string[] = [];
    let active = 0;
    const publish = mine(tenant, seen, async () => {
      expect((active += 1)).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 3));
      active -= 1;
    });
    await Promise.all([deliverOutbox(db, { publish }), deliverOutbox(other, { publish })]);
    // One deliverer may have left while the other held the head; what is left comes now.
    await deliverOutbox(db, { publish });
    expect(seen).toEqual(subjects);
  });

  it('a failed event comes again and blocks those behind it, and no other tenant', async () => {
    const [stuck, fine] = [freshTenant('stuck'), freshTenant('fine')];
    await record(stuck, '1', '2');
    await record(fine, '1', '2');
    const seen: string[] = [];
    let broken = true;
    let clock = Date.now();
    const publish = async (event: OutboxEvent) => {
      seen.push(`${event.tenantId === stuck ? 'stuck' : 'fine'} ${event.subjectId}`);
      if (broken && event.tenantId === stuck) throw new Error('the broker is away');
    };
    const now = () => new Date(clock);
    expect(await deliverOutbox(db, { publish, now })).toMatchObject({ completed: 2, failed: 1 });
    expect(seen.toSorted()).toEqual(['fine 1', 'fine 2', 'stuck 1']);
    expect((await workOf(stuck))[0]).toMatchObject({ attempts: 1, lastErrorCode: 'handler_failed' });
    expect(await deliverOutbox(db, { publish, now })).toMatchObject({ completed: 0, failed: 0 });
    broken = false;
    clock += 3_600_000;
    await deliverOutbox(db, { publish, now });
    expect(seen.slice(3)).toEqual(['stuck 1', 'stuck 2']);
  });

  it('delivers again what a process published that died before it could say so', async () => {
    const tenant = freshTenant();
    await record(tenant, '1', '2');
    const seen: string[] = [];
    // The connection is closed under the deliverer, between publishing and completing.
    const dying = await connect({ url: database.serviceUrl });
    const publish = mine(tenant, seen, () => dying.close({ timeoutMs: 0 }));
    await failureOf(deliverOutbox(dying, { publish, leaseMs: 60_000 }));
    expect(seen).toEqual(['1']);
    await deliverOutbox(db, { publish: mine(tenant, seen) });
    expect(seen).toEqual(['1']);
    await deliverOutbox(db, { publish: mine(tenant, seen), now: () => new Date(Date.now() + 61_000) });
    expect(seen).toEqual(['1', '1', '2']);
  });

  it('with maxAttempts, leaves a dead event behind and goes on; an operator may revive it', async () => {
    const tenant = freshTenant();
    await record(tenant, 'bad', 'good');
    const seen: string[] = [];
    const refuseBad = async (event: OutboxEvent) => {
      if (event.subjectId === 'bad') throw new Error('no');
    };
    const report = await deliverOutbox(db, { publish: mine(tenant, seen, refuseBad), maxAttempts: 1 });
    expect(report).toMatchObject({ dead: 1 });
    expect(seen).toEqual(['bad', 'good']);
    const [dead] = await workOf(tenant);
    expect(dead?.deadAt).toBeInstanceOf(Date);
    await withTenant(db, tenant, (tx) => scheduleWork(tx, { kind: 'outbox', workKey: dead?.workKey ?? '' }));
    await deliverOutbox(db, { publish: mine(tenant, seen) });
    expect(seen).toEqual(['bad', 'good', 'bad']);
    expect(await eventsOf(tenant)).toEqual([]);
  });

  it('publishes the topics asked for and drops the others', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      await recordEvent(tx, { topic: 'wanted', subjectId: '1' });
      await recordEvent(tx, { topic: 'other', subjectId: '2' });
      await recordEvent(tx, { topic: 'wanted', subjectId: '3' });
    });
    const seen: string[] = [];
    await deliverOutbox(db, { publish: mine(tenant, seen), topics: ['wanted'] });
    expect(seen).toEqual(['1', '3']);
    expect(await eventsOf(tenant)).toEqual([]);
  });

  it('keeps the events of a suspended tenant', async () => {
    const tenant = freshTenant();
    await createTenant(db, { tenant });
    await record(tenant, '1');
    await setTenantStatus(db, { tenant, status: 'suspended' });
    const seen: string[] = [];
    await deliverOutbox(db, { publish: mine(tenant, seen) });
    await setTenantStatus(db, { tenant, status: 'active' });
    expect(seen).toEqual([]);
    await deliverOutbox(db, { publish: mine(tenant, seen) });
    expect(seen).toEqual(['1']);
  });

  it('holds no transaction while it publishes', async () => {
    const tenant = freshTenant();
    await record(tenant, '1');
    const one = await connect({ url: database.serviceUrl, max: 1, acquireTimeoutMs: 500 });
    const seen: string[] = [];
    const publish = mine(tenant, seen, async () => {
      await withTenant(one, tenant, (tx) => tx.select().from(outboxEvents));
    });
    expect(await deliverOutbox(one, { publish })).toMatchObject({ completed: 1 });
    await one.close();
  });

  it('runs among the handlers of a dispatcher, one event straight after the other', async () => {
    const tenant = freshTenant();
    await record(tenant, '1', '2', '3');
    const seen: string[] = [];
    const stop = new AbortController();
    const publish = mine(tenant, seen, async () => {
      if (seen.length === 3) stop.abort();
    });
    const began = performance.now();
    await runDispatcher(db, { handlers: [outboxHandler({ publish })], signal: stop.signal, idleMs: 5_000 });
    expect(seen).toEqual(['1', '2', '3']);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("another tenant's events", () => {
  it('can be neither read nor deleted, and never reach the wrong tenant', async () => {
    const [owner, stranger] = [freshTenant(), freshTenant()];
    await record(owner, 's');
    await withTenant(db, stranger, async (tx) => {
      expect(await tx.select().from(outboxEvents)).toEqual([]);
      expect(await tx.delete(outboxEvents).returning()).toEqual([]);
      expect(await tx.delete(tenantWork).returning()).toEqual([]);
    });
    // A work row that names another tenant's event finds none.
    const [event] = await eventsOf(owner);
    await withTenant(db, stranger, (tx) => scheduleWork(tx, { kind: 'outbox', workKey: event?.id ?? '' }));
    const seen: [string, string][] = [];
    const report = await deliverOutbox(db, {
      publish: async ({ tenantId, subjectId }) => void seen.push([tenantId, subjectId]),
    });
    expect(seen).toEqual([[owner, 's']]);
    expect(report).toMatchObject({ completed: 2, failed: 0 });
  });
});
