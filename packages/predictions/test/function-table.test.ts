import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countFlights, type FlightCounter } from './support/count-flights.ts';
import { at, callFunction, functionNames, inputsIn, makeWorld } from './support/every-function.ts';

// The section on the ledger. Batch jobs and cache hold theirs by tests of their own.

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = /\n## Ledger\n([\s\S]*?)(?=\n## )/.exec(readme)?.[1] ?? '';

/** The rows that a function may hold, by the word that the README has for them. */
const lockable = { ledger: 'prediction_ledgers', labels: 'prediction_labels' } as const;

/** The rows of the table of functions: names, and what the column "Lock, round trips" says. */
const promised = new Map(
  section.split('\n').flatMap((line) => {
    const [, names, , cost] = line.split('|');
    if (names === undefined || cost === undefined || !/\d/.test(cost)) return [];
    const locks = Object.keys(lockable).filter((word) => cost.includes(word));
    const trips = (cost.match(/\d+/g) ?? []).map(Number);
    return (names.match(/(?<=`)\w+(?=`)/g) ?? []).map((name) => [name, { locks, trips }] as const);
  }),
);
const names = functionNames.filter((name) => !/Batch|Chunk|Cache|DeadLetters/.test(name));

const database = useTestDatabase();
const options = { now: at, actor: 'ada' };
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

/** What a call in a world of its own costs, and whose rows it holds. Nothing of it stays. */
async function costOf(name: string, input?: (world: Readonly<Record<string, unknown>>) => unknown) {
  const undo = new Error('undo');
  const tenant = freshTenant();
  const inputs = inputsIn(await withTenant(db, tenant, makeWorld, options));
  const call = async (tx: TenantTx) => await callFunction(tx, name, input?.(inputs) ?? inputs[name]);
  let cost: { trips: number; locks: readonly string[] } = { trips: 0, locks: [] };
  // Once before, so that its statements are known to the connection.
  for (const isMeasured of [false, true]) {
    const run = withTenant(
      db,
      tenant,
      async (tx) => {
        await tx.execute(sql`select 1`);
        const before = counter.flights();
        await call(tx);
        const trips = counter.flights() - before;
        const locks: string[] = [];
        for (const [word, table] of Object.entries(lockable)) {
          if (isMeasured && (await withTenant(other, tenant, (looking) => holdsRows(looking, table)))) locks.push(word);
        }
        cost = { trips, locks };
        throw undo;
      },
      options,
    );
    await run.catch((error: unknown) => expect(error).toBe(undo));
  }
  return cost;
}

/** Whether another transaction would wait for a row; one that is shared with a foreign key's check is none of them. */
async function holdsRows(tx: TenantTx, table: string): Promise<boolean> {
  const name = sql.identifier(table);
  const [held] = await tx.execute<{ locked: boolean }>(sql`
    with free as materialized (select tenant_id from ${name} for no key update skip locked)
    select (select count(*) from free) < (select count(*) from ${name}) as locked`);
  return held?.locked ?? false;
}

it('has every function of the ledger that takes a transaction, and no other', () => {
  expect([...promised.keys()].sort()).toEqual(names);
});

it.each(names)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costOf(name);
  const { locks: said = [], trips: numbers = [] } = promised.get(name) ?? {};
  expect(numbers).toContain(trips);
  for (const lock of locks) expect(said).toContain(lock);
});

it('says truly what new features cost', async () => {
  const world = (inputs: Readonly<Record<string, unknown>>) => ({
    ...(inputs['recordPredictions'] as object),
    predictions: [{ features: { new: 1 } }],
  });
  expect(await costOf('recordPredictions', world)).toEqual({ trips: 4, locks: ['ledger'] });
  expect(await costOf('recordPredictions')).toEqual({ trips: 2, locks: [] });
});
