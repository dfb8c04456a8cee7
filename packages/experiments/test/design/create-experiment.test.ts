import { registerVersion } from '@mcp-hub/registry';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { createExperiment, findExperiment, getExperiment, transitionExperiment } from '../../src/index.ts';
import { checkout } from '../support/experiment-inputs.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

describe('a new experiment', () => {
  it('is a draft that is read whole as it was made, by key or by id', async () => {
    const tenant = freshTenant();
    const made = await experiments.run(
      tenant,
      async (tx) => {
        const { id: modelVersionId } = await registerVersion(tx, { name: 'form' });
        return await createExperiment(tx, {
          ...checkout,
          variants: [
            { key: 'long', weight: 0.4 },
            { key: 'short', weight: 0.6, isControl: true, modelVersionId, description: 'Three fields' },
          ],
          coverage: 0.5,
          targeting: {
            attributes: { country: 'text', age: 'number' },
            filter: "country in ('DE', 'AT') and age >= 18",
          },
        });
      },
      { actor: 'ada', now: new Date('2026-05-04T10:00:00Z') },
    );
    expect(made).toMatchObject({
      ...{ key: 'checkout', status: 'draft', seed: 'checkout', hashVersion: 2, revision: 1, actor: 'ada' },
      ...{ test: 'sequential', alpha: 0.05, correction: 'holm', plannedUnits: 5_000, minimumUnits: 150 },
      ...{ layer: null, holdouts: [], startedAt: null, stoppedAt: null },
      createdAt: new Date('2026-05-04T10:00:00Z'),
      variants: [
        { key: 'long', weight: 0.4, isControl: false, modelVersionId: null },
        { key: 'short', weight: 0.6, isControl: true, description: 'Three fields' },
      ],
      metrics: [
        {
          ...{ key: 'bought', outcome: 'bought', role: 'primary', kind: 'proportion', direction: 'increase' },
          ...{ delayMs: 0, windowMs: null, cupedMs: null, alpha: null, minimumEffect: null },
        },
      ],
      allocation: {
        ...{ epoch: 1, seed: 'checkout', hashVersion: 2, coverage: 0.5, sdkCompatible: true },
        ranges: [
          { start: 0, end: 0.2 },
          { start: 0.4, end: 0.7 },
        ],
      },
      targeting: {
        attributes: { country: 'text', age: 'number' },
        filter: {
          and: [
            { field: 'country', op: 'in', value: ['DE', 'AT'] },
            { field: 'age', op: '>=', value: 18 },
          ],
        },
      },
    });
    expect(made.allocation.ranges.map(({ variantId }) => variantId)).toEqual(made.variants.map(({ id }) => id));
    const read = await experiments.run(tenant, (tx) =>
      Promise.all([getExperiment(tx, { key: 'checkout' }), findExperiment(tx, { experimentId: made.id })]),
    );
    expect(read).toEqual([made, made]);
  });

  it('moves to running', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => createExperiment(tx, checkout));
    const moved = await experiments.run(tenant, (tx) =>
      transitionExperiment(tx, { key: 'checkout', status: 'running' }),
    );
    expect(moved).toMatchObject({ fromStatus: 'draft', status: 'running', changeNumber: 2 });
    expect(await experiments.run(tenant, (tx) => getExperiment(tx, { key: 'checkout' }))).toMatchObject({
      status: 'running',
      startedAt: expect.any(Date),
    });
    expect(
      await failureOf(
        experiments.run(tenant, (tx) => transitionExperiment(tx, { key: 'checkout', status: 'archived' })),
      ),
    ).toMatchObject({ code: 'failed_precondition' });
  });
});
