import { describe, expect, it } from 'vitest';
import {
  type ConfusionCell,
  calibrationChart,
  confusionChart,
  type ImportanceRow,
  importanceChart,
  thresholdChart,
} from '../src/index.ts';
import { bins, cells, thresholdRows } from './support/samples.ts';
import { drawn } from './support/svg-marks.ts';

describe('the calibration chart', () => {
  it('has a point a filled bin at mean score and share of positives, and a bar a bin as high as its rows', async () => {
    const { places, items, lines, texts } = await drawn(calibrationChart({ bins }));
    expect(places('symbol')).toEqual([
      [36, 342],
      [144, 180],
      [324, expect.closeTo(72)],
    ]);
    const heights = items('rect').map((item) => Number(/v([\d.]+)/.exec(item.get('d') ?? '')?.[1] ?? Number.NaN));
    expect(heights).toEqual([80, 60, 0, 20]);
    expect(lines()[0]).toEqual([
      [0, 360],
      [360, 0],
    ]);
    expect(texts('title-subtitle').join(' ')).toBe('80 rows in 4 bins, 1 of them empty');
    expect(texts('axis-title')).toEqual(expect.arrayContaining(['Share of positives in the bin', 'Rows', 'Score']));
  });

  it('is the same for bins in any order, and empty where all bins are', async () => {
    expect(calibrationChart({ bins: bins.toReversed() })).toEqual(calibrationChart({ bins }));
    expect((await drawn(calibrationChart({ bins: bins.slice(2, 3) }))).texts('mark')).toEqual(['No rows to draw']);
  });

  it.each([{ n: -1 }, { n: Number.NaN }, { upper: 1.5 }, { meanScore: -0.1 }, { positiveRate: Infinity }])(
    'refuses a bin with %j',
    (fault) => {
      const bin = { lower: 0, upper: 1, n: 1, meanScore: 0.5, positiveRate: 0.5, ...fault };
      expect(() => calibrationChart({ bins: [bin] })).toThrow(Object.keys(fault)[0]);
    },
  );
});

describe('the threshold chart', () => {
  const rows = thresholdRows();

  it('draws four metrics in steps, the cost below, and a line at each best threshold', async () => {
    const { lines, places, texts } = await drawn(thresholdChart({ rows, costUnit: 'EUR' }));
    // Precision, recall, specificity, F1, and the cost in the view below.
    expect(lines()).toHaveLength(5);
    // From 0.05 to 0.95 on 460 pixels: 0.65, the fourth score, is best by all three, in both views.
    expect(places('rule')).toEqual(Array.from({ length: 6 }, () => [expect.closeTo((0.6 / 0.9) * 460), 0]));
    expect(texts('mark')).toEqual(['best by F1', 'best by Youden', 'best by cost']);
    expect(texts('title-subtitle')).toEqual(['Best by F1: 0.65', 'Best by Youden: 0.65', 'Best by cost: 0.65']);
    expect(texts('legend-label')).toEqual(['Precision', 'Recall', 'Specificity', 'F1']);
    expect(texts('axis-title')).toEqual(expect.arrayContaining(['Cost (EUR)', 'Metric (share of 1)']));
    // Recall is 1 up to the eighth score, 0.25, and 3 of 4 above it: 0.2 / 0.9 of the width.
    const recall = lines()[1] ?? [];
    expect(recall[0]).toEqual([0, 0]);
    expect(recall.filter(([, y]) => y === 0).at(-1)?.[0]).toBeCloseTo((0.2 / 0.9) * 460, 2);
    expect(recall.find(([, y]) => y > 0)).toEqual([expect.closeTo((0.2 / 0.9) * 460, 2), 65]);
  });

  it('marks every threshold that ties, and names them', async () => {
    const tied = rows.map((row) => ({
      ...row,
      bestCost: row.threshold === 0.95 || row.threshold === 0.05,
      bestF1: false,
      bestYouden: false,
    }));
    const { places, texts } = await drawn(thresholdChart({ rows: tied }));
    expect(places('rule').map(([x]) => x)).toEqual([0, 460, 0, 460]);
    expect(texts('title-subtitle')).toEqual(['Best by cost: 0.05, 0.95']);
  });

  it('marks 20 of many that tie, the outermost among them', async () => {
    const [one] = rows.slice(1);
    if (one === undefined) throw new Error('There is no such row.');
    const many = Array.from({ length: 5_000 }, (_, i) => ({
      ...one,
      threshold: (i + 1) / 5_000,
      cost: null,
      bestF1: true,
      bestYouden: false,
      bestCost: false,
    }));
    const { places, texts, lines } = await drawn(thresholdChart({ rows: many }));
    const marks = places('rule').map(([x]) => x);
    expect([marks.length, marks[0], marks.at(-1)]).toEqual([20, 0, 460]);
    expect(texts('title-subtitle').join(' ')).toContain(
      'Best by F1: 0.0002, 0.0004, 0.0006 and 4,997 more that tie, up to 1',
    );
    expect(lines()[0]?.length).toBeLessThanOrEqual(2_100);
  });

  it('says so where the best is to call nothing positive, which has no place on the axis', async () => {
    const none = rows.map((row) => ({
      ...row,
      bestF1: false,
      bestYouden: false,
      bestCost: row.threshold === Infinity,
    }));
    const { places, texts } = await drawn(thresholdChart({ rows: none }));
    expect(places('rule')).toEqual([]);
    expect(texts('title-subtitle')).toEqual(['Best by cost: Infinity (nothing positive)']);
  });

  it('has one view where no row has a cost, and a gap where a metric is undefined', async () => {
    const without = rows.map((row) => ({
      ...row,
      cost: null,
      bestCost: false,
      precision: row.threshold === 0.55 ? null : row.precision,
    }));
    const { lines, items, texts } = await drawn(thresholdChart({ rows: without }));
    expect(lines()).toHaveLength(4);
    expect(items('line')[0]?.get('d')?.match(/M/g)).toHaveLength(2);
    expect(texts('axis-title')).toHaveLength(2);
  });

  it('draws a single threshold, and says that there are none', async () => {
    expect((await drawn(thresholdChart({ rows: rows.slice(4, 5) }))).svg).not.toMatch(/NaN|Infinity/);
    expect((await drawn(thresholdChart({ rows: rows.slice(0, 1) }))).texts('mark')).toEqual(['No rows to draw']);
  });
});

describe('the importance chart', () => {
  const row = (feature: string, value: number, std: number | null = null): ImportanceRow => ({
    method: 'permutation',
    feature,
    value,
    std,
  });

  it('has a bar a feature, the largest value on top, and lines of one standard deviation', async () => {
    const rows = [row('b', 0.1, 0.05), row('a', 0.1), row('c', 0.4, 0.1), row('d', -0.1, 0)];
    const { items, texts, places } = await drawn(importanceChart({ rows, unit: 'drop of AUC', width: 600 }));
    expect(texts('axis-label').slice(-4)).toEqual(['c', 'a', 'b', 'd']);
    expect(texts('axis-title')).toEqual(['Importance by permutation: drop of AUC', 'Feature']);
    expect(items('rect').length).toBeGreaterThanOrEqual(4);
    // On an axis from -0.1 to 0.5, 1,000 pixels a unit.
    expect(places('rule').map(([x]) => Math.round(x))).toEqual([400, 150, 0]);
    expect(items('rule').map((item) => Math.abs(Math.round(Number(item.get('x2')))))).toEqual([200, 100, 0]);
    expect(importanceChart({ rows: rows.toReversed(), unit: 'drop of AUC', width: 600 })).toEqual(
      importanceChart({ rows, unit: 'drop of AUC', width: 600 }),
    );
  });

  it('draws the most important of many and says how many there are', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => row(`feature ${i}`, i));
    const { items, texts } = await drawn(importanceChart({ rows, maxFeatures: 7 }));
    expect(items('rect')).toHaveLength(7);
    expect(texts('axis-label')).toContain('feature 99');
    expect(texts('title-subtitle').join(' ')).toBe('7 of 100 features; those left out are at or below 92.');
  });

  it.each([
    { fault: 'of two methods', rows: [row('a', 1), { ...row('b', 1), method: 'gain' }] },
    { fault: 'with a feature twice', rows: [row('a', 1), row('a', 2)] },
    { fault: 'with NaN', rows: [row('a', Number.NaN)] },
    { fault: 'with a negative deviation', rows: [row('a', 1, -1)] },
  ])('refuses rows $fault', ({ rows }) => expect(() => importanceChart({ rows })).toThrow(/must/));

  it('of no rows is empty and says so', async () => {
    expect((await drawn(importanceChart({ rows: [] }))).texts('mark')).toEqual(['No features to draw']);
  });
});

describe('the confusion matrix', () => {
  it('has a cell a pair of classes with its count and its share of the true class', async () => {
    const { items, texts } = await drawn(confusionChart({ cells }));
    expect(items('rect')).toHaveLength(4);
    expect(texts('mark')).toEqual(['30', '10', '0', '60', '75.0 %', '25.0 %', '0.0 %', '100.0 %']);
    expect(texts('axis-label')).toEqual(['late', 'on time', 'late', 'on time']);
    expect(texts('axis-title')).toEqual(['Predicted class', 'True class']);
    expect(texts('title-subtitle').join(' ')).toContain('100 rows, 90.0 % on the diagonal');
    const fills = items('rect').map((item) => item.get('fill'));
    expect([fills[2], fills[3]]).toEqual(['#f4f8fc', '#084a8c']);
  });

  it('has no shares for a class that never occurs', async () => {
    const { texts, items } = await drawn(confusionChart({ cells: [{ trueLabel: 'a', predictedLabel: 'b', n: 2 }] }));
    expect(texts('mark')).toEqual(['0', '2', '0', '0', '0.0 %', '100.0 %']);
    expect(
      items('rect')
        .map((item) => item.get('fill'))
        .slice(2),
    ).toEqual(['#E0E0E0', '#E0E0E0']);
  });

  it('orders numbers by value, other labels by characters, and all as it is told', async () => {
    const of = (labels: readonly string[]) =>
      labels.map((label) => ({ trueLabel: label, predictedLabel: label, n: 1 }));
    const orderOf = async (given: readonly ConfusionCell[], labels?: readonly string[]) =>
      (await drawn(confusionChart({ cells: given, labels }))).texts('axis-label').slice(0, given.length);
    expect(await orderOf(of(['10', 'b', '9', 'B', '-1']))).toEqual(['-1', '9', '10', 'B', 'b']);
    expect(await orderOf(of(['x', 'y']), ['y', 'x'])).toEqual(['y', 'x']);
  });

  it('of many classes has no texts, and refuses too many', async () => {
    const of = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ trueLabel: `${i}`, predictedLabel: `${i}`, n: 1 }));
    const { items, texts } = await drawn(confusionChart({ cells: of(16) }));
    expect([items('rect').length, texts('mark').length]).toEqual([256, 0]);
    expect(() => confusionChart({ cells: of(61) })).toThrow('At most 60 classes');
  });

  it.each([
    { fault: 'a cell twice', input: { cells: [...cells, ...cells.slice(0, 1)] } },
    { fault: 'a negative count', input: { cells: [{ trueLabel: 'a', predictedLabel: 'a', n: -1 }] } },
    { fault: 'a class that labels lacks', input: { cells, labels: ['late'] } },
    { fault: 'a label twice', input: { cells, labels: ['late', 'on time', 'late'] } },
  ])('refuses $fault', ({ input }) => expect(() => confusionChart(input)).toThrow(/must/));

  it('of no cells is empty and says so', async () => {
    expect((await drawn(confusionChart({ cells: [] }))).texts('mark')).toEqual(['No rows to draw']);
  });
});
