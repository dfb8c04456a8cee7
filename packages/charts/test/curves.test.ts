import { describe, expect, it } from 'vitest';
import { CHART_LIMITS, type CountsAtThreshold, isChartError, precisionRecallChart, rocChart } from '../src/index.ts';
import { thresholdRows } from './support/samples.ts';
import { drawn } from './support/svg-marks.ts';

const rows = thresholdRows();
const side = 360;

/** Counts at n thresholds of a classifier whose curve is a quarter of a circle. */
function manyRows(n: number): readonly CountsAtThreshold[] {
  return Array.from({ length: n + 1 }, (_, i) => {
    const fp = i;
    const tp = Math.round(Math.sqrt(n * n - (n - i) ** 2));
    return { threshold: i === 0 ? Infinity : 1 - i / n, tp, fp, tn: n - fp, fn: n - tp };
  });
}

describe('the ROC curve', () => {
  it('runs from corner to corner through the rates at each threshold, beside the diagonal', async () => {
    const [diagonal, curve] = (await drawn(rocChart({ curves: [{ name: 'v1', rows }] }))).lines();
    expect(diagonal).toEqual([
      [0, side],
      [side, 0],
    ]);
    expect(curve?.[0]).toEqual([0, side]);
    expect(curve?.at(-1)).toEqual([side, 0]);
    // The third score is the first negative: 1 of 6 false positives, 2 of 4 true ones.
    expect(curve?.[3]).toEqual([side / 6, side / 2]);
    expect(curve).toHaveLength(11);
  });

  it('begins and ends in the corners also where the rows do not', async () => {
    const curve = (await drawn(rocChart({ curves: [{ name: 'v1', rows: rows.slice(2, 5) }] }))).lines()[1];
    expect([curve?.[0], curve?.at(-1), curve?.length]).toEqual([[0, side], [side, 0], 5]);
  });

  it('says the area of the rows, or the one that is given', async () => {
    // Of 24 pairs of a positive and a negative, 19 are in order: 6 + 6 + 5 + 2.
    const { texts } = await drawn(rocChart({ curves: [{ name: 'v1', rows }] }));
    expect(texts('title-subtitle')).toEqual([`Area ${(19 / 24).toPrecision(4)}`]);
    const given = await drawn(rocChart({ curves: [{ name: 'v1', rows, area: 0.5 }] }));
    expect(given.texts('title-subtitle')).toEqual(['Area 0.5']);
  });

  it('names several curves in a legend, each with its colour, and those of one name too', async () => {
    const curves = ['v1', 'v1', 'v2'].map((name) => ({ name, rows }));
    const { texts, items } = await drawn(rocChart({ curves }));
    expect(texts('legend-label').map((label) => label.split(':')[0])).toEqual(['v1', 'v1', 'v2']);
    expect(new Set(items('line').map((item) => item.get('stroke'))).size).toBe(4);
  });

  it('tells 24 curves apart by colour and dash, and refuses a 25th', async () => {
    const curves = Array.from({ length: CHART_LIMITS.series }, (_, i) => ({ name: String(i), rows }));
    const looks = (await drawn(rocChart({ curves }))).items('line').slice(1);
    expect(new Set(looks.map((item) => `${item.get('stroke')} ${item.get('stroke-dasharray')}`)).size).toBe(24);
    expect(() => rocChart({ curves: [...curves, ...curves.slice(0, 1)] })).toThrow('at most 24');
  });

  it('is the same for rows in any order', () => {
    const chart = (given: typeof rows) => rocChart({ curves: [{ name: 'v1', rows: given }] });
    expect(chart(rows.toReversed())).toEqual(chart(rows));
  });

  it('thins many rows, says so, and keeps corners and area', async () => {
    const chart = rocChart({ curves: [{ name: 'v1', rows: manyRows(50_000) }] });
    const { lines, texts } = await drawn(chart);
    const curve = lines()[1] ?? [];
    expect(curve.length).toBeLessThanOrEqual(CHART_LIMITS.points);
    expect(curve.length).toBeGreaterThan(CHART_LIMITS.points / 2);
    expect([curve[0], curve.at(-1)]).toEqual([
      [0, side],
      [side, 0],
    ]);
    expect(texts('title-subtitle').join(' ')).toContain(`Area ${(Math.PI / 4).toPrecision(4)}`);
    expect(texts('title-subtitle').join(' ')).toMatch(/Thinned from 50,001 to \d+ points/);
  });

  it.each([
    { data: 'no rows', given: [], reason: 'No rows to draw' },
    {
      data: 'positives alone',
      given: [{ threshold: 0.5, tp: 3, fn: 1, fp: 0, tn: 0 }],
      reason: 'There are no negatives',
    },
    {
      data: 'negatives alone',
      given: [{ threshold: 0.5, tp: 0, fn: 0, fp: 1, tn: 1 }],
      reason: 'There are no positives',
    },
  ])('of $data is empty and says why', async ({ given, reason }) => {
    const { texts, lines } = await drawn(rocChart({ curves: [{ name: 'v1', rows: given }] }));
    expect(texts('mark')[0]).toContain(reason);
    expect(lines()).toEqual([]);
  });

  it('leaves out an undefined curve beside another, and says so', async () => {
    const curves = [
      { name: 'v1', rows },
      { name: 'v2', rows: [] },
    ];
    const { lines, texts } = await drawn(rocChart({ curves }));
    expect(lines()).toHaveLength(2);
    expect(texts('title-subtitle').join(' ')).toContain('1 more without rows, or of one class only, left out');
  });

  it.each([
    { fault: 'of two evaluations', given: [...rows, { threshold: 0.5, tp: 9, fn: 9, fp: 9, tn: 9 }] },
    { fault: 'with a threshold twice', given: [...rows, ...rows.slice(3, 4)] },
    { fault: 'with a negative count', given: [{ threshold: 0.5, tp: -1, fn: 2, fp: 1, tn: 1 }] },
    { fault: 'with NaN as a threshold', given: [{ threshold: Number.NaN, tp: 1, fn: 2, fp: 1, tn: 1 }] },
  ])('refuses rows $fault', ({ given }) => {
    expect(codeOf(() => rocChart({ curves: [{ name: 'v1', rows: given }] }))).toBe('invalid_input');
  });

  it('takes weights, whose sums differ in their last bits', () => {
    const weighted = rows.map((row) => ({
      ...row,
      tp: row.tp * 0.1,
      fn: row.fn * 0.1,
      fp: row.fp * 0.7,
      tn: row.tn * 0.7,
    }));
    expect(() => rocChart({ curves: [{ name: 'v1', rows: weighted }] })).not.toThrow();
  });

  it.each([5, 10.5, Number.NaN, 1e9])('refuses %d points', (maxPoints) => {
    expect(codeOf(() => rocChart({ curves: [{ name: 'v1', rows }], maxPoints }))).toBe('invalid_input');
  });

  it.each([0, -1, Number.NaN, 1e6])('refuses a width of %d', (width) => {
    expect(codeOf(() => rocChart({ curves: [{ name: 'v1', rows }], width }))).toBe('invalid_input');
  });
});

describe('the precision-recall curve', () => {
  it('goes in steps whose area is the average precision, above the share of positives', async () => {
    const { lines, texts } = await drawn(precisionRecallChart({ curves: [{ name: 'v1', rows }] }));
    const [baseline, curve = []] = lines();
    expect(baseline).toEqual([
      [0, side * 0.6],
      [side, side * 0.6],
    ]);
    // Steps: each corner differs from the one before in one direction alone.
    for (const [i, [x, y]] of curve.entries()) {
      const [beforeX, beforeY] = curve[i - 1] ?? [x, y];
      expect(x === beforeX || y === beforeY).toBe(true);
    }
    const area = curve.reduce((sum, [x, y], i) => sum + ((x - (curve[i - 1]?.[0] ?? x)) * (side - y)) / side ** 2, 0);
    const averagePrecision = (1 + 1 + 3 / 4 + 4 / 8) / 4;
    expect(area).toBeCloseTo(averagePrecision, 5);
    expect(texts('title-subtitle')).toEqual([
      `Average precision ${averagePrecision}`,
      'Baseline, the share of positives: 0.4',
    ]);
    expect([curve[0], curve.at(-1)]).toEqual([
      [0, 0],
      [side, side * 0.6],
    ]);
  });

  it('starts at precision 0 where the highest score is a negative', async () => {
    const wrong = [
      { threshold: 0.9, tp: 0, fp: 1, fn: 1, tn: 0 },
      { threshold: 0.1, tp: 1, fp: 1, fn: 0, tn: 0 },
    ];
    const { lines, texts } = await drawn(precisionRecallChart({ curves: [{ name: 'v1', rows: wrong }] }));
    expect(lines()[1]?.[0]).toEqual([0, side]);
    expect(texts('title-subtitle')[0]).toBe('Average precision 0.5');
  });

  it('is drawn without negatives, and is empty without positives', async () => {
    const only = (tp: number, fp: number) => [{ threshold: 0.5, tp, fp, fn: 0, tn: 0 }];
    const positives = await drawn(precisionRecallChart({ curves: [{ name: 'v1', rows: only(2, 0) }] }));
    expect(positives.lines()).toHaveLength(2);
    const negatives = await drawn(precisionRecallChart({ curves: [{ name: 'v1', rows: only(0, 2) }] }));
    expect(negatives.texts('mark')).toEqual(['There are no positives: the curve is undefined']);
  });
});

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (isChartError(error)) return error.code;
    throw error;
  }
  return undefined;
}
