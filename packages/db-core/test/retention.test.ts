import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  claimWork,
  connect,
  type Database,
  failWork,
  idempotencyKeys,
  outboxEvents,
  pruneTenant,
  recordEvent,
  scheduleWork,
  type TenantTx,
  tenantWork,
  withIdempotencyKey,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
});
afterAll(() => db.close());

const start = new Date('2026-01-01T00:00:00.000Z');
const day = 86_400_000;
const after = (ms: number) => ({ now: new Date(start.getTime() + ms) });
const at = <Result>(tenant: string, ms: number, work: (tx: TenantTx) => Promise<Result>) =>
  withTenant(db, tenant, work, after(ms));
const left = (tenant: string) =>
  withTenant(db, tenant, async (tx) => [
    await tx.$count(idempotencyKeys),
    await tx.$count(outboxEvents),
    await tx.$count(tenantWork),
  ]);

/** Three keys, an event that is dead and one that waits, dead work and work that waits. */
async function fill(tenant: string): Promise<void> {
  for (const key of ['a', 'b', 'c']) {
    await at(tenant, 0, (tx) => withIdempotencyKey(tx, { scope: 's', key, request: key }, async () => 1));
  }
  await at(tenant, 0, async (tx) => {
    await recordEvent(tx, { topic: 't', subjectId: 'dead' });
    await scheduleWork(tx, { kind: 'job', workKey: 'dead' });
  });
  for (const kind of ['outbox', 'job']) {
    await at(tenant, 1, async (tx) => {
      const [work] = await claimWork(tx, { kind, leaseMs: 1_000 });
      if (work !== undefined) await failWork(tx, work, { errorCode: 'x', maxAttempts: 1 });
    });
  }
  await at(tenant, 2, async (tx) => {
    await recordEvent(tx, { topic: 't', subjectId: 'waits' });
    await scheduleWork(tx, { kind: 'job', workKey: 'waits' });
  });
}

it('deletes expired keys, and dead work with its events, of one tenant and in batches', async () => {
  const [tenant, other] = [freshTenant(), freshTenant()];
  for (const owner of [tenant, other]) await fill(owner);
  expect(await pruneTenant(db, tenant, after(day - 1))).toEqual({ idempotencyKeys: 0, outboxEvents: 0, workRows: 0 });
  expect(await pruneTenant(db, tenant, { ...after(day), batchSize: 2 })).toMatchObject({ idempotencyKeys: 3 });
  expect(await pruneTenant(db, tenant, { ...after(31 * day), batchSize: 1 })).toEqual({
    idempotencyKeys: 0,
    outboxEvents: 1,
    workRows: 1,
  });
  expect(await left(tenant)).toEqual([0, 1, 2]);
  // Of the work rows one says that there are keys.
  expect(await left(other)).toEqual([3, 2, 5]);
});

it('keeps events that were not delivered, unless it is told how long', async () => {
  const tenant = freshTenant();
  await fill(tenant);
  await pruneTenant(db, tenant, after(1_000 * day));
  expect(await left(tenant)).toEqual([0, 1, 2]);
  expect(await pruneTenant(db, tenant, { ...after(1_000 * day), undeliveredAfterMs: day })).toMatchObject({
    outboxEvents: 1,
  });
  expect(await left(tenant)).toEqual([0, 0, 1]);
});

it('passes over an event that is being delivered', async () => {
  const tenant = freshTenant();
  await at(tenant, 0, (tx) => recordEvent(tx, { topic: 't', subjectId: 's' }));
  await at(tenant, 10 * day, (tx) => claimWork(tx, { kind: 'outbox', leaseMs: 1_000 }));
  expect(await pruneTenant(db, tenant, { ...after(10 * day), undeliveredAfterMs: day })).toMatchObject({
    outboxEvents: 0,
  });
});

it('does not wait for rows that another transaction holds', async () => {
  const tenant = freshTenant();
  await fill(tenant);
  const [holds, mayEnd] = [barrier(), barrier()];
  const holding = at(tenant, 31 * day, async (tx) => {
    await tx.update(idempotencyKeys).set({ requestDigest: 'held' });
    holds.arrive();
    await mayEnd.passed;
  });
  await holds.passed;
  expect(await pruneTenant(db, tenant, after(31 * day))).toEqual({ idempotencyKeys: 0, outboxEvents: 1, workRows: 1 });
  mayEnd.open();
  await holding;
});

it('stops after a batch when told to', async () => {
  const tenant = freshTenant();
  await fill(tenant);
  const signal = AbortSignal.abort();
  expect(await pruneTenant(db, tenant, { ...after(31 * day), batchSize: 1, signal })).toMatchObject({
    idempotencyKeys: 1,
  });
});

it('names the limit of a batch', async () => {
  expect(await failureOf(pruneTenant(db, freshTenant(), { batchSize: 0 }))).toMatchObject({ code: 'invalid_input' });
});
