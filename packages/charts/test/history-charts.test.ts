import { describe, expect, it } from 'vitest';
import { type MetricPoint, metricChart, stageTimeline, studyChart, type TrialRow } from '../src/index.ts';
import { at, stageChanges } from './support/samples.ts';
import { drawn, numberFault } from './support/svg-marks.ts';

const points = (values: readonly number[]): readonly MetricPoint[] =>
  values.map((value, step) => ({ step, at: at(1, step), value }));

describe('the metric chart', () => {
  it('draws a line a run over steps, with the names in the legend', async () => {
    const series = [
      { name: 'calm-owl', points: points([0, 1, 4]) },
      { name: 'bright-lark', points: points([4, 2, 2]) },
    ];
    const { lines, texts } = await drawn(
      metricChart({ metric: 'loss', unit: 'nats', series, width: 400, height: 200 }),
    );
    expect(lines()).toEqual([
      [
        [0, 200],
        [200, 150],
        [400, 0],
      ],
      [
        [0, 0],
        [200, 100],
        [400, 100],
      ],
    ]);
    expect(texts('legend-label')).toEqual(['calm-owl', 'bright-lark']);
    expect(texts('axis-title')).toEqual(['Step', 'loss (nats)']);
  });

  it('has a gap with a cross at the foot for NaN and infinities, a dot between two gaps, and says how many', async () => {
    const series = [{ name: 'r', points: points([1, 2, Number.NaN, 2, Infinity, 3, 4]) }];
    const { items, places, texts } = await drawn(metricChart({ metric: 'loss', series, width: 600, height: 200 }));
    // Three pieces, the middle one of a single point.
    expect(items('line')[0]?.get('d')?.match(/M/g)).toHaveLength(3);
    expect(places('symbol').map(([x]) => Math.round(x))).toEqual([300, 200, 400]);
    expect(
      places('symbol')
        .slice(1)
        .map(([, y]) => y),
    ).toEqual([195, 195]);
    expect(texts('title-subtitle').join(' ')).toContain('2 values are NaN or infinite');
  });

  it('on a log scale has equal steps for equal ratios, and gaps at 0 and below', async () => {
    const series = [{ name: 'r', points: points([100, 10, 1, 0, -5]) }];
    const { lines, places, texts } = await drawn(metricChart({ metric: 'loss', series, yScale: 'log' }));
    const heights = lines()[0]?.map(([, y]) => y) ?? [];
    expect(heights).toHaveLength(3);
    expect((heights[1] ?? 0) - (heights[0] ?? 0)).toBeCloseTo((heights[2] ?? 0) - (heights[1] ?? 0), 2);
    expect(places('symbol')).toHaveLength(2);
    expect(texts('axis-title')).toContain('loss, log scale');
    expect(texts('title-subtitle').join(' ')).toContain('2 values are NaN, infinite or not above 0');
  });

  it.each([
    { span: 40, unit: 'milliseconds' },
    { span: 40_000, unit: 'seconds' },
    { span: 40 * 60_000, unit: 'minutes' },
    { span: 40 * 3_600_000, unit: 'hours' },
    { span: 40 * 86_400_000, unit: 'days' },
  ])('over the time since the first point has a unit that fits: $unit', async ({ span, unit }) => {
    const timed = [0, 0.5, 1].map((share, step) => ({
      step,
      at: new Date(at(1).getTime() + share * span),
      value: step,
    }));
    const { texts, lines } = await drawn(
      metricChart({ metric: 'loss', series: [{ name: 'r', points: timed }], x: 'elapsed', width: 400 }),
    );
    expect(texts('axis-title')[0]).toBe(`Time since the first point (${unit})`);
    expect(texts('axis-label')).toContain('40');
    expect(lines()[0]?.map(([x]) => x)).toEqual([0, 200, 400]);
  });

  it('thins a long run, keeps its peaks and its gap, and says so', async () => {
    const values = Array.from({ length: 100_000 }, (_, i) =>
      i === 31_415 ? 1_000 : i === 71_828 ? -1_000 : i === 50_000 ? Number.NaN : Math.sin(i),
    );
    const { lines, texts, places } = await drawn(
      metricChart({ metric: 'loss', series: [{ name: 'r', points: points(values) }] }),
    );
    const heights = lines()[0]?.map(([, y]) => y) ?? [];
    expect(heights.length).toBeLessThanOrEqual(1_000);
    expect([
      heights.filter((y) => y < 30).length,
      heights.filter((y) => y > 250).length,
      places('symbol').length,
    ]).toEqual([1, 1, 1]);
    expect(texts('title-subtitle').join(' ')).toMatch(/Thinned from 100,000 to \d{3} points/);
  });

  it('is the same for points in any order, also those of one step', () => {
    const given = [
      ...points([1, Number.NaN, 2]),
      { step: 1, at: at(1, 1), value: 5 },
      { step: 1, at: at(1), value: 6 },
    ];
    const chart = (of: readonly MetricPoint[]) => metricChart({ metric: 'loss', series: [{ name: 'r', points: of }] });
    expect(chart(given.toReversed())).toEqual(chart(given));
  });

  it.each([
    { what: 'one point', values: [1] },
    { what: 'one point of 0', values: [0] },
    { what: 'nothing but NaN', values: [Number.NaN, Number.NaN] },
    { what: 'the same value again and again', values: [2, 2, 2] },
    { what: 'the largest numbers', values: [-1.7e308, 1.7e308] },
  ])('draws $what, on both scales', async ({ values }) => {
    for (const yScale of ['linear', 'log'] as const) {
      const { svg } = await drawn(
        metricChart({ metric: 'loss', series: [{ name: 'r', points: points(values) }], yScale }),
      );
      expect(numberFault(svg)).toBe('');
    }
  });

  it('of no points is empty, and refuses steps and times that are none', async () => {
    expect((await drawn(metricChart({ metric: 'loss', series: [] }))).texts('mark')).toEqual(['No points to draw']);
    const of = (point: MetricPoint) => () => metricChart({ metric: 'loss', series: [{ name: 'r', points: [point] }] });
    expect(of({ step: Number.NaN, at: at(1), value: 1 })).toThrow('step must be');
    expect(of({ step: 1, at: new Date(Number.NaN), value: 1 })).toThrow('at must be');
  });
});

describe('the study chart', () => {
  const trial = (number: number, status: TrialRow['status'], value?: number): TrialRow => ({
    number,
    status,
    values: value === undefined ? null : [value],
  });
  const trials = [
    trial(0, 'complete', 3),
    trial(1, 'pruned', 0.5),
    trial(2, 'complete', 4),
    trial(3, 'pruned'),
    trial(4, 'failed'),
    trial(5, 'complete', 1),
    trial(6, 'complete', Number.NaN),
    trial(7, 'stale'),
    trial(8, 'running'),
    trial(9, 'waiting'),
  ];

  it('marks each trial by how it ended, and draws the best so far of the complete ones as steps', async () => {
    const { lines, items, texts } = await drawn(
      studyChart({ trials, objective: { name: 'loss', direction: 'minimize' } }),
    );
    // 3 from trial 0, 1 from trial 5, held to trial 7: the pruned 0.5 does not count.
    const heights = lines()[0]?.map(([, y]) => y) ?? [];
    expect(new Set(heights).size).toBe(2);
    expect(heights.at(-1)).toBeGreaterThan(heights[0] ?? Infinity);
    const colours = items('symbol').map((item) => item.get('stroke'));
    expect(colours.filter((colour) => colour === '#0072B2')).toHaveLength(4);
    expect(colours.filter((colour) => colour === '#D55E00')).toHaveLength(2);
    expect(colours.filter((colour) => colour === '#5C5C5C')).toHaveLength(2);
    expect(texts('legend-label')).toEqual(['Complete', 'Pruned', 'Failed or lost']);
    expect(texts('title-subtitle')[0]).toBe('Best: 1, trial 5');
    expect(texts('title-subtitle').join(' ')).toContain(
      '8 trials that have ended, 2 pruned, 2 failed or lost; at the foot',
    );
    expect(texts('axis-title')).toEqual(['Trial number', 'loss (smaller is better)']);
  });

  it('puts what has no value at the foot of the plot, where no value is', async () => {
    const { places } = await drawn(
      studyChart({ trials, objective: { name: 'loss', direction: 'minimize' }, height: 200 }),
    );
    const heights = places('symbol').map(([, y]) => y);
    expect(heights.filter((y) => y === 195)).toHaveLength(4);
    expect(Math.max(...heights.filter((y) => y !== 195))).toBeLessThanOrEqual(186);
  });

  it('takes the larger values for better where it is told, and the earlier of equal ones', async () => {
    const equal = [trial(0, 'complete', 1), trial(1, 'complete', 2), trial(2, 'complete', 2)];
    const { texts } = await drawn(
      studyChart({ trials: equal, objective: { name: 'accuracy', direction: 'maximize' } }),
    );
    expect(texts('title-subtitle')[0]).toBe('Best: 2, trial 1');
    expect(texts('axis-title')[1]).toBe('accuracy (larger is better)');
  });

  it('draws one objective of several, and refuses one that is not there', async () => {
    const two: TrialRow[] = [{ number: 0, status: 'complete', values: [1, 7] }];
    const objective = { name: 'latency', direction: 'minimize' } as const;
    expect((await drawn(studyChart({ trials: two, objective, objectiveIndex: 1 }))).texts('title-subtitle')[0]).toBe(
      'Best: 7, trial 0',
    );
    expect(() => studyChart({ trials: two, objective, objectiveIndex: 2 })).toThrow('objectiveIndex');
    expect(() => studyChart({ trials: [...two, ...two], objective })).toThrow('each number once');
  });

  it('thins many trials and keeps each that was the best', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => trial(i, 'complete', i % 1_000 === 500 ? -i : Math.cos(i)));
    const { places, texts } = await drawn(
      studyChart({ trials: many, objective: { name: 'loss', direction: 'minimize' } }),
    );
    expect(places('symbol').length).toBeLessThan(1_050);
    expect(texts('title-subtitle')[0]).toBe(
      'Best: -19500, trial 19500'.replace('19500,', `${Number((19_500).toPrecision(4))},`),
    );
    expect(texts('title-subtitle').join(' ')).toContain('Thinned from 20,000');
  });

  it('of no ended trial is empty and says so; without a finite value it says that', async () => {
    const objective = { name: 'loss', direction: 'minimize' } as const;
    expect((await drawn(studyChart({ trials: trials.slice(8), objective }))).texts('mark')).toEqual([
      'No trial has ended',
    ]);
    const failed = await drawn(studyChart({ trials: [trial(0, 'failed')], objective }));
    expect(failed.texts('title-subtitle')[0]).toBe('No complete trial has a finite value.');
    expect(numberFault(failed.svg)).toBe('');
  });
});

describe('the stage timeline', () => {
  const changes = stageChanges();

  it('has a lane a version and a bar for each time in a stage', async () => {
    const { items, texts } = await drawn(stageTimeline({ changes, until: at(9), width: 800 }));
    const bars = items('rect').map((item) => {
      const [, x = '', , width = ''] = /M([\d.]+),([\d.]+)h([\d.]+)/.exec(item.get('d') ?? '') ?? [];
      return [item.get('fill'), Number(x), Number(width)];
    });
    // Eight days on 800 pixels.
    expect(bars).toEqual([
      ['#009E73', 0, 200],
      ['#084A8C', 200, 400],
      ['#8C8C8C', 600, 200],
      ['#009E73', 400, 200],
      ['#084A8C', 600, 200],
    ]);
    expect(texts('axis-label').slice(-2)).toEqual(['1', '2']);
    expect(texts('axis-label')[0]).toBe('2026-01-01');
    expect(texts('legend-label')).toEqual(['production', 'development', 'archived']);
    expect(texts('title-subtitle')).toEqual(['Until 2026-01-09 00:00 UTC']);
  });

  it('ends a lane where its version is deleted, and goes on where it is restored', async () => {
    const [first] = changes;
    if (first === undefined) throw new Error('There is no such change.');
    const moves = [
      first,
      { ...first, changeNumber: 1, toStage: null, occurredAt: at(3) },
      { ...first, changeNumber: 2, toStage: 'archived', occurredAt: at(5) },
    ] as const;
    const { items } = await drawn(stageTimeline({ changes: moves, until: at(9), width: 800 }));
    expect(items('rect').map((item) => /h([\d.]+)/.exec(item.get('d') ?? '')?.[1])).toEqual(['200', '400']);
  });

  it('draws nothing that happened after its end, and a stage that was held for no time', async () => {
    expect((await drawn(stageTimeline({ changes, until: at(4) }))).items('rect')).toHaveLength(2);
    expect((await drawn(stageTimeline({ changes, until: at(7) }))).items('rect')).toHaveLength(5);
    expect(numberFault((await drawn(stageTimeline({ changes, until: at(1) }))).svg)).toBe('');
    expect((await drawn(stageTimeline({ changes: [], until: at(1) }))).texts('mark')).toEqual(['No changes to draw']);
  });

  it('of many versions keeps those that served, then the last to move, and says so', async () => {
    const [first] = changes;
    if (first === undefined) throw new Error('There is no such change.');
    const registered = Array.from({ length: 100 }, (_, i) => ({
      ...first,
      versionId: `later-${i}`,
      version: `later ${i}`,
      changeNumber: 10 + i,
      occurredAt: at(8),
    }));
    const { texts } = await drawn(
      stageTimeline({ changes: [...changes, ...registered], until: at(9), maxVersions: 4 }),
    );
    expect(texts('axis-label').slice(-4)).toEqual(['1', '2', 'later 98', 'later 99']);
    expect(texts('title-subtitle').join(' ')).toContain('4 of 102 versions');
  });

  it('is the same for changes in any order, and refuses those of two models', () => {
    expect(stageTimeline({ changes: changes.toReversed(), until: at(9) })).toEqual(
      stageTimeline({ changes, until: at(9) }),
    );
    const others = changes.map((change) => ({ ...change, modelId: 'other' }));
    expect(() => stageTimeline({ changes: [...changes, ...others], until: at(9) })).toThrow('one model');
    expect(() => stageTimeline({ changes, until: new Date(Number.NaN) })).toThrow('until must be');
  });
});
