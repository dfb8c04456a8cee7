import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRun, listMetricKeys, listMetricPoints, logBatch, type MetricGoal } from '../src/index.ts';
import { distinct, summaryOf } from './support/metric-reference.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

// Few steps, times and values, so that points meet in all of them.
const point = fc.record({
  key: fc.constantFrom('a', 'b', 'c d', 'é'),
  step: fc.constantFrom(-1, 0, 0, 1, 2),
  at: fc.constantFrom(0, 1, 1_000).map((ms) => new Date(Date.UTC(2026, 0, 1) + ms)),
  value: fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 0, -0, 0.5, 0.5, 1e-300),
});
const goals = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom<MetricGoal>('minimize', 'maximize'));

/** Points in any order, some of them several times, cut into batches, which workers send. */
const logged = fc.array(point, { minLength: 1, maxLength: 60 }).chain((points) =>
  fc.record({
    batches: fc.array(fc.shuffledSubarray([...points, ...points.slice(0, 20)], { minLength: 1 }), {
      minLength: 1,
      maxLength: 6,
    }),
    workers: fc.integer({ min: 1, max: 4 }),
    inOneTransaction: fc.boolean(),
    goals,
  }),
);

it('gives the same history and summaries whatever the order, the batches, the repetitions and the workers', async () => {
  await fc.assert(
    fc.asyncProperty(logged, async ({ batches, workers, inOneTransaction, goals: given }) => {
      const tenant = freshTenant();
      const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
      const send = async (worker: number) => {
        const mine = batches.filter((_, index) => index % workers === worker);
        if (inOneTransaction) {
          await training.run(tenant, async (tx) => {
            for (const points of mine) await logBatch(tx, { runId, points });
          });
        } else {
          for (const points of mine) await training.run(tenant, (tx) => logBatch(tx, { runId, points }));
        }
      };
      const ways = Array.from({ length: workers }, (_, worker) => send(worker));
      await Promise.all([...ways, training.run(tenant, (tx) => logBatch(tx, { runId, goals: given }))]);

      // -0 is stored as 0.
      const all = batches.flat().map(({ value, ...rest }) => ({ ...rest, value: value + 0 }));
      const keys = [...new Set(all.map(({ key }) => key))].sort();
      const of = (wanted: string) =>
        all.filter(({ key }) => key === wanted).map(({ step, at, value }) => ({ step, at, value }));
      await training.run(tenant, async (tx) => {
        const { items } = await listMetricKeys(tx, { runId });
        expect(items).toEqual(keys.map((key) => summaryOf(key, of(key), given[key] ?? null)));
        for (const key of keys) {
          expect((await listMetricPoints(tx, { runId, key })).items).toEqual(distinct(of(key)));
        }
      });
    }),
    { numRuns: 150 },
  );
});
