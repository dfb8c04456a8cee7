import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { useFunctionCosts } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import {
  type AssignInput,
  assign,
  assignUnits,
  createExperiment,
  prepareAssignment,
  setAllocation,
  transitionExperiment,
} from '../../src/index.ts';
import { checkout } from '../support/experiment-inputs.ts';

const lockable = { experiment: ['ab_experiments'], unit: ['ab_assignments'] };
const costs = useFunctionCosts<Database, TenantTx>({ connect, enter: withTenant, lockable });
const { key } = checkout;

/** With one known unit, and a definition that was prepared before the last change and one after it. */
async function world(tx: TenantTx) {
  await createExperiment(tx, { ...checkout, targeting: { attributes: { out: 'boolean' }, filter: 'not out = true' } });
  await transitionExperiment(tx, { key, status: 'running' });
  const stale = await prepareAssignment(tx, { key });
  await setAllocation(tx, { key, weights: { long: 0.3, short: 0.7 } });
  await assign(tx, { key, unit: 'known', attributes: { out: false } });
  return { stale, prepared: await prepareAssignment(tx, { key }) };
}

const attributes = { out: false };
const costOf = (input: (given: Awaited<ReturnType<typeof world>>) => AssignInput) =>
  costs.costOf(world, (tx, given) => assign(tx, input(given)));

it.each([
  ['a unit that is assigned', { unit: 'known' }, 1],
  ['a new one', { unit: 'new', attributes }, 2],
  ['one without a variant', { unit: 'new', attributes: { out: true } }, 1],
] as const)('%s costs these round trips, and no change of the experiment waits for it', async (_, input, trips) => {
  expect(await costOf(() => ({ key, ...input }))).toEqual({ trips, locks: [] });
  expect(await costOf(({ prepared }) => ({ prepared, ...input }))).toEqual({ trips: 1, locks: [] });
});

it('a definition that no longer holds costs two round trips more, none where the unit is assigned', async () => {
  expect((await costOf(({ stale }) => ({ prepared: stale, unit: 'new', attributes }))).trips).toBe(3);
  expect((await costOf(({ stale }) => ({ prepared: stale, unit: 'known' }))).trips).toBe(1);
});

it('a batch costs one round trip, and one more where units are new', async () => {
  const trips = async (...units: readonly string[]) => {
    const given = units.map((unit) => ({ unit, attributes }));
    return (await costs.costOf(world, (tx) => assignUnits(tx, { key, units: given }))).trips;
  };
  expect(await trips('known')).toBe(1);
  expect(await trips('known', 'new', 'newer')).toBe(2);
});
