import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  deleteEvaluation,
  evaluateBinary,
  evaluateRegression,
  getConfusionMatrix,
  getEvaluation,
  listCalibrationBins,
  listEvaluationMetrics,
  listEvaluations,
  listFeatureImportance,
  listThresholds,
  listWorstSlices,
  permutationImportance,
  recordFeatureImportance,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset, scoredRows } from './support/rows.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const { labels, scores, origin } = scoredRows(400);

/** An evaluation with slices, in a tenant of its own. */
async function inTenant<Result>(work: (tx: TenantTx, id: string) => Promise<Result>): Promise<Result> {
  return await evaluation.run(
    freshTenant(),
    async (tx) => {
      await registerVersion(tx, { name: 'm' });
      const slices = { origin, half: labels.map((_, row) => row < 200) };
      const given = { name: 'm', version: '1', dataset, labels, scores, slices, codeVersion: 'abc' };
      return await work(tx, (await evaluateBinary(tx, given)).id);
    },
    { actor: 'ada' },
  );
}

it('getEvaluation gives the facts, the version by name and what the numbers depend on', async () => {
  const found = await inTenant((tx, id) => getEvaluation(tx, { evaluationId: id }));
  expect(found).toMatchObject({
    ...{ modelName: 'm', modelVersion: '1', task: 'binary', datasetName: 'flights', datasetDigest: 'sha256:1f' },
    ...{ split: 'test', slice: '', n: 400, weight: 400, codeVersion: 'abc', actor: 'ada' },
    parameters: { threshold: 0.5, costs: { falsePositive: 1, falseNegative: 1 }, minSliceRows: 30, slicesLeftOut: 0 },
  });
});

it('listEvaluations filters by model and dataset, the newest first', async () => {
  await inTenant(async (tx, first) => {
    await registerVersion(tx, { name: 'other' });
    const given = { name: 'other', version: '1', dataset, actual: [1, 2], predicted: [1, 2] };
    const { id: second } = await evaluateRegression(tx, given);
    const idsOf = async (filter?: string) =>
      (await listEvaluations(tx, { ...(filter && { filter }) })).items.map((e) => e.id);
    expect(await idsOf()).toEqual([second, first]);
    expect(await idsOf("model_name = 'm'")).toEqual([first]);
    expect(await idsOf("task = 'regression' AND dataset_digest = 'sha256:1f'")).toEqual([second]);
  });
});

describe('listWorstSlices', () => {
  it('puts the worst first: of a score the least, of a loss the greatest', async () => {
    await inTenant(async (tx, evaluationId) => {
      const valuesOf = async (metric: string) =>
        (await listWorstSlices(tx, { evaluationId, metric })).items.map(({ value }) => value ?? Number.NaN);
      const areas = await valuesOf('roc_auc');
      expect(areas).toHaveLength(5);
      expect(areas).toEqual(areas.toSorted((a, b) => a - b));
      const losses = await valuesOf('log_loss');
      expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    });
  });

  it('narrows to a feature and to slices of enough rows, by pages', async () => {
    await inTenant(async (tx, evaluationId) => {
      const wanted = { evaluationId, metric: 'recall', feature: 'origin' };
      const first = await listWorstSlices(tx, { ...wanted, limit: 2 });
      const rest = await listWorstSlices(tx, { ...wanted, limit: 2, cursor: first.nextCursor ?? '' });
      expect([...first.items, ...rest.items].map(({ sliceValue }) => sliceValue).sort()).toEqual(['JFK', 'LAX', 'SFO']);
      expect((await listWorstSlices(tx, { ...wanted, minRows: 399 })).items).toEqual([]);
    });
  });
});

it('listEvaluationMetrics narrows by filter', async () => {
  const { items } = await inTenant((tx, evaluationId) =>
    listEvaluationMetrics(tx, { evaluationId, filter: "metric = 'f1' AND slice_feature = ''" }),
  );
  expect(items.map(({ metric, n }) => [metric, n])).toEqual([['f1', 400]]);
});

it('getConfusionMatrix gives the cells of all rows, or of a slice', async () => {
  await inTenant(async (tx, evaluationId) => {
    const whole = await getConfusionMatrix(tx, { evaluationId });
    const right = labels.filter((label, row) => label === ((scores[row] ?? 0) >= 0.5 ? 1 : 0)).length;
    expect(whole.labels).toEqual(['0', '1']);
    expect((whole.counts[0]?.[0] ?? 0) + (whole.counts[1]?.[1] ?? 0)).toBe(right);
    const slice = await getConfusionMatrix(tx, { evaluationId, sliceFeature: 'half', sliceValue: 'true' });
    expect(slice.counts.flat().reduce((a, b) => a + b)).toBe(200);
    const none = await getConfusionMatrix(tx, { evaluationId, sliceFeature: 'half', sliceValue: 'no' });
    expect(none.labels).toEqual([]);
  });
});

it('listThresholds and listCalibrationBins give the curves', async () => {
  await inTenant(async (tx, evaluationId) => {
    const points = await listThresholds(tx, { evaluationId });
    expect(points).toHaveLength(new Set(scores).size);
    expect(points.map(({ threshold }) => threshold)).toEqual(points.map((p) => p.threshold).toSorted((a, b) => b - a));
    const best = await listThresholds(tx, { evaluationId, bestBy: 'f1' });
    expect(best[0]?.f1).toBe(Math.max(...points.map(({ f1 }) => f1 ?? 0)));
    const bins = await listCalibrationBins(tx, { evaluationId });
    expect(bins.map(({ bin }) => bin)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(bins.reduce((total, { n }) => total + n, 0)).toBe(400);
  });
});

describe('feature importance', () => {
  const features = { signal: Array.from(scores), noise: labels.map((_, row) => row % 7) };
  const compute = (seed: number) =>
    permutationImportance({
      ...{ features, seed, repeats: 4 },
      predict: (given) => given['signal'] ?? [],
      score: (predictions) =>
        labels.filter((label, row) => label === ((predictions[row] ?? 0) >= 0.5 ? 1 : 0)).length / labels.length,
    });

  it('falls where a feature that matters is shuffled, by seed the same again', async () => {
    const found = await compute(5);
    expect(found.map(({ feature, rank }) => [feature, rank])).toEqual([
      ['signal', 1],
      ['noise', 2],
    ]);
    expect(found[0]?.value).toBeGreaterThan(0.05);
    expect(found[1]).toMatchObject({ value: 0, std: 0 });
    expect(await compute(5)).toEqual(found);
    expect(await compute(6)).not.toEqual(found);
  });

  it('is stored by method with its ranks, once', async () => {
    const found = await compute(5);
    await inTenant(async (tx, evaluationId) => {
      const given = { evaluationId, method: 'permutation', features: found, repeats: 4, seed: 5 };
      await recordFeatureImportance(tx, given);
      const { items } = await listFeatureImportance(tx, { evaluationId });
      expect(items.map(({ feature, rank, seed, repeats }) => [feature, rank, seed, repeats])).toEqual([
        ['signal', 1, 5, 4],
        ['noise', 2, 5, 4],
      ]);
      const again = tx.transaction((inner) => recordFeatureImportance(inner, given));
      expect(await refusalOf(again)).toMatchObject({ code: 'already_exists' });
    });
  });
});

it('deleteEvaluation takes all parts along', async () => {
  await inTenant(async (tx, evaluationId) => {
    await deleteEvaluation(tx, { evaluationId });
    expect(await listThresholds(tx, { evaluationId })).toEqual([]);
    expect(await refusalOf(getEvaluation(tx, { evaluationId }))).toMatchObject({ code: 'not_found' });
  });
});
