import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareMetric,
  createRun,
  deleteRun,
  listMetricKeys,
  listMetricPoints,
  logBatch,
  type MetricPoint,
  sampleMetricPoints,
} from '../src/index.ts';
import { distinct, inOrder } from './support/metric-reference.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000);
const key = 'loss';
const newRun = async (tx: TenantTx) => (await createRun(tx, { name: 'r' })).id;
const inRun = <Result>(work: (tx: TenantTx, runId: string) => Promise<Result>) =>
  training.run(freshTenant(), async (tx) => await work(tx, await newRun(tx)));
const log = (tx: TenantTx, runId: string, points: readonly MetricPoint[]) =>
  logBatch(tx, { runId, points: points.map((point) => ({ key, ...point })) });
const series = (values: readonly number[]) => values.map((value, step) => ({ step, at: at(step), value }));

describe('listMetricPoints', () => {
  it('gives pages: five points by three are three and two', async () => {
    await inRun(async (tx, runId) => {
      const points = series([5, 4, 3, 2, 1]);
      await log(tx, runId, points);
      const page = { runId, key, limit: 3 };
      const first = await listMetricPoints(tx, page);
      expect(first.items).toEqual(points.slice(0, 3));
      const second = await listMetricPoints(tx, { ...page, cursor: first.nextCursor ?? '' });
      expect(second).toEqual({ items: points.slice(3), nextCursor: undefined });
      expect((await listMetricPoints(tx, { ...page, limit: 5 })).nextCursor).toBeUndefined();
      expect(await listMetricPoints(tx, { ...page, limit: 0 })).toEqual({ items: [], nextCursor: undefined });
      const wrong = await refusalOf(tx.transaction((inner) => listMetricPoints(inner, { ...page, limit: 10_001 })));
      expect(wrong).toMatchObject({ code: 'invalid_input', details: { limit: 10_000 } });
      expect((await refusalOf(listMetricPoints(tx, { runId } as never))).message).toBe('key is missing.');
    });
  });

  it('goes from page to page over NaN, infinities and points of one step and time', async () => {
    const values = [Number.NaN, Infinity, -Infinity, 0, 1e-7, -1.5, 123_456_789.000_001];
    await inRun(async (tx, runId) => {
      const points = distinct(values.flatMap((value) => [0, 1].map((step) => ({ step, at: at(step), value }))));
      await log(tx, runId, points);
      const found: MetricPoint[] = [];
      let cursor: string | undefined;
      do {
        const page = await listMetricPoints(tx, { runId, key, limit: 1, ...(cursor === undefined ? {} : { cursor }) });
        found.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(found).toEqual(points);
    });
  });

  it('gives a part of the steps, and no other metric', async () => {
    await inRun(async (tx, runId) => {
      await log(tx, runId, series([0, 1, 2, 3, 4]));
      await logBatch(tx, { runId, points: [{ key: 'auc', value: 9, step: 2 }] });
      const steps = async (range: object) =>
        (await listMetricPoints(tx, { runId, key, ...range })).items.map(({ step }) => step);
      expect(await steps({ fromStep: 1, toStep: 3 })).toEqual([1, 2, 3]);
      expect(await steps({ fromStep: 3 })).toEqual([3, 4]);
      expect(await steps({ toStep: -1 })).toEqual([]);
      expect((await listMetricPoints(tx, { runId, key: 'nothing' })).items).toEqual([]);
    });
  });
});

describe('sampleMetricPoints', () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((number) => number + 0) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0) },
  );
  const points = fc
    .array(fc.record({ step: fc.integer({ min: -20, max: 60 }), second: fc.integer({ min: 0, max: 2 }), value }), {
      minLength: 1,
      maxLength: 120,
    })
    .map((given) =>
      distinct(given.map(({ step, second, value: number }) => ({ step, at: at(second), value: number }))),
    );

  it('keeps of each bucket the first, last, smallest, largest and the first NaN, whatever the order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(points, fc.integer({ min: 5, max: 60 }), async (given, maxPoints) => {
        const expected = sampled(given, maxPoints);
        expect(expected.length).toBeLessThanOrEqual(maxPoints);
        await training.run(freshTenant(), async (tx) => {
          const [one, other] = [await newRun(tx), await newRun(tx)];
          await log(tx, one, given);
          for (const part of [given.slice(given.length / 2), given.slice(0, given.length / 2)]) {
            await log(tx, other, part.toReversed());
          }
          expect(await sampleMetricPoints(tx, { runId: one, key, maxPoints })).toEqual(expected);
          expect(await compareMetric(tx, { runIds: [other, one], key, maxPoints })).toEqual([
            { runId: other, points: expected },
            { runId: one, points: expected },
          ]);
          const inside = given.filter(({ step }) => step >= 0 && step <= 30);
          expect(await sampleMetricPoints(tx, { runId: one, key, maxPoints, fromStep: 0, toStep: 30 })).toEqual(
            sampled(inside, maxPoints),
          );
        });
      }),
      { numRuns: 100 },
    );
  });

  it('takes 1,000 points of 100,000, with the one that stands out', async () => {
    const many = series(Array.from({ length: 100_000 }, (_, step) => (step === 77_777 ? 1e9 : Math.sin(step * step))));
    await inRun(async (tx, runId) => {
      await log(tx, runId, many);
      const sample = await sampleMetricPoints(tx, { runId, key });
      expect(sample.length).toBeGreaterThan(500);
      expect(sample.length).toBeLessThanOrEqual(1_000);
      expect(sample).toContainEqual(many[77_777]);
      expect([sample[0], sample.at(-1)]).toEqual([many[0], many.at(-1)]);
      const wrong = await refusalOf(sampleMetricPoints(tx, { runId, key, maxPoints: 10_001 }));
      expect(wrong.message).toBe('maxPoints must be at most 10000.');
    });
  });
});

/** By the definition: buckets of equal size by rank, and of each its five points. */
function sampled(points: readonly MetricPoint[], maxPoints: number): readonly MetricPoint[] {
  const total = points.length;
  if (total <= maxPoints) return points;
  const buckets = Math.floor(maxPoints / 5);
  const kept = new Set<MetricPoint>();
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const inside = points.filter((_, rank) => Math.floor((rank * buckets) / total) === bucket);
    const numbers = inside.filter((point) => !Number.isNaN(point.value));
    const least = Math.min(...numbers.map((point) => point.value));
    const most = Math.max(...numbers.map((point) => point.value));
    for (const point of [
      inside[0],
      inside.at(-1),
      numbers.find((number) => number.value === least),
      numbers.find((number) => number.value === most),
      inside.find((number) => Number.isNaN(number.value)),
    ]) {
      if (point !== undefined) kept.add(point);
    }
  }
  return [...kept].sort(inOrder);
}

describe('compareMetric', () => {
  it('takes 100 runs, and leaves out those without the metric', async () => {
    await training.run(freshTenant(), async (tx) => {
      const ids = [await newRun(tx), await newRun(tx), await newRun(tx)];
      const [one = '', two = '', three = ''] = ids;
      await log(tx, one, series([1, 2]));
      await log(tx, three, series([3]));
      const compare = (runIds: readonly string[]) => compareMetric(tx, { runIds: [...runIds], key });
      expect(await compare([three, two, one])).toEqual([
        { runId: three, points: series([3]) },
        { runId: one, points: series([1, 2]) },
      ]);
      expect((await compare(Array.from({ length: 100 }, () => three))).length).toBe(100);
      const refusal = await refusalOf(compare(Array.from({ length: 101 }, () => three)));
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: 'runIds', limit: 100, got: 101 } });
    });
  });
});

it('a deleted run shows no metrics', async () => {
  await inRun(async (tx, runId) => {
    await log(tx, runId, series([1]));
    await deleteRun(tx, { runId });
    expect((await listMetricKeys(tx, { runId })).items).toEqual([]);
    expect((await listMetricPoints(tx, { runId, key })).items).toEqual([]);
    expect(await sampleMetricPoints(tx, { runId, key })).toEqual([]);
    expect(await compareMetric(tx, { runIds: [runId], key })).toEqual([]);
  });
});
