import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abExposureTransitions, listExposureTransitions, readAnalysisInput, recordExposures } from '../../src/index.ts';
import { insertExperiment } from '../support/insert-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const now = new Date('2026-05-04T12:00:00Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const exposure = (variant: string, minutes: number) => ({ experiment: 'e', unit: 'u', variant, at: at(minutes) });

describe('listExposureTransitions', () => {
  it('keeps A, B, A as three, and leaves the unit out of all metrics', async () => {
    const tenant = freshTenant();
    await experiments.run(
      tenant,
      async (tx) => {
        const { experimentId } = await insertExperiment(tx, 'e', ['a', 'b'], [{ outcome: 'spent' }]);
        for (const [variant, minutes] of [
          ['a', -9],
          ['b', -6],
          ['a', -3],
        ] as const) {
          await recordExposures(tx, { exposures: [exposure(variant, minutes)] });
        }
        const found = await listExposureTransitions(tx, { experimentId, unit: 'u' });
        expect(found.map(({ variant, at: time }) => [variant, time.getTime()])).toEqual(
          [
            ['a', -9],
            ['b', -6],
            ['a', -3],
          ].map(([variant, minutes]) => [variant, at(Number(minutes)).getTime()]),
        );
        const input = await readAnalysisInput(tx, { experimentId, asOf: now });
        expect(input).toMatchObject({ units: 1, multipleUnits: 1, metrics: [] });
        expect(input.daily.map(({ units, withMultiple }) => [units, withMultiple])).toEqual([
          [0, 1],
          [0, 1],
        ]);
      },
      { now },
    );
  });

  it('writes nothing for units of one variant', async () => {
    const tenant = freshTenant();
    await experiments.run(
      tenant,
      async (tx) => {
        const { experimentId } = await insertExperiment(tx, 'e');
        await recordExposures(tx, { exposures: [exposure('a', -9), exposure('a', -5), exposure('a', -3)] });
        expect(await tx.select().from(abExposureTransitions)).toEqual([]);
        expect(await listExposureTransitions(tx, { experimentId, unit: 'u' })).toHaveLength(2);
        expect(await listExposureTransitions(tx, { experimentId, unit: 'other' })).toEqual([]);
      },
      { now },
    );
  });

  it('says first, last, count and several the same in whatever batches and order exposures come', async () => {
    const anExposure = fc.record({
      variant: fc.constantFrom('a', 'b', 'c'),
      minutes: fc.integer({ min: -30, max: 0 }),
      batch: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anExposure, { minLength: 1, maxLength: 12 }), async (given) => {
        const seen = await Promise.all(
          [given, given.toReversed().map((one) => ({ ...one, batch: 3 - one.batch }))].map((order) => {
            return experiments.run(
              freshTenant(),
              async (tx) => {
                await insertExperiment(tx, 'e', ['a', 'b', 'c']);
                for (const batch of [0, 1, 2, 3]) {
                  const own = order.filter((one) => one.batch === batch);
                  await recordExposures(tx, {
                    exposures: own.map(({ variant, minutes }) => exposure(variant, minutes)),
                  });
                }
                const rows = await tx.execute(sql`
                  select v.key, e.first_at::text, e.last_at::text, e.count
                    from ab_exposures e join ab_variants v on v.id = e.variant_id order by 1`);
                return JSON.stringify(rows);
              },
              { now },
            );
          }),
        );
        expect(seen[0]).toBe(seen[1]);
      }),
      { numRuns: 25 },
    );
  });
});
