import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { countFlights, type FlightCounter } from './support/count-flights.ts';
import { at, callFunction, functionNames, inputs, makeWorld, withoutTransaction } from './support/every-function.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The rows of the table of functions: names, and what the column "Lock, round trips" says. */
const promised = new Map(
  readme.split('\n').flatMap((line) => {
    const [, names, , cost] = line.split('|');
    if (names === undefined || cost === undefined || !/^\s*(?:no|lock|its own)\b/.test(cost)) return [];
    const locks = /^\s*lock/.test(cost);
    const trips = (cost.match(/\d+/g) ?? []).map(Number);
    return (names.match(/(?<=`)\w+(?=`)/g) ?? []).map((name) => [name, { locks, trips }] as const);
  }),
);

const database = useTestDatabase();
let counter: FlightCounter;
let db: Database;
let other: Database;
beforeAll(async () => {
  counter = await countFlights(database.serviceUrl);
  db = await connect({ url: counter.url, max: 1 });
  other = await connect({ url: database.serviceUrl });
});
afterAll(async () => {
  await Promise.all([db.close(), other.close()]);
  await counter.close();
});

/** What a call in a world of its own costs, and whether it holds rows of series or metrics. Nothing of it stays. */
async function costOf(name: string, input: unknown): Promise<{ readonly trips: number; readonly locks: boolean }> {
  const undo = new Error('undo');
  const tenant = freshTenant();
  const call = async (tx: TenantTx) => await callFunction(tx, name, input);
  await withTenant(db, tenant, makeWorld, { now: at });
  // Once before, so that its statements are known to the connection.
  const rehearsal = withTenant(
    db,
    tenant,
    async (tx) => {
      await call(tx);
      throw undo;
    },
    { now: at },
  );
  await rehearsal.catch((error: unknown) => expect(error).toBe(undo));
  let cost = { trips: 0, locks: false };
  const measured = withTenant(
    db,
    tenant,
    async (tx) => {
      await tx.execute(sql`select 1`);
      const before = counter.flights();
      await call(tx);
      const trips = counter.flights() - before;
      // Rows that another transaction would wait for; those that recorders share are none of them.
      const [held] = await withTenant(other, tenant, (looking) =>
        looking.execute<{ locked: boolean }>(sql`
        with series as materialized (
          select id from ml_telemetry_series where tenant_id = ${tenant} for no key update skip locked
        ), metrics as materialized (
          select metric from ml_telemetry_metrics where tenant_id = ${tenant} for no key update skip locked
        )
        select (select count(*) from series) + (select count(*) from metrics)
               < (select count(*) from ml_telemetry_series where tenant_id = ${tenant})
               + (select count(*) from ml_telemetry_metrics where tenant_id = ${tenant}) as locked`),
      );
      cost = { trips, locks: held?.locked ?? false };
      throw undo;
    },
    { now: at },
  );
  await measured.catch((error: unknown) => expect(error).toBe(undo));
  return cost;
}

it('has every function that the package exports in its table, and no other', () => {
  expect([...promised.keys()].sort()).toEqual([...functionNames, ...withoutTransaction].sort());
});

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costOf(name, inputs[name]);
  expect(promised.get(name)?.trips[0]).toBe(trips);
  expect(promised.get(name)?.locks).toBe(locks);
});

it('says truly what recordTelemetry costs where a series is new', async () => {
  const events = ['a', 'new'].map((subject) => ({
    subject,
    metric: 'latency',
    value: 1,
    at,
    labels: { region: 'us' },
  }));
  expect(promised.get('recordTelemetry')?.trips[1]).toBe((await costOf('recordTelemetry', { events })).trips);
});

it('names every limit', () => {
  for (const [name, limit] of Object.entries(exported.TELEMETRY_LIMITS)) {
    const text = limit > 1e21 ? '1e140' : name === 'aheadMs' ? 'a day' : limit.toLocaleString('en-US');
    expect(readme).toContain(text);
  }
});
