import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  alignCounts,
  deviationThreshold,
  energyDistance,
  hellinger,
  jensenShannon,
  kullbackLeibler,
  largestShift,
  normedWasserstein,
  populationStability,
  totalVariation,
  wasserstein,
} from '../../src/index.ts';

const counts = fc
  .array(fc.integer({ min: 0, max: 50 }), { minLength: 4, maxLength: 4 })
  .filter((row) => row.some((n) => n > 0));
const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 12 });

it('distances of shares are 0 for the same shares, symmetric, and within their bounds', () => {
  fc.assert(
    fc.property(counts, counts, (reference, current) => {
      const distances = [
        hellinger,
        totalVariation,
        largestShift,
        (pair: Parameters<typeof hellinger>[0]) => ({ value: jensenShannon(pair).value?.distanceBase2 ?? null }),
      ];
      for (const distance of distances) {
        const value = distance({ reference, current }).value ?? Number.NaN;
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(distance({ reference: current, current: reference }).value).toBeCloseTo(value, 12);
        expect(distance({ reference, current: reference.map((n) => n * 3) }).value).toBeCloseTo(0, 7);
      }
    }),
  );
});

it('the stability index is the sum of both divergences', () => {
  fc.assert(
    fc.property(counts, counts, (reference, current) => {
      const pair = { reference, current };
      const both = [kullbackLeibler(pair), kullbackLeibler({ reference: current, current: reference })];
      const index = populationStability(pair);
      if (index.value === null) expect(both.some(({ value }) => value === null)).toBe(true);
      else expect(index.value).toBeCloseTo((both[0]?.value ?? 0) + (both[1]?.value ?? 0), 10);
    }),
  );
});

it('an empty bin of one side makes the index infinite, unless it is filled; one of both sides does not count', () => {
  const pair = { reference: [5, 5, 0], current: [5, 4, 1] };
  expect(populationStability(pair).reason).toMatch(/empty on one side only/);
  expect(populationStability(pair, 'evidently').value).toBeGreaterThan(0);
  // A side whose smallest share is 1e-4 is filled with a millionth of it.
  const [r, c] = [
    [0.9999, 1e-4, 1e-10],
    [0.5, 0.25, 0.25],
  ] as const;
  const index = r.reduce<number>((all, share, i) => all + (share - (c[i] ?? 0)) * Math.log(share / (c[i] ?? 0)), 0);
  expect(populationStability({ reference: [9999, 1, 0], current: [2, 1, 1] }, 'evidently').value).toBeCloseTo(
    index,
    12,
  );
  const both = { reference: [5, 0, 5], current: [4, 0, 6] };
  expect(populationStability(both, 'evidently')).toEqual(populationStability({ reference: [5, 5], current: [4, 6] }));
});

it('Wasserstein moves with a shift, and both distances are 0 for the same sample', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: -20, max: 20 }), (u, shift) => {
      const v = u.map((value) => value + shift);
      expect(wasserstein({ values: u }, { values: v }).value).toBeCloseTo(Math.abs(shift), 9);
      expect(energyDistance({ values: u }, { values: u }).value).toBeCloseTo(0, 9);
    }),
  );
});

it('a weight of 2 is the same as the value twice', () => {
  const twice = wasserstein({ values: [1, 1, 4] }, { values: [2, 3] });
  expect(wasserstein({ values: [1, 4], weights: [2, 1] }, { values: [2, 3] }).value).toBeCloseTo(twice.value ?? 0, 15);
});

it('a reference without spread is normed by 0.001', () => {
  expect(normedWasserstein([5, 5], [5, 6]).value?.normed).toBeCloseTo(500, 9);
});

it('limits of equal chunks are their value, of none undefined', () => {
  expect(deviationThreshold([0.9, 0.9]).value).toEqual({ lower: 0.9, upper: 0.9 });
  expect(deviationThreshold([]).value).toBeNull();
});

it('aligns categories by name, also those named as a method', () => {
  expect(alignCounts({ a: 1, toString: 2 }, { b: 3 })).toEqual({
    categories: ['a', 'toString', 'b'],
    reference: [1, 2, 0],
    current: [0, 0, 3],
  });
});

it('what is empty has no distance', () => {
  expect(hellinger({ reference: [0, 0], current: [1, 2] }).reason).toBe('The reference is empty.');
  expect(totalVariation({ reference: [1], current: [0] }).reason).toBe('The current sample is empty.');
  expect(wasserstein({ values: [] }, { values: [1] }).value).toBeNull();
  expect(() => wasserstein({ values: [1], weights: [0] }, { values: [1] })).toThrow('must not sum to 0');
});
