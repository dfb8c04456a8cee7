import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnalysisInput, analyse, type EffectResult, type MetricResult } from '../../src/index.ts';
import { definitionOf, inputOf, metric, type TestUnit } from '../support/units.ts';

const metrics = [
  metric('m', { cupedMs: 1 }),
  metric('p', { kind: 'proportion', role: 'secondary' }),
  metric('r', { kind: 'ratio', role: 'secondary', direction: 'decrease' }),
  metric('q', { kind: 'quantile', quantile: 0.5, role: 'guardrail' }),
];
const allocations = [
  { epoch: 1, weights: [0.5, 0.5] },
  { epoch: 2, weights: [0.8, 0.2] },
];
const definition = definitionOf({ metrics, allocations });

const unit = fc
  .record({
    variant: fc.constantFrom('A', 'B'),
    day: fc.constantFrom('2026-05-01', '2026-05-02', '2026-05-03'),
    epoch: fc.constantFrom(1, 1, 1, 2),
    country: fc.constantFrom('de', 'fr'),
    value: fc.integer({ min: -3, max: 9 }),
    before: fc.integer({ min: 0, max: 5 }),
    count: fc.integer({ min: 0, max: 2 }),
  })
  .map(
    ({ value, before, count, ...rest }): TestUnit => ({
      ...rest,
      y: { m: value + before, p: value > 2 ? 1 : 0, r: value, q: value },
      x: { m: before, r: count },
    }),
  );
const units = fc.array(unit, { maxLength: 160 });

const numbersOf = (result: MetricResult): Readonly<Record<string, number | null>> => ({
  ...{ n: result.n, mean: result.mean, variance: result.variance, chanceToWin: result.chanceToWin },
  ...{ estimate: result.comparison?.absolute.estimate ?? null, p: result.comparison?.absolute.p ?? null },
  ...{ relative: result.comparison?.relative.estimate ?? null, validP: result.comparison?.absolute.validP ?? null },
});

const effectsOf = ({ comparison, unadjusted }: MetricResult): readonly EffectResult[] =>
  [comparison, unadjusted].flatMap((one) => (one === null ? [] : [one.absolute, one.relative]));

/** The order of values changes the last bits of their sums. */
function expectNear(found: readonly MetricResult[], expected: readonly MetricResult[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((result, at) => {
    const other = expected[at];
    if (other === undefined) throw new Error('There are as many.');
    for (const [name, value] of Object.entries(numbersOf(result))) {
      const wanted = numbersOf(other)[name];
      if (value === null || wanted === null || wanted === undefined) expect([name, value]).toEqual([name, wanted]);
      else expect(Math.abs(value - wanted), name).toBeLessThan(1e-7 * Math.max(1, Math.abs(wanted)));
    }
  });
}

it('does not depend on the order of units', () => {
  const both = units.chain((given) =>
    fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
  );
  fc.assert(
    fc.property(both, ([given, shuffled]) => {
      expectNear(
        analyse(definition, inputOf(definition, shuffled)).results,
        analyse(definition, inputOf(definition, given)).results,
      );
    }),
    { numRuns: 60 },
  );
});

it('gives the same bits whatever the order of the rows of its input', () => {
  const inputs = units.map((given) => inputOf(definition, given));
  const both = inputs.chain((input) =>
    fc.tuple(
      fc.constant(input),
      fc.record({
        daily: fc.shuffledSubarray([...input.daily], { minLength: input.daily.length }),
        metrics: fc.shuffledSubarray([...input.metrics], { minLength: input.metrics.length }),
        quantiles: fc.shuffledSubarray([...input.quantiles], { minLength: input.quantiles.length }),
      }),
    ),
  );
  fc.assert(
    fc.property(both, ([input, rows]) => {
      const shuffled: AnalysisInput = { ...input, ...rows };
      expect(analyse(definition, shuffled)).toEqual(analyse(definition, input));
    }),
    { numRuns: 60 },
  );
});

it('has the opposite difference and the same p where control and treatment change places', () => {
  const swapped = definitionOf({
    metrics,
    allocations,
    variants: definition.variants.map((variant) => ({ ...variant, isControl: variant.id === 'B' })),
  });
  fc.assert(
    fc.property(units, (given) => {
      const [forth, back] = [definition, swapped].map((of) =>
        analyse(of, inputOf(of, given)).results.filter(({ isControl }) => !isControl),
      );
      forth?.forEach((result, at) => {
        const [absolute, other] = [result.comparison?.absolute, back?.[at]?.comparison?.absolute];
        expect(absolute?.estimate === null).toBe(other?.estimate === null);
        if (absolute?.estimate == null || other?.estimate == null) return;
        expect(absolute.estimate + other.estimate).toBeCloseTo(0, 9);
        expect(absolute.p).toBeCloseTo(other.p ?? -1, 9);
        expect((absolute.lower ?? 0) + (other.upper ?? 0)).toBeCloseTo(0, 8);
        expect((absolute.validUpper ?? 0) + (other.validLower ?? 0)).toBeCloseTo(0, 8);
        expect((result.chanceToWin ?? 0) + (back?.[at]?.chanceToWin ?? 0)).toBeCloseTo(1, 8);
      });
    }),
    { numRuns: 60 },
  );
});

it('has a number or a reason, and never NaN, an infinity or half an effect', () => {
  fc.assert(
    fc.property(units, fc.integer({ min: 1, max: 3 }), (given, look) => {
      const { results, health } = analyse(definition, inputOf(definition, given), { look });
      for (const result of results) {
        expect(result.mean === null ? result.reason : 'defined').not.toBeNull();
        for (const { reason, degreesOfFreedom: _, ...numbers } of effectsOf(result)) {
          const undefinedOnes = Object.values(numbers).filter((number) => number === null).length;
          expect(undefinedOnes).toBe(reason === null ? 0 : Object.keys(numbers).length);
        }
      }
      const leaves = JSON.stringify({ results, health }, (_, value: unknown) =>
        typeof value === 'number' && !Number.isFinite(value) ? 'no number' : value,
      );
      expect(leaves).not.toContain('no number');
      expect(health).toHaveLength(9);
    }),
    { numRuns: 100 },
  );
});

it('is never narrower at every look than read once', () => {
  fc.assert(
    fc.property(units, (given) => {
      for (const result of analyse(definition, inputOf(definition, given)).results) {
        for (const { lower, validLower, p, validP } of effectsOf(result)) {
          if (lower === null || validLower === null || p === null || validP === null || result.n < 30) continue;
          expect(validLower).toBeLessThanOrEqual(lower);
          expect(validP).toBeGreaterThanOrEqual(p * 0.999);
        }
      }
    }),
    { numRuns: 60 },
  );
});
