import { failureOf, freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createHoldout,
  createLayer,
  deleteExperiment,
  freeRanges,
  getHoldout,
  getLayer,
  listHoldouts,
  listLayers,
  transitionExperiment,
} from '../../src/index.ts';
import { drafted } from '../support/experiment-inputs.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

describe('a layer', () => {
  it('has the seed of its namespace, which is its key by default, and is free at first', async () => {
    const tenant = freshTenant();
    const made = await experiments.run(tenant, (tx) => createLayer(tx, { key: 'search' }), { actor: 'ada' });
    expect(made).toMatchObject({
      key: 'search',
      seed: 'search',
      actor: 'ada',
      taken: [],
      free: [{ start: 0, end: 1 }],
    });
    expect(await experiments.run(tenant, (tx) => getLayer(tx, { key: 'search' }))).toEqual(made);
    const again = experiments.run(tenant, (tx) => createLayer(tx, { key: 'search' }));
    expect(await failureOf(again)).toMatchObject({ code: 'already_exists' });
    expect(await failureOf(experiments.run(tenant, (tx) => getLayer(tx, { key: 'other' })))).toMatchObject({
      code: 'not_found',
    });
  });

  it('tells in the list what experiments that run have of it; drafts have nothing yet', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      for (const key of ['search', 'mail', 'menu'])
        await createLayer(tx, { key, seed: `${key}-2026`, description: 'd' });
    });
    for (const [key, start, end] of [
      ['a', 0.1, 0.2],
      ['b', 0.5, 0.9],
      ['c', 0, 1],
    ] as const) {
      await drafted(experiments, tenant, { key, layer: { key: 'mail', start, end } });
      if (key === 'c') continue;
      await experiments.run(tenant, (tx) => transitionExperiment(tx, { key, status: 'running' }));
    }
    await experiments.run(tenant, (tx) => transitionExperiment(tx, { key: 'b', status: 'paused' }));
    const pages = await experiments.run(tenant, async (tx) => {
      const first = await listLayers(tx, { filter: "key like 'm%'", limit: 1 });
      return [first, await listLayers(tx, { filter: "key like 'm%'", limit: 1, cursor: first.nextCursor ?? '' })];
    });
    expect(pages).toMatchObject([
      {
        items: [
          {
            ...{ key: 'mail', seed: 'mail-2026', description: 'd' },
            taken: [
              { experimentKey: 'a', status: 'running', start: 0.1, end: 0.2 },
              { experimentKey: 'b', status: 'paused', start: 0.5, end: 0.9 },
            ],
            free: [
              { start: 0, end: 0.1 },
              { start: 0.2, end: 0.5 },
              { start: 0.9, end: 1 },
            ],
          },
        ],
      },
      { items: [{ key: 'menu', taken: [], free: [{ start: 0, end: 1 }] }] },
    ]);
  });
});

describe('freeRanges', () => {
  const point = fc.integer({ min: 0, max: 20 }).map((n) => n / 20);
  const range = fc
    .tuple(point, point)
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));

  it('are what none of the ranges has, in order', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 6 }), (taken) => {
        const free = freeRanges(taken);
        const isIn = (place: number, ranges: typeof taken) =>
          ranges.some(({ start, end }) => place >= start && place < end);
        for (let i = 0; i < 40; i++) {
          const place = (i + 0.5) / 40;
          expect(isIn(place, [...free])).toBe(!isIn(place, taken));
        }
        free.slice(1).forEach(({ start }, at) => expect(start).toBeGreaterThan(free[at]?.end ?? 1));
      }),
    );
  });
});

describe('a holdout', () => {
  it('has a hash of its own, and the experiments that named it while they were drafts', async () => {
    const tenant = freshTenant();
    const made = await experiments.run(tenant, (tx) => createHoldout(tx, { key: 'global', share: 0.05 }));
    expect(made).toMatchObject({ key: 'global', share: 0.05, seed: 'holdout:global', experiments: [] });
    const { id, holdouts } = await drafted(experiments, tenant, { holdouts: ['global'] });
    expect(holdouts).toEqual([{ id: made.id, key: 'global', seed: 'holdout:global', share: 0.05 }]);
    const read = () => experiments.run(tenant, (tx) => getHoldout(tx, { key: 'global' }));
    expect((await read()).experiments).toEqual([{ id, key: 'checkout', status: 'draft' }]);
    await experiments.run(tenant, (tx) => deleteExperiment(tx, { experimentId: id }));
    expect(await read()).toEqual(made);
  });

  it('is listed by pages', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      for (const share of [0.1, 0.2, 0.3]) await createHoldout(tx, { key: `h${share}`, share });
    });
    const page = await experiments.run(tenant, (tx) =>
      listHoldouts(tx, { filter: 'share > 0.15', orderBy: 'share desc', limit: 2 }),
    );
    expect(page.items.map(({ share }) => share)).toEqual([0.3, 0.2]);
    expect(page.nextCursor).toBeUndefined();
  });

  it('is a share above 0 and below 1, under a key of its own', async () => {
    const tenant = freshTenant();
    const create = (share: number) => experiments.run(tenant, (tx) => createHoldout(tx, { key: 'h', share }));
    for (const share of [0, 1, Number.NaN])
      expect(await failureOf(create(share))).toMatchObject({ code: 'invalid_input' });
    await create(0.5);
    expect(await failureOf(create(0.5))).toMatchObject({ code: 'already_exists' });
    expect(await failureOf(experiments.run(tenant, (tx) => getHoldout(tx, { key: 'g' })))).toMatchObject({
      code: 'not_found',
    });
  });
});
