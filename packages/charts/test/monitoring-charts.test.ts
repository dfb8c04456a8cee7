import { describe, expect, it } from 'vitest';
import { alertTimeline, binsChart, driftChart, metricChart, performanceChart, rollupChart } from '../src/index.ts';
import { alertChanges, at, baselineBins, driftPoints, performances, rollups } from './support/samples.ts';
import { drawn, numberFault } from './support/svg-marks.ts';

describe('the drift chart', () => {
  it('draws a line a feature beside the threshold, with large dots above it', async () => {
    const { items, lines, texts } = await drawn(
      driftChart({ measure: 'PSI', points: driftPoints('delay'), width: 400, height: 200 }),
    );
    expect(lines()).toHaveLength(2);
    expect(lines()[0]).toEqual([
      [0, 180],
      [200, 120],
      [400, 0],
    ]);
    expect(items('rule')).toHaveLength(1);
    expect(texts('legend-label')).toEqual(['delay', 'delay 2']);
    expect(texts('axis-title')).toEqual(['Time (UTC)', 'PSI']);
    expect(texts('title-subtitle')[0]).toBe('1 feature of 2 above the threshold at last (0.1)');
    const sizes = items('symbol').map((item) => item.get('d')?.length);
    expect(sizes).toHaveLength(5);
    expect(new Set(items('symbol').map((item) => item.get('d'))).size).toBe(2);
  });

  it('draws multiples where thresholds differ, so that one line serves all', async () => {
    const points = driftPoints('delay').map((point, i) => ({ ...point, threshold: 0.1 + i / 100 }));
    const { texts, items } = await drawn(driftChart({ measure: 'PSI', points }));
    expect(texts('axis-title')).toEqual(['Time (UTC)', 'PSI / threshold']);
    expect(items('rule')).toHaveLength(1);
    expect(texts('title-subtitle').join(' ')).toContain('multiples');
    const without = await drawn(driftChart({ measure: 'PSI', points: points.map((p) => ({ ...p, threshold: null })) }));
    expect(without.items('rule')).toHaveLength(0);
  });

  it('of many features draws those that drifted farthest, and says so', async () => {
    const points = Array.from({ length: 12 }, (_, i) => driftPoints(`feature ${i}`).slice(0, 3)).flat();
    const far = driftPoints('zone').map((point) => ({ ...point, distance: (point.distance ?? 0) * 10 }));
    const { texts } = await drawn(driftChart({ measure: 'PSI', points: [...points, ...far], maxFeatures: 2 }));
    expect(texts('legend-label')).toEqual(['zone', 'zone 2']);
    expect(texts('title-subtitle').join(' ')).toContain('2 of 14 features');
  });

  it('is the same for points in any order, of none is empty, and refuses rows that are none', async () => {
    const points = driftPoints('delay');
    const chart = (given: typeof points, maxFeatures?: number) =>
      driftChart({ measure: 'PSI', points: given, maxFeatures });
    expect(chart(points.toReversed())).toEqual(chart(points));
    expect((await drawn(chart([]))).texts('mark')).toEqual(['No distances to draw']);
    const [point] = points;
    if (point === undefined) throw new Error('There is no sample.');
    expect(() => chart([{ ...point, distance: -1 }])).toThrow('distance must be');
    expect(() => chart([{ ...point, threshold: 0 }])).toThrow('threshold must be above 0');
    expect(() => chart([point, { ...point, threshold: null }])).toThrow('in all rows or in none');
    expect(() => chart(points, 25)).toThrow('maxFeatures must be');
  });
});

describe('the chart of bins', () => {
  it('draws shares of both sides, so that a window can be compared with a larger baseline', async () => {
    const { items, texts } = await drawn(binsChart({ feature: 'delay', bins: baselineBins('0 to 5'), width: 300 }));
    const widths = items('rect').map((item) => Number(/h(-?[\d.]+)/.exec(item.get('d') ?? '')?.[1]));
    // 0, 60 and 40 of 100 beside 5, 10 and 5 of 20.
    expect(widths.map((width) => Math.round((60 * width) / 300))).toEqual([0, 25, 60, 50, 40, 25]);
    expect(texts('axis-title')).toEqual(['Share of the rows', 'delay']);
    expect(texts('legend-label')).toEqual(['Baseline', 'Window']);
    expect(texts('axis-label').slice(-3)).toEqual(['below', '0 to 5', 'missing']);
    expect(texts('title-subtitle')[0]).toBe('20 rows beside 100 rows of the baseline');
  });

  it('says where one side has no rows, of none is empty, and refuses counts that are none', async () => {
    const bins = baselineBins('b').map((bin) => ({ ...bin, current: 0 }));
    const { texts, svg } = await drawn(binsChart({ feature: 'delay', bins }));
    expect(texts('title-subtitle').join(' ')).toContain('The window has none.');
    expect(numberFault(svg)).toBe('');
    expect((await drawn(binsChart({ feature: 'delay', bins: [] }))).texts('mark')).toEqual(['No rows to draw']);
    const bin = { label: 'b', baseline: 1, current: -1 };
    expect(() => binsChart({ feature: 'delay', bins: [bin] })).toThrow('current must be');
    expect(() => binsChart({ feature: 'd', bins: Array.from({ length: 61 }, () => ({ ...bin, current: 1 })) })).toThrow(
      'at most 60',
    );
  });
});

describe('the performance chart', () => {
  const series = [{ name: 'realised', windows: performances }];
  const baseline = { value: 0.8, band: [0.7, 0.9] } as const;

  it('draws points with intervals before the band of the baseline, with a gap where there is no value', async () => {
    const { items, texts, places } = await drawn(
      performanceChart({ metric: 'ROC AUC', series, baseline, width: 400, height: 200 }),
    );
    expect(items('rect')).toHaveLength(1);
    // Three intervals and the baseline.
    expect(items('rule')).toHaveLength(4);
    expect(places('symbol').map(([x]) => x)).toEqual([50, 150, 350]);
    expect(items('line')[0]?.get('d')?.match(/M/g)).toHaveLength(2);
    expect(texts('title-subtitle').join(' ')).toBe('Baseline 0.8, band 0.7 to 0.9; 1 of 4 windows outside');
    expect(texts('legend-label')).toEqual([]);
  });

  it('needs no baseline, of no values is empty, and refuses rows that are none', async () => {
    expect((await drawn(performanceChart({ metric: 'F1', series }))).items('rect')).toEqual([]);
    expect((await drawn(performanceChart({ metric: 'F1', series: [] }))).texts('mark')).toEqual(['No values to draw']);
    const [first] = performances;
    if (first === undefined) throw new Error('There is no sample.');
    const chart = (changes: Partial<typeof first>) => () =>
      performanceChart({ metric: 'F1', series: [{ name: 's', windows: [{ ...first, ...changes }] }] });
    expect(chart({ to: first.from })).toThrow('from must be before to');
    expect(chart({ value: Number.NaN })).toThrow('value must be');
    expect(chart({ interval: [1, 0] })).toThrow('must not exceed');
    expect(() => performanceChart({ metric: 'F1', series, baseline: { value: 1, band: [2, 1] } })).toThrow(
      'not exceed',
    );
  });
});

describe('the alert timeline', () => {
  it('draws a bar for each time in a state, a thin one while resolved, and none for a pending that went away', async () => {
    const { items, texts } = await drawn(
      alertTimeline({ changes: alertChanges('PSI'), until: at(6), width: 500, height: 300 }),
    );
    const shapes = items('rect').map((item) =>
      /M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)/
        .exec(item.get('d') ?? '')
        ?.slice(1)
        .map((n) => Math.round(Number(n))),
    );
    expect(shapes).toEqual([
      [400, 64, 100, 8],
      [0, 48, 100, 40],
      [100, 48, 200, 40],
      [300, 48, 100, 40],
      [100, 148, 100, 40],
      [400, 248, 100, 40],
    ]);
    expect(texts('mark')).toEqual(['PSI a', 'PSI b', 'PSI c']);
    expect(texts('legend-label')).toEqual(['pending', 'firing', 'acknowledged', 'resolved']);
    expect(texts('title-subtitle').join(' ')).toContain('At 2026-01-06 00:00 UTC: 1 firing, 0 acknowledged, 0 pending');
  });

  it('leaves away what came later, and of many alerts those that are over', async () => {
    const early = await drawn(alertTimeline({ changes: alertChanges('PSI'), until: at(3) }));
    expect(early.texts('mark')).toEqual(['PSI a', 'PSI b']);
    const few = await drawn(alertTimeline({ changes: alertChanges('PSI'), until: at(6), maxAlerts: 1 }));
    expect(few.texts('mark')).toEqual(['PSI c']);
    expect(few.texts('title-subtitle').join(' ')).toContain('1 of 3 alerts');
  });

  it('is the same for changes in any order, of none is empty, and refuses rows that are none', async () => {
    const changes = alertChanges('PSI');
    const chart = (given: typeof changes, maxAlerts?: number) =>
      alertTimeline({ changes: given, until: at(6), maxAlerts });
    expect(chart(changes.toReversed())).toEqual(chart(changes));
    expect((await drawn(chart([]))).texts('mark')).toEqual(['No alerts to draw']);
    const [change] = changes;
    if (change === undefined) throw new Error('There is no sample.');
    expect(() => chart([change, change])).toThrow('numbers of their own');
    expect(() => chart([{ ...change, occurredAt: new Date(Number.NaN) }])).toThrow('occurredAt must be');
    expect(() => chart(changes, 0)).toThrow('maxAlerts must be');
  });
});

describe('the chart of rollups', () => {
  it('stacks rows without a value on the others, and draws a line a percentile with a gap where a day is missing', async () => {
    const { items, texts } = await drawn(rollupChart({ name: 'delay', rows: rollups, width: 400, height: 100 }));
    const shapes = items('rect').map((item) => [
      item
        .get('d')
        ?.match(/[\d.]+/g)
        ?.map(Number),
      item.get('fill'),
    ]);
    expect(shapes.map(([, fill]) => fill)).toEqual(['#0072B2', '#0072B2', '#0072B2', '#D55E00']);
    expect(items('line')).toHaveLength(2);
    for (const item of items('line')) expect(item.get('d')?.match(/M/g)).toHaveLength(2);
    expect(texts('legend-label')).toEqual(['p5', 'p95']);
    expect(texts('axis-title')).toEqual(['Rows', 'Time (UTC)', 'delay']);
    expect(texts('title-subtitle')[0]).toBe('250 rows in 3 days; 8.0 % have no value (orange)');
  });

  it('draws counts alone where there are no percentiles, of no rows is empty, and refuses rows that are none', async () => {
    const bare = rollups.map((row) => ({ ...row, quantiles: [] }));
    expect((await drawn(rollupChart({ name: 'delay', rows: bare }))).texts('axis-title')).toEqual([
      'Time (UTC)',
      'Rows',
    ]);
    expect((await drawn(rollupChart({ name: 'delay', rows: [] }))).texts('mark')).toEqual(['No rows to draw']);
    const [row] = rollups;
    if (row === undefined) throw new Error('There is no sample.');
    const chart = (changes: Partial<typeof row>) => () => rollupChart({ name: 'd', rows: [{ ...row, ...changes }] });
    expect(chart({ count: -1 })).toThrow('count must be');
    expect(chart({ quantiles: [{ level: 2, value: 1 }] })).toThrow('level must be');
    expect(chart({ quantiles: [{ level: 0.5, value: Number.NaN }] })).toThrow('value must be');
    expect(() => rollupChart({ name: 'd', rows: [row, row] })).toThrow('one row of each span');
    expect(() => rollupChart({ name: 'd', rows: [row], spanMs: 0 })).toThrow('spanMs must be');
  });
});

it.each(['constructor', 'toString', '__proto__', ''])('an axis named %j is drawn', async (metric) => {
  const points = [{ step: 1, at: at(1), value: 1 }];
  const { svg } = await drawn(metricChart({ metric, series: [{ name: 'run', points }] }));
  expect(numberFault(svg)).toBe('');
});
