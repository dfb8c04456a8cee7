import { newId } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  abAssignments,
  abExposures,
  abExposureTransitions,
  abUnitDays,
  abUnitRefreshes,
  abUnitSums,
  abUnits,
  assign,
  assignUnits,
  deleteExperiment,
  listExperimentEvents,
  listSnapshots,
  purgeExperimentUnits,
  recordExposures,
  recordOutcomes,
  takeSnapshot,
  transitionExperiment,
} from '../../src/index.ts';
import { drafted } from '../support/experiment-inputs.ts';
import { manyUnits, moveTo, runningExperiment } from '../support/running-experiment.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const keptOf = (tenant: string) => experiments.run(tenant, (tx) => tx.$count(abAssignments));

/** Archived, with units. */
async function archived(units: number, tenant = freshTenant(), key = 'checkout') {
  const { definition } = await runningExperiment(experiments, { key }, tenant);
  await experiments.run(tenant, (tx) => assignUnits(tx, { key, units: manyUnits(units).map((unit) => ({ unit })) }));
  for (const status of ['stopped', 'archived'] as const) await moveTo(experiments, tenant, status, key);
  return { tenant, experimentId: definition.id };
}

describe('an archived experiment', () => {
  it('is deleted when its units are, in batches of any size; those of others stay', async () => {
    const { tenant, experimentId } = await archived(25);
    await archived(5, tenant, 'another');
    const deleting = () => experiments.run(tenant, (tx) => deleteExperiment(tx, { experimentId }));
    expect(await failureOf(deleting())).toMatchObject({ code: 'failed_precondition' });
    expect(await purgeExperimentUnits(experiments.db, tenant, { experimentId, batchSize: 4 })).toBe(25);
    expect(await keptOf(tenant)).toBe(5);
    expect(await purgeExperimentUnits(experiments.db, tenant, { experimentId })).toBe(0);
    expect(await deleting()).toBe(experimentId);
    const { items } = await experiments.run(tenant, (tx) => listExperimentEvents(tx, { experimentId }));
    expect(items[0]).toMatchObject({ kind: 'deleted', fromStatus: 'archived' });
  });

  it('loses exposures, how units went between variants, and what was counted of them too', async () => {
    const tenant = freshTenant();
    const { definition } = await runningExperiment(experiments, { key: 'checkout' }, tenant);
    const experimentId = definition.id;
    const at = new Date(Date.now() - 60_000);
    const [first, second] = definition.variants.map(({ key }) => key);
    await experiments.run(tenant, async (tx) => {
      const exposures = ['a', 'b', 'b'].map((unit, place) => ({
        ...{ experiment: 'checkout', unit, at },
        variant: (place === 2 ? second : first) ?? '',
      }));
      await recordExposures(tx, { exposures });
      await recordOutcomes(tx, { outcomes: [{ id: newId(at), outcome: 'bought', unit: 'a' }] });
      await takeSnapshot(tx, { experimentId });
    });
    const tables = [abExposures, abExposureTransitions, abUnits, abUnitDays, abUnitSums, abUnitRefreshes];
    const counts = () =>
      experiments.run(tenant, async (tx) => {
        const found: number[] = [];
        for (const table of tables) found.push(await tx.$count(table));
        return found;
      });
    expect((await counts()).map((count) => count > 0)).toEqual(tables.map(() => true));
    for (const status of ['stopped', 'archived'] as const) await moveTo(experiments, tenant, status, 'checkout');
    await purgeExperimentUnits(experiments.db, tenant, { experimentId });
    expect(await counts()).toEqual(tables.map(() => 0));
    expect((await experiments.run(tenant, (tx) => listSnapshots(tx, { experimentId }))).items).toHaveLength(1);
  });

  it('is purged by several calls at once, and by the next where one was aborted', async () => {
    const { tenant, experimentId } = await archived(30);
    const aborted = { experimentId, signal: AbortSignal.abort() };
    expect(await purgeExperimentUnits(experiments.db, tenant, aborted)).toBe(0);
    const purge = () => purgeExperimentUnits(experiments.db, tenant, { experimentId, batchSize: 3 });
    const counts = await Promise.all([purge(), purge(), purge()]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(await keptOf(tenant)).toBe(0);
  });

  it('is not reached from another tenant', async () => {
    const { tenant, experimentId } = await archived(3);
    for (const named of [{ experimentId }, { key: 'checkout' }]) {
      const purging = purgeExperimentUnits(experiments.db, freshTenant(), named);
      expect(await failureOf(purging)).toMatchObject({ code: 'not_found' });
    }
    expect(await keptOf(tenant)).toBe(3);
  });
});

it('keeps its units as long as it is not archived', async () => {
  const tenant = freshTenant();
  await drafted(experiments, tenant);
  const purging = () => purgeExperimentUnits(experiments.db, tenant, { key: 'checkout' });
  for (const status of ['draft', 'running', 'paused', 'stopped'] as const) {
    if (status !== 'draft') await moveTo(experiments, tenant, status);
    expect(await failureOf(purging())).toMatchObject({ code: 'failed_precondition', details: { status } });
  }
});

it('is deleted only after whoever assigns a unit of it has committed', async () => {
  const { tenant } = await runningExperiment(experiments);
  let deleting: Promise<unknown> | undefined;
  await experiments.run(tenant, async (tx) => {
    await assign(tx, { key: 'checkout', unit: 'u' });
    deleting = failureOf(experiments.run(tenant, (other) => deleteExperiment(other, { key: 'checkout' })));
    await somebodyWaits(tx);
    await transitionExperiment(tx, { key: 'checkout', status: 'stopped' });
    await transitionExperiment(tx, { key: 'checkout', status: 'archived' });
  });
  expect(await deleting).toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('purge') });
});
