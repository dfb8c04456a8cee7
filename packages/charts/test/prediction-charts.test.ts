import { describe, expect, it } from 'vitest';
import { jobProgressChart, scoreHistogram, trafficChart } from '../src/index.ts';
import { at, progress, scoreBins, traffic } from './support/samples.ts';
import { drawn, numberFault } from './support/svg-marks.ts';

const hour = 3_600_000;

describe('the traffic chart', () => {
  it('draws a bar a span and a line a percentile, with a gap where nothing was predicted', async () => {
    const { items, lines, texts } = await drawn(
      trafficChart({ buckets: traffic, bucketMs: hour, width: 400, height: 100 }),
    );
    expect(items('rect')).toHaveLength(3);
    const heights = items('rect').map((item) => Number(/v(-?[\d.]+)/.exec(item.get('d') ?? '')?.[1]));
    expect((heights[1] ?? 0) / (heights[0] ?? 1)).toBeCloseTo(4, 5);
    expect(lines()).toHaveLength(3);
    // Two pieces: hours 0 and 1, and hour 3.
    for (const item of items('line')) expect(item.get('d')?.match(/M/g)).toHaveLength(2);
    expect(lines()[0]?.map(([x]) => x)).toEqual([50, 150, 350]);
    expect(texts('legend-label')).toEqual(['p50', 'p95', 'p99']);
    expect(texts('axis-title')).toEqual(['Predictions', 'Time (UTC)', 'Latency (ms)']);
    expect(texts('title-subtitle')[0]).toBe('70 predictions in 3 spans of 1 hour');
  });

  it('leaves the latencies away where there are none, and says so', async () => {
    const buckets = traffic.map((bucket) => ({
      ...bucket,
      latencyP50Ms: null,
      latencyP95Ms: null,
      latencyP99Ms: null,
    }));
    const { lines, texts } = await drawn(trafficChart({ buckets, bucketMs: hour }));
    expect(lines()).toEqual([]);
    expect(texts('axis-title')).toEqual(['Time (UTC)', 'Predictions']);
    expect(texts('title-subtitle').join(' ')).toContain('None of them has a latency.');
  });

  it('thins many spans and keeps the busiest and the slowest', async () => {
    const buckets = Array.from({ length: 20_000 }, (_, i) => ({
      at: new Date(at(1).getTime() + i * 1_000),
      count: i === 7_777 ? 1_000 : 1 + (i % 3),
      ...{ latencyP50Ms: 5, latencyP95Ms: 6, latencyP99Ms: i === 12_345 ? 900 : 7 },
    }));
    const { items, lines, texts } = await drawn(trafficChart({ buckets, bucketMs: 1_000, height: 100 }));
    expect(items('rect').length).toBeLessThanOrEqual(1_000);
    expect(lines()[2]?.filter(([, y]) => y < 50)).toHaveLength(1);
    expect(texts('title-subtitle').join(' ')).toContain('Thinned from 20,000');
  });

  it('of no predictions is empty, and refuses rows that are none', async () => {
    expect((await drawn(trafficChart({ buckets: [], bucketMs: hour }))).texts('mark')).toEqual([
      'No predictions to draw',
    ]);
    const [bucket] = traffic;
    if (bucket === undefined) throw new Error('There is no sample.');
    const chart =
      (buckets: typeof traffic, bucketMs = hour) =>
      () =>
        trafficChart({ buckets, bucketMs });
    expect(chart([bucket, bucket])).toThrow('one row of each span');
    expect(chart([{ ...bucket, count: -1 }])).toThrow('count must be');
    expect(chart([{ ...bucket, latencyP50Ms: Number.NaN }])).toThrow('A latency must be');
    expect(chart([{ ...bucket, at: new Date(Number.NaN) }])).toThrow('at must be');
    expect(chart([bucket], 0)).toThrow('bucketMs must be');
  });
});

describe('the score histogram', () => {
  it('draws shares, so that series of different sizes can be compared', async () => {
    const many = scoreBins.map((bin) => ({ ...bin, count: 10 * bin.count }));
    const { items, texts } = await drawn(
      scoreHistogram({
        series: [
          { name: '1', bins: scoreBins },
          { name: '2', bins: many },
        ],
      }),
    );
    const shapes = items('rect').map((item) => item.get('d'));
    expect(shapes).toHaveLength(4);
    expect(shapes.slice(0, 2)).toEqual(shapes.slice(2));
    expect(texts('legend-label')).toEqual(['1', '2']);
    expect(texts('axis-title')).toEqual(['Score', 'Share of the predictions']);
    expect(texts('title-subtitle')[0]).toBe('440 scores in 2 series');
  });

  it('is the same for bins in any order, and needs no legend for one series', async () => {
    const chart = (bins: typeof scoreBins) => scoreHistogram({ series: [{ name: '1', bins }] });
    expect(chart(scoreBins.toReversed())).toEqual(chart(scoreBins));
    expect((await drawn(chart(scoreBins))).texts('legend-label')).toEqual([]);
  });

  it('of no scores is empty, and refuses bins that are none', async () => {
    expect((await drawn(scoreHistogram({ series: [] }))).texts('mark')).toEqual(['No scores to draw']);
    const chart = (bins: typeof scoreBins) => () => scoreHistogram({ series: [{ name: '1', bins }] });
    expect(chart([{ lower: 1, upper: 1, count: 1 }])).toThrow('below upper');
    expect(chart([...scoreBins, { lower: 0.4, upper: 0.6, count: 1 }])).toThrow('not overlap');
    expect(chart([{ lower: 0, upper: 1, count: Number.NaN }])).toThrow('count must be');
  });
});

describe('the progress of a job', () => {
  it('draws what is done and dead as steps below the line of all rows', async () => {
    const { lines, texts } = await drawn(
      jobProgressChart({ points: progress, rowCount: 100, width: 400, height: 200 }),
    );
    const [done, dead, all] = lines();
    expect(done?.map(([, y]) => y)).toEqual([200, 200, 80, 80, 10]);
    expect(dead?.at(-1)).toEqual([400, 190]);
    expect(all).toEqual([
      [0, 0],
      [400, 0],
      [400, 0],
    ]);
    expect(texts('legend-label')).toEqual(['Done', 'Dead', 'All rows']);
    expect(texts('title-subtitle')[0]).toBe('95 of 100 rows done (95.0 %), 5 dead, in 7,200 seconds');
  });

  it('draws a job of one moment and of no rows, and refuses counts that are none', async () => {
    const one = await drawn(jobProgressChart({ points: progress.slice(0, 1), rowCount: 0 }));
    expect(numberFault(one.svg)).toBe('');
    expect((await drawn(jobProgressChart({ points: [], rowCount: 5 }))).texts('mark')).toEqual(['No progress to draw']);
    const point = { at: at(1), rowsDone: -1, rowsDead: 0 };
    expect(() => jobProgressChart({ points: [point], rowCount: 5 })).toThrow('rowsDone must be');
  });
});
