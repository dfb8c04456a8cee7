import { describe, expect, it } from 'vitest';
import {
  meanOverQueries,
  ndcg,
  pinballLoss,
  rankedAveragePrecision,
  reciprocalRank,
  regressionReport,
} from '../src/index.ts';

describe('regressionReport', () => {
  it('agrees with scikit-learn', () => {
    const report = regressionReport({ actual: [3, -0.5, 2, 7], predicted: [2.5, 0, 2, 8] });
    expect(report.mae.value).toBe(0.5);
    expect(report.rmse.value).toBeCloseTo(Math.sqrt(0.375), 15);
    expect(report.r2.value).toBeCloseTo(0.9486081370449679, 14);
    expect(report.bias.value).toBe(0.25);
    expect(pinballLoss({ actual: [1, 2, 3], predicted: [0, 2, 3] }, 0.1).value).toBeCloseTo(0.1 / 3, 15);
    expect(pinballLoss({ actual: [1, 2, 3], predicted: [1, 2, 4] }, 0.1).value).toBeCloseTo(0.3, 15);
  });

  it('has its R2 also with an offset of 1e9, and weights as rows', () => {
    const far = regressionReport({
      actual: [3, -0.5, 2, 7].map((y) => y + 1e9),
      predicted: [2.5, 0, 2, 8].map((y) => y + 1e9),
    });
    expect(far.r2.value).toBeCloseTo(0.9486081370449679, 14);
    const weighted = regressionReport({ actual: [1, 2], predicted: [2, 2], weights: [3, 1] });
    expect(weighted).toEqual(regressionReport({ actual: [1, 1, 1, 2], predicted: [2, 2, 2, 2] }));
  });

  it('is undefined without rows, and R2 where all values are equal', () => {
    expect(regressionReport({ actual: [], predicted: [] }).rmse).toEqual({ value: null, reason: 'There are no rows.' });
    expect(regressionReport({ actual: [5, 5], predicted: [4, 5] }).r2.reason).toBe('All values are equal.');
    const beside = {
      actual: [999_990, 1_000_001, 1_000_001],
      predicted: [0, 1, 2],
      weights: [0, 0.0010000000000000002, 0.0010000000000000005],
    };
    expect(regressionReport(beside).r2.reason).toBe('All values are equal.');
  });
});

describe('ranking', () => {
  const query = { relevance: [3, 2, 3, 0, 1, 2], scores: [6, 5, 4, 3, 2, 1] };

  it('NDCG agrees with scikit-learn, ties shared', () => {
    expect(ndcg(query).value).toBeCloseTo(0.9608081943360616, 14);
    expect(ndcg({ ...query, scores: [1, 1, 4, 3, 3, 1] }, 3).value).toBeCloseTo(0.6050555550248022, 14);
    expect(ndcg({ relevance: [3, 2, 1], scores: [3, 2, 1] }).value).toBe(1);
  });

  it('average precision and reciprocal rank go by the ranks of relevant documents', () => {
    const ranked = { relevance: [0, 1, 0, 1], scores: [4, 3, 2, 1] };
    expect(rankedAveragePrecision(ranked).value).toBe((1 / 2 + 2 / 4) / 2);
    expect(rankedAveragePrecision(ranked, 2).value).toBe(1 / 2 / 2);
    expect(reciprocalRank(ranked).value).toBe(1 / 2);
    expect(reciprocalRank(ranked, 1).value).toBe(0);
  });

  it('is undefined of a query without documents, and refuses gains that are no numbers', () => {
    const nothing = { relevance: [], scores: [] };
    for (const metric of [ndcg, rankedAveragePrecision, reciprocalRank]) {
      expect(metric(nothing)).toEqual({ value: null, reason: 'No document of the query is relevant.' });
    }
    expect(() => ndcg({ relevance: [1e308, 1e308, 1e308], scores: [3, 2, 1] })).toThrow('too large');
    expect(() => pinballLoss({ actual: [-1e308, -1e308], predicted: [7e307, 7e307] }, 0.1)).toThrow('too large');
  });

  it('means leave out queries without a relevant document', () => {
    const none = { relevance: [0, 0], scores: [1, 2] };
    const first = { relevance: [1, 0], scores: [2, 1] };
    expect(reciprocalRank(none).value).toBeNull();
    expect(meanOverQueries([none, first], reciprocalRank).value).toBe(1);
    expect(meanOverQueries([none], ndcg).reason).toBe('No query has a relevant document.');
  });
});
