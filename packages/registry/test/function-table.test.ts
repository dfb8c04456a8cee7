import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant, promisedCosts, useFunctionCosts } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { callFunction, functionNames, inputs, makeWorld } from './support/every-function.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The row of the model is what a function may hold. */
const lockable = { lock: ['registered_models'] };
const promised = promisedCosts(readme, Object.keys(lockable));
const costs = useFunctionCosts<Database, TenantTx>({ connect, enter: withTenant, lockable });

it('has every function that the package exports in its table, and no other', () => {
  expect([...promised.keys()].sort()).toEqual(functionNames);
});

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costs.costOf(makeWorld, (tx) => callFunction(tx, name, inputs[name]));
  expect(promised.get(name)?.trips).toContain(trips);
  expect(promised.get(name)?.locks).toEqual(locks);
});

it('names every limit', () => {
  for (const limit of Object.values(exported.REGISTRY_LIMITS)) expect(readme).toContain(limit.toLocaleString('en-US'));
});

it('names every event', async () => {
  const tenant = freshTenant();
  await withTenant(costs.db, tenant, async (tx) => {
    await makeWorld(tx);
    await callFunction(tx, 'renameModel', inputs['renameModel']);
    const topics = await tx.execute<{ topic: string }>(sql`select distinct topic from outbox_events`);
    for (const { topic } of topics) expect(readme).toContain(`\`${topic}\``);
  });
});
