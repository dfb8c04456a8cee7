import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aucDifferenceBootstrap,
  aucInterval,
  deLongTest,
  mcNemarTest,
  rocAuc,
  thresholdCurve,
} from '../../src/index.ts';

const rows = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })), {
    minLength: 4,
    maxLength: 30,
  })
  .map((list) => ({
    labels: list.map(([label]) => label),
    first: list.map(([, score]) => score),
    second: list.map(([, , score]) => score),
  }));

describe('deLongTest', () => {
  it('has the areas of the curves, and of exchanged models the opposite difference', () => {
    fc.assert(
      fc.property(rows, ({ labels, first, second }) => {
        const test = deLongTest({ labels, first, second }).value;
        if (test === null) return;
        expect(test.aucFirst).toBeCloseTo(rocAuc(thresholdCurve({ labels, scores: first })).value ?? 9, 12);
        const turned = deLongTest({ labels, first: second, second: first }).value;
        expect(turned?.difference).toBe(-test.difference + 0);
        expect(turned?.varianceOfDifference).toBeCloseTo(test.varianceOfDifference, 14);
      }),
    );
  });

  it('finds nothing between a model and itself on another scale', () => {
    fc.assert(
      fc.property(rows, ({ labels, first }) => {
        const test = deLongTest({ labels, first, second: first.map((score) => Math.exp(score)) }).value;
        if (test !== null)
          expect([test.difference, test.varianceOfDifference, test.z.value, test.p.value]).toEqual([0, 0, 0, 1]);
      }),
    );
  });

  it('is undefined below two rows of a class, and in z where areas differ without variance', () => {
    expect(deLongTest({ labels: [1, 0, 0], first: [1, 0, 0], second: [1, 0, 0] }).reason).toBe(
      'Each class needs two rows.',
    );
    const certain = deLongTest({ labels: [1, 1, 0, 0], first: [2, 2, 1, 1], second: [1, 1, 2, 2] }).value;
    expect(certain?.difference).toBe(1);
    expect(certain?.z.value).toBeNull();
  });

  it('an interval of an area stays in [0, 1]', () => {
    const { value } = aucInterval([0, 0, 1, 1, 1, 0], [0.1, 0.4, 0.35, 0.8, 0.9, 0.2]);
    expect(value?.auc).toBeCloseTo(8 / 9, 14);
    expect(value?.interval[1]).toBe(1);
  });
});

describe('mcNemarTest', () => {
  it('is symmetric, and mid-p is less strict than the exact one', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (a, b) => {
        const test = mcNemarTest({ onlyFirstRight: a, onlySecondRight: b });
        expect(mcNemarTest({ onlyFirstRight: b, onlySecondRight: a })).toEqual(test);
        expect(test.midP).toBeLessThanOrEqual(test.exact.p);
      }),
    );
  });

  it('has p = 1 where the classifiers are right on the same rows, and digits near 1e-300', () => {
    expect(mcNemarTest({ onlyFirstRight: 0, onlySecondRight: 0 })).toMatchObject({
      exact: { p: 1 },
      midP: 1,
      chiSquare: { value: null },
    });
    expect(mcNemarTest({ onlyFirstRight: 1000, onlySecondRight: 0 }).exact.p / 2 ** -999).toBeCloseTo(1, 12);
  });
});

describe('aucDifferenceBootstrap', () => {
  it('is the same for a seed, and skips draws of one class', () => {
    const input = { labels: [1, 0, 0, 0], first: [0.9, 0.1, 0.95, 0.3], second: [0.2, 0.1, 0.4, 0.3] };
    const one = aucDifferenceBootstrap({ ...input, seed: 1, resamples: 200 }).value;
    expect(aucDifferenceBootstrap({ ...input, seed: 1, resamples: 200 }).value).toEqual(one);
    expect(aucDifferenceBootstrap({ ...input, seed: 2, resamples: 200 }).value?.skipped).not.toBe(one?.skipped);
    // (3/4)^4 of the draws have no positive row.
    expect(one?.skipped).toBeGreaterThan(30);
    expect(one?.skipped).toBeLessThan(100);
  });

  it('is undefined where no draw has both classes', () => {
    const input = { labels: [1, 1], first: [1, 2], second: [2, 1], seed: 1 };
    expect(aucDifferenceBootstrap(input).reason).toBe('No resample defines the statistic.');
    expect(aucDifferenceBootstrap({ labels: [], first: [], second: [], seed: 1 }).reason).toBe('There are no rows.');
  });
});
