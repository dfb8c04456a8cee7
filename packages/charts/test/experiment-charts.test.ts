import { describe, expect, it } from 'vitest';
import { allocationChart, liftChart, metricTableChart } from '../src/index.ts';
import { at, epochs, lifts, metricRows } from './support/samples.ts';
import { drawn, numberFault } from './support/svg-marks.ts';

describe('the lift chart', () => {
  const series = [{ name: 'treatment', points: lifts }];

  it('draws a line from look to look, with both intervals about it and a line at 0', async () => {
    const { items, lines, texts, svg } = await drawn(
      liftChart({ metric: 'bookings', series, width: 400, height: 200 }),
    );
    expect(lines()).toHaveLength(1);
    expect(lines()[0]?.map(([x]) => x)).toEqual([0, 200, 400]);
    expect(items('area')).toHaveLength(2);
    expect(items('symbol')).toHaveLength(3);
    expect(items('rule')).toHaveLength(1);
    expect(texts('legend-label')).toEqual(['treatment']);
    expect(texts('axis-title')).toEqual(['Time (UTC), 3 looks', 'Lift of bookings, relative']);
    expect(texts('title-subtitle').join(' ')).toContain('treatment: +10.0 % (-5.0 % to +25.0 %)');
    expect(numberFault(svg)).toBe('');
  });

  it('lets the last looks be seen: what is far wider at first is cut, and said', async () => {
    const { lines, texts } = await drawn(liftChart({ metric: 'bookings', series, width: 400, height: 200 }));
    const heights = lines()[0]?.map(([, y]) => y) ?? [];
    // 30 % to 5 %, of a plot that without the cut would reach from -900 % to 1000 %.
    expect((heights[1] ?? 0) - (heights[0] ?? 0)).toBeGreaterThan(40);
    expect(texts('title-subtitle').join(' ')).toContain('Wide intervals of early looks are cut.');
    const narrow = await drawn(liftChart({ metric: 'bookings', series: [{ name: 't', points: lifts.slice(2) }] }));
    expect(narrow.texts('title-subtitle').join(' ')).not.toContain('are cut');
  });

  it('of a single look draws bars, and of an undefined one a gap', async () => {
    const one = await drawn(liftChart({ metric: 'm', series: [{ name: 't', points: lifts.slice(0, 1) }] }));
    expect(one.items('rule')).toHaveLength(3);
    expect(numberFault(one.svg)).toBe('');
    const gap = { at: at(4), lift: null, interval: null, alwaysValid: null };
    const points = [...lifts, gap, { ...gap, at: at(5), lift: 0.1 }];
    const broken = await drawn(liftChart({ metric: 'm', series: [{ name: 't', points }], unit: 'absolute' }));
    expect(broken.items('symbol')).toHaveLength(4);
    expect(broken.texts('title-subtitle')[0]).toBe('t: +0.1');
  });

  it('is open to the edge where a bound is missing', async () => {
    const point = { at: at(1), lift: 0.1, interval: null, alwaysValid: [0.05, null] as const };
    const { texts, svg } = await drawn(liftChart({ metric: 'm', series: [{ name: 't', points: [point] }] }));
    expect(texts('title-subtitle').join(' ')).toContain('(+5.0 % to +∞) Intervals hold at every look.');
    expect(numberFault(svg)).toBe('');
  });

  it('is the same for looks in any order, thins many, and of none is empty', async () => {
    const chart = (points: typeof lifts) => liftChart({ metric: 'm', series: [{ name: 't', points }] });
    expect(chart(lifts.toReversed())).toEqual(chart(lifts));
    expect((await drawn(chart([]))).texts('mark')).toEqual(['No lift to draw']);
    const many = Array.from({ length: 5_000 }, (_, i) => ({
      ...{ at: new Date(at(1).getTime() + i * 60_000), lift: i === 3_333 ? 0.5 : 0.1 },
      ...{ interval: [0, 0.2] as const, alwaysValid: null },
    }));
    const { items, texts } = await drawn(
      liftChart({ metric: 'm', series: [{ name: 't', points: many }], height: 100 }),
    );
    expect(items('symbol').length).toBeLessThanOrEqual(1_000);
    expect(texts('title-subtitle').join(' ')).toContain('Thinned from 5,000');
  });

  it('refuses rows that are none', () => {
    const [point] = lifts;
    if (point === undefined) throw new Error('There is no sample.');
    const chart =
      (...points: typeof lifts) =>
      () =>
        liftChart({ metric: 'm', series: [{ name: 't', points }] });
    expect(chart(point, point)).toThrow('different times');
    expect(chart({ ...point, lift: Number.NaN })).toThrow('lift must be');
    expect(chart({ ...point, interval: [0, Infinity] })).toThrow('An upper bound must be');
    expect(chart({ ...point, alwaysValid: [1, 0] })).toThrow('must not exceed');
    expect(chart({ ...point, at: new Date(Number.NaN) })).toThrow('at must be');
  });
});

describe('the metric table', () => {
  it('has a line a metric: name, figures, both intervals and a point in the colour of the verdict', async () => {
    const { items, texts, svg } = await drawn(metricTableChart({ rows: metricRows('bookings') }));
    expect(texts('mark')).toEqual([
      'bookings, bookings (primary)',
      'bookings 2, bookings 2',
      'bookings 3, bookings (guardrail)',
      '+20.0 % (+5.0 % to +35.0 %)',
      '+20.0 % (-∞ to +40.0 %)',
      'undefined',
    ]);
    // The line at 0, and two intervals of two metrics.
    expect(items('rule').filter((item) => item.get('opacity') !== '0')).toHaveLength(1 + 4);
    expect(items('symbol').map((item) => item.get('fill'))).toEqual(['#0072B2', '#5C5C5C']);
    expect(texts('legend-label')).toEqual(['better', 'unclear']);
    expect(numberFault(svg)).toBe('');
  });

  it('leaves the variant away where there is one', async () => {
    const rows = metricRows('bookings').map((row) => ({ ...row, variant: 'treatment' }));
    expect((await drawn(metricTableChart({ rows }))).texts('mark')[0]).toBe('bookings (primary)');
  });

  it('of no metrics is empty, and refuses rows that are none', async () => {
    expect((await drawn(metricTableChart({ rows: [] }))).texts('mark')).toEqual(['No metrics to draw']);
    const [row] = metricRows('m');
    if (row === undefined) throw new Error('There is no sample.');
    expect(() => metricTableChart({ rows: Array.from({ length: 61 }, () => row) })).toThrow('at most 60');
    expect(() => metricTableChart({ rows: [{ ...row, interval: [1, 0] }] })).toThrow('must not exceed');
    expect(() => metricTableChart({ rows: [{ ...row, lift: Infinity }] })).toThrow('lift must be');
  });
});

describe('the allocation chart', () => {
  it('stacks the shares of all units, epoch by epoch', async () => {
    const { items, texts } = await drawn(
      allocationChart({ epochs: epochs('v'), until: at(5), width: 400, height: 200 }),
    );
    const shapes = items('rect').map((item) => /M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)/.exec(item.get('d') ?? ''));
    expect(shapes.map((shape) => shape?.slice(1).map(Number))).toEqual([
      [0, 180, 200, 20],
      [0, 160, 200, 20],
      [200, 100, 200, 100],
      [200, 50, 200, 50],
      [200, 0, 200, 50],
    ]);
    expect(texts('mark')).toEqual(['v', 'v 2', 'v', 'v 2', 'v 3', 'Epoch 1', 'Epoch 2']);
    expect(texts('legend-label')).toEqual(['v', 'v 2', 'v 3']);
    expect(texts('title-subtitle').join(' ')).toBe('2 epochs; the last: v 50.0 %, v 2 25.0 %, v 3 25.0 %');
  });

  it('draws no epoch that began later, and one in which nobody is asked as nothing', async () => {
    const early = await drawn(allocationChart({ epochs: epochs('v').toReversed(), until: at(2) }));
    expect(early.items('rect')).toHaveLength(2);
    const [first] = epochs('v');
    if (first === undefined) throw new Error('There is no sample.');
    const none = { ...first, epoch: 2, from: at(2), variants: [] };
    const stopped = await drawn(allocationChart({ epochs: [first, none], until: at(3) }));
    expect(stopped.items('rect')).toHaveLength(2);
    expect(stopped.texts('title-subtitle').join(' ')).toBe('2 epochs; the last: nobody');
    expect((await drawn(allocationChart({ epochs: [], until: at(3) }))).texts('mark')).toEqual([
      'No allocation to draw',
    ]);
  });

  it('refuses rows that are none', () => {
    const [first] = epochs('v');
    if (first === undefined) throw new Error('There is no sample.');
    const chart = (changes: Partial<typeof first>) => () =>
      allocationChart({ epochs: [{ ...first, ...changes }], until: at(3) });
    expect(chart({ coverage: 1.1 })).toThrow('coverage must be');
    expect(chart({ variants: [{ name: 'v', weight: -1 }] })).toThrow('weight must be');
    expect(chart({ from: new Date(Number.NaN) })).toThrow('from must be');
    expect(() => allocationChart({ epochs: [first, first], until: at(3) })).toThrow('different times');
  });
});
