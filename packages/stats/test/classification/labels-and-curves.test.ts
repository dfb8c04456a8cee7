import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  bestThresholds,
  confusionMatrix,
  countReport,
  isStatsError,
  labelReport,
  rocAuc,
  thinCurve,
  thresholdCurve,
  thresholdRow,
} from '../../src/index.ts';

/** Scores with many ties. */
const rows = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 3 })), {
    maxLength: 40,
  })
  .map((list) => ({
    labels: list.map(([label]) => label),
    scores: list.map(([, score]) => score / 6),
    weights: list.map(([, , weight]) => weight),
  }));

describe('thresholdCurve', () => {
  it('counts the rows at or above each distinct score', () => {
    fc.assert(
      fc.property(rows, ({ labels, scores }) => {
        const curve = thresholdCurve({ labels, scores });
        expect([...curve.thresholds]).toEqual([...new Set(scores)].sort((a, b) => b - a));
        curve.thresholds.forEach((threshold, i) => {
          const found = (label: number) =>
            scores.filter((score, k) => score >= threshold && labels[k] === label).length;
          expect([curve.tp[i], curve.fp[i]]).toEqual([found(1), found(0)]);
        });
      }),
    );
  });

  it('takes a weight for as many rows', () => {
    fc.assert(
      fc.property(rows, ({ labels, scores, weights }) => {
        const repeat = <T>(values: readonly T[]) => values.flatMap((value, i) => Array<T>(weights[i] ?? 0).fill(value));
        expect(thresholdCurve({ labels, scores, weights })).toEqual(
          thresholdCurve({ labels: repeat(labels), scores: repeat(scores) }),
        );
      }),
    );
  });

  it('takes -0 for 0, booleans for labels, and does not change what it is given', () => {
    const scores = Float64Array.of(0, -0, 0.5);
    const curve = thresholdCurve({ labels: [true, false, true], scores });
    expect([...curve.thresholds]).toEqual([0.5, 0]);
    expect([...scores]).toEqual([0, -0, 0.5]);
  });

  it('refuses labels other than 0 and 1, scores that are not finite, and lengths that differ', () => {
    const refuse = (input: Parameters<typeof thresholdCurve>[0]) =>
      expect(() => thresholdCurve(input)).toThrowError(expect.toSatisfy(isStatsError));
    refuse({ labels: [1, 2], scores: [0.1, 0.2] });
    refuse({ labels: [1, 0], scores: [0.1, Number.NaN] });
    refuse({ labels: [1, 0], scores: [0.1] });
    refuse({ labels: [1], scores: [0.1], weights: [-1] });
  });

  it('names the column and the row of what it refuses, and not its value', () => {
    const labels = [1, 0, 1];
    const scores = [0.1, 0.2, 0.3];
    const refused = (input: Partial<Parameters<typeof thresholdCurve>[0]>) => {
      try {
        thresholdCurve({ labels, scores, ...input });
      } catch (error) {
        if (isStatsError(error)) return { ...error.place, message: error.message };
      }
      return undefined;
    };
    const at = (field: string, index: number) => ({
      field,
      index,
      message: expect.stringContaining(`${field}[${index}]`),
    });
    expect(refused({ scores: [0.1, Number.NaN, 0.3] })).toEqual(at('scores', 1));
    expect(refused({ scores: Float64Array.of(0.1, 0.2, Number.NEGATIVE_INFINITY) })).toEqual(at('scores', 2));
    expect(refused({ labels: [1, 0, 777] })).toEqual(at('labels', 2));
    expect(refused({ labels: Uint8Array.of(1, 77, 0) })).toEqual(at('labels', 1));
    expect(refused({ weights: [1, 1, -777] })).toEqual(at('weights', 2));
    expect(refused({ labels: [1, 0, 777] })?.message).not.toContain('777');
  });

  it('is thinned at exact quantiles, and keeps its end', () => {
    const n = 1000;
    const scores = Array.from({ length: n }, (_, i) => ((i * 7) % n) / n);
    const thin = thinCurve(thresholdCurve({ labels: scores.map((s) => (s > 0.5 ? 1 : 0)), scores }), 10);
    expect([...thin.thresholds]).toEqual([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]);
    expect([...thin.tp].map((tp, i) => tp + (thin.fp[i] ?? 0))).toEqual([
      100, 200, 300, 400, 500, 600, 700, 800, 900, 1000,
    ]);
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 5 }), (input, limit) => {
        const curve = thresholdCurve(input);
        const kept = thinCurve(curve, limit);
        expect(kept.thresholds.length).toBeLessThanOrEqual(limit);
        expect(kept.thresholds.at(-1)).toBe(curve.thresholds.at(-1));
      }),
    );
  });
});

describe('curve metrics', () => {
  it('the area is the share of pairs in order, and of turned scores the rest', () => {
    fc.assert(
      fc.property(rows, ({ labels, scores }) => {
        const area = rocAuc(thresholdCurve({ labels, scores }));
        const of = (label: number) => scores.filter((_, i) => labels[i] === label);
        const pairs = of(1).flatMap((a) => of(0).map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
        expect(area.value === null).toBe(pairs.length === 0);
        if (area.value === null) return;
        expect(area.value).toBeCloseTo(pairs.reduce<number>((all, pair) => all + pair, 0) / pairs.length, 12);
        const turned = rocAuc(thresholdCurve({ labels, scores: scores.map((score) => -score) }));
        expect(turned.value).toBeCloseTo(1 - area.value, 12);
      }),
    );
  });

  it('of scores that are all equal are chance', () => {
    const curve = thresholdCurve({ labels: [0, 1, 0, 1, 1], scores: [0.5, 0.5, 0.5, 0.5, 0.5] });
    expect(rocAuc(curve).value).toBe(0.5);
    expect(averagePrecision(curve).value).toBe(0.6);
  });

  it('average precision is the step sum, not the trapezoid', () => {
    const curve = thresholdCurve({ labels: [0, 0, 1, 1], scores: [0.1, 0.4, 0.35, 0.8] });
    expect(averagePrecision(curve).value).toBeCloseTo(0.8333333333333333, 15);
  });

  it('of one class, or of nothing, are null with a reason', () => {
    const positive = thresholdCurve({ labels: [1, 1], scores: [0.2, 0.6] });
    expect(rocAuc(positive)).toEqual({ value: null, reason: 'All rows are of one class.' });
    expect(thresholdRow(positive, 0)).toMatchObject({
      recall: 0.5,
      falsePositiveRate: null,
      youden: null,
      specificity: null,
    });
    expect(bestThresholds(positive).youden.value).toBeNull();
    const empty = thresholdCurve({ labels: [], scores: [] });
    for (const outcome of [rocAuc(empty), averagePrecision(empty), ...Object.values(bestThresholds(empty))]) {
      expect(outcome).toEqual({ value: null, reason: 'There are no rows.' });
    }
  });

  it('lists every threshold that ties for the best', () => {
    const curve = thresholdCurve({ labels: [1, 0, 1, 0, 1, 0], scores: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4] });
    expect(bestThresholds(curve).youden.value?.thresholds).toEqual([0.9, 0.7, 0.5]);
    expect(bestThresholds(curve, { falsePositive: 0.1, falseNegative: 0.1 }).cost.value?.thresholds).toEqual([
      0.9, 0.7, 0.5,
    ]);
  });
});

describe('labelReport', () => {
  it('keeps its digits where products of counts are beyond 2^53', () => {
    const matrix = {
      labels: [0, 1],
      cells: [
        [3e9, 1e9],
        [1e9, 3e9],
      ],
    };
    const report = labelReport(matrix);
    expect(report.mcc.value).toBeCloseTo(0.5, 15);
    expect(report.cohenKappa.value).toBeCloseTo(0.5, 15);
    // tp tn - fp fn is 1e9 - 1 of two products near 9e18, which doubles hold to a thousand.
    const counts = { tp: 3e9 + 1, fp: 3e9, fn: 3e9 + 3, tn: 3e9 + 2 };
    const excess = Number(3000000001n * 3000000002n - 3000000000n * 3000000003n);
    expect((countReport(counts).mcc.value ?? 0) * 3.6e19).toBeCloseTo(excess * 4, -3);
    const multi = labelReport({
      labels: [0, 1],
      cells: [
        [counts.tn, counts.fp],
        [counts.fn, counts.tp],
      ],
    });
    expect(multi.mcc.value).toBeCloseTo(countReport(counts).mcc.value ?? 1, 24);
  });

  it('of two classes is the report of their counts', () => {
    fc.assert(
      fc.property(fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(50)), ([tp, fp, fn, tn]) => {
        const report = labelReport({
          labels: [0, 1],
          cells: [
            [tn, fp],
            [fn, tp],
          ],
        });
        const binary = countReport({ tp, fp, fn, tn });
        expect(report.mcc.value ?? 9).toBeCloseTo(binary.mcc.value ?? 9, 12);
        expect(report.cohenKappa.value ?? 9).toBeCloseTo(binary.cohenKappa.value ?? 9, 12);
        expect(report.perClass[1]).toMatchObject({ precision: binary.precision, recall: binary.recall, f1: binary.f1 });
      }),
    );
  });

  it('takes 0 / 0 as it is told, and leaves it out of averages where it is undefined', () => {
    const matrix = confusionMatrix({ actual: [0, 1, 1], predicted: [0, 0, 0] });
    const precision = (zeroDivision: 0 | 1 | null) => labelReport(matrix, { zeroDivision });
    expect(precision(0).perClass[1]?.precision.value).toBe(0);
    expect(precision(1).perClass[1]?.precision.value).toBe(1);
    expect(precision(null).perClass[1]?.precision.reason).toBe('The class was never predicted.');
    expect(precision(null).macro.precision.value).toBeCloseTo(1 / 3, 15);
  });

  it('of one class has no kappa, and of no rows nothing', () => {
    const one = labelReport(confusionMatrix({ actual: ['a', 'a'], predicted: ['a', 'a'] }));
    expect([one.accuracy.value, one.mcc.value, one.cohenKappa.value]).toEqual([1, 0, null]);
    const none = labelReport(confusionMatrix<number>({ actual: [], predicted: [], labels: [0, 1] }));
    expect([none.accuracy.value, none.mcc.value, none.weighted.f1.value, none.macro.f1.value]).toEqual([
      null,
      null,
      null,
      0,
    ]);
  });

  it('refuses a class that is not among the labels', () => {
    expect(() => confusionMatrix({ actual: [0, 2], predicted: [0, 1], labels: [0, 1] })).toThrow('not among labels');
  });
});
