import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bayesianEffect,
  benjaminiHochberg,
  bonferroni,
  coMomentsOf,
  cupedTest,
  effectOf,
  expectedLosses,
  holm,
  powerOfTwoMeans,
  powerOfTwoProportions,
  quantileEffect,
  relativeDifference,
  sampleOfMoments,
  sampleOfRatio,
  sampleOfSuccesses,
  sampleOfSums,
  sampleOfValues,
  sampleRatioMismatch,
  sampleSizeOfTwoMeans,
  sampleSizeOfTwoProportions,
  sequentialSampleRatio,
  welchTest,
} from '../../src/index.ts';

const arm = fc
  .array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 30 })
  .filter((values) => new Set(values).size > 1)
  .map((values) => sampleOfValues(values));

describe('welchTest', () => {
  it('of exchanged arms is its mirror image', () => {
    fc.assert(
      fc.property(arm, arm, (control, treatment) => {
        const [one, other] = [
          welchTest({ control, treatment }).value,
          welchTest({ control: treatment, treatment: control }).value,
        ];
        expect(other?.t).toBeCloseTo(-(one?.t ?? 9), 12);
        expect(other?.p).toBeCloseTo(one?.p ?? 9, 13);
        expect(other?.pLess).toBeCloseTo(one?.pGreater ?? 0, 14);
      }),
    );
  });

  it('has an interval that leaves 0 out just where p is below alpha', () => {
    fc.assert(
      fc.property(arm, arm, (control, treatment) => {
        const { p = 1, interval = [0, 0] } = welchTest({ control, treatment }).value ?? {};
        if (Math.abs(p - 0.05) > 1e-9) expect(p < 0.05).toBe(interval[0] > 0 || interval[1] < 0);
      }),
    );
  });

  it('is as good with an offset of 1e9', () => {
    // Means that are numbers also with the offset.
    const values = [
      [3, 5, 9, 3],
      [7, 4, 9, 8],
    ] as const;
    const test = (offset: number) =>
      welchTest({
        control: sampleOfValues(values[0].map((value) => value + offset)),
        treatment: sampleOfValues(values[1].map((value) => value + offset)),
      }).value;
    expect(test(1e9)?.p).toBeCloseTo(test(0)?.p ?? 0, 13);
  });

  it('has a p near 1e-300 that is no 0', () => {
    const control = { n: 1e6, mean: 0, variance: 1 };
    const p = welchTest({ control, treatment: { ...control, mean: 0.0522 } }).value?.p ?? 0;
    expect(Math.log10(p)).toBeCloseTo(-297.5, 0);
  });

  it('is undefined without variance, units or a mean to divide by', () => {
    const flat = { n: 5, mean: 2, variance: 0 };
    expect(welchTest({ control: flat, treatment: flat }).reason).toBe('Neither arm has variance.');
    expect(effectOf({ control: { ...flat, n: 1 }, treatment: flat }, 'absolute').reason).toBe(
      'Each arm needs two units.',
    );
    const zero = { n: 5, mean: 0, variance: 1 };
    expect(welchTest({ control: zero, treatment: zero, difference: 'relative' }).reason).toBe(
      'The mean of the control is 0.',
    );
    expect(relativeDifference(0, 1).value).toBeNull();
    expect(relativeDifference(-10, -5).value).toBe(0.5);
  });
});

describe('cupedTest', () => {
  it('without a relation to what was before is the plain test', () => {
    const control = coMomentsOf([1, 1, 1, 1], [3, 5, 2, 6]);
    const treatment = coMomentsOf([1, 1, 1], [4, 8, 5]);
    const plain = {
      control: sampleOfMoments({ n: 4, mean: control.meanY, m2: control.m2Y }),
      treatment: sampleOfMoments({ n: 3, mean: treatment.meanY, m2: treatment.m2Y }),
    };
    const test = cupedTest({ control, treatment, difference: 'relative' }).value;
    expect(test).toMatchObject({ theta: 0, p: welchTest({ ...plain, difference: 'relative' }).value?.p });
  });

  it('takes out what was known before', () => {
    const before = [1, 5, 2, 8, 4, 7, 3, 6];
    const control = coMomentsOf(
      before,
      before.map((x, i) => 10 * x + (i % 3)),
    );
    const treatment = coMomentsOf(
      before,
      before.map((x, i) => 10 * x + (i % 3) + 2 - (i % 2)),
    );
    const adjusted = cupedTest({ control, treatment }).value;
    expect(adjusted?.theta).toBeCloseTo(10, 0);
    expect(adjusted?.standardError).toBeLessThan(1);
  });
});

describe('bayesianEffect', () => {
  it('risks differ by the mean, and a flat prior keeps the estimate', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        (mean, deviation) => {
          const [control, treatment] = expectedLosses(mean, deviation);
          expect(control - treatment).toBeCloseTo(mean, 12);
          expect(Math.min(control, treatment)).toBeGreaterThanOrEqual(0);
          expect(bayesianEffect({ estimate: mean, standardError: deviation }).mean).toBe(mean);
        },
      ),
    );
  });

  it('a certain effect has no risk on its side', () => expect(expectedLosses(1, 0.001)).toEqual([1, 0]));
});

describe('quantileEffect', () => {
  it('is undefined for samples too small for the quantile', () => {
    const summary = { n: 30, quantile: 1, lower: 0.9, upper: 1.1 };
    const effect = quantileEffect({ level: 0.9, control: summary, treatment: summary });
    expect(effect.reason).toBe('A sample is too small for a quantile of this level.');
  });
});

describe('sample ratio', () => {
  it('drops arms of weight 0 from the total and the degrees of freedom', () => {
    const two = sampleRatioMismatch({ counts: [1000, 1200], weights: [0.5, 0.5] });
    expect(sampleRatioMismatch({ counts: [1000, 77, 1200], weights: [2, 0, 2] })).toEqual(two);
    expect(sampleRatioMismatch({ counts: [5], weights: [1] }).value).toBeNull();
    expect(() => sampleRatioMismatch({ counts: [5, 5], weights: [0, 0] })).toThrow('above 0');
  });

  it('in sequence only ever falls, starts at 1, and takes counts of 1e9', () => {
    const p = sequentialSampleRatio({
      periods: [
        [0, 0],
        [500, 500],
        [1e9, 1e9 + 1],
        [2e6, 0],
      ],
      weights: [1, 1],
    });
    expect(p[0]).toBeCloseTo(1, 12);
    expect(p.every((value, i) => i === 0 || value <= (p[i - 1] ?? 0))).toBe(true);
    expect(p[2]).toBe(p[1]);
    expect(p[3]).toBeLessThan(1e-100);
  });
});

describe('corrections', () => {
  const family = fc.array(
    fc.integer({ min: 0, max: 1000 }).map((p) => p / 1000),
    { maxLength: 12 },
  );

  it('never lower a p, keep its order, and lie between p and Bonferroni', () => {
    fc.assert(
      fc.property(family, (p) => {
        const most = bonferroni(p);
        for (const adjusted of [benjaminiHochberg(p), holm(p)]) {
          const of = (i: number) => adjusted[i] ?? Number.NaN;
          expect(p.every((value, i) => of(i) >= value && of(i) <= (most[i] ?? 0) + 1e-15)).toBe(true);
          expect(p.every((value, i) => p.every((other, j) => value >= other || of(i) <= of(j)))).toBe(true);
        }
      }),
    );
  });

  it('refuse what is no probability', () => expect(() => holm([0.1, Number.NaN])).toThrow('from 0 to 1'));
});

describe('an arm that nobody is in yet', () => {
  it('makes no effect, whatever its metric is', () => {
    const treatment = sampleOfSuccesses({ n: 10, successes: 4 });
    const sums = {
      numeratorSum: 0,
      numeratorSumSquares: 0,
      denominatorSum: 0,
      denominatorSumSquares: 0,
      sumProducts: 0,
    };
    for (const control of [
      sampleOfSuccesses({ n: 0, successes: 0 }),
      sampleOfSums({ n: 0, sum: 0, sumSquares: 0 }),
      sampleOfValues([]),
    ]) {
      expect(welchTest({ control, treatment }).reason).toBe('Each arm needs two units.');
    }
    expect(sampleOfRatio({ n: 0, ...sums }).reason).toBe('The denominators sum to 0.');
    expect(sampleOfRatio({ n: 5, ...sums, numeratorSum: 3 }).value).toBeNull();
  });
});

describe('power', () => {
  it('of the sample size for a power is that power', () => {
    const n = sampleSizeOfTwoProportions({ p1: 0.1, p2: 0.12, power: 0.8 });
    expect(powerOfTwoProportions({ n, p1: 0.1, p2: 0.12 })).toBeCloseTo(0.8, 12);
    const units = sampleSizeOfTwoMeans({ difference: 0.5, standardDeviation: 2, power: 0.9 });
    expect(powerOfTwoMeans({ n: units, difference: 0.5, standardDeviation: 2 })).toBeCloseTo(0.9, 12);
    expect(() => sampleSizeOfTwoProportions({ p1: 0.1, p2: 0.1, power: 0.8 })).toThrow('must differ');
  });

  it('of a proportion of successes is that of its values', () => {
    expect(sampleOfSuccesses({ n: 4, successes: 1 })).toEqual({ n: 4, mean: 0.25, variance: 0.1875 });
  });
});
