import { type ChartSpec, renderSvg } from '@mcp-hub/charts';
import { connect, type Database } from '@mcp-hub/db-core';
import { startProgram, useTestDatabase } from '@mcp-hub/testing';
import { compile } from 'vega-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluationCharts } from '../src/charts/evaluation-charts.ts';
import { historyCharts } from '../src/charts/history-charts.ts';
import { predictionCharts } from '../src/charts/prediction-charts.ts';
import { type MonthReport, predictMonth } from '../src/predict/predict-month.ts';
import { type JudgedCoast, judgeCoast, tenant } from './judge-coast.ts';
import { readMarks } from './svg-marks.ts';

const database = useTestDatabase();
let db: Database;
let coast: JudgedCoast;
let month: MonthReport;

beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 4, requireUnprivileged: true });
  coast = await judgeCoast(db);
  // In a process of its own: the one of the tests cannot fork workers that run from source.
  const predicting = startProgram({
    file: new URL('predict-coast.ts', import.meta.url),
    environment: { POSTGRES_SERVICE_URL: database.serviceUrl },
  });
  expect(await predicting.ended).toEqual({ exitCode: 0, signal: null });
  month = await predictMonth(db, tenant, coast.trained, { url: database.serviceUrl });
}, 120_000);
afterAll(async () => {
  await db.close();
});

describe('the charts of the flights', () => {
  const all = () =>
    new Map([
      ...evaluationCharts(tenant, coast.judged.evaluated),
      ...historyCharts(tenant, coast.history),
      ...predictionCharts(tenant, month),
    ]);
  const drawn = async (name: string) => readMarks(await renderSvg(all().get(name) as ChartSpec));

  it('have a curve a version, with a point a threshold and the corners', async () => {
    const { corners, texts } = await drawn('roc');
    const points = coast.judged.evaluated.map(({ thresholds }) => {
      const [first, last] = [thresholds[0], thresholds.at(-1)];
      const atNothing = first?.tp === 0 && first.fp === 0;
      const atAll = last?.fn === 0 && last.tn === 0;
      return thresholds.length + Number(!atNothing) + Number(!atAll);
    });
    // First the diagonal.
    expect(corners()).toEqual([2, ...points]);
    expect(Math.min(...points)).toBeGreaterThan(200);
    expect(texts('title-text')).toEqual(['ROC curve']);
    expect(texts('title-subtitle').join(' ')).toBe('coast, flights-20k, March 2001');
    expect(texts('axis-title').toSorted()).toEqual([
      'False positive rate (share of negatives)',
      'True positive rate (share of positives)',
    ]);
    expect(texts('legend-label')).toEqual([
      'late-arrival/1: area 0.6173',
      'late-arrival/2: area 0.6227',
      'late-arrival/3: area 0.613',
    ]);
    const curves = await drawn('precision-recall');
    expect(curves.items('line')).toHaveLength(4);
    expect(curves.texts('legend-label')[0]).toContain('late-arrival/1: average precision 0.');
  });

  it.each(['1', '2', '3'])(
    'have of version %s a bar a feature, a cell a pair of classes and a point a bin',
    async (version) => {
      const report = coast.judged.evaluated.find((found) => found.version === version);
      const importance = await drawn(`importance-${version}`);
      const features = coast.trained.find((found) => found.version === version)?.model.features ?? [];
      const [first = ''] = importance.items('rect');
      // Bars have the colour of the first; the ends of the standard deviations are the others.
      const isBar = (item: string) => fillOf(item) === fillOf(first);
      expect(importance.items('rect').filter(isBar)).toHaveLength(features.length);
      expect(importance.items('rule')).toHaveLength(features.length);
      expect(importance.texts('axis-label')).toEqual(expect.arrayContaining([...features]));
      expect(importance.texts('axis-title')).toContain('Importance by permutation: fall of the AUC');

      const confusion = await drawn(`confusion-${version}`);
      expect(confusion.items('rect')).toHaveLength(2 ** 2);
      const counts = report?.confusion.counts.flat().map((n) => n.toLocaleString('en-US')) ?? [];
      expect(confusion.texts('mark')).toEqual(expect.arrayContaining(counts));
      expect(confusion.texts('axis-label').toSorted()).toEqual(['late', 'late', 'punctual', 'punctual']);
      expect(confusion.texts('title-subtitle').join(' ')).toContain('called late from 0.2');

      const calibration = await drawn(`calibration-${version}`);
      expect(calibration.items('rect')).toHaveLength(10);
      expect(calibration.items('symbol')).toHaveLength(report?.bins.filter(({ n }) => n > 0).length ?? 0);

      const thresholds = await drawn(`thresholds-${version}`);
      const finite = report?.thresholds.filter(({ threshold }) => Number.isFinite(threshold)) ?? [];
      // Precision, recall, specificity, F1 and the cost.
      expect(thresholds.items('line')).toHaveLength(5);
      const best = finite.flatMap((row) => [row.bestF1, row.bestYouden, row.bestCost].filter(Boolean));
      expect(thresholds.items('rule')).toHaveLength(2 * best.length);
      expect(thresholds.texts('axis-title')).toContain('Cost (false alarms)');
    },
  );

  it('have a line a run, a symbol a trial, and a bar a time in a stage', async () => {
    const loss = await drawn('run-loss');
    expect(loss.corners()).toEqual([300, 300, 40]);
    expect(loss.texts('axis-title')).toEqual(expect.arrayContaining(['loss (nats)', 'Step']));
    expect((await drawn('run-auc')).texts('legend-label')).toEqual(['version 1', 'version 2', 'version 3']);

    const study = await drawn('study');
    expect(study.items('symbol')).toHaveLength(30);
    expect(study.texts('title-text')).toEqual(['Study history: AUC on February']);

    const stages = await drawn('stages');
    // One each to begin with; 1 to production, archived for 2, back, archived again; 2 to production, back, and again.
    expect(stages.items('rect')).toHaveLength(3 + 4 + 3);
    expect(stages.texts('legend-label')).toEqual(['production', 'development', 'archived']);
  });

  it('have a bar a span in which was asked, a bar a bin of scores, and a step a chunk', async () => {
    const traffic = await drawn('traffic');
    expect(traffic.items('rect')).toHaveLength(month.ledger.traffic.buckets.length);
    expect(traffic.texts('title-subtitle').join(' ')).toContain('flights of March 2001: asked online');
    expect(traffic.texts('title-subtitle').join(' ')).toContain('137 predictions in');
    expect(traffic.texts('axis-title')).toEqual(expect.arrayContaining(['Predictions', 'Latency (ms)']));
    expect(traffic.texts('legend-label')).toEqual(['p50', 'p95', 'p99']);

    const scores = await drawn('scores');
    expect(scores.items('rect')).toHaveLength(month.ledger.scores.bins.length);
    expect(month.ledger.scores.bins.reduce((sum, { count }) => sum + count, 0)).toBe(1370);
    expect(scores.texts('title-subtitle').join(' ')).toContain('1,370 scores');

    const job = await drawn('job-progress');
    // Done and dead: from the start, two corners a chunk; and the line of all.
    const steps = 1 + 2 * month.batch.chunks.length;
    expect(job.corners()).toEqual([steps, steps, 3]);
    expect(job.texts('title-subtitle').join(' ')).toContain('1,233 of 1,233 rows done (100.0 %), 0 dead');
  });

  it('are the same bytes when they are drawn again', async () => {
    for (const [name, spec] of all())
      expect(await renderSvg(spec), name).toBe(await renderSvg(all().get(name) ?? spec));
  });

  it('have no value of the tenant in an expression, whatever it holds', async () => {
    const hostile = '\\" + (globalThis.wasRun = true) + "qqq';
    const evaluated = coast.judged.evaluated.map((version) => ({
      ...version,
      version: `${hostile}${version.version}`,
      evaluation: { ...version.evaluation, datasetName: hostile },
      importance: version.importance.map((row) => ({ ...row, feature: `${hostile} ${row.feature}` })),
    }));
    const named = <Series>(series: readonly Series[]) => series.map((one) => ({ ...one, name: hostile }));
    const { loss, auc, stages } = coast.history;
    const history = {
      ...{ ...coast.history, loss: named(loss), auc: named(auc) },
      stages: stages.map((change) => ({ ...change, version: hostile })),
    };
    const charts = new Map([
      ...evaluationCharts(hostile, evaluated),
      ...historyCharts(hostile, history),
      ...predictionCharts(hostile, { ...month, version: hostile }),
    ]);
    expect(charts.size).toBe(21);
    for (const [name, spec] of charts) {
      const compiled = compile(structuredClone(spec) as unknown as Parameters<typeof compile>[0]).spec;
      const places = placesOf('qqq', compiled);
      expect(places.length, name).toBeGreaterThan(1);
      expect([name, ...places.filter((place) => !literal.test(place))]).toEqual([name]);
      expect(await renderSvg(spec)).toContain('qqq');
    }
    expect('wasRun' in globalThis).toBe(false);
  });
});

const fillOf = (item: string) => / fill="([^"]*)"/.exec(item)?.[1];

/** Where vega takes a text as it is. */
const literal =
  /^(description|title\.(text|subtitle)(\.\d+)?|((axes|legends)\.\d+|marks\.\d+\.axes\.\d+)\.(title|description)|signals\.\d+\.value\.\d+|data\.\d+\.values\.\d+\.\w+)$/;

/** Where in a value a word stands: keys joined by dots. */
function placesOf(word: string, value: unknown, path = ''): readonly string[] {
  if (typeof value === 'string') return value.includes(word) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [
    ...(key.includes(word) ? [`${path} has the key`] : []),
    ...placesOf(word, part, path === '' ? key : `${path}.${key}`),
  ]);
}
