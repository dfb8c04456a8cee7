import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  kolmogorovSmirnovTest,
  mannWhitneyTest,
  mannWhitneyTestOfCounts,
  proportionDifferenceInterval,
  twoProportionTest,
  wilsonInterval,
} from '../../src/index.ts';

const samples = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 });

describe('kolmogorovSmirnovTest', () => {
  /** All ways to split the m + n places among both samples, without ties. */
  function shareByEnumeration(m: number, n: number, d: number): number {
    let [paths, reached] = [0, 0];
    const walk = (i: number, j: number, far: boolean): void => {
      const here = far || Math.abs(i / m - j / n) >= d - 1e-12;
      if (i === m && j === n) {
        paths++;
        if (here) reached++;
        return;
      }
      if (i < m) walk(i + 1, j, here);
      if (j < n) walk(i, j + 1, here);
    };
    walk(0, 0, false);
    return reached / paths;
  }

  it('counts all lattice paths', () => {
    fc.assert(
      fc.property(samples, samples, (x, y) => {
        const { value } = kolmogorovSmirnovTest(x, y, { method: 'exact' });
        expect(value?.p).toBeCloseTo(shareByEnumeration(x.length, y.length, value?.d ?? 0), 12);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps its digits in a tail of 1e-300', () => {
    const x = Array.from({ length: 505 }, (_, i) => i);
    const { value } = kolmogorovSmirnovTest(
      x,
      x.map((each) => each + 1000),
      { method: 'exact' },
    );
    // Two of the C(1010, 505) paths, by Stirling's series.
    const logP = Math.log(2) - (1010 * Math.LN2 - 0.5 * Math.log(505 * Math.PI) - 1 / (8 * 505) + 1 / (192 * 505 ** 3));
    expect(value?.d).toBe(1);
    expect(Math.log(value?.p ?? 1) / logP).toBeCloseTo(1, 14);
  });

  it('has p = 1 for samples that are alike, and no p for an empty one', () => {
    expect(kolmogorovSmirnovTest([2, 2, 2], [2, 2]).value).toEqual({ d: 0, p: 1, method: 'exact' });
    expect(kolmogorovSmirnovTest([], [1])).toEqual({ value: null, reason: 'A sample is empty.' });
  });

  it('takes the limit beyond 10,000 values', () => {
    const x = Float64Array.from({ length: 10_001 }, (_, i) => i);
    expect(
      kolmogorovSmirnovTest(
        x,
        x.map((each) => each + 100),
      ).value?.method,
    ).toBe('limit');
  });
});

describe('mannWhitneyTest', () => {
  it('is the same from values as from counts, and U counts pairs', () => {
    fc.assert(
      fc.property(samples, samples, (x, y) => {
        const count = (of: readonly number[]) =>
          Array.from({ length: 10 }, (_, value) => of.filter((v) => v === value).length);
        const values = Array.from({ length: 10 }, (_, value) => value);
        const test = mannWhitneyTest(x, y);
        expect(mannWhitneyTestOfCounts({ values, xCounts: count(x), yCounts: count(y) })).toEqual(test);
        if (test.value === null) return;
        const pairs = x.flatMap((a) => y.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
        expect(test.value.u1).toBe(pairs.reduce<number>((all, pair) => all + pair, 0));
        expect(mannWhitneyTest(y, x).value?.p).toBeCloseTo(test.value.p, 14);
      }),
    );
  });

  it('agrees with scipy, and finds the middle certain', () => {
    const test = mannWhitneyTest([1, 4, 2, 6, 7, 7, 8], [3, 3, 9, 10, 12, 7]);
    expect(test.value).toMatchObject({ u1: 12, p: expect.closeTo(0.22143830283773847, 14) as number });
    expect(mannWhitneyTest([1, 3], [1, 3]).value?.p).toBe(1);
  });

  it('keeps its digits where products are beyond 2^53 and nearly all values are equal', () => {
    // One of 2e9 values differs, and six of them, one for and five against; by mpmath, 60 digits.
    const one = mannWhitneyTestOfCounts({ values: [0, 1], xCounts: [1e9, 0], yCounts: [1e9 - 1, 1] });
    expect(one.value?.z).toBeCloseTo(0.999999999, 15);
    expect(one.value?.p).toBeCloseTo(0.3173105083468555, 14);
    const six = mannWhitneyTestOfCounts({ values: [0, 1], xCounts: [1e9, 5], yCounts: [1e9 - 1, 1] });
    expect(six.value?.z).toBeCloseTo(1.6329931573647209, 14);
  });

  it('is undefined where all values are equal', () => {
    expect(mannWhitneyTest([3, 3], [3])).toEqual({ value: null, reason: 'All values are equal.' });
    expect(mannWhitneyTest([], [3]).reason).toBe('A sample is empty.');
  });
});

describe('proportions', () => {
  it('a test of large counts keeps its digits', () => {
    // 2^53 apart in their products, and one success apart in 2e9.
    const { value } = twoProportionTest({ successes: 1e9 + 1, n: 2e9 }, { successes: 1e9, n: 2e9 });
    expect(value?.z).toBeCloseTo(1 / Math.sqrt(1e9), 15);
  });

  it('is undefined where all trials had one result', () => {
    expect(twoProportionTest({ successes: 0, n: 5 }, { successes: 0, n: 9 }).value).toBeNull();
    expect(twoProportionTest({ successes: 5, n: 5 }, { successes: 9, n: 9 }).reason).toBe(
      'All trials had the same result.',
    );
    expect(() => twoProportionTest({ successes: 6, n: 5 }, { successes: 0, n: 9 })).toThrow('must not exceed n');
  });

  it('Wilson intervals agree with statsmodels and stay in [0, 1]', () => {
    expect(wilsonInterval({ successes: 8, n: 10 }).value?.[0]).toBeCloseTo(0.49016247153664183, 14);
    expect(wilsonInterval({ successes: 8, n: 10 }).value?.[1]).toBeCloseTo(0.9433178485456247, 14);
    expect(wilsonInterval({ successes: 0, n: 20 }).value).toEqual([0, expect.closeTo(0.1611251580528194, 14)]);
    expect(wilsonInterval({ successes: 20, n: 20 }).value?.[1]).toBe(1);
    expect(wilsonInterval({ successes: 0, n: 0 }).value).toBeNull();
  });

  it('Wilson intervals keep their digits where the error rate is 1e-12', () => {
    const [lower = 0] = wilsonInterval({ successes: 1, n: 1e6 }, 1e-12).value ?? [];
    expect(lower / 1.8930360217652025e-8).toBeCloseTo(1, 13);
  });

  it("Newcombe's interval agrees with statsmodels", () => {
    const [lower = 0, upper = 0] =
      proportionDifferenceInterval({ successes: 56, n: 70 }, { successes: 48, n: 80 }).value ?? [];
    expect(lower).toBeCloseTo(0.05243147240236498, 12);
    expect(upper).toBeCloseTo(0.33387265403690614, 12);
    expect(proportionDifferenceInterval({ successes: 0, n: 0 }, { successes: 1, n: 2 }).value).toBeNull();
  });
});
