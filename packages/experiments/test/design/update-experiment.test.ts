import { registerVersion } from '@mcp-hub/registry';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  abAllocations,
  createHoldout,
  createLayer,
  type ExperimentStatus,
  getExperiment,
  transitionExperiment,
  type UpdateExperimentInput,
  updateExperiment,
} from '../../src/index.ts';
import { announcedOf, checkout, drafted, historyOf } from '../support/experiment-inputs.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const key = checkout.key;
const bought = { key: 'bought', role: 'primary', kind: 'proportion' } as const;
const latency = { key: 'latency', role: 'guardrail', kind: 'quantile', quantile: 0.95, direction: 'decrease' } as const;

const update = (tenant: string, input: UpdateExperimentInput) =>
  experiments.run(tenant, (tx) => updateExperiment(tx, { key, ...input }));
const read = (tenant: string) => experiments.run(tenant, (tx) => getExperiment(tx, { key }));
const move = (tenant: string, ...statuses: readonly ExperimentStatus[]) =>
  experiments.run(tenant, async (tx) => {
    for (const status of statuses) await transitionExperiment(tx, { key, status });
  });

describe('a draft', () => {
  it('may change in all but its key and seed', async () => {
    const tenant = freshTenant();
    const { id: modelVersionId } = await experiments.run(tenant, async (tx) => {
      await createLayer(tx, { key: 'search' });
      await createHoldout(tx, { key: 'global', share: 0.05 });
      await createHoldout(tx, { key: 'Annual', share: 0.02 });
      return await registerVersion(tx, { name: 'form' });
    });
    const before = await drafted(experiments, tenant);
    const after = await update(tenant, {
      hypothesis: 'None at all.',
      variants: [
        { key: 'short', weight: 0.2, isControl: true, modelVersionId },
        { key: 'middle', weight: 0.8, description: 'Five fields' },
      ],
      metrics: [latency, { ...bought, windowMs: 1_000, cupedMs: 2_000 }],
      ...{ test: 'fixed', alpha: 0.01, correction: 'none', plannedUnits: 9_000, minimumUnits: 10 },
      targeting: { attributes: { country: 'text' }, filter: "country = 'DE'" },
      layer: { key: 'search', start: 0.25, end: 0.5 },
      holdouts: ['global', 'Annual'],
    });
    expect(after).toMatchObject({
      ...{ id: before.id, hypothesis: 'None at all.', revision: 2, seed: key },
      variants: [
        { key: 'short', weight: 0.2, isControl: true, modelVersionId },
        { key: 'middle', weight: 0.8, isControl: false, description: 'Five fields' },
      ],
      metrics: [
        { key: 'latency', kind: 'quantile', quantile: 0.95, direction: 'decrease' },
        { key: 'bought', windowMs: 1_000, cupedMs: 2_000 },
      ],
      ...{ test: 'fixed', alpha: 0.01, correction: 'none', plannedUnits: 9_000, minimumUnits: 10 },
      targeting: { filter: { field: 'country', op: '=', value: 'DE' } },
      layer: { key: 'search', seed: 'search', start: 0.25, end: 0.5 },
      holdouts: expect.arrayContaining([
        expect.objectContaining({ key: 'global', share: 0.05, seed: 'holdout:global' }),
        expect.objectContaining({ key: 'Annual' }),
      ]),
      allocation: {
        epoch: 2,
        coverage: 1,
        ranges: [
          { start: 0, end: 0.2 },
          { start: 0.2, end: 1 },
        ],
      },
    });
    expect(after).toEqual(await read(tenant));
    const [short, gone] = [after.variants[0]?.id, after.variants[1]?.id];
    expect(short).toBe(before.variants[1]?.id);
    expect(before.variants.map(({ id }) => id)).not.toContain(gone);
    expect(after.metrics[1]?.id).toBe(before.metrics[0]?.id);
    expect(after.allocation.ranges.map(({ variantId }) => variantId)).toEqual(after.variants.map(({ id }) => id));
    const bare = await update(tenant, { targeting: null, layer: null, holdouts: [], metrics: [] });
    expect(bare).toMatchObject({ targeting: null, layer: null, holdouts: [], metrics: [], revision: 3 });
    expect(bare.variants).toEqual(after.variants);
  });

  it('takes variants that change places and control, and keeps the epochs before', async () => {
    const tenant = freshTenant();
    const before = await drafted(experiments, tenant);
    const after = await update(tenant, { variants: [{ key: 'short' }, { key: 'long' }] });
    expect(after.variants.map(({ id, isControl }) => [id, isControl])).toEqual([
      [before.variants[1]?.id, true],
      [before.variants[0]?.id, false],
    ]);
    const epochs = await experiments.run(tenant, (tx) => tx.select().from(abAllocations).orderBy(abAllocations.epoch));
    expect(epochs.map(({ ranges }) => ranges[0]?.variantId)).toEqual([before.variants[0]?.id, before.variants[1]?.id]);
  });

  it('where nothing differs is left as it is, without an entry', async () => {
    const tenant = freshTenant();
    const targeting = { attributes: { country: 'text', age: 'number' }, filter: "country = 'DE' and age > 3" } as const;
    const { variants, metrics = [], hypothesis } = checkout;
    const before = await drafted(experiments, tenant, { targeting });
    expect(await update(tenant, { variants, metrics, hypothesis, targeting, alpha: 0.05, holdouts: [] })).toEqual(
      before,
    );
    expect(await historyOf(experiments, tenant, before.id)).toHaveLength(1);
  });
});

describe('an experiment that was started', () => {
  it.each(['running', 'paused', 'stopped'] as const)(
    '%s: changes in what is analysed, as another revision',
    async (status) => {
      const tenant = freshTenant();
      const { id } = await drafted(experiments, tenant);
      await move(tenant, 'running', ...(status === 'running' ? [] : [status]));
      const after = await update(tenant, { metrics: [bought, latency], reason: 'Ops asked.' });
      expect(after.revision).toBe(2);
      expect(after.metrics.map((metric) => metric.key)).toEqual(['bought', 'latency']);
      expect((await update(tenant, { alpha: 0.01 })).revision).toBe(3);
      // What is not analysed is no other revision.
      expect((await update(tenant, { hypothesis: 'Shorter is better.' })).revision).toBe(3);
      const history = (await historyOf(experiments, tenant, id)).filter(({ kind }) => kind === 'updated');
      expect(history).toMatchObject([
        {
          reason: 'Ops asked.',
          detail: {
            ...{ fields: ['metrics'], revision: 2 },
            from: { metrics: [{ key: 'bought' }] },
            to: { metrics: [{ key: 'bought' }, { key: 'latency' }] },
          },
        },
        { detail: { fields: ['alpha'], from: { alpha: 0.05 }, to: { alpha: 0.01 } } },
        { detail: { fields: ['hypothesis'], revision: 3 } },
      ]);
      const announced = (await announcedOf(experiments, tenant)).filter(({ topic }) => topic === 'experiment.updated');
      expect(announced.map(({ payload }) => payload['fields'])).toEqual([['metrics'], ['alpha'], ['hypothesis']]);
      expect(announced[0]?.payload).not.toHaveProperty('from');
    },
  );

  it('keeps what units are assigned by', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant);
    await move(tenant, 'running');
    const changes: readonly UpdateExperimentInput[] = [
      { variants: [{ key: 'a' }, { key: 'b' }] },
      { targeting: null },
      { layer: null },
      { holdouts: [] },
    ];
    for (const change of changes) {
      expect(await failureOf(update(tenant, change))).toMatchObject({
        ...{ code: 'failed_precondition', details: { field: Object.keys(change)[0], status: 'running' } },
      });
    }
  });

  it('keeps a primary metric', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant);
    await move(tenant, 'running');
    expect(await failureOf(update(tenant, { metrics: [latency] }))).toMatchObject({
      ...{ code: 'failed_precondition', details: { field: 'metrics' } },
    });
  });

  it('and archived is closed', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant);
    await move(tenant, 'running', 'stopped', 'archived');
    expect(await failureOf(update(tenant, { hypothesis: 'new' }))).toMatchObject({
      ...{ code: 'failed_precondition', details: { status: 'archived' } },
    });
  });
});

describe('changes at the same time', () => {
  it('of which each names the revision that it read: one is refused', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant);
    const results = await Promise.allSettled(
      [0.01, 0.02].map((alpha) => update(tenant, { alpha, expectedRevision: 1 })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'conflict', details: { field: 'expectedRevision', revision: 2 } });
  });

  it('are both there where they change different things', async () => {
    const tenant = freshTenant();
    const { id } = await drafted(experiments, tenant);
    await Promise.all([update(tenant, { alpha: 0.01 }), update(tenant, { minimumUnits: 7 })]);
    expect(await read(tenant)).toMatchObject({ alpha: 0.01, minimumUnits: 7, revision: 3 });
    expect((await historyOf(experiments, tenant, id)).map(({ changeNumber }) => changeNumber)).toEqual([1, 2, 3]);
  });
});
