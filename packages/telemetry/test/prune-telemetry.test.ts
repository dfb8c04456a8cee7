import type { DomainError, TenantTx } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import {
  getMetric,
  invalidateAggregates,
  listSeries,
  type PruneTelemetryInput,
  type PruneTelemetryOptions,
  pruneTelemetry,
  readSummary,
  recordTelemetry,
  refreshAggregates,
} from '../src/index.ts';
import { refreshAll, storedRows } from './support/telemetry-reference.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

const time = (text: string) => new Date(`2026-${text}Z`);
const now = time('05-04T12:00:00');
const everything = { from: new Date('0001-01-02Z'), to: new Date('2100-01-01Z') };
const eventAt = (at: Date, subject = 'a', labels = {}) => ({
  subject,
  metric: 'm',
  value: at.getUTCDate(),
  at,
  labels,
});
const days = Array.from({ length: 4 }, (_, n) => time(`05-0${n + 1}T10:00:00`));

const record = (tenant: string, ...events: ReturnType<typeof eventAt>[]) =>
  telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now });
const prune = (tenant: string, input: PruneTelemetryInput, options: PruneTelemetryOptions = {}) =>
  pruneTelemetry(telemetry.db, tenant, input, { now: () => now, ...options });
const refresh = (tenant: string) => telemetry.run(tenant, (tx) => refreshAll(tx));
const rows = (tenant: string) => telemetry.run(tenant, storedRows);
const eventCount = (tenant: string) =>
  telemetry.run(tenant, async (tx) => (await tx.execute(sql`select 1 from ml_telemetry_events`)).length);

async function filled(): Promise<string> {
  const tenant = freshTenant();
  await record(tenant, ...days.map((day) => eventAt(day)));
  await refresh(tenant);
  return tenant;
}

it('deletes events before a day, and leaves the aggregates over them as they are, whatever comes late', async () => {
  const tenant = await filled();
  const before = await rows(tenant);
  // The middle of a day means its beginning: hours and days are made from all of their events or none.
  expect(await prune(tenant, { eventsBefore: time('05-03T15:00:00'), batchSize: 1 })).toEqual({
    events: 2,
    aggregates: 0,
    series: 0,
  });
  await record(tenant, eventAt(time('05-02T10:00:30')));
  await telemetry.run(tenant, (tx) => invalidateAggregates(tx, everything));
  await refresh(tenant);
  expect(await rows(tenant)).toEqual(before);
  expect(await eventCount(tenant)).toBe(3);
  // An earlier day brings nothing back, and the late event goes with the next run.
  expect(await prune(tenant, { eventsBefore: time('05-01T00:00:00') })).toMatchObject({
    events: 0,
  });
  expect(await prune(tenant, { eventsBefore: time('05-03T00:00:00') })).toMatchObject({
    events: 1,
  });
  await record(tenant, eventAt(time('05-03T10:00:30')));
  await refresh(tenant);
  expect((await rows(tenant)).find(({ grain, at_ms }) => grain === 'day' && at_ms === time('05-03').getTime())?.n).toBe(
    '2',
  );
});

it('deletes aggregates by grain, but none whose events are there', async () => {
  const tenant = await filled();
  for (const grain of ['minutesBefore', 'hoursBefore', 'daysBefore']) {
    const error = await failureOf(prune(tenant, { [grain]: time('05-02') }));
    expect((error as DomainError).code).toBe('failed_precondition');
  }
  expect(
    await prune(tenant, {
      eventsBefore: time('05-04'),
      minutesBefore: time('05-04'),
      hoursBefore: time('05-03'),
      daysBefore: time('05-02'),
      batchSize: 1,
    }),
  ).toEqual({ events: 3, aggregates: 6, series: 0 });
  const left = await rows(tenant);
  expect(left.map(({ grain, at_ms }) => `${grain} ${new Date(at_ms).getUTCDate()}`)).toEqual([
    ...['day 2', 'day 3', 'day 4', 'hour 3', 'hour 4', 'minute 4'],
  ]);
  expect(
    await telemetry.run(tenant, (tx) => readSummary(tx, { metric: 'm', from: time('05-02'), to: time('05-05') })),
  ).toMatchObject({ n: 3 });
});

it('takes any time of the past, and refuses a day that has not begun: its events would never be aggregated', async () => {
  const tenant = await filled();
  for (const [begins, moment] of [
    ['05-05', '05-04T23:59:59.999'],
    ['05-05', '05-04'],
  ] as const) {
    const work = prune(tenant, { eventsBefore: time(begins) }, { now: () => time(moment) });
    expect(await failureOf(work)).toMatchObject({ code: 'invalid_input', details: { field: 'eventsBefore' } });
  }
  expect(await prune(tenant, { eventsBefore: new Date('1066-10-14') })).toMatchObject({ events: 0 });
  await record(tenant, eventAt(now));
  await refresh(tenant);
  expect((await rows(tenant)).at(-1)?.n).toBe('1');
  expect(await eventCount(tenant)).toBe(5);
});

it('deletes series that have nothing left, and lets their label sets in again', async () => {
  const tenant = freshTenant();
  const old = time('04-01T00:00:00');
  await record(tenant, eventAt(old, 'a', { v: '1' }), eventAt(old, 'b', { v: '2' }), eventAt(now, 'c', { v: '2' }));
  const all = {
    eventsBefore: time('05-01'),
    minutesBefore: time('05-01'),
    hoursBefore: time('05-01'),
    daysBefore: time('05-01'),
  };
  // Not before the marks are gone: a refresh would find them without a series.
  expect(await prune(tenant, all)).toMatchObject({ events: 2, series: 0 });
  await refresh(tenant);
  expect(await prune(tenant, all)).toEqual({ events: 0, aggregates: 0, series: 2 });
  await telemetry.run(tenant, async (tx) => {
    expect((await listSeries(tx)).items.map(({ subject }) => subject)).toEqual(['c']);
    expect(await getMetric(tx, { metric: 'm' })).toMatchObject({ labelSetCount: 1 });
  });
});

it('keeps a series that is recorded at that moment, and one that is recorded next is made anew', async () => {
  const tenant = freshTenant();
  const makeUnused = async (tx: TenantTx) => {
    await tx.execute(sql`delete from ml_telemetry_events`);
    await tx.execute(sql`delete from ml_telemetry_dirty_buckets`);
  };
  await record(tenant, eventAt(now));
  await telemetry.run(tenant, makeUnused);
  const [recorded, go] = [barrier(), barrier()];
  const recording = telemetry.run(
    tenant,
    async (tx) => {
      await recordTelemetry(tx, { events: [eventAt(now)] });
      recorded.open();
      await go.passed;
    },
    { now },
  );
  await recorded.passed;
  expect(await prune(tenant, {})).toMatchObject({ series: 0 });
  go.open();
  await recording;
  expect(await eventCount(tenant)).toBe(1);

  await telemetry.run(tenant, makeUnused);
  const outcome = await telemetry.run(tenant, async (tx) => {
    // As pruneTelemetry does, held open until the other waits for it.
    await tx.execute(sql`select from ml_telemetry_metrics for no key update`);
    await tx.execute(sql`delete from ml_telemetry_series`);
    await tx.execute(sql`update ml_telemetry_metrics set label_set_count = 0`);
    const waiting = record(tenant, eventAt(now));
    const isWaiting = sql`
      select exists (select from pg_locks where not granted and transactionid = pg_current_xact_id()::xid) as yes`;
    while ((await tx.execute<{ yes: boolean }>(isWaiting))[0]?.yes !== true);
    return { waiting };
  });
  expect(await outcome.waiting).toEqual({ recorded: 1, repeated: 0 });
  await telemetry.run(tenant, async (tx) => {
    expect(await getMetric(tx, { metric: 'm' })).toMatchObject({ labelSetCount: 1 });
    expect(await refreshAggregates(tx)).toMatchObject({ minutes: 1, changed: 3 });
  });
});

it('ends when it is told to, and goes on where it ended', async () => {
  const tenant = await filled();
  const stop = new AbortController();
  stop.abort();
  const options = { signal: stop.signal };
  expect(await prune(tenant, { eventsBefore: time('05-03') }, options)).toMatchObject({
    events: 0,
  });
  expect(await prune(tenant, { eventsBefore: time('05-03') })).toMatchObject({ events: 2 });
});

// The last of the file: it changes the partitions of all tenants.
it('leaves aggregates alone whose events went with their partition', async () => {
  const tenant = await filled();
  const before = await rows(tenant);
  const owner = postgres(telemetry.ownerUrl, { max: 1, onnotice: () => {} });
  // What db:maintain leaves in the place of what it drops, up to 2026-05-03.
  const bound = time('05-03').getTime().toString(16).padStart(12, '0');
  const uuid = `${bound.slice(0, 8)}-${bound.slice(8)}-0000-0000-000000000000`;
  await owner.begin(async (tx) => {
    for (const table of ['ml_telemetry_events', 'ml_telemetry_events_default']) {
      await tx`alter table ${tx(table)} no force row level security`;
    }
    await tx`delete from ml_telemetry_events where id < ${uuid}`;
    await tx.unsafe(
      `create table ml_telemetry_events_past partition of ml_telemetry_events for values from (minvalue) to ('${uuid}')`,
    );
    for (const table of ['ml_telemetry_events', 'ml_telemetry_events_default', 'ml_telemetry_events_past']) {
      await tx`alter table ${tx(table)} enable row level security`;
      await tx`alter table ${tx(table)} force row level security`;
    }
  });
  await owner.end();
  await record(tenant, eventAt(time('05-01T10:00:30')), eventAt(time('05-03T10:00:30')));
  await telemetry.run(tenant, (tx) => invalidateAggregates(tx, everything));
  await refresh(tenant);
  const after = await rows(tenant);
  const old = (row: { readonly at_ms: number }) => row.at_ms < time('05-03').getTime();
  expect(after.filter(old)).toEqual(before.filter(old));
  expect(after.find(({ grain, at_ms }) => grain === 'day' && at_ms === time('05-03').getTime())?.n).toBe('2');
});
