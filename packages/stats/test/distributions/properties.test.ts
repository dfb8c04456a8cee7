import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beta,
  binomial,
  chiSquare,
  type Distribution,
  fisherF,
  isStatsError,
  kolmogorov,
  normal,
  studentT,
} from '../../src/index.ts';

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const shape = between(-1, 5).map((power) => 10 ** power);

const continuous: Readonly<Record<string, fc.Arbitrary<Distribution>>> = {
  beta: fc.tuple(shape, shape).map(([a, b]) => beta(a, b)),
  chiSquare: shape.map(chiSquare),
  fisherF: fc.tuple(shape, shape).map(([a, b]) => fisherF(a, b)),
  kolmogorov: fc.constant(kolmogorov()),
  normal: fc.tuple(between(-5, 5), shape).map(([mean, deviation]) => normal(mean, deviation)),
  studentT: shape.map(studentT),
};
const binomials = fc.tuple(fc.integer({ min: 0, max: 3000 }), between(0, 1)).map(([n, p]) => binomial(n, p));

describe.each(Object.entries({ ...continuous, binomial: binomials }))('%s', (_, distributions) => {
  it('has tails that make one, and that are monotone', () => {
    fc.assert(
      fc.property(distributions, between(0.001, 0.999), between(0.001, 0.999), ({ cdf, sf, inverseCdf }, p, q) => {
        const [x, y] = [inverseCdf(Math.min(p, q)), inverseCdf(Math.max(p, q))];
        expect(cdf(x) + sf(x)).toBeCloseTo(1, 12);
        expect(x - y).toBeLessThanOrEqual(1e-14 * Math.abs(x));
        if (x < y) expect(cdf(x)).toBeLessThanOrEqual(cdf(y) + 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('ends at 0 and 1', () => {
    fc.assert(
      fc.property(distributions, ({ density, cdf, sf, inverseCdf, inverseSf }) => {
        expect([density(-Infinity), density(Infinity)]).toEqual([0, 0]);
        expect([cdf(-Infinity), sf(-Infinity), cdf(Infinity), sf(Infinity)]).toEqual([0, 1, 1, 0]);
        expect(inverseCdf(0)).toBeLessThanOrEqual(inverseSf(1) + 0);
        expect(inverseCdf(1)).toBeGreaterThanOrEqual(inverseCdf(0.5));
      }),
      { numRuns: 20 },
    );
  });

  it('refuses NaN, and probabilities outside [0, 1]', () => {
    const [one] = fc.sample(distributions, 1);
    for (const of of [one?.density, one?.cdf, one?.sf]) expect(() => of?.(Number.NaN)).toThrow('has no value at NaN');
    fc.assert(
      fc.property(distributions, fc.constantFrom(-0.1, 1.1, Number.NaN), ({ inverseCdf, inverseSf }, p) => {
        for (const inverse of [inverseCdf, inverseSf]) {
          expect(() => inverse(p)).toThrowError(expect.toSatisfy(isStatsError));
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe.each(Object.entries(continuous))('%s', (_, distributions) => {
  it('is inverted by its inverses, from tails of 1e-290 to the middle', () => {
    fc.assert(
      fc.property(distributions, between(-290, -0.31), ({ cdf, sf, inverseCdf, inverseSf }, power) => {
        const p = 10 ** power;
        const [x, y] = [inverseCdf(p), inverseSf(p)];
        // Where x is hardly a number any more, or so near to 1 that its last digit moves p, p does not come back.
        const speaks = (z: number) => Math.abs(z) > 1e-290 && Math.abs(z) < 1e290 && Math.abs(z - 1) > 0.01;
        if (speaks(x)) expect(Math.abs(cdf(x) / p - 1)).toBeLessThan(1e-9);
        if (speaks(y)) expect(Math.abs(sf(y) / p - 1)).toBeLessThan(1e-9);
      }),
      { numRuns: 100 },
    );
  });
});

it('normal and studentT are symmetric', () => {
  fc.assert(
    fc.property(shape, between(-30, 30), (df, x) => {
      for (const { cdf, sf } of [normal(), studentT(df)]) expect(cdf(-x)).toBe(sf(x));
    }),
  );
});

it('beta, fisherF and binomial are symmetric in their sides', () => {
  fc.assert(
    fc.property(shape, shape, between(0.01, 0.99), (a, b, x) => {
      const near = (got: number, expected: number) => expect(Math.abs(got - expected)).toBeLessThan(1e-9);
      near(beta(a, b).cdf(x), beta(b, a).sf(1 - x));
      near(fisherF(a, b).cdf(x), fisherF(b, a).sf(1 / x));
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 500 }), (n, k) => {
      expect(binomial(n, 0.25).cdf(k)).toBeCloseTo(binomial(n, 0.75).sf(n - k - 1), 13);
    }),
  );
});

it('a binomial probability is a step of the cdf', () => {
  fc.assert(
    fc.property(binomials, fc.integer({ min: 0, max: 3000 }), ({ density, cdf }, k) => {
      expect(cdf(k) - cdf(k - 1)).toBeCloseTo(density(k), 13);
    }),
  );
});

it('a density is the slope of the cdf', () => {
  for (const { density, cdf } of [beta(2.5, 4), chiSquare(7), fisherF(5, 9), kolmogorov(), normal(), studentT(4)]) {
    for (const x of [0.2, 0.5, 0.7, 0.9]) {
      const slope = (cdf(x + 1e-5) - cdf(x - 1e-5)) / 2e-5;
      expect(density(x)).toBeCloseTo(slope, 7);
    }
  }
});

it('Student with 1 degree of freedom is Cauchy, F with 1 is t squared, chi-square with 2 is exponential', () => {
  for (const x of [0.1, 1, 5, 1e6, 1e200]) {
    expect(studentT(1).sf(x) / (Math.atan(1 / x) / Math.PI)).toBeCloseTo(1, 13);
  }
  expect(fisherF(1, 7).sf(9) / (2 * studentT(7).sf(3))).toBeCloseTo(1, 14);
  expect(chiSquare(2).sf(1380) / Math.exp(-690)).toBeCloseTo(1, 12);
});

it('a tail next to one is not taken as the rest of one: parameters of 1e-9', () => {
  for (const x of [1e-5, 0.2, 0.6, 0.999]) {
    const [a, b] = [1e-9, 1e-9];
    expect(beta(a, 1).sf(x) / -Math.expm1(a * Math.log(x))).toBeCloseTo(1, 12);
    expect(beta(1, b).cdf(x) / -Math.expm1(b * Math.log1p(-x))).toBeCloseTo(1, 12);
  }
  // Q(a, x) is a E1(x) for a small a.
  expect(chiSquare(2e-9).sf(1) / (1e-9 * 0.5597735947761608)).toBeCloseTo(1, 8);
  expect(chiSquare(2e-9).sf(2e-6) / (1e-9 * 13.238295893062491)).toBeCloseTo(1, 7);
});

it('an inverse near 1 is that of the upper tail', () => {
  for (const { inverseCdf, inverseSf } of [
    beta(2, 3),
    chiSquare(4),
    fisherF(3, 5),
    kolmogorov(),
    normal(),
    studentT(3),
  ]) {
    for (const q of [2 ** -50, 0.25]) expect(inverseCdf(1 - q) / inverseSf(q)).toBeCloseTo(1, 14);
  }
});
