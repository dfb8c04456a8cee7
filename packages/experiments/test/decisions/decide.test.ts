import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnalysisDefinition,
  type AnalysisInput,
  type AnalysisMetric,
  analyse,
  type DecideOptions,
  type Decision,
  decide,
} from '../../src/index.ts';
import { definitionOf, inputOf, metric } from '../support/units.ts';

interface ArmNumbers {
  readonly n: number;
  /** By metric; of one unit, with a standard deviation of 1. */
  readonly means: Readonly<Record<string, number>>;
}

/** Arms by their means, as large as one likes. */
function inputOfMeans(
  definition: AnalysisDefinition,
  arms: Readonly<Record<string, ArmNumbers>>,
  given: Partial<AnalysisInput> = {},
): AnalysisInput {
  const entries = Object.entries(arms);
  return inputOf(definition, [], {
    units: entries.reduce((sum, [, { n }]) => sum + n, 0),
    daily: entries.map(([variantId, { n }]) => ({
      ...{ day: '2026-05-01', epoch: 1, variantId, units: n, withMultiple: n },
    })),
    metrics: entries.flatMap(([variantId, { n, means }]) =>
      definition.metrics.map(({ id: metricId, key }) => ({
        ...{ metricId, variantId, slice: null, nonZero: n },
        sums: { n, meanX: 0, meanY: means[key] ?? 10, m2X: 0, m2Y: n - 1, cXY: 0 },
      })),
    ),
    ...given,
  });
}

function decided(
  metrics: readonly AnalysisMetric[],
  arms: Readonly<Record<string, ArmNumbers>>,
  given: Partial<AnalysisDefinition> & Partial<DecideOptions> & { readonly input?: Partial<AnalysisInput> } = {},
): Decision {
  const { looks = 1, isOver = false, input, ...rest } = given;
  const definition = definitionOf({ metrics, minimumUnits: 150, plannedUnits: 5_000, ...rest });
  const analysis = analyse(definition, inputOfMeans(definition, arms, input), { look: looks });
  return decide(definition, analysis, { looks, isOver });
}

const codes = ({ reasons, treatments }: Decision) => [
  ...reasons.map(({ because }) => because),
  ...treatments.flatMap((treatment) => treatment.reasons.map(({ because }) => because)),
];
const pair = (n: number, control: number, treatment: number) => ({
  A: { n, means: { m: control } },
  B: { n, means: { m: treatment } },
});
const primary = [metric('m')];

describe('a sequential test', () => {
  it('ships a treatment whose primary metric is better by what is valid at every look, however often one looked', () => {
    const found = decided(primary, pair(3_000, 10, 10.2), { looks: 17 });
    expect(found).toMatchObject({ verdict: 'ship', variantId: 'B' });
    expect(found.treatments[0]?.reasons[0]).toMatchObject({
      because: 'primary_better',
      metricKey: 'm',
      text: expect.stringMatching(
        /^m: 10\.2 against 10, 2 % \(.* %\), adjusted p = .*, valid at every look, held to 0\.05\.$/,
      ),
    });
  });

  it('goes on where only the test of one look says so', () => {
    const arms = pair(3_000, 10, 10.06);
    expect(decided(primary, arms, { looks: 3 }).verdict).toBe('continue');
    expect(decided(primary, arms, { test: 'fixed' }).verdict).toBe('ship');
  });

  it('stops where the primary metric is worse, in its direction', () => {
    expect(decided(primary, pair(3_000, 10, 9.8))).toMatchObject({ verdict: 'stop', variantId: 'B' });
    const less = [metric('m', { direction: 'decrease' })];
    expect(decided(less, pair(3_000, 10, 9.8)).verdict).toBe('ship');
    expect(decided(less, pair(3_000, 10, 10.2)).verdict).toBe('stop');
  });

  it('keeps the control once the least gain that matters is excluded, and says by how much', () => {
    const bar = [metric('m', { minimumEffect: 0.01 })];
    const found = decided(bar, pair(5_000, 10, 10));
    expect(found).toMatchObject({ verdict: 'keep', variantId: null });
    expect(codes(found)).toContain('effect_excluded');
    expect(decided(bar, pair(500, 10, 10)).verdict).toBe('continue');
    expect(decided(primary, pair(5_000, 10, 10)).verdict).toBe('continue');
  });

  it('keeps the control where nothing is shown and no more units come', () => {
    const found = decided(primary, pair(3_000, 10, 10.01), { isOver: true });
    expect(found.verdict).toBe('keep');
    expect(codes(found)).toContain('experiment_over');
  });
});

describe('a fixed test', () => {
  const fixed = { test: 'fixed' } as const;

  it('decides at its one look with the planned units', () => {
    expect(decided(primary, pair(2_500, 10, 10.1), fixed).verdict).toBe('ship');
    expect(decided(primary, pair(2_500, 10, 10.02), fixed).verdict).toBe('keep');
    expect(decided(primary, pair(2_500, 10, 9.9), fixed).verdict).toBe('stop');
  });

  it('says nothing before the planned units have come, but harm', () => {
    const early = decided(primary, pair(2_499, 10, 10.3), fixed);
    expect(early.verdict).toBe('continue');
    expect(codes(early)).toEqual(['sample_not_reached', 'primary_undecided']);
    expect(decided(primary, pair(2_000, 10, 9.8), fixed).verdict).toBe('stop');
    expect(decided(primary, pair(2_000, 10, 9.94), fixed).verdict).toBe('continue');
  });

  it('says nothing that was looked at more than once, but harm by what is valid at every look', () => {
    const again = decided(primary, pair(4_000, 10, 10.5), { ...fixed, looks: 2 });
    expect(again.verdict).toBe('continue');
    expect(codes(again)).toContain('looked_at_again');
    expect(decided(primary, pair(4_000, 10, 9.5), { ...fixed, looks: 2 }).verdict).toBe('stop');
    expect(decided(primary, pair(4_000, 10, 9.95), { ...fixed, looks: 2 }).verdict).toBe('continue');
    expect(decided(primary, pair(4_000, 10, 10.5), { ...fixed, looks: 2, isOver: true }).verdict).toBe('keep');
  });
});

it('says nothing below the minimum of units, not even harm', () => {
  for (const test of ['fixed', 'sequential'] as const) {
    for (const treatment of [5, 15]) {
      const found = decided(primary, pair(149, 10, treatment), { test, plannedUnits: 200 });
      expect(found.verdict).toBe('continue');
      expect(codes(found)).toEqual(['too_few_units']);
    }
  }
});

describe('health that has failed', () => {
  const better = pair(3_000, 10, 10.3);

  it('keeps from shipping: units that do not fit the weights, or saw several variants', () => {
    const uneven = { A: { n: 3_000, means: { m: 10 } }, B: { n: 3_600, means: { m: 10.3 } } };
    const ratio = decided(primary, uneven);
    expect(ratio.verdict).toBe('continue');
    expect(codes(ratio)).toContain('health_failed');
    expect(ratio.reasons[0]?.text).toContain('3,000 to 3,600 units do not fit the weights');
    const seen = decided(primary, better, { input: { multipleUnits: 60 } });
    expect(seen.verdict).toBe('continue');
    expect(decided(primary, better, { input: { multipleUnits: 5 } }).verdict).toBe('ship');
  });

  it('keeps a fixed test from being read, and harm from nothing', () => {
    expect(decided(primary, better, { test: 'fixed', input: { multipleUnits: 60 } }).verdict).toBe('continue');
    expect(decided(primary, pair(3_000, 10, 9.7), { input: { multipleUnits: 60 } }).verdict).toBe('stop');
  });
});

describe('a guardrail', () => {
  const metrics = (given: Partial<AnalysisMetric> = {}) => [...primary, metric('g', { role: 'guardrail', ...given })];
  const arms = (g: number, n = 3_000) => ({ A: { n, means: { m: 10, g: 10 } }, B: { n, means: { m: 10.3, g } } });

  it('without a margin stops where harm is shown, and else does not stand in the way', () => {
    expect(decided(metrics(), arms(9.7))).toMatchObject({ verdict: 'stop', variantId: 'B' });
    expect(decided(metrics(), arms(9.95)).verdict).toBe('ship');
    expect(decided(metrics({ direction: 'decrease' }), arms(10.3)).verdict).toBe('stop');
  });

  it('with a margin has to be shown to be no worse than that', () => {
    const margin = metrics({ minimumEffect: 0.02 });
    expect(decided(margin, arms(10)).verdict).toBe('ship');
    expect(codes(decided(margin, arms(9.85)))).toContain('guardrail_undecided');
    expect(decided(margin, arms(9.85)).verdict).toBe('continue');
    expect(decided(margin, arms(9.95, 30_000)).verdict).toBe('ship');
    expect(decided(margin, arms(9.6)).verdict).toBe('stop');
    const down = metrics({ minimumEffect: 0.02, direction: 'decrease' });
    expect([10, 10.15, 10.4].map((g) => decided(down, arms(g)).verdict)).toEqual(['ship', 'continue', 'stop']);
  });

  it('in which nothing ever happened shows no harm', () => {
    const definition = definitionOf({ metrics: metrics({ kind: 'proportion' }), minimumUnits: 150 });
    const input = inputOfMeans(definition, arms(0));
    const nothing = input.metrics.map((row) => (row.metricId === 'id of g' ? { ...row, nonZero: 0 } : row));
    const analysis = analyse(definition, { ...input, metrics: nothing });
    expect(decide(definition, analysis, { looks: 1 }).verdict).toBe('ship');
  });
});

describe('several treatments', () => {
  const variants = ['A', 'B', 'C'].map((id) => ({ id, key: id, isControl: id === 'A' }));
  const allocations = [{ epoch: 1, weights: [1, 1, 1] }];
  const three = (b: number, c: number, n = 3_000) =>
    decided(
      primary,
      { A: { n, means: { m: 10 } }, B: { n, means: { m: b } }, C: { n, means: { m: c } } },
      { variants, allocations },
    );

  it('ship the one that gains most, also beside one that harms', () => {
    expect(three(10.2, 10.4)).toMatchObject({ verdict: 'ship', variantId: 'C' });
    expect(three(10.2, 9.5)).toMatchObject({ verdict: 'ship', variantId: 'B' });
  });

  it('stop where one harms and none ships, and go on while one may', () => {
    expect(three(10, 9.5)).toMatchObject({ verdict: 'stop', variantId: 'C' });
    expect(three(10, 10.01)).toMatchObject({ verdict: 'continue', variantId: null });
    expect(three(10, 9.5).treatments.map(({ verdict }) => verdict)).toEqual(['continue', 'stop']);
  });
});

it('continues without a primary metric, and tells secondary metrics that differ', () => {
  const secondary = metric('s', { role: 'secondary' });
  expect(codes(decided([secondary], pair(3_000, 10, 10)))).toEqual(['no_primary']);
  const arms = { A: { n: 3_000, means: { m: 10, s: 10 } }, B: { n: 3_000, means: { m: 10, s: 9 } } };
  const found = decided([...primary, secondary], arms);
  expect(found.verdict).toBe('continue');
  expect(found.treatments[0]?.reasons.at(-1)).toMatchObject({
    because: 'secondary_differs',
    text: expect.stringMatching(/It is worse\.$/),
  });
});

it('refuses an analysis of another definition', () => {
  const definition = definitionOf({ metrics: primary });
  const analysis = analyse(definition, inputOfMeans(definition, pair(3_000, 10, 10)));
  expect(() => decide(definitionOf({ metrics: [metric('n')] }), analysis, { looks: 1 })).toThrow(TypeError);
});

it('never ships what the rules forbid, whatever the numbers', () => {
  const mean = fc.double({ min: 9, max: 11, noNaN: true });
  const counts = fc.constantFrom(100, 149, 150, 1_000, 2_600, 20_000);
  fc.assert(
    fc.property(
      fc.record({ a: mean, b: mean, g: mean, na: counts, nb: counts, looks: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ test: fc.constantFrom('fixed' as const, 'sequential' as const), multiple: fc.constantFrom(0, 500) }),
      ({ a, b, g, na, nb, looks }, { test, multiple }) => {
        const metrics = [...primary, metric('g', { role: 'guardrail', minimumEffect: 0.01 })];
        const arms = { A: { n: na, means: { m: a, g: 10 } }, B: { n: nb, means: { m: b, g } } };
        const { verdict } = decided(metrics, arms, { test, looks, input: { multipleUnits: multiple } });
        if (Math.min(na, nb) < 150) expect(verdict).toBe('continue');
        if (verdict === 'ship') {
          expect(b).toBeGreaterThan(a);
          expect(g).toBeGreaterThan(9.9);
          expect(multiple).toBe(0);
          if (test === 'fixed') expect([looks, na + nb >= 5_000]).toEqual([1, true]);
        }
        if (verdict === 'stop') expect(b < a || g < 9.9).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});
