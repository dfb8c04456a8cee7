import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { countFlights, type FlightCounter, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { callFunction, functionNames, inputsIn, makeWorld, withoutTenant } from './support/every-function.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const byActor = { actor: 'ada' };

/** The rows that a function may hold, by the word that the README has for them. */
const lockable = { model: 'registered_models', family: 'comparison_families', evaluation: 'evaluations' } as const;

/** The rows of the table of functions: names, and what the column "Lock, round trips" says. */
const promised = new Map(
  readme.split('\n').flatMap((line) => {
    const [, names, , cost] = line.split('|');
    if (names === undefined || cost === undefined || !/^\s*(?:no|model|family|evaluation),/.test(cost)) return [];
    const locks = Object.keys(lockable).filter((word) => cost.includes(word));
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

interface Cost {
  readonly trips: number;
  readonly locks: readonly string[];
}

/** What a call in a world of its own costs, and whose rows it holds. Nothing of it stays. */
async function costOf(name: string): Promise<Cost> {
  const undo = new Error('undo');
  const tenant = freshTenant();
  const world = await withTenant(db, tenant, makeWorld, byActor);
  const call = async (tx: TenantTx) => await callFunction(tx, name, inputsIn(world)[name]);
  // Once before, so that its statements are known to the connection.
  const rehearsal = withTenant(
    db,
    tenant,
    async (tx) => {
      await call(tx);
      throw undo;
    },
    byActor,
  );
  await rehearsal.catch((error: unknown) => expect(error).toBe(undo));
  let cost: Cost = { trips: 0, locks: [] };
  const measured = withTenant(
    db,
    tenant,
    async (tx) => {
      await tx.execute(sql`select 1`);
      const before = counter.flights();
      await call(tx);
      const trips = counter.flights() - before;
      const locks: string[] = [];
      for (const [word, table] of Object.entries(lockable)) {
        if (await withTenant(other, tenant, (looking) => holdsRows(looking, table))) locks.push(word);
      }
      cost = { trips, locks };
      throw undo;
    },
    byActor,
  );
  await measured.catch((error: unknown) => expect(error).toBe(undo));
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

it('has every function that the package exports in its tables, and no other', () => {
  expect([...promised.keys()].sort()).toEqual(functionNames);
  for (const name of withoutTenant) expect(readme).toContain(`\`${name}\``);
});

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costOf(name);
  expect([name, promised.get(name)?.locks]).toEqual([name, locks]);
  expect([name, promised.get(name)?.trips]).toEqual([name, expect.arrayContaining([trips])]);
});

it('names every limit', () => {
  for (const limit of Object.values(exported.EVALUATION_LIMITS)) {
    expect(readme).toContain(limit.toLocaleString('en-US'));
  }
});

it('names every event that its functions announce', async () => {
  const topics = await withTenant(
    other,
    freshTenant(),
    async (tx) => {
      const inputs = inputsIn(await makeWorld(tx));
      for (const name of ['withdrawApproval', 'deleteComparison', 'deleteEvaluation', 'removeGate']) {
        await callFunction(tx, name, inputs[name]);
      }
      return await tx.execute<{ topic: string }>(sql`
        select distinct topic from outbox_events where topic ~ '^(evaluation|comparison|gate)\.' order by topic`);
    },
    byActor,
  );
  expect(topics).toHaveLength(9);
  for (const { topic } of topics) expect(readme).toContain(`\`${topic}\``);
});
