import { registerVersion } from '@mcp-hub/registry';
import {
  aucInterval,
  averagePrecision,
  bestThresholds,
  bootstrap,
  brierScore,
  rocAuc,
  thresholdCurve,
  wilsonInterval,
} from '@mcp-hub/stats';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { type EvaluateBinaryInput, evaluateBinary, measureBinary, type RecordedEvaluation } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset, scoredRows } from './support/rows.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const rows = scoredRows(300);

type Rows = Omit<EvaluateBinaryInput, 'dataset' | 'name' | 'version' | 'versionId'>;

async function evaluate(input: Rows, tenant = freshTenant()): Promise<RecordedEvaluation> {
  return await evaluation.run(tenant, async (tx) => {
    await registerVersion(tx, { name: 'delays' });
    return await evaluateBinary(tx, { name: 'delays', version: '1', dataset, ...input });
  });
}

const metric = ({ metrics }: RecordedEvaluation, name: string) => metrics.find((row) => row.metric === name);

describe('evaluateBinary', () => {
  it('says what the statistics say, with the interval that suits each metric', async () => {
    const { labels, scores } = rows;
    const found = await evaluate({ labels, scores, threshold: 0.6 });
    const curve = thresholdCurve({ labels, scores });
    const deLong = aucInterval(labels, scores).value;
    expect(metric(found, 'roc_auc')).toEqual({
      ...{ metric: 'roc_auc', classLabel: '', sliceFeature: '', sliceValue: '', n: 300, weight: 300, reason: null },
      ...{
        value: rocAuc(curve).value,
        // Of the curve, whose sums run in another order.
        lower: expect.closeTo(deLong?.interval[0] ?? 0, 12),
        upper: expect.closeTo(deLong?.interval[1] ?? 0, 12),
        intervalMethod: 'delong',
      },
    });
    const right = labels.filter((label, row) => label === ((scores[row] ?? 0) >= 0.6 ? 1 : 0)).length;
    const [lower, upper] = wilsonInterval({ successes: right, n: 300 }).value ?? [];
    expect(metric(found, 'accuracy')).toMatchObject({ value: right / 300, lower, upper, intervalMethod: 'wilson' });
    expect(metric(found, 'average_precision')).toMatchObject({ value: averagePrecision(curve).value, lower: null });
    expect(metric(found, 'brier')?.value).toBe(brierScore({ labels, probabilities: scores }).value);
  });

  it('says what measureBinary says without a database', async () => {
    const { labels, scores, origin } = rows;
    const input = { labels, scores, slices: { origin }, weights: labels.map((label) => label + 0.5) };
    const ofAllRows = measureBinary(input).metrics.filter(({ sliceFeature }) => sliceFeature === '');
    expect((await evaluate(input)).metrics).toEqual(ofAllRows);
    expect(() => measureBinary({ labels: [1], scores: [Number.NaN] })).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { field: 'scores', index: 0 } }),
    );
  });

  it.each([0, 0.35, 0.5, 0.9, 2])('counts at the threshold %d by the curve as row by row', async (threshold) => {
    const labels = [1, 0, 1, 0, 1];
    const scores = [0.9, 0.9, 0.35, 0.5, 0.1];
    const { cells } = measureBinary({ labels, scores, threshold });
    const of = (trueLabel: number, isPredicted: boolean) =>
      labels.filter((label, row) => label === trueLabel && (scores[row] ?? 0) >= threshold === isPredicted).length;
    const found = (trueLabel: string, predictedLabel: string) =>
      cells.find((cell) => cell.trueLabel === trueLabel && cell.predictedLabel === predictedLabel)?.n ?? 0;
    expect([found('1', '1'), found('0', '1'), found('1', '0'), found('0', '0')]).toEqual([
      ...[of(1, true), of(0, true), of(1, false), of(0, false)],
    ]);
  });

  it('stores what it returns', async () => {
    const tenant = freshTenant();
    const found = await evaluate({ labels: rows.labels, scores: rows.scores }, tenant);
    const stored = await evaluation.run(tenant, (tx) =>
      tx.execute<{ metric: string; value: number | null }>(sql`
        select metric, value from evaluation_metrics where slice_feature = '' order by metric`),
    );
    const returned = found.metrics.map(({ metric: name, value }) => ({ metric: name, value }));
    expect([...stored]).toEqual(returned.toSorted((a, b) => (a.metric < b.metric ? -1 : 1)));
  });

  it('keeps one row a distinct score, with every threshold that ties for best', async () => {
    const tenant = freshTenant();
    const labels = [1, 0, 1, 0, 1, 0];
    const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
    await evaluate({ labels, scores, costs: { falsePositive: 1, falseNegative: 1 } }, tenant);
    const stored = await evaluation.run(tenant, (tx) =>
      tx.execute<{ threshold: number; tp: number; fp: number; best_cost: boolean }>(
        sql`select threshold, tp, fp, best_cost from threshold_analysis order by threshold desc`,
      ),
    );
    expect(stored.map(({ threshold }) => threshold)).toEqual(scores);
    expect(stored.map(({ tp, fp }) => [tp, fp])).toEqual([
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
      [3, 2],
      [3, 3],
    ]);
    const best = bestThresholds(thresholdCurve({ labels, scores })).cost.value?.thresholds;
    expect(best?.length).toBeGreaterThan(1);
    expect(stored.filter((row) => row.best_cost).map(({ threshold }) => threshold)).toEqual(best);
  });

  it('thins the thresholds to quantiles, and keeps the best ones', async () => {
    const tenant = freshTenant();
    await evaluate({ labels: rows.labels, scores: rows.scores, thresholds: 20 }, tenant);
    const [counted] = await evaluation.run(tenant, (tx) =>
      tx.execute<{ n: number; best: number }>(sql`
        select count(*)::int as n, count(*) filter (where best_f1)::int as best from threshold_analysis`),
    );
    expect(counted?.n).toBeGreaterThanOrEqual(20);
    expect(counted?.n).toBeLessThan(30);
    expect(counted?.best).toBeGreaterThan(0);
  });

  it('measures slices with enough rows, each as those rows alone', async () => {
    const tenant = freshTenant();
    const { labels, scores, origin } = rows;
    await evaluate(
      { labels, scores, slices: { origin, rare: labels.map((_, row) => (row < 5 ? 'few' : 'many')) } },
      tenant,
    );
    const stored = await evaluation.run(tenant, (tx) =>
      tx.execute<{ slice_value: string; n: string; value: number }>(sql`
        select slice_value, n, value from evaluation_metrics where slice_feature <> '' and metric = 'roc_auc'
         order by slice_value collate "C"`),
    );
    expect(stored.map((row) => row.slice_value)).toEqual(['JFK', 'LAX', 'SFO', 'many']);
    const jfk = labels.map((_, row) => row).filter((row) => origin[row] === 'JFK');
    const alone = thresholdCurve({ labels: jfk.map((r) => labels[r] ?? 0), scores: jfk.map((r) => scores[r] ?? 0) });
    expect(stored[0]).toMatchObject({ n: String(jfk.length), value: rocAuc(alone).value });
  });

  it('gives bootstrap intervals by the named generator and seed, the same again', async () => {
    const { labels, scores } = rows;
    const found = await evaluate({ labels, scores, bootstrap: { seed: 11, resamples: 50 } });
    const expected = bootstrap({
      ...{ rows: 300, seed: 11, resamples: 50 },
      statistic: (drawn) =>
        averagePrecision(
          thresholdCurve({
            labels: Array.from(drawn, (row) => labels[row] ?? 0),
            scores: Array.from(drawn, (row) => scores[row] ?? 0),
          }),
        ).value,
    });
    const [lower, upper] = expected.value?.interval ?? [];
    expect(metric(found, 'average_precision')).toMatchObject({ lower, upper, intervalMethod: 'bootstrap' });
    expect(metric(found, 'roc_auc')?.intervalMethod).toBe('delong');
  });

  it('leaves undefined what one class does not define, and says why', async () => {
    const found = await evaluate({ labels: [1, 1, 1], scores: [0.2, 0.3, 0.9] });
    expect(metric(found, 'roc_auc')).toMatchObject({ value: null, reason: 'All rows are of one class.', lower: null });
    expect(metric(found, 'specificity')).toMatchObject({ value: null, reason: 'There are no negative rows.' });
    expect(metric(await evaluate({ labels: [], scores: [] }), 'accuracy')).toMatchObject({ value: null, n: 0 });
  });

  it('has no losses of scores that are no probabilities', async () => {
    const found = await evaluate({ labels: [1, 0, 1], scores: [3, -2, 5], threshold: 0 });
    expect(metric(found, 'brier')).toMatchObject({ value: null, reason: expect.stringContaining('not probabilities') });
  });

  it('weighs rows; a row of weight 2 counts as two', async () => {
    const labels = [1, 0, 1, 0];
    const scores = [0.9, 0.6, 0.4, 0.1];
    const weighted = await evaluate({ labels, scores, weights: [2, 1, 1, 1] });
    const repeated = await evaluate({ labels: [1, ...labels], scores: [0.9, ...scores] });
    for (const name of ['roc_auc', 'accuracy', 'f1', 'brier', 'mean_cost']) {
      expect(metric(weighted, name)?.value).toBeCloseTo(metric(repeated, name)?.value ?? Number.NaN, 14);
    }
    expect(metric(weighted, 'accuracy')).toMatchObject({ n: 4, weight: 5, intervalMethod: null });
  });

  it('takes names as labels where the positive one is named', async () => {
    const found = await evaluate({ labels: ['late', 'on time'], scores: [0.9, 0.1], positiveLabel: 'late' });
    expect(metric(found, 'accuracy')?.value).toBe(1);
  });

  it('writes nothing where anything is wrong', async () => {
    const tenant = freshTenant();
    await evaluation.run(tenant, (tx) => registerVersion(tx, { name: 'delays' }));
    const refused = async (input: Partial<EvaluateBinaryInput>) =>
      await refusalOf(
        evaluation.run(tenant, (tx) =>
          evaluateBinary(tx, { name: 'delays', version: '1', dataset, labels: [1], scores: [0.5], ...input }),
        ),
      );
    expect(await refused({ labels: [1, 0] })).toMatchObject({ code: 'invalid_input' });
    expect(await refused({ labels: [2] })).toMatchObject({ code: 'invalid_input', details: { field: 'labels' } });
    expect(await refused({ labels: [1, 0], scores: [0.5, Number.NaN] })).toMatchObject({
      code: 'invalid_input',
      details: { field: 'scores', index: 1 },
    });
    const missing = JSON.parse('[null]') as number[];
    expect(await refused({ scores: missing })).toMatchObject({ details: { field: 'scores', index: 0 } });
    expect(await refused({ weights: missing })).toMatchObject({ details: { field: 'weights', index: 0 } });
    expect(await refused({ slices: { origin: ['a', 'b'] } })).toMatchObject({ code: 'invalid_input' });
    const hidden = JSON.parse('{"__proto__": ["a"]}') as Record<string, string[]>;
    expect(await refused({ slices: hidden })).toMatchObject({ code: 'invalid_input', details: { field: 'slices' } });
    expect(await refused({ slices: { origin: ['a\0'] }, minSliceRows: 1 })).toMatchObject({ code: 'invalid_input' });
    expect(await refused({ version: '2' })).toMatchObject({ code: 'not_found' });
    expect(await refused({ runId: '01890000-0000-7000-8000-000000000000' })).toMatchObject({ code: 'not_found' });
    const [left] = await evaluation.run(tenant, (tx) =>
      tx.execute(
        sql`select (select count(*)::int from evaluations) + (select count(*)::int from evaluation_metrics) as n`,
      ),
    );
    expect(left).toEqual({ n: 0 });
  });

  it('gives a repeated call its first result, and refuses its key for other rows', async () => {
    const tenant = freshTenant();
    await evaluation.run(tenant, (tx) => registerVersion(tx, { name: 'delays' }));
    const call = async (scores: readonly number[]) =>
      await evaluation.run(tenant, (tx) =>
        evaluateBinary(tx, { name: 'delays', version: '1', dataset, labels: [1, 0], scores, idempotencyKey: 'once' }),
      );
    const first = await call([0.7, 0.1]);
    expect(await call([0.7, 0.1])).toEqual(first);
    expect(await refusalOf(call([0.7, 0.2]))).toMatchObject({ code: 'conflict' });
  });
});
