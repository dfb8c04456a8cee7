import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  cramersV,
  fisherExact,
  goodnessOfFit,
  independenceTest,
  likelihoodRatioFit,
  mcNemarTest,
  type TwoByTwo,
} from '../../src/index.ts';

const count = fc.integer({ min: 0, max: 12 });
const tables: fc.Arbitrary<TwoByTwo> = fc.tuple(fc.tuple(count, count), fc.tuple(count, count));

it("Fisher's tails overlap in the table itself, and its p is the same for rows and columns exchanged", () => {
  fc.assert(
    fc.property(tables, ([[a, b], [c, d]]) => {
      const { p, pGreater, pLess } = fisherExact([
        [a, b],
        [c, d],
      ]);
      expect(pGreater + pLess).toBeGreaterThanOrEqual(1 - 1e-12);
      expect(
        fisherExact([
          [a, c],
          [b, d],
        ]).p,
      ).toBeCloseTo(p, 12);
      expect(
        fisherExact([
          [b, a],
          [d, c],
        ]).pLess,
      ).toBeCloseTo(pGreater, 12);
    }),
  );
});

it("Fisher's one-sided p agrees with scipy", () => {
  const { pGreater, pLess } = fisherExact([
    [8, 2],
    [1, 5],
  ]);
  expect(pGreater).toBeCloseTo(0.024475524475524483, 14);
  expect(pLess).toBeCloseTo(0.9991258741258742, 14);
});

it("Fisher's p of large counts keeps its digits", () => {
  // 2 / C(1000, 500).
  const logP = Math.log(
    fisherExact([
      [500, 0],
      [0, 500],
    ]).p,
  );
  const expected = Math.LN2 - (1000 * Math.LN2 - 0.5 * Math.log(500 * Math.PI) - 1 / 4000 + 1 / (192 * 500 ** 3));
  expect(logP / expected).toBeCloseTo(1, 13);
});

it('a category that nobody has does not count', () => {
  const with0 = goodnessOfFit({ observed: [20, 0, 15, 25], expected: [1, 0, 1, 1] });
  expect(with0).toEqual(goodnessOfFit({ observed: [20, 15, 25] }));
  expect(likelihoodRatioFit({ observed: [4, 0, 6], expected: [5, 0, 5] }).value?.degreesOfFreedom).toBe(1);
  const table = [
    [10, 0, 20],
    [0, 0, 0],
    [30, 0, 5],
  ];
  expect(independenceTest(table)).toEqual(
    independenceTest([
      [10, 20],
      [30, 5],
    ]),
  );
});

it('what counts do not define is null with a reason', () => {
  expect(goodnessOfFit({ observed: [0, 0] }).reason).toBe('Nothing was observed.');
  expect(goodnessOfFit({ observed: [3] }).reason).toBe('There are fewer than two categories.');
  expect(goodnessOfFit({ observed: [3, 1], expected: [1, 0] }).reason).toMatch(/was not expected/);
  expect(independenceTest([[3, 4]]).value).toBeNull();
  expect(
    cramersV([
      [3, 0],
      [4, 0],
    ]).value,
  ).toBeNull();
});

it('a tail near 1e-300 is no 0', () => {
  const { value } = independenceTest([
    [690, 0],
    [0, 690],
  ]);
  expect(value?.statistic).toBe(1380);
  expect(Math.log(value?.p ?? 0)).toBeCloseTo(-690 - 0.5 * Math.log((Math.PI * 1380) / 2) - 1 / 1380, 4);
});

it('refuses ragged tables and negative counts', () => {
  expect(() => independenceTest([[1, 2], [3]])).toThrow('same length');
  expect(() => goodnessOfFit({ observed: [-1, 2] })).toThrow('at least 0');
});

it("Fisher's test is certain of the other side where the table is less likely than any number", () => {
  expect(
    fisherExact([
      [0, 2000],
      [2000, 0],
    ]),
  ).toEqual({ p: 0, pGreater: 1, pLess: 0 });
  expect(
    fisherExact([
      [2000, 0],
      [0, 2000],
    ]),
  ).toEqual({ p: 0, pGreater: 0, pLess: 1 });
});

it('counts are below 2^53, from where one more is no other number', () => {
  const table = [
    [2 ** 53, 3],
    [1, 1],
  ] as const;
  expect(() => fisherExact(table)).toThrow('below 2^53');
  expect(() => mcNemarTest({ onlyFirstRight: 1e300, onlySecondRight: 1 })).toThrow('below 2^53');
});
