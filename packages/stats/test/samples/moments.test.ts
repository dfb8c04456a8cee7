import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  coMomentsOf,
  coMomentsOfSums,
  excessKurtosis,
  mergeCoMoments,
  mergeHigherMoments,
  mergeMoments,
  momentsOf,
  sampleOfSums,
  sampleVariance,
  skewness,
} from '../../src/index.ts';

const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { maxLength: 30 });

/** As close as sums of squares of values up to 1000 can be. */
function expectAlike(got: object, expected: object, scale: number): void {
  for (const [name, value] of Object.entries(expected) as [string, number][]) {
    const power = name === 'm4' ? 4 : name === 'm3' ? 3 : name === 'n' ? 0 : name.startsWith('mean') ? 1 : 2;
    const found = (got as Record<string, number>)[name] ?? Number.NaN;
    expect(Math.abs(found - value), name).toBeLessThanOrEqual(1e-12 * (1 + scale) ** power * 100);
  }
}

it('an offset of 1e9 costs the variance no digits', () => {
  const small = [4, 7, 13, 16];
  const offset = small.map((value) => value + 1e9);
  expect(momentsOf(offset)).toMatchObject({ n: 4, mean: 1e9 + 10, m2: 90 });
  expect(coMomentsOf(offset, offset)).toMatchObject({ m2X: 90, m2Y: 90, cXY: 90 });
  expect(mergeMoments(offset.map((value) => momentsOf([value])))).toMatchObject({ mean: 1e9 + 10, m2: 90 });
});

it('products of sums beyond 2^53 are taken exactly', () => {
  // n Σ x² - (Σ x)² is 4e8 of two products of 1e17.
  const n = 1e8;
  const sum = 1e8 + 1;
  expect(sampleOfSums({ n, sum, sumSquares: sum + 3 }).variance * (n - 1)).toBeCloseTo(sum + 3 - (sum / n) * sum, 6);
  expect(
    coMomentsOfSums({ n: 3, sumX: 3e8 + 3, sumY: 3e8 + 3, sumSquaresX: 0, sumSquaresY: 0, sumProducts: 3e16 + 6e8 + 8 })
      .cXY,
  ).toBe(5);
});

it('merging is associative, and the same as the whole sample', () => {
  fc.assert(
    fc.property(values, values, values, (a, b, c) => {
      const parts = [a, b, c].map((part) => momentsOf(part));
      const [first, second, third] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
      const whole = momentsOf([...a, ...b, ...c]);
      const scale = Math.max(...[0, ...a, ...b, ...c].map(Math.abs));
      expectAlike(mergeHigherMoments(parts), whole, scale);
      expectAlike(mergeHigherMoments([first, mergeHigherMoments([second, third])]), whole, scale);
      expectAlike(mergeMoments([mergeMoments([first, second]), third]), { n: whole.n, m2: whole.m2 }, scale);
    }),
  );
});

it('merging pairs is the same as all pairs', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })));
  fc.assert(
    fc.property(pairs, pairs, (a, b) => {
      const of = (rows: typeof a) =>
        coMomentsOf(
          rows.map(([x]) => x),
          rows.map(([, y]) => y),
        );
      expectAlike(mergeCoMoments([of(a), of(b)]), of([...a, ...b]), 100);
    }),
  );
});

it('what the values do not define is null with a reason', () => {
  expect(momentsOf([])).toEqual({ n: 0, mean: 0, m2: 0, m3: 0, m4: 0 });
  expect(sampleVariance(momentsOf([5])).reason).toBe('A variance needs two values.');
  const equal = momentsOf([0.1, 0.1, 0.1]);
  expect(sampleVariance(equal).value).toBe(0);
  expect(skewness(equal)).toEqual({ value: null, reason: 'All values are equal, or there are none.' });
  expect(excessKurtosis(equal).value).toBeNull();
});

it('refuses values that are not finite', () => {
  expect(() => momentsOf([1, Number.NaN])).toThrow('Drop or impute such rows first');
  expect(() => coMomentsOf([1], [1, 2])).toThrow('same length');
  expect(() => momentsOf([1, 1e300])).toThrow('in a larger unit');
  expect(() => coMomentsOf([1, 1e300], [1, 2])).toThrow('in a larger unit');
});
