import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { promisedCosts, useFunctionCosts } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { at, callFunction, functionNames, inputsIn, makeWorld, withoutTransaction } from './support/every-function.ts';

// The section on drift and performance. Rules and alerts hold theirs by a test of their own.

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = /\n## Drift and performance\n([\s\S]*?)(?=\n## |$)/.exec(readme)?.[1] ?? '';
const lockable = {
  ledger: ['prediction_ledgers'],
  baseline: ['monitoring_baselines'],
  version: ['model_registry'],
};
const promised = promisedCosts(section, Object.keys(lockable));
const costs = useFunctionCosts<Database, TenantTx>({
  connect,
  enter: (db, tenant, work) => withTenant(db, tenant, work, { now: at, actor: 'ada' }),
  lockable,
});

it('has every function of drift and performance in its table, and no other', () => {
  expect([...promised.keys()].sort()).toEqual([...functionNames, ...withoutTransaction].sort());
});

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costs.costOf(makeWorld, (tx, world) => callFunction(tx, name, inputsIn(world)[name]));
  expect(promised.get(name)?.trips[0]).toBe(trips);
  for (const lock of locks) expect(promised.get(name)?.locks).toContain(lock);
});
