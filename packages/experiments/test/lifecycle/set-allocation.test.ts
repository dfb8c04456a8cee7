import { hashUnit } from '@mcp-hub/stats';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  abAllocations,
  createHoldout,
  type ExperimentAllocation,
  type ExperimentStatus,
  getExperiment,
  reseedExperiment,
  type SetAllocationInput,
  setAllocation,
  transitionExperiment,
} from '../../src/index.ts';
import { announcedOf, checkout, drafted, historyOf } from '../support/experiment-inputs.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const key = checkout.key;
const thirds = { variants: [{ key: 'a' }, { key: 'b' }, { key: 'c' }] };

const move = (tenant: string, status: ExperimentStatus) =>
  experiments.run(tenant, (tx) => transitionExperiment(tx, { key, status }));
const set = (tenant: string, input: SetAllocationInput) =>
  experiments.run(tenant, (tx) => setAllocation(tx, { key, ...input }));
const read = (tenant: string) => experiments.run(tenant, (tx) => getExperiment(tx, { key }));

/** Equal thirds that run. */
async function running(): Promise<string> {
  const tenant = freshTenant();
  await drafted(experiments, tenant, thirds);
  await move(tenant, 'running');
  return tenant;
}

const variantAt = (place: number, { ranges }: Pick<ExperimentAllocation, 'ranges'>) =>
  ranges.find(({ start, end }) => place >= start && place < end)?.variantId;
const places = Array.from({ length: 10_000 }, (_, i) => i / 10_000);
const switched = (before: Pick<ExperimentAllocation, 'ranges'>, after: Pick<ExperimentAllocation, 'ranges'>): number =>
  places.filter((place) => variantAt(place, before) !== variantAt(place, after)).length / places.length;

describe('new weights of a running experiment', () => {
  it('move the least that is possible: of equal thirds to 50, 25 and 25 % a sixth, where ranges from 0 move a quarter', async () => {
    const tenant = await running();
    const { allocation: before } = await read(tenant);
    const changed = await set(tenant, { weights: { a: 0.5, b: 0.25, c: 0.25 }, reason: 'a is cheap' });
    expect(changed).toMatchObject({
      ...{ epoch: 2, coverage: 1, weights: { a: 0.5, b: 0.25, c: 0.25 }, sdkCompatible: false, changeNumber: 3 },
    });
    expect(changed.moved).toBeCloseTo(1 / 6, 12);
    const { allocation, variants, revision } = await read(tenant);
    expect(allocation).toMatchObject({ epoch: 2, ranges: changed.ranges, sdkCompatible: false });
    expect(variants.map(({ weight }) => weight)).toEqual([0.5, 0.25, 0.25]);
    expect(switched(before, allocation)).toBeCloseTo(1 / 6, 3);
    expect(revision).toBe(1);
  });

  it('leave a row in the history and an event, and the epochs before stay as they were', async () => {
    const tenant = await running();
    const first = await read(tenant);
    await set(tenant, { weights: { a: 0.5, b: 0.25, c: 0.25 }, reason: 'a is cheap' });
    await set(tenant, { coverage: 0.5 });
    const epochs = await experiments.run(tenant, (tx) => tx.select().from(abAllocations).orderBy(abAllocations.epoch));
    expect(epochs.map(({ epoch, coverage }) => [epoch, coverage])).toEqual([
      [1, 1],
      [2, 1],
      [3, 0.5],
    ]);
    expect(epochs[0]?.ranges).toEqual(first.allocation.ranges);
    const history = await historyOf(experiments, tenant, first.id);
    expect(history.slice(2)).toMatchObject([
      { kind: 'reallocated', reason: 'a is cheap', detail: { epoch: 2, weights: { a: 0.5, b: 0.25, c: 0.25 } } },
      { kind: 'reallocated', reason: null, detail: { epoch: 3, coverage: 0.5 } },
    ]);
    expect((await announcedOf(experiments, tenant)).map(({ topic }) => topic).slice(2)).toEqual([
      'experiment.reallocated',
      'experiment.reallocated',
    ]);
  });

  it('that are what they were write nothing', async () => {
    const tenant = await running();
    await set(tenant, { weights: { a: 0.5, b: 0.25, c: 0.25 } });
    expect(await set(tenant, { weights: { a: 0.5, b: 0.25, c: 0.25 }, coverage: 1 })).toMatchObject({
      ...{ epoch: 2, moved: 0, sdkCompatible: false, changeNumber: undefined },
    });
    expect((await read(tenant)).allocation.epoch).toBe(2);
  });

  it('are taken of a paused experiment too, and never of one that has stopped', async () => {
    const tenant = await running();
    await move(tenant, 'paused');
    expect((await set(tenant, { coverage: 0.1 })).epoch).toBe(2);
    await move(tenant, 'stopped');
    for (const status of ['stopped', 'archived'] as const) {
      expect(await failureOf(set(tenant, { coverage: 1 }))).toMatchObject({
        ...{ code: 'failed_precondition', details: { status } },
      });
      await move(tenant, 'archived');
    }
  });

  it('must name every variant and no other, and sum to 1', async () => {
    const tenant = await running();
    for (const weights of [
      { a: 0.5, b: 0.5 },
      { a: 0.5, b: 0.25, d: 0.25 },
      { a: 1, b: 1, c: 1 },
      { a: 2, b: -1, c: 0 },
    ]) {
      const failure = (await failureOf(set(tenant, { weights }))) as { details: { field: string } };
      expect(failure).toMatchObject({ code: 'invalid_input' });
      expect(failure.details.field).toMatch(/^weights/);
    }
    const weights = JSON.parse('{"a": 0.5, "b": 0.5, "__proto__": 0}') as Record<string, number>;
    expect(await failureOf(set(tenant, { weights }))).toMatchObject({ code: 'invalid_input' });
  });

  it('of two that expect the same epoch one is refused', async () => {
    const tenant = await running();
    const results = await Promise.allSettled([0.2, 0.4].map((coverage) => set(tenant, { coverage, expectedEpoch: 1 })));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'conflict', details: { field: 'expectedEpoch', epoch: 2 } });
  });
});

describe('coverage', () => {
  it('that grows switches nobody, and agrees with the SDKs', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant, { ...thirds, coverage: 0.1 });
    await move(tenant, 'running');
    let before = (await read(tenant)).allocation;
    for (const coverage of [0.2, 0.55, 1]) {
      const changed = await set(tenant, { coverage });
      expect(changed.sdkCompatible).toBe(true);
      for (const place of places) {
        const was = variantAt(place, before);
        if (was !== undefined) expect(variantAt(place, changed)).toBe(was);
      }
      before = (await read(tenant)).allocation;
    }
  });
});

describe('any number of changes', () => {
  const step = fc.record({
    weights: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9 })),
    coverage: fc.integer({ min: 0, max: 10 }).map((n) => n / 10),
  });

  it('moves each time exactly Σ max(0, old share - new share), and gives every variant its share', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        const tenant = await running();
        for (const { weights: parts, coverage } of steps) {
          const total = parts.reduce((sum, part) => sum + part, 0);
          const [a, b, c] = parts.map((part) => part / total) as [number, number, number];
          const before = await read(tenant);
          const changed = await set(tenant, { weights: { a, b, c }, coverage });
          const after = await read(tenant);
          const sharesOf = ({ variants, allocation }: typeof before) => {
            const shares = variants.map(({ weight }) => weight * allocation.coverage);
            return [...shares, 1 - allocation.coverage];
          };
          const [old, now] = [sharesOf(before), sharesOf(after)];
          const least = old.reduce((sum, share, at) => sum + Math.max(0, share - (now[at] ?? 0)), 0);
          expect(changed.moved).toBeCloseTo(least, 9);
          expect(Math.abs(switched(before.allocation, after.allocation) - least)).toBeLessThan(0.002);
          after.variants.forEach(({ id, weight }) => {
            const width = after.allocation.ranges
              .filter(({ variantId }) => variantId === id)
              .reduce((sum, { start, end }) => sum + end - start, 0);
            expect(width).toBeCloseTo(weight * coverage, 9);
          });
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('a draft', () => {
  it('is laid out anew: it has assigned nobody, and agrees with the SDKs', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant, thirds);
    const changed = await set(tenant, { weights: { a: 0.5, b: 0.25, c: 0.25 }, coverage: 0.5 });
    expect(changed).toMatchObject({ epoch: 2, moved: 0, sdkCompatible: true });
    expect(changed.ranges.map(({ start, end }) => [start, end])).toEqual([
      [0, 0.25],
      [0.5, 0.625],
      [0.75, 0.875],
    ]);
  });
});

describe('the seed', () => {
  it('is the key, so that an experiment made again assigns as before', async () => {
    const placesIn = async (tenant: string) => {
      const { allocation, variants } = await drafted(experiments, tenant, thirds);
      const { seed } = allocation;
      return Array.from({ length: 200 }, (_, n) => {
        const id = variantAt(hashUnit({ seed, unit: `u${n}` }), allocation);
        return variants.find((variant) => variant.id === id)?.key;
      });
    };
    expect(await placesIn(freshTenant())).toEqual(await placesIn(freshTenant()));
  });

  it('of a draft may change: the next epoch, laid out as at first, with a row in the history', async () => {
    const tenant = freshTenant();
    const { id } = await drafted(experiments, tenant);
    const done = await experiments.run(tenant, (tx) =>
      reseedExperiment(tx, { key, seed: 'other', reason: 'A/A failed' }),
    );
    expect(done).toEqual({ experimentId: id, epoch: 2, changeNumber: 2 });
    expect(await read(tenant)).toMatchObject({ seed: 'other', allocation: { epoch: 2, seed: 'other' } });
    expect((await historyOf(experiments, tenant, id))[1]).toMatchObject({
      ...{ kind: 'reseeded', reason: 'A/A failed', detail: { fromSeed: key, toSeed: 'other' } },
    });
    const epochs = await experiments.run(tenant, (tx) => tx.select().from(abAllocations).orderBy(abAllocations.epoch));
    expect(epochs.map(({ seed }) => seed)).toEqual([key, 'other']);
  });

  it('of an experiment that was started changes only where a reshuffle is asked for', async () => {
    const tenant = await running();
    await set(tenant, { weights: { a: 0.5, b: 0.25, c: 0.25 } });
    const reseed = (more = {}) => experiments.run(tenant, (tx) => reseedExperiment(tx, { key, seed: 'new', ...more }));
    expect(await failureOf(reseed())).toMatchObject({
      ...{ code: 'failed_precondition', details: { field: 'reshuffle', status: 'running' } },
    });
    expect(await reseed({ reshuffle: true })).toMatchObject({ epoch: 3 });
    expect((await read(tenant)).allocation).toMatchObject({
      sdkCompatible: true,
      ranges: [{ start: 0, end: 0.5 }, { start: 0.5, end: 0.75 }, { start: 0.75 }],
    });
    await move(tenant, 'stopped');
    expect(await failureOf(reseed({ reshuffle: true, seed: 'newer' }))).toMatchObject({ code: 'failed_precondition' });
  });

  it('is none that it has already, and none of its holdouts', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => createHoldout(tx, { key: 'global', share: 0.1, seed: 'h' }));
    await drafted(experiments, tenant, { holdouts: ['global'] });
    for (const seed of [key, 'h']) {
      const reseeding = experiments.run(tenant, (tx) => reseedExperiment(tx, { key, seed }));
      expect(await failureOf(reseeding)).toMatchObject({ code: 'invalid_input', details: { field: 'seed' } });
    }
    const shared = drafted(experiments, tenant, { key: 'second', seed: 'h', holdouts: ['global'] });
    expect(await failureOf(shared)).toMatchObject({ code: 'invalid_input', details: { field: 'seed' } });
  });
});
