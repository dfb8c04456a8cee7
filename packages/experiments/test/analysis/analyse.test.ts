import { benjaminiHochberg, coMomentsOf, coMomentsOfSums, cupedTest, holm, welchTest } from '@mcp-hub/stats';
import { describe, expect, it } from 'vitest';
import {
  type AnalysisDefinition,
  type AnalysisInput,
  type AnalysisMetric,
  analyse,
  type MetricResult,
} from '../../src/index.ts';
import { definitionOf, inputOf, metric, type TestUnit } from '../support/units.ts';

/** An input of sums alone, as a warehouse gives them. */
function inputOfSums(
  arms: Readonly<
    Record<
      string,
      { n: number; sum: number; sumSquares: number; x?: number; xx?: number; xy?: number; nonZero?: number }
    >
  >,
  { id: metricId }: AnalysisMetric,
): AnalysisInput {
  const entries = Object.entries(arms);
  return {
    ...{ asOf: new Date('2026-06-01Z'), units: entries.reduce((all, [, { n }]) => all + n, 0), multipleUnits: 0 },
    ...{ forcedUnits: 0, exposedBeforeAssignment: 0, outcomes: 0, quantiles: [] },
    daily: entries.map(([variantId, { n }]) => ({
      ...{ day: '2026-05-01', epoch: 1, variantId, units: n, withMultiple: n },
    })),
    metrics: entries.map(([variantId, { n, sum, sumSquares, x = 0, xx = 0, xy = 0, nonZero = 0 }]) => ({
      ...{ metricId, variantId, slice: null, nonZero },
      sums: coMomentsOfSums({ n, sumX: x, sumY: sum, sumSquaresX: xx, sumSquaresY: sumSquares, sumProducts: xy }),
    })),
  };
}

const treatmentOf = (definition: AnalysisDefinition, input: AnalysisInput): MetricResult => {
  const found = analyse(definition, input).results.find(({ isControl, slice }) => !isControl && slice === null);
  if (found === undefined) throw new Error('There is a treatment.');
  return found;
};
const of = (given: Partial<AnalysisMetric>, rest: Partial<AnalysisDefinition> = {}) => {
  const only = metric('m', given);
  return { only, definition: definitionOf({ metrics: [only], ...rest }) };
};

describe('the numbers of an analysis', () => {
  it('are those of GrowthBook for a mean, absolute and relative', () => {
    const { only, definition } = of({});
    const input = inputOfSums(
      {
        A: { n: 3407, sum: 1396.87, sumSquares: 52377.9767 },
        B: { n: 3461, sum: 2422.7, sumSquares: 134698.29 },
      },
      only,
    );
    const { comparison, n, mean } = treatmentOf(definition, input);
    expect(n).toBe(3461);
    expect(mean).toBeCloseTo(0.7, 12);
    expect(comparison?.absolute.estimate).toBeCloseTo(0.29, 10);
    expect(comparison?.absolute.p).toBeCloseTo(0.02015840264358696, 10);
    expect(comparison?.absolute.lower).toBeCloseTo(0.045377892559290055, 10);
    expect(comparison?.relative.estimate).toBeCloseTo(0.7073170731707317, 10);
    expect(comparison?.relative.standardError).toBeCloseTo(0.3787943616681428, 10);
    expect(comparison?.relative.degreesOfFreedom).toBeCloseTo(5841.742032093564, 6);
    expect(comparison?.relative.upper).toBeCloseTo(1.4498942354075814, 10);
  });

  it('are valid at every look as GrowthBook has it, tuned to the planned units', () => {
    const { only, definition } = of({}, { plannedUnits: 1000 });
    const arms = {
      A: { n: 3000, sum: 1396.87, sumSquares: 52377.9767 },
      B: { n: 3461, sum: 2422.7, sumSquares: 134698.29 },
    };
    const { relative } = treatmentOf(definition, inputOfSums(arms, only)).comparison ?? {};
    expect(relative?.validLower).toBeCloseTo(-0.5584405051077314, 10);
    expect(relative?.validUpper).toBeCloseTo(1.565162676820203, 10);
    expect(relative?.validP).toBe(1);
  });

  it('are those of GrowthBook for a share, fixed and at every look', () => {
    const { only, definition } = of({ kind: 'proportion' });
    const share = (n: number, nonZero: number) => ({ n, sum: nonZero, sumSquares: nonZero, nonZero });
    const few = treatmentOf(definition, inputOfSums({ A: share(28, 14), B: share(30, 16) }, only));
    expect(few.comparison?.relative.p).toBeCloseTo(0.8070716832021887, 10);
    expect(few.comparison?.relative.standardError).toBeCloseTo(0.27169855689735606, 12);
    const many = treatmentOf(definition, inputOfSums({ A: share(10_000, 1000), B: share(10_000, 1100) }, only));
    expect(many.comparison?.absolute.validP).toBeCloseTo(0.433720213425705, 10);
    expect(many.comparison?.absolute.validUpper).toBeCloseTo(0.023555237271372594, 12);
  });

  it('are those of PostHog for a ratio', () => {
    const { only, definition } = of({ kind: 'ratio' });
    const arm = (n: number, sum: number, sumSquares: number, x: number) => ({ n, sum, sumSquares, x, xx: x, xy: sum });
    const { comparison } = treatmentOf(
      definition,
      inputOfSums(
        {
          A: arm(1966, 94605.79858780127, 10463129.505392816, 936),
          B: arm(2034, 99673.9364269569, 11298745.182728939, 947),
        },
        only,
      ),
    );
    expect(comparison?.relative.estimate).toBeCloseTo(0.041333221650295404, 10);
    expect(comparison?.relative.standardError).toBeCloseTo(0.014050631576458686, 10);
    expect(comparison?.relative.p).toBeCloseTo(0.003282673216077205, 10);
  });

  it('are those of GrowthBook under CUPED, beside those without', () => {
    const { only, definition } = of({ cupedMs: 1 });
    const { comparison, unadjusted, theta } = treatmentOf(
      definition,
      inputOfSums(
        {
          A: { n: 3001, sum: 300, sumSquares: 600, x: 210, xx: 415, xy: -20 },
          B: { n: 3000, sum: 222, sumSquares: 555, x: 120, xx: 405, xy: -10 },
        },
        only,
      ),
    );
    expect(theta).toBeCloseTo(-0.07321194034813547, 10);
    expect(comparison?.relative.estimate).toBeCloseTo(-0.28170715384572753, 10);
    expect(comparison?.relative.standardError).toBeCloseTo(0.09710487644510962, 10);
    expect(comparison?.relative.p).toBeCloseTo(0.003732548615239053, 10);
    expect(unadjusted?.absolute.estimate).toBeCloseTo(222 / 3000 - 300 / 3001, 12);
    expect(unadjusted?.absolute.p).not.toBeCloseTo(comparison?.absolute.p ?? 0, 4);
  });

  it('are the plain ones under CUPED where the covariate does not vary', () => {
    const { only, definition } = of({ cupedMs: 1 });
    const arms = { A: { n: 30, sum: 30, sumSquares: 50 }, B: { n: 30, sum: 33, sumSquares: 60 } };
    const { comparison, unadjusted, theta } = treatmentOf(definition, inputOfSums(arms, only));
    expect(theta).toBe(0);
    expect(comparison).toEqual(unadjusted);
  });

  it('are those of GrowthBook for a quantile, with p by the normal distribution', () => {
    const { only, definition } = of({ kind: 'quantile', quantile: 0.9 });
    const quantiles = [
      { variantId: 'A', n: 11054, quantile: 7.157987489967789, lower: 7.098780136176828, upper: 7.217194843758751 },
      { variantId: 'B', n: 10861, quantile: 7.694499927525767, lower: 7.64180598628119, upper: 7.747193868770344 },
    ].map(({ variantId, ...quantile }) => ({ metricId: only.id, variantId, slice: null, quantile, n: quantile.n }));
    const { comparison, mean } = treatmentOf(definition, { ...inputOfSums({}, only), units: 21915, quantiles });
    expect(mean).toBe(7.694499927525767);
    expect(comparison?.absolute.estimate).toBeCloseTo(0.536512437557978, 12);
    expect(comparison?.absolute.lower).toBeCloseTo(0.4572559589115428, 9);
    expect(comparison?.absolute.degreesOfFreedom).toBeNull();
    expect(comparison?.absolute.p).toBeLessThan(1e-30);
  });

  it('have the chance to win and the risks in the direction of the metric', () => {
    const arms = { A: { n: 100, sum: 100, sumSquares: 200 }, B: { n: 100, sum: 110, sumSquares: 220 } };
    const up = of({ direction: 'increase' });
    const down = of({ direction: 'decrease' });
    const more = treatmentOf(up.definition, inputOfSums(arms, up.only));
    const less = treatmentOf(down.definition, inputOfSums(arms, down.only));
    expect(more.chanceToWin).toBeGreaterThan(0.7);
    expect((more.chanceToWin ?? 0) + (less.chanceToWin ?? 0)).toBeCloseTo(1, 12);
    expect(more.riskOfTreatment).toBe(less.riskOfControl);
    expect((more.riskOfControl ?? 0) - (more.riskOfTreatment ?? 0)).toBeCloseTo(0.1, 12);
  });
});

describe('p values for being many', () => {
  const variants = ['A', 'B', 'C'].map((id) => ({ id, key: id, isControl: id === 'A' }));
  const metrics = [
    metric('p'),
    metric('s1', { role: 'secondary' }),
    metric('s2', { role: 'secondary' }),
    metric('g', { role: 'guardrail' }),
  ];
  const units: TestUnit[] = variants.flatMap(({ id: variant }, at) =>
    Array.from({ length: 40 }, (_, i) => ({
      ...{ variant, day: '2026-05-01', country: i % 2 === 0 ? 'de' : 'fr' },
      y: { p: i % 7, s1: (i % 5) + at * 0.4, s2: (i % 3) + at * 0.1, g: (i % 4) - at * 0.3 },
    })),
  );
  const analysed = (correction: AnalysisDefinition['correction']) => {
    const definition = definitionOf({ variants, metrics, correction, allocations: [{ epoch: 1, weights: [1, 1, 1] }] });
    return analyse(definition, inputOf(definition, units)).results.filter(({ isControl }) => !isControl);
  };
  const wholes = (results: readonly MetricResult[], role: string) =>
    results.filter((result) => result.role === role && result.slice === null);
  const ps = (results: readonly MetricResult[]) => results.map(({ comparison }) => comparison?.absolute.p ?? -1);
  const adjusted = (results: readonly MetricResult[]) => results.map(({ adjustedP }) => adjustedP);

  it('are corrected over secondary metrics and treatments together, as the experiment has it', () => {
    const [byHolm, byRate] = [analysed('holm'), analysed('benjamini_hochberg')].map((all) => wholes(all, 'secondary'));
    expect(byHolm).toHaveLength(4);
    expect(adjusted(byHolm ?? [])).toEqual(holm(ps(byHolm ?? [])));
    expect(adjusted(byRate ?? [])).toEqual(benjaminiHochberg(ps(byRate ?? [])));
  });

  it('are corrected by Holm for the primary metric over treatments, and for guardrails not at all', () => {
    const results = analysed('benjamini_hochberg');
    expect(adjusted(wholes(results, 'primary'))).toEqual(holm(ps(wholes(results, 'primary'))));
    expect(adjusted(wholes(results, 'guardrail'))).toEqual(ps(wholes(results, 'guardrail')));
  });

  it('stay as they are where the experiment corrects nothing', () => {
    const results = analysed('none');
    expect(adjusted(results)).toEqual(ps(results));
  });

  it('are corrected apart for slices, of which no member stands among all units', () => {
    const slices = analysed('holm').filter(({ role, slice }) => role === 'secondary' && slice !== null);
    expect(slices).toHaveLength(8);
    expect(adjusted(slices)).toEqual(holm(ps(slices)));
  });
});

describe('what the data do not define', () => {
  it('is null with a reason, in every field, for an experiment that nobody has come to', () => {
    const definition = definitionOf({ metrics: [metric('m'), metric('q', { kind: 'quantile', quantile: 0.5 })] });
    const { results, health } = analyse(definition, inputOf(definition, []));
    expect(results.map(({ mean, variance, reason }) => [mean, variance, reason !== null])).toEqual(
      results.map(() => [null, null, true]),
    );
    expect(results.map(({ chanceToWin, adjustedP }) => [chanceToWin, adjustedP])).toEqual(
      results.map(() => [null, null]),
    );
    expect(health.filter(({ verdict }) => verdict === 'ok')).toEqual([]);
  });

  it('is a relative difference to a mean of 0, where the absolute one is there', () => {
    const { only, definition } = of({});
    const arms = { A: { n: 10, sum: 0, sumSquares: 10 }, B: { n: 10, sum: 5, sumSquares: 10 } };
    const { comparison, reason } = treatmentOf(definition, inputOfSums(arms, only));
    expect(comparison?.absolute.estimate).toBe(0.5);
    expect(comparison?.relative).toMatchObject({ estimate: null, p: null, reason: 'The mean of the control is 0.' });
    expect(reason).toBeNull();
  });

  it('is a ratio whose denominators sum to 0, of the arm that has it', () => {
    const { only, definition } = of({ kind: 'ratio' });
    const arms = { A: { n: 10, sum: 1, sumSquares: 1 }, B: { n: 10, sum: 5, sumSquares: 10, x: 5, xx: 5, xy: 5 } };
    const { results } = analyse(definition, inputOfSums(arms, only));
    expect(results.map(({ mean }) => mean)).toEqual([null, 1]);
    expect(results[1]?.comparison?.absolute.reason).toBe('Of the control: The denominators sum to 0.');
  });

  it('is everything of values whose squares are no numbers, and nothing throws', () => {
    const { only, definition } = of({});
    const sums = (mean: number) => ({ n: 3, meanX: 0, meanY: mean, m2X: 0, m2Y: 1e-320, cXY: 0 });
    const input = inputOfSums({}, only);
    const rows = ['A', 'B'].map((variantId, at) => ({
      ...{ metricId: only.id, variantId, slice: null, nonZero: 3, sums: sums(at * 1e150) },
    }));
    const { comparison } = treatmentOf(definition, { ...input, metrics: rows });
    expect(comparison?.absolute.p).toBeNull();
    expect(comparison?.absolute.reason).toMatch(/./);
  });
});

describe('weights that changed while units came', () => {
  // A day on which everybody buys more, and a treatment that does nothing: most of its units came on that day.
  const day = (epoch: number, counts: Readonly<Record<string, number>>, base: number): TestUnit[] =>
    Object.entries(counts).flatMap(([variant, count]) =>
      Array.from({ length: count }, (_, i) => ({
        ...{ variant, epoch, day: `2026-05-0${epoch}`, y: { revenue: base + (i % 5), orders: 1 + (i % 2) } },
        x: { orders: 2 },
      })),
    );
  const units = [...day(1, { A: 200, B: 200 }, 10), ...day(2, { A: 40, B: 360 }, 20)];
  const allocations = [
    { epoch: 1, weights: [0.5, 0.5] },
    { epoch: 2, weights: [0.1, 0.9] },
  ];

  it('are compared within each allocation, where the plain difference of means shows the trend', () => {
    const definition = definitionOf({ allocations });
    const { results, health } = analyse(definition, inputOf(definition, units));
    const [control, treatment] = results;
    expect((treatment?.mean ?? 0) - (control?.mean ?? 0)).toBeGreaterThan(4);
    expect(treatment?.comparison?.absolute.estimate).toBeCloseTo(0, 10);
    expect(treatment?.comparison?.absolute.p).toBeGreaterThan(0.9);
    expect(health.find(({ check }) => check === 'allocation')).toMatchObject({ verdict: 'warning', value: 2 });
  });

  it('have the variance of the strata by their shares', () => {
    const definition = definitionOf({ allocations });
    const { results } = analyse(definition, inputOf(definition, units));
    const within = (variant: string, epoch: number) => {
      const y = units
        .filter((unit) => unit.variant === variant && unit.epoch === epoch)
        .map((unit) => unit.y['revenue'] ?? 0);
      const { m2Y, n } = coMomentsOf(y, y);
      return m2Y / (n - 1) / n;
    };
    const shares = [400 / 800, 400 / 800];
    const variance = shares.reduce((sum, w, at) => sum + w ** 2 * (within('A', at + 1) + within('B', at + 1)), 0);
    expect(results[1]?.comparison?.absolute.standardError).toBeCloseTo(Math.sqrt(variance), 12);
  });

  it('are no change where only the coverage grew', () => {
    const same = [
      { epoch: 1, weights: [0.5, 0.5] },
      { epoch: 2, weights: [1, 1] },
    ];
    const definition = definitionOf({ allocations: same });
    const { results, health } = analyse(definition, inputOf(definition, units));
    expect(health.find(({ check }) => check === 'allocation')?.verdict).toBe('ok');
    expect(results[1]?.comparison?.absolute.estimate).toBeGreaterThan(4);
  });

  it('leave nothing compared where the sums were not taken by allocation, and keep from shipping', () => {
    const definition = definitionOf({ allocations });
    const input = inputOf(definition, units);
    const whole = { ...input, metrics: input.metrics.filter(({ slice }) => slice === null) };
    const { results, health } = analyse(definition, whole);
    expect(results[1]?.comparison?.absolute).toMatchObject({
      estimate: null,
      reason: expect.stringMatching(/weights/),
    });
    expect(health.find(({ check }) => check === 'allocation')?.verdict).toBe('failed');
  });

  it('compare neither quantiles nor slices', () => {
    const definition = definitionOf({ allocations, metrics: [metric('revenue', { kind: 'quantile', quantile: 0.5 })] });
    const quantiles = analyse(definition, inputOf(definition, units)).results;
    expect(quantiles[1]?.comparison?.absolute.estimate).toBeNull();
    const sliced = units.map((unit) => ({ ...unit, country: 'de' }));
    const { results } = analyse(definitionOf({ allocations }), inputOf(definitionOf({ allocations }), sliced));
    const ofSlice = results.filter(({ slice }) => slice !== null);
    expect(ofSlice.map(({ variantId }) => variantId)).toEqual(['A', 'B']);
    expect(ofSlice[1]?.comparison?.absolute.estimate).toBeNull();
    expect(ofSlice[1]?.mean).not.toBeNull();
  });

  it('keep ratios and CUPED within allocations, too', () => {
    const ratio = definitionOf({ allocations, metrics: [metric('orders', { kind: 'ratio' })] });
    expect(analyse(ratio, inputOf(ratio, units)).results[1]?.comparison?.absolute.estimate).toBeCloseTo(0, 10);
    const cuped = definitionOf({ allocations, metrics: [metric('revenue', { cupedMs: 1 })] });
    const known = units.map((unit, i) => ({ ...unit, x: { revenue: (unit.y['revenue'] ?? 0) / 2 + (i % 3) } }));
    const [, treatment] = analyse(cuped, inputOf(cuped, known)).results;
    expect(treatment?.comparison?.absolute.standardError).toBeLessThan(
      treatment?.unadjusted?.absolute.standardError ?? 0,
    );
    expect(Math.abs(treatment?.comparison?.absolute.estimate ?? 9)).toBeLessThan(0.2);
  });
});

it('calls the functions of stats for what it says of means', () => {
  const definition = definitionOf({ alpha: 0.1, metrics: [metric('m', { cupedMs: 1 })] });
  const units: TestUnit[] = Array.from({ length: 60 }, (_, i) => ({
    ...{
      variant: i % 2 === 0 ? 'A' : 'B',
      day: '2026-05-01',
      y: { m: (i * 7) % 11 },
      x: { m: ((i * 7) % 11) + (i % 3) },
    },
  }));
  const armOf = (variant: string) => {
    const own = units.filter((unit) => unit.variant === variant);
    return coMomentsOf(
      own.map(({ x }) => x?.['m'] ?? 0),
      own.map(({ y }) => y['m'] ?? 0),
    );
  };
  const arms = { control: armOf('A'), treatment: armOf('B') };
  const result = treatmentOf(definition, inputOf(definition, units));
  const cuped = cupedTest({ ...arms, alpha: 0.1 }).value;
  expect(result.comparison?.absolute).toMatchObject({ p: cuped?.p, lower: cuped?.interval[0] });
  const sampleOf = ({ n, meanY, m2Y }: typeof arms.control) => ({ n, mean: meanY, variance: m2Y / (n - 1) });
  const plain = welchTest({
    ...{ control: sampleOf(arms.control), treatment: sampleOf(arms.treatment), alpha: 0.1, difference: 'relative' },
  }).value;
  expect(result.unadjusted?.relative).toMatchObject({ p: plain?.p, upper: plain?.interval[1] });
});
