import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { getCacheStats, invalidateCache, removeCachePolicy, setCachePolicy, withCache } from '../../src/index.ts';
import { markedVersion } from '../support/cache-world.ts';
import { countFlights, type FlightCounter } from '../support/count-flights.ts';

const database = useTestDatabase();
let counter: FlightCounter;
let db: Database;
beforeAll(async () => {
  counter = await countFlights(database.serviceUrl);
  db = await connect({ url: counter.url, max: 1 });
});
afterAll(async () => {
  await db.close();
  await counter.close();
});

async function flightsOf(work: () => Promise<unknown>): Promise<number> {
  const before = counter.flights();
  await work();
  return counter.flights() - before;
}

it('a hit is one round trip, a miss that and two transactions of two', async () => {
  const tenant = freshTenant();
  const versionId = await markedVersion(db, tenant);
  const ask = (input: number) => () => withCache(db, tenant, { versionId, input, compute: () => 'output' });
  // So that the statements are known to the connection.
  await ask(1)();
  await ask(1)();
  expect(await flightsOf(ask(1))).toBe(1);
  // The first store of a process looks at the size too, and the second does not.
  expect(await flightsOf(ask(2))).toBe(1 + 2 + 2);
});

it.each<readonly [string, (tx: TenantTx, versionId: string) => Promise<unknown>]>([
  ['setCachePolicy', (tx, versionId) => setCachePolicy(tx, { versionId, deterministic: true })],
  ['removeCachePolicy', (tx, versionId) => removeCachePolicy(tx, { versionId })],
  ['invalidateCache', (tx, versionId) => invalidateCache(tx, { versionId })],
  ['getCacheStats', (tx, versionId) => getCacheStats(tx, { versionId })],
])('%s costs what the README says', async (name, call) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const cost = new RegExp(`\\| \`${name}\` \\|[^|]*\\|([^|]*)\\|`).exec(readme)?.[1] ?? '';
  const tenant = freshTenant();
  const versionId = await markedVersion(db, tenant);
  const undo = new Error('undo');
  for (const isMeasured of [false, true]) {
    await withTenant(db, tenant, async (tx) => {
      await tx.execute(sql`select 1`);
      const flights = await flightsOf(() => call(tx, versionId));
      if (isMeasured) expect(cost).toContain(`, ${flights}`);
      throw undo;
    }).catch((error: unknown) => expect(error).toBe(undo));
  }
});
