import { dispatchWork } from '@mcp-hub/db-core';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import {
  recordTelemetry,
  refreshAggregates,
  runTelemetryRefresh,
  TELEMETRY_REFRESH_KIND,
  telemetryRefreshHandler,
} from '../src/index.ts';
import { storedRows } from './support/telemetry-reference.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

const now = new Date('2026-05-04T12:00:00Z');
const later = new Date(now.getTime() + 11_000);
const events = [
  { subject: 'a', metric: 'm', value: 1, at: now },
  { subject: 'b', metric: 'm', value: 2, at: new Date(now.getTime() - 60_000) },
];

const workRows = (tenant: string) =>
  telemetry.run(tenant, async (tx) => (await tx.execute(sql`select 1 from tenant_work`)).length);
const dispatch = (at: Date) => dispatchWork(telemetry.db, { ...telemetryRefreshHandler({ limit: 1 }), now: () => at });

it('finds the tenants that recorded, once the events have gathered, and leaves no work behind', async () => {
  const tenants = [freshTenant(), freshTenant()];
  for (const tenant of tenants) await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now });
  expect(await dispatch(new Date(now.getTime() + 9_000))).toMatchObject({ completed: 0 });
  expect(await dispatch(later)).toMatchObject({ completed: 2, failed: 0 });
  for (const tenant of tenants) {
    const rows = await telemetry.run(tenant, storedRows);
    expect(rows.filter(({ grain }) => grain === 'minute').map(({ mean }) => mean)).toEqual(['1', '2']);
    expect(await workRows(tenant)).toBe(0);
  }
});

it('misses nothing that is recorded while a refresh runs, or committed after it', async () => {
  const tenant = freshTenant();
  await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now });
  const [recorded, go] = [barrier(), barrier()];
  const slow = telemetry.run(
    tenant,
    async (tx) => {
      await recordTelemetry(tx, { events: events.map((event) => ({ ...event, value: 7 })) });
      recorded.open();
      await go.passed;
    },
    { now },
  );
  await recorded.passed;
  // The work row is shared by a transaction that is open: it is passed over until that has ended.
  expect(await dispatch(later)).toMatchObject({ completed: 0 });
  // Meanwhile it is due, so a new batch does not trust it: that one gets a row of its own, which can be claimed.
  await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now: later });
  expect(await dispatch(new Date(later.getTime() + 11_000))).toMatchObject({ completed: 1 });
  expect((await telemetry.run(tenant, storedRows))[0]).toMatchObject({ n: '2' });
  go.open();
  await slow;
  expect(await dispatch(new Date(later.getTime() + 11_000))).toMatchObject({ completed: 1 });
  expect((await telemetry.run(tenant, storedRows))[0]).toMatchObject({ n: '3' });
  expect(await workRows(tenant)).toBe(0);
});

it('leaves few work rows where nobody refreshes, and they can be claimed while recorders follow each other closely', async () => {
  const tenant = freshTenant();
  const at = (n: number) => new Date(now.getTime() + n * 11_000);
  for (let n = 0; n < 10; n += 1) await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now: at(n) });
  expect(await workRows(tenant)).toBe(2);
  const [recorded, go] = [barrier(), barrier()];
  const recording = telemetry.run(
    tenant,
    async (tx) => {
      await recordTelemetry(tx, { events });
      recorded.open();
      await go.passed;
    },
    { now: at(11) },
  );
  await recorded.passed;
  // The younger is held by the recorder; the other is not.
  expect(await dispatch(at(11))).toMatchObject({ completed: 1 });
  expect((await telemetry.run(tenant, storedRows))[0]).toMatchObject({ n: '10' });
  go.open();
  await recording;
  expect(await dispatch(at(11))).toMatchObject({ completed: 1 });
  expect((await telemetry.run(tenant, storedRows))[0]).toMatchObject({ n: '11' });
});

it('gives the others their turn while a tenant has more to refresh', async () => {
  const [busy, other] = [freshTenant(), freshTenant()];
  const backlog = Array.from({ length: 25 }, (_, n) => ({
    subject: 'a',
    metric: 'm',
    value: n,
    at: new Date(now.getTime() - n * 60_000),
  }));
  await telemetry.run(busy, (tx) => recordTelemetry(tx, { events: backlog }), { now });
  await telemetry.run(other, (tx) => recordTelemetry(tx, { events }), { now: new Date(now.getTime() + 1) });
  const turns: string[] = [];
  const handler = telemetryRefreshHandler({ limit: 1, concurrency: 1 });
  const report = await dispatchWork(telemetry.db, {
    ...handler,
    handle: async (work, context) => {
      turns.push(context.tenant);
      return await handler.handle(work, context);
    },
    now: () => later,
  });
  expect(turns).toEqual([busy, other, busy, busy]);
  expect(report).toMatchObject({ completed: 4, failed: 0 });
  expect((await telemetry.run(busy, storedRows)).filter(({ grain }) => grain === 'minute')).toHaveLength(25);
  expect(await workRows(busy)).toBe(0);
});

it('looks again where another refresh holds what is left', async () => {
  const tenant = freshTenant();
  await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now });
  const undo = new Error('undo');
  await telemetry
    .run(tenant, async (tx) => {
      await refreshAggregates(tx);
      expect(await dispatch(later)).toMatchObject({ completed: 1 });
      throw undo;
    })
    .catch((error: unknown) => expect(error).toBe(undo));
  expect(await workRows(tenant)).toBe(1);
  expect(await dispatch(new Date(later.getTime() + 11_000))).toMatchObject({ completed: 1 });
  expect(await telemetry.run(tenant, storedRows)).toHaveLength(6);
});

it('runs until it is told to stop, and says what it did', async () => {
  const tenant = freshTenant();
  await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now });
  const stop = new AbortController();
  const report = await runTelemetryRefresh(telemetry.db, {
    signal: stop.signal,
    now: () => later,
    idleMs: 777,
    // The pause after a look that found nothing; the others, of leases and time-outs, last until they are ended.
    wait: async (ms, ended) => {
      if (ms === 777) return stop.abort();
      if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve));
    },
  });
  expect(report).toMatchObject({ completed: 1 });
  expect(await telemetry.run(tenant, storedRows)).toHaveLength(6);
  expect(TELEMETRY_REFRESH_KIND).toBe('telemetry.refresh');
});
