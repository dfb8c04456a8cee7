import { freshTenant, withinMs } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assign,
  assignQuery,
  assignUnit,
  assignUnits,
  getExperiment,
  listAssignments,
  reseedExperiment,
  setAllocation,
} from '../../src/index.ts';
import { manyUnits, moveTo, runningExperiment } from '../support/running-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const { run } = experiments;
const variants = [{ key: 'a' }, { key: 'b' }, { key: 'c' }];
const everyUnit = manyUnits(60);

type Step =
  | { readonly kind: 'allocate'; readonly weights: readonly number[]; readonly coverage: number }
  | { readonly kind: 'assign' | 'bulk' | 'query'; readonly from: number; readonly count: number }
  | { readonly kind: 'pause' | 'reseed' };

const weights = fc
  .array(fc.integer({ min: 0, max: 10 }), { minLength: 3, maxLength: 3 })
  .filter((parts) => parts.some((part) => part > 0))
  .map((parts) => parts.map((part) => part / parts.reduce((sum, each) => sum + each, 0)));
const some = { from: fc.nat(59), count: fc.integer({ min: 1, max: 20 }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('allocate' as const),
    weights,
    coverage: fc.integer({ min: 0, max: 10 }).map((n) => n / 10),
  }),
  fc.record({ kind: fc.constantFrom('assign' as const, 'bulk' as const, 'query' as const), ...some }),
  fc.record({ kind: fc.constantFrom('pause' as const, 'reseed' as const) }),
);

async function stored(tenant: string, key: string): Promise<ReadonlyMap<string, string>> {
  const { items } = await run(tenant, (tx) => listAssignments(tx, { key, limit: 100 }));
  return new Map(items.map(({ unit, variantKey, epoch }) => [unit, `${variantKey} ${epoch}`]));
}

describe('whatever befalls an experiment', () => {
  it('a unit that is assigned keeps variant and epoch, and who is new gets what the allocation in force says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 10 }),
        withinMs(20_000, async (steps) => {
          const { tenant, key } = await runningExperiment(experiments, { variants, coverage: 0.5 });
          let isPaused = false;
          let known: ReadonlyMap<string, string> = new Map();
          for (const [number, each] of steps.entries()) {
            const units = 'from' in each ? everyUnit.slice(each.from, each.from + each.count) : [];
            const definition = await run(tenant, (tx) => getExperiment(tx, { key }));
            const keyOf = (id: string | null) => definition.variants.find((variant) => variant.id === id)?.key ?? null;
            if (each.kind === 'pause') {
              isPaused = !isPaused;
              await moveTo(experiments, tenant, isPaused ? 'paused' : 'running', key);
            } else if (each.kind === 'reseed') {
              await run(tenant, (tx) => reseedExperiment(tx, { key, seed: `seed ${number}`, reshuffle: true }));
            } else if (each.kind === 'allocate') {
              const [a = 0, b = 0, c = 0] = each.weights;
              await run(tenant, (tx) => setAllocation(tx, { key, weights: { a, b, c }, coverage: each.coverage }));
            } else if (each.kind === 'query') {
              await run(tenant, (tx) => {
                const rows = tx
                  .select({ unit: sql<string>`u`.as('unit') })
                  .from(sql`jsonb_array_elements_text(${JSON.stringify(units)}::text::jsonb) u`)
                  .as('rows');
                return assignQuery(tx, { key, rows, columns: { unit: rows.unit } });
              });
            } else {
              const given = units.map((unit) => ({ unit }));
              const got = await run(tenant, async (tx) => {
                if (each.kind === 'bulk') return await assignUnits(tx, { key, units: given });
                return [await assign(tx, { key, unit: units[0] ?? '' })];
              });
              for (const { unit, variantKey } of got) {
                const before = known.get(unit)?.split(' ')[0];
                expect(variantKey).toBe(before ?? keyOf(assignUnit(definition, unit).variantId));
              }
            }
            const after = await stored(tenant, key);
            for (const [unit, variant] of known) expect([unit, after.get(unit)]).toEqual([unit, variant]);
            for (const [unit, variant] of after) {
              if (known.has(unit)) continue;
              expect(variant).toBe(`${keyOf(assignUnit(definition, unit).variantId)} ${definition.epoch}`);
              expect(units).toContain(unit);
            }
            known = after;
          }
        }),
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  it('growing coverage lets units in, and moves none, not even one that nobody has assigned', async () => {
    const { tenant, key } = await runningExperiment(experiments, { variants, coverage: 0.1 }, freshTenant());
    const variantsOf = async () => {
      const definition = await run(tenant, (tx) => getExperiment(tx, { key }));
      return everyUnit.map((unit) => assignUnit(definition, unit).variantId);
    };
    let before = await variantsOf();
    // After a change of weights too, which has left ranges that no SDK makes.
    const steps = [0.2, 0.5, 'weights', 0.7, 1] as const;
    for (const each of steps) {
      const change = each === 'weights' ? { weights: { a: 0.5, b: 0.25, c: 0.25 } } : { coverage: each };
      await run(tenant, (tx) => setAllocation(tx, { key, ...change }));
      const after = await variantsOf();
      if (each !== 'weights') {
        before.forEach((variant, n) => {
          if (variant !== null) expect(after[n]).toBe(variant);
        });
      }
      before = after;
    }
    expect(before).not.toContain(null);
  });
});
