import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { countFlights, type FlightCounter } from './support/count-flights.ts';
import { callFunction, functionNames, inputs, makeWorld } from './support/every-function.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The rows of the table of functions: names, and what the column "Lock, round trips" says. */
const promised = new Map(
  readme.split('\n').flatMap((line) => {
    const [, names, , cost] = line.split('|');
    if (names === undefined || cost === undefined || !/^\s*(?:no|lock)\b/.test(cost)) return [];
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

/** What a call in a world of its own costs, and whether it holds the row of the model. Nothing of it stays. */
async function costOf(name: string): Promise<{ readonly trips: number; readonly locks: boolean }> {
  const undo = new Error('undo');
  const tenant = freshTenant();
  const call = async (tx: TenantTx) => await callFunction(tx, name, inputs[name]);
  await withTenant(db, tenant, makeWorld);
  // Once before, so that its statements are known to the connection.
  const rehearsal = withTenant(db, tenant, async (tx) => {
    await call(tx);
    throw undo;
  });
  await rehearsal.catch((error: unknown) => expect(error).toBe(undo));
  let cost = { trips: 0, locks: false };
  const measured = withTenant(db, tenant, async (tx) => {
    await tx.execute(sql`select 1`);
    const before = counter.flights();
    await call(tx);
    const trips = counter.flights() - before;
    // Rows that another transaction would wait for; one that it shares with a foreign key's check is none of them.
    const [held] = await withTenant(other, tenant, (looking) =>
      looking.execute<{ locked: boolean }>(sql`
        with free as materialized (
          select id from registered_models where tenant_id = ${tenant} for no key update skip locked
        )
        select (select count(*) from free) < (select count(*) from registered_models where tenant_id = ${tenant}) as locked`),
    );
    cost = { trips, locks: held?.locked ?? false };
    throw undo;
  });
  await measured.catch((error: unknown) => expect(error).toBe(undo));
  return cost;
}

it('has every function that the package exports in its table, and no other', () => {
  expect([...promised.keys()].sort()).toEqual(functionNames);
});

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costOf(name);
  expect(promised.get(name)?.trips).toContain(trips);
  expect(promised.get(name)?.locks).toBe(locks);
});

it('names every limit', () => {
  for (const limit of Object.values(exported.REGISTRY_LIMITS)) expect(readme).toContain(limit.toLocaleString('en-US'));
});

it('names every event', async () => {
  const tenant = freshTenant();
  await withTenant(db, tenant, async (tx) => {
    await makeWorld(tx);
    await callFunction(tx, 'renameModel', inputs['renameModel']);
    const topics = await tx.execute<{ topic: string }>(sql`select distinct topic from outbox_events`);
    for (const { topic } of topics) expect(readme).toContain(`\`${topic}\``);
  });
});
