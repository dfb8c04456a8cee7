import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { promisedCosts, useFunctionCosts } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import {
  callFunction,
  functionNames,
  inputsIn,
  makeWorld,
  type World,
  withoutTransaction,
} from './support/every-function.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The rows that a function may hold, by the word that the README has for them. */
const lockable = { experiment: ['ab_experiments'], layer: ['ab_layers'] };
const promised = promisedCosts(readme, Object.keys(lockable));
const costs = useFunctionCosts<Database, TenantTx>({ connect, enter: withTenant, lockable });

it('has every function that the package exports in its tables, and no other', () => {
  expect([...promised.keys()].sort()).toEqual(functionNames);
  for (const name of withoutTransaction) expect(readme).toContain(`\`${name}\``);
});

/** What the world has cannot be made once more. */
const inputOf = (name: string, world: World): unknown =>
  ['createLayer', 'createHoldout'].includes(name)
    ? { ...(inputsIn(world)[name] as object), key: 'new' }
    : inputsIn(world)[name];

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costs.costOf(makeWorld, (tx, world) => callFunction(tx, name, inputOf(name, world)));
  expect([name, promised.get(name)?.locks]).toEqual([name, locks]);
  expect(promised.get(name)?.trips).toContain(trips);
});

it('names every limit', () => {
  for (const limit of Object.values(exported.EXPERIMENT_LIMITS))
    expect(readme).toContain(limit.toLocaleString('en-US'));
});

it('names every event', () => {
  for (const kind of exported.experimentEventKinds) expect(readme).toContain(`\`experiment.${kind}\``);
});
