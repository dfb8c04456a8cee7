import { chiSquare, sampleRatioMismatch, sequentialSampleRatio } from '@mcp-hub/stats';
import { describe, expect, it } from 'vitest';
import {
  type AnalysisDefinition,
  type AnalysisInput,
  analyse,
  type DailyUnits,
  type HealthCheckName,
  healthChecks,
} from '../../src/index.ts';
import { definitionOf, inputOf, metric, type TestUnit } from '../support/units.ts';

const thirds = ['A', 'B', 'C'].map((id) => ({ id, key: id, isControl: id === 'A' }));

/** Counts by day, in the order of the variants. */
const days = (counts: readonly (readonly number[])[], multiple = 0, epoch = 1): readonly DailyUnits[] =>
  counts.flatMap((row, day) =>
    row.map((units, at) => ({
      ...{
        day: `2026-05-${String(day + 10)}`,
        epoch,
        variantId: 'ABC'[at] ?? '',
        units,
        withMultiple: units + multiple,
      },
    })),
  );

function checked(
  check: HealthCheckName,
  input: Partial<AnalysisInput>,
  definition: Partial<AnalysisDefinition> = {},
  look = 1,
) {
  const whole = definitionOf(definition);
  const given = inputOf(whole, [], input);
  const units = given.daily.reduce((sum, row) => sum + row.units, 0);
  const { health } = analyse(whole, { ...given, units, ...input }, { look });
  const found = health.find((one) => one.check === check);
  if (found === undefined) throw new Error('Every check is there.');
  return found;
}

it('tells every check once, in one order', () => {
  const definition = definitionOf();
  expect(analyse(definition, inputOf(definition, [])).health.map(({ check }) => check)).toEqual(healthChecks);
});

describe('the sample ratio', () => {
  it('is tested by the chi-square that GrowthBook has', () => {
    const found = checked('sample_ratio', { daily: days([[1000, 1200]]) });
    expect(found).toMatchObject({ verdict: 'failed', threshold: 0.001 });
    expect(found.value).toBeCloseTo(2.0078656124264847e-5, 12);
    expect(found.text).toContain('1,000 to 1,200 units');
    const three = { variants: thirds, allocations: [{ epoch: 1, weights: [0.34, 0.33, 0.33] }] };
    expect(checked('sample_ratio', { daily: days([[500, 500, 600]]) }, three).value).toBeCloseTo(0.0005926379, 9);
  });

  it('leaves variants of weight 0 out of total and degrees of freedom', () => {
    const definition = { variants: thirds, allocations: [{ epoch: 1, weights: [0.5, 0.5, 0] }] };
    const found = checked('sample_ratio', { daily: days([[1000, 1200, 0]]) }, definition);
    expect(found.value).toBeCloseTo(2.0078656124264847e-5, 12);
  });

  it('has failed where a variant of weight 0 has units', () => {
    const definition = { variants: thirds, allocations: [{ epoch: 1, weights: [0.5, 0.5, 0] }] };
    const found = checked('sample_ratio', { daily: days([[1000, 1000, 3]]) }, definition);
    expect(found).toMatchObject({
      verdict: 'failed',
      text: expect.stringContaining('3 units of variants whose weight'),
    });
  });

  it('cannot be told below 8 units a variant', () => {
    expect(checked('sample_ratio', { daily: days([[15, 0]]) })).toMatchObject({ verdict: 'unknown', value: null });
    expect(checked('sample_ratio', { daily: days([[16, 0]]) })).toMatchObject({ verdict: 'failed' });
  });

  it('is only a warning by the test of one look from the second look on', () => {
    const input = { daily: days([[10_000, 10_700]]) };
    expect(checked('sample_ratio', input, {}, 2)).toMatchObject({ verdict: 'warning' });
    expect(checked('sample_ratio_over_time', input, {}, 2)).toMatchObject({ verdict: 'failed' });
  });

  it('is tested over the days as Lindon and Malek have it, in whatever order they stand', () => {
    const counts = [
      [510, 490],
      [540, 460],
      [560, 470],
      [590, 480],
      [600, 470],
    ];
    const found = checked('sample_ratio_over_time', { daily: days(counts).toReversed() });
    expect(found.value).toBeCloseTo(0.0027749920819169, 10);
    expect(found.verdict).toBe('ok');
    const periods = [...counts, [700, 470]];
    const p = sequentialSampleRatio({ periods, weights: [0.5, 0.5] }).at(-1) ?? 1;
    expect(checked('sample_ratio_over_time', { daily: days(periods) })).toMatchObject({ verdict: 'failed', value: p });
  });

  it('is shown with the units of several variants, too', () => {
    const daily = days([[10_000, 10_000]]).map((row) => ({
      ...row,
      withMultiple: row.units + (row.variantId === 'A' ? 900 : 20),
    }));
    expect(checked('sample_ratio', { daily }).verdict).toBe('ok');
    expect(checked('sample_ratio_with_multiple', { daily }).verdict).toBe('failed');
    expect(checked('sample_ratio_over_time', { daily }).verdict).toBe('ok');
    expect(checked('sample_ratio_over_time_with_multiple', { daily }).verdict).toBe('failed');
  });

  it('holds the units of each allocation against its own weights', () => {
    const allocations = [
      { epoch: 1, weights: [0.5, 0.5] },
      { epoch: 2, weights: [0.2, 0.8] },
    ];
    const daily = [...days([[500, 500]]), ...days([[200, 800]], 0, 2)];
    const found = checked('sample_ratio', { daily }, { allocations });
    expect(found).toMatchObject({ verdict: 'ok', value: 1 });
    const odd = [...days([[500, 460]]), ...days([[250, 800]], 0, 2)];
    const statistics = [
      sampleRatioMismatch({ counts: [500, 460], weights: [0.5, 0.5] }),
      sampleRatioMismatch({ counts: [250, 800], weights: [0.2, 0.8] }),
    ].map(({ value }) => value?.statistic ?? 0);
    const sum = statistics.reduce((all, one) => all + one, 0);
    expect(checked('sample_ratio', { daily: odd }, { allocations }).value).toBe(chiSquare(2).sf(sum));
    expect(checked('sample_ratio', { daily: odd }).value).not.toBe(chiSquare(2).sf(sum));
  });
});

describe('units that are odd', () => {
  it('are a warning until they are 10 and a hundredth, and then have failed', () => {
    const counts = { daily: days([[500, 500]]), units: 1000 };
    const of = (multipleUnits: number, units: number) =>
      checked('multiple_exposure', { ...counts, multipleUnits, units }).verdict;
    expect([of(0, 1000), of(9, 100), of(10, 1001), of(10, 1000)]).toEqual(['ok', 'warning', 'warning', 'failed']);
    expect(checked('multiple_exposure', { ...counts, multipleUnits: 10 }).text).toBe(
      '10 of 1,000 units (1 %) saw several variants and are in no metric.',
    );
    const early = (exposedBeforeAssignment: number) =>
      checked('exposure_before_assignment', { ...counts, exposedBeforeAssignment }).verdict;
    expect([early(0), early(3), early(30)]).toEqual(['ok', 'warning', 'failed']);
  });

  it('cannot be told where nobody came', () => {
    expect(checked('multiple_exposure', {})).toMatchObject({ verdict: 'unknown', value: null });
  });
});

it('names the variants that are below the minimum', () => {
  const found = checked('minimum_units', { daily: days([[150, 149]]) }, { minimumUnits: 150 });
  expect(found).toMatchObject({ verdict: 'failed', value: 149, threshold: 150 });
  expect(found.text).toContain('treatment has 149');
  expect(checked('minimum_units', { daily: days([[150, 150]]) }, { minimumUnits: 150 }).verdict).toBe('ok');
});

describe('the balance of covariates', () => {
  const metrics = [metric('m', { cupedMs: 1 }), metric('n', { role: 'secondary', cupedMs: 1 })];
  const definition = definitionOf({ metrics });
  const units = (shift: number): TestUnit[] =>
    Array.from({ length: 400 }, (_, i) => ({
      ...{ variant: i % 2 === 0 ? 'A' : 'B', day: '2026-05-01', y: { m: i % 3, n: i % 7 } },
      x: { m: (i >> 1) % 10, n: ((i >> 1) % 10) + (i % 2) * shift },
    }));
  const balance = (shift: number, look = 1) =>
    analyse(definition, inputOf(definition, units(shift)), { look }).health.find(
      ({ check }) => check === 'covariate_balance',
    );

  it('has failed where an arm was another before the experiment', () => {
    expect(balance(0)).toMatchObject({ verdict: 'ok', value: 1 });
    const found = balance(2);
    expect(found).toMatchObject({
      verdict: 'failed',
      text: expect.stringMatching(/n of treatment differed .* 2 tests/),
    });
  });

  it('is by a test that is valid at every look from the second on', () => {
    const [first, second] = [balance(1.1), balance(1.1, 2)];
    expect(first?.verdict).toBe('failed');
    expect(second?.value).toBeGreaterThan(first?.value ?? 1);
    expect(balance(3, 2)?.verdict).toBe('failed');
  });

  it('cannot be told without covariates', () => {
    expect(checked('covariate_balance', { daily: days([[500, 500]]) })).toMatchObject({ verdict: 'unknown' });
  });
});
