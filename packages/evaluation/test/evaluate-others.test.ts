import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import {
  confusionMatrix,
  labelReport,
  meanOverQueries,
  multiclassReport,
  ndcg,
  pinballLoss,
  regressionReport,
} from '@mcp-hub/stats';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { evaluateMulticlass, evaluateRanking, evaluateRegression, type RecordedEvaluation } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset } from './support/rows.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const facts = { name: 'm', version: '1', dataset };

async function inTenant<Result>(work: (tx: TenantTx) => Promise<Result>, tenant = freshTenant()): Promise<Result> {
  return await evaluation.run(tenant, async (tx) => {
    await registerVersion(tx, { name: 'm' });
    return await work(tx);
  });
}

const valueOf = ({ metrics }: RecordedEvaluation, name: string, label = '') =>
  metrics.find((row) => row.metric === name && row.classLabel === label)?.value;

describe('evaluateMulticlass', () => {
  const labels = ['a', 'b', 'c', 'a', 'b', 'c', 'a'];
  const predicted = ['a', 'b', 'a', 'a', 'c', 'c', 'b'];

  it('says what the statistics say, of all classes and of each', async () => {
    const found = await inTenant((tx) => evaluateMulticlass(tx, { ...facts, labels, predicted }));
    const report = labelReport(confusionMatrix({ actual: labels, predicted }), { zeroDivision: null });
    expect(valueOf(found, 'f1_macro')).toBe(report.macro.f1.value);
    expect(valueOf(found, 'recall', 'c')).toBe(report.perClass[2]?.recall.value);
    expect(found.metrics.find((row) => row.metric === 'accuracy')).toMatchObject({ intervalMethod: 'wilson', n: 7 });
  });

  it('stores the cells of the matrix that hold rows', async () => {
    const cells = await inTenant(async (tx) => {
      await evaluateMulticlass(tx, { ...facts, labels, predicted, weights: [1, 1, 2, 1, 1, 1, 1] });
      return await tx.execute(sql`select true_label as t, predicted_label as p, n::int, weight
                                    from confusion_matrices order by 1, 2`);
    });
    expect([...cells]).toEqual([
      { t: 'a', p: 'a', n: 2, weight: 2 },
      { t: 'a', p: 'b', n: 1, weight: 1 },
      { t: 'b', p: 'b', n: 1, weight: 1 },
      { t: 'b', p: 'c', n: 1, weight: 1 },
      { t: 'c', p: 'a', n: 1, weight: 2 },
      { t: 'c', p: 'c', n: 1, weight: 1 },
    ]);
  });

  it('predicts the class of the highest score where only scores are given', async () => {
    const scores = [
      [0.7, 0.2, 0.1],
      [0.1, 0.8, 0.1],
      [0.5, 0.2, 0.3],
      [0.6, 0.3, 0.1],
    ];
    const given = { ...facts, labels: ['a', 'b', 'c', 'a'], scores, classes: ['a', 'b', 'c'] };
    const found = await inTenant((tx) => evaluateMulticlass(tx, given));
    const report = multiclassReport({ actual: [0, 1, 2, 0], scores });
    expect(valueOf(found, 'accuracy')).toBe(0.75);
    expect(valueOf(found, 'log_loss')).toBe(report.logLoss.value);
    expect(valueOf(found, 'roc_auc', 'c')).toBe(report.rocAucPerClass[2]?.value);
  });

  it('refuses a class that is not named, and scores without the classes that they are of', async () => {
    const refused = async (more: object) =>
      await refusalOf(inTenant((tx) => evaluateMulticlass(tx, { ...facts, labels, ...more })));
    expect(await refused({ predicted, classes: ['a', 'b'] })).toMatchObject({ code: 'invalid_input' });
    expect(await refused({ scores: [[1]] })).toMatchObject({ code: 'invalid_input' });
    expect(await refused({})).toMatchObject({ code: 'invalid_input' });
  });
});

it('evaluateRegression gives errors, with intervals by the bootstrap', async () => {
  const actual = [1, 2, 3, 4, 5];
  const predicted = [1.5, 1.8, 3.3, 3.6, 5.5];
  const given = { ...facts, actual, predicted, quantile: 0.9, bootstrap: { seed: 3, resamples: 40 } };
  const found = await inTenant((tx) => evaluateRegression(tx, given));
  expect(valueOf(found, 'rmse')).toBe(regressionReport({ actual, predicted }).rmse.value);
  expect(valueOf(found, 'pinball_loss')).toBe(pinballLoss({ actual, predicted }, 0.9).value);
  expect(found.metrics.map((row) => row.intervalMethod)).toEqual(found.metrics.map(() => 'bootstrap'));
});

it('evaluateRanking gives means over queries of the first k documents', async () => {
  const queries = [
    { relevance: [3, 0, 1], scores: [0.9, 0.5, 0.8] },
    { relevance: [0, 2, 0], scores: [0.9, 0.5, 0.8] },
    { relevance: [0, 0], scores: [0.9, 0.5] },
  ];
  const found = await inTenant((tx) => evaluateRanking(tx, { ...facts, queries, k: 2 }));
  expect(valueOf(found, 'ndcg')).toBe(meanOverQueries(queries, (query) => ndcg(query, 2)).value);
  expect(valueOf(found, 'mrr')).toBe(0.5);
});
