import { describe, expect, it } from 'vitest';
import {
  aucInterval,
  aucIntervalOfCurve,
  bootstrap,
  mulberry32,
  pairedBootstrap,
  pairedTTest,
  thresholdCurve,
} from '../../src/index.ts';

describe('pairedTTest', () => {
  it('is Student’s test of the differences, by the closed form that 4 degrees of freedom have', () => {
    const found = pairedTTest({ first: [1.1, 2.3, 2.9, 4.4, 5.2], second: [1, 2, 3, 4, 5] }).value;
    expect(found?.difference).toBeCloseTo(0.18, 13);
    expect(found?.t).toBeCloseTo(0.18 / Math.sqrt(0.037 / 5), 12);
    const s = (found?.t ?? 0) / Math.hypot(found?.t ?? 0, 2);
    expect(found?.p).toBeCloseTo(1 - 1.5 * (s - s ** 3 / 3), 13);
    expect(found?.interval[0]).toBeCloseTo(0.18 - 2.7764451051977987 * Math.sqrt(0.037 / 5), 12);
  });

  it('is 0 with p 1 for equal pairs, and undefined where there is no variance to judge by', () => {
    expect(pairedTTest({ first: [1, 2], second: [1, 2] }).value).toMatchObject({ t: 0, p: 1, interval: [0, 0] });
    expect(pairedTTest({ first: [2, 3], second: [1, 2] }).reason).toContain('same amount');
    expect(pairedTTest({ first: [2], second: [1] }).reason).toContain('two pairs');
  });
});

describe('pairedBootstrap', () => {
  const values = [0.4, -0.1, 0.3, 0.2, 0.5, 0.1, -0.2, 0.3];
  const mean = (rows: Uint32Array) => rows.reduce((total, row) => total + (values[row] ?? 0), 0) / rows.length;

  it('is the bootstrap of the difference, with the share of draws on the lesser side of 0', () => {
    const input = { rows: 8, seed: 3, resamples: 500, statistic: mean };
    let below = 0;
    const plain = bootstrap({ ...input, statistic: (rows) => (mean(rows) <= 0 ? (below++, mean(rows)) : mean(rows)) });
    expect(pairedBootstrap(input).value).toEqual({ ...plain.value, p: (2 * (1 + below)) / 501 });
  });

  it('has a p of 1 where nothing differs, and none where no draw defines it', () => {
    expect(pairedBootstrap({ rows: 8, seed: 3, statistic: () => 0 }).value?.p).toBe(1);
    expect(pairedBootstrap({ rows: 8, seed: 3, statistic: () => null }).value).toBeNull();
  });
});

describe('aucIntervalOfCurve', () => {
  it.each([2, 5, 1000])('is the interval of the rows, with ties on a grid of %i scores', (grid) => {
    const random = mulberry32(9);
    const labels = Array.from({ length: 400 }, () => (random() < 0.3 ? 1 : 0));
    const scores = labels.map((label) => Math.floor((0.3 * label + 0.7 * random()) * grid) / grid);
    const [fromRows, fromCurve] = [
      aucInterval(labels, scores, 0.1),
      aucIntervalOfCurve(thresholdCurve({ labels, scores }), 0.1),
    ];
    expect(fromCurve.value?.auc).toBeCloseTo(fromRows.value?.auc ?? 0, 13);
    expect(fromCurve.value?.standardError).toBeCloseTo(fromRows.value?.standardError ?? 0, 14);
    expect(fromCurve.value?.interval[0]).toBeCloseTo(fromRows.value?.interval[0] ?? 0, 13);
  });

  it('is undefined below two rows of a class', () => {
    expect(aucIntervalOfCurve(thresholdCurve({ labels: [1, 0, 0], scores: [1, 2, 3] })).reason).toContain('two rows');
  });
});
