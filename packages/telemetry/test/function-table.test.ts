import { readFileSync } from 'node:fs';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { promisedCosts, useFunctionCosts } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { at, callFunction, functionNames, inputs, makeWorld, withoutTransaction } from './support/every-function.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Rows of series or metrics are what a function may hold; those that recorders share are none of them. */
const lockable = { lock: ['ml_telemetry_series', 'ml_telemetry_metrics'] };
const promised = promisedCosts(readme, ['lock', 'its own']);
const costs = useFunctionCosts<Database, TenantTx>({
  connect,
  enter: (db, tenant, work) => withTenant(db, tenant, work, { now: at }),
  lockable,
});
const costOf = (name: string, input: unknown) => costs.costOf(makeWorld, (tx) => callFunction(tx, name, input));

it('has every function that the package exports in its table, and no other', () => {
  expect([...promised.keys()].sort()).toEqual([...functionNames, ...withoutTransaction].sort());
});

it.each(functionNames)('says truly what %s costs', async (name) => {
  const { trips, locks } = await costOf(name, inputs[name]);
  expect(promised.get(name)?.trips[0]).toBe(trips);
  expect(promised.get(name)?.locks).toEqual(locks);
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
