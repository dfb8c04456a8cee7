import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { eq } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  claimWork,
  connect,
  type Database,
  failWork,
  findTenant,
  idempotencyKeys,
  pruneTenants,
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

// Each test has an age of its own, so that it finds nothing of the others due.
let age = 0;
const hour = 3_600_000;
function clock() {
  age += 1;
  const start = Date.UTC(2000 + age, 0, 1);
  return (hours: number) => ({ now: new Date(start + hours * hour) });
}

const useKey = (tenant: string, options: { now: Date }, key: string, ttlMs?: number) =>
  withTenant(db, tenant, (tx) => write(tx, key, ttlMs), options);
const write = (tx: TenantTx, key: string, ttlMs?: number) =>
  withIdempotencyKey(tx, { scope: 's', key, request: key, ...(ttlMs === undefined ? {} : { ttlMs }) }, async () => 1);
const keysOf = (tenant: string) => withTenant(db, tenant, (tx) => tx.$count(idempotencyKeys));
const looksAt = (tenant: string) =>
  withTenant(db, tenant, async (tx) =>
    (await tx.select().from(tenantWork).where(eq(tenantWork.kind, 'db-core.retention'))).map((row) => row.dueAt),
  );

it('finds a tenant that was never created by the key that it used, and leaves nothing of it', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  for (const key of ['a', 'b', 'c']) await useKey(tenant, at(0), key);
  expect(await findTenant(db, tenant)).toBeUndefined();
  expect(await looksAt(tenant)).toEqual([at(24).now]);
  expect(await pruneTenants(db, at(23))).toMatchObject({ tenants: 0, idempotencyKeys: 0 });
  expect(await pruneTenants(db, at(24))).toMatchObject({ tenants: 1, failed: 0, idempotencyKeys: 3 });
  expect([await keysOf(tenant), await looksAt(tenant)]).toEqual([0, []]);
  expect(await pruneTenants(db, at(1_000))).toMatchObject({ tenants: 0 });
});

it('comes back for keys that live longer, when the first of them has expired', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  await useKey(tenant, at(0), 'short', hour);
  await useKey(tenant, at(0), 'long', 100 * hour);
  await useKey(tenant, at(0), 'longer', 200 * hour);
  expect(await pruneTenants(db, at(24))).toMatchObject({ tenants: 1, idempotencyKeys: 1 });
  expect(await looksAt(tenant)).toEqual([at(100).now]);
  expect(await pruneTenants(db, at(99))).toMatchObject({ tenants: 0 });
  // A key written meanwhile does not wait for the longest.
  await useKey(tenant, at(99), 'late');
  expect(await looksAt(tenant)).toHaveLength(2);
  expect(await pruneTenants(db, at(123))).toMatchObject({ tenants: 1, idempotencyKeys: 2 });
  expect(await pruneTenants(db, at(200))).toMatchObject({ tenants: 1, idempotencyKeys: 1 });
  expect(await looksAt(tenant)).toEqual([]);
});

it('does not make two transactions of a tenant wait for each other, not for their first keys either', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  const [wrote, mayEnd] = [barrier(), barrier()];
  const first = withTenant(
    db,
    tenant,
    async (tx) => {
      await write(tx, 'first');
      wrote.arrive();
      await mayEnd.passed;
    },
    at(0),
  );
  await wrote.passed;
  await withTenant(db, tenant, (tx) => write(tx, 'second'), { ...at(0), lockTimeoutMs: 100 });
  mayEnd.open();
  await first;
  expect(await looksAt(tenant)).toHaveLength(2);
  expect(await pruneTenants(db, at(24))).toMatchObject({ tenants: 1, idempotencyKeys: 2 });
  expect(await looksAt(tenant)).toEqual([]);
});

it('does not lose a key whose transaction began before a run and ends after it', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  await useKey(tenant, at(0), 'first');
  await useKey(tenant, at(11), 'trusts the first work row');
  expect(await looksAt(tenant)).toHaveLength(1);
  const [wrote, mayEnd] = [barrier(), barrier()];
  const slow = withTenant(
    db,
    tenant,
    async (tx) => {
      await write(tx, 'slow');
      wrote.arrive();
      await mayEnd.passed;
    },
    at(13),
  );
  await wrote.passed;
  expect(await pruneTenants(db, at(35))).toMatchObject({ tenants: 1, idempotencyKeys: 2 });
  mayEnd.open();
  await slow;
  expect(await pruneTenants(db, at(37))).toMatchObject({ tenants: 1, idempotencyKeys: 1 });
});

it('is not misled by a transaction whose own time lies far ahead', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  await useKey(tenant, at(10_000), 'ahead');
  await useKey(tenant, at(0), 'now');
  expect(await pruneTenants(db, at(24))).toMatchObject({ tenants: 1, idempotencyKeys: 1 });
  expect(await pruneTenants(db, at(10_024))).toMatchObject({ tenants: 1, idempotencyKeys: 1 });
});

it('finds dead work, and events that nobody delivers when it is told how long', async () => {
  const [dead, silent, at] = [freshTenant(), freshTenant(), clock()];
  await withTenant(db, dead, (tx) => scheduleWork(tx, { kind: 'job', workKey: 'k' }), at(0));
  await withTenant(
    db,
    dead,
    async (tx) => {
      const [work] = await claimWork(tx, { kind: 'job', leaseMs: 1_000 });
      if (work !== undefined) await failWork(tx, work, { errorCode: 'x', maxAttempts: 1 });
    },
    at(0),
  );
  await withTenant(db, silent, (tx) => recordEvent(tx, { topic: 't', subjectId: 's' }), at(0));
  const none = { failed: 0, idempotencyKeys: 0, outboxEvents: 0, workRows: 0 };
  expect(await pruneTenants(db, at(29 * 24))).toEqual({ ...none, tenants: 0 });
  expect(await pruneTenants(db, at(31 * 24))).toEqual({ ...none, tenants: 1, workRows: 1 });
  expect(await pruneTenants(db, { ...at(31 * 24), undeliveredAfterMs: 32 * 24 * hour })).toEqual({
    ...none,
    tenants: 0,
  });
  expect(await pruneTenants(db, { ...at(31 * 24), undeliveredAfterMs: hour })).toEqual({
    ...none,
    tenants: 1,
    outboxEvents: 1,
  });
});

it('goes on after a tenant where it fails, and logs why', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  await useKey(tenant, at(0), 'a');
  const owner = postgres(database.ownerUrl, { max: 1 });
  const bad = ' not an id';
  await owner`select set_config('app.tenant', ${bad}, false)`;
  await owner`insert into tenant_work (kind, work_key, due_at) values ('db-core.retention', 'x', ${at(0).now})`;
  const logged: object[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (facts: object) => void logged.push(facts) };
  const loud = await connect({ url: database.serviceUrl, logger });
  expect(await pruneTenants(loud, at(24))).toMatchObject({ tenants: 2, failed: 1, idempotencyKeys: 1 });
  expect(logged).toEqual([{ tenant: bad, code: 'invalid_input', reason: expect.stringContaining('white space') }]);
  await loud.close();
  await owner`delete from tenant_work where tenant_id = ${bad}`;
  await owner.end();
});

it('leaves work of a kind that a service calls retention alone', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  await withTenant(db, tenant, (tx) => scheduleWork(tx, { kind: 'retention' }), at(0));
  expect(await pruneTenants(db, at(1_000))).toMatchObject({ tenants: 0 });
  expect(await withTenant(db, tenant, (tx) => tx.$count(tenantWork))).toBe(1);
});

it('stops between tenants when told to, and refuses times that are none', async () => {
  const [tenant, at] = [freshTenant(), clock()];
  await useKey(tenant, at(0), 'a');
  expect(await pruneTenants(db, { ...at(24), signal: AbortSignal.abort() })).toMatchObject({ tenants: 0 });
  expect(await keysOf(tenant)).toBe(1);
  for (const options of [{ deadAfterMs: -1 }, { undeliveredAfterMs: 1.5 }]) {
    expect(await failureOf(pruneTenants(db, options))).toMatchObject({ code: 'invalid_input' });
  }
});
