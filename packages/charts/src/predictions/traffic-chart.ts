import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { countOf } from '../number-text.ts';
import { requireAmount, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { seriesColours } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { timeAxis } from '../time-axis.ts';

/** Predictions of one span of time, as readTraffic gives them. */
export interface TrafficBucket {
  /** Its beginning. */
  readonly at: Date;
  readonly count: number;
  /** Null where none of them has a latency. */
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
}

export interface TrafficChartInput extends ChartOptions {
  /** Of spans of equal length, in any order; where one is missing, nothing was predicted. */
  readonly buckets: readonly TrafficBucket[];
  /** The length of each span. */
  readonly bucketMs: number;
  /** Spans that are drawn; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

const percentiles = ['p50', 'p95', 'p99'] as const;

/**
 * How many predictions were made over time, and below it how long they took: the median and the 95th and 99th percentile of
 * each span, with a gap where nothing was predicted or nothing has a latency. Times are UTC.
 * @throws ChartError `invalid_input`: counts and latencies that are none, invalid times, two rows of one span.
 */
export function trafficChart(input: TrafficChartInput): ChartSpec {
  const title = 'Predictions over time';
  const { bucketMs } = input;
  if (!(Number.isFinite(bucketMs) && bucketMs > 0)) {
    throw new ChartError('invalid_input', 'bucketMs must be a number of milliseconds above 0.');
  }
  const all = inOrder(input.buckets);
  const total = all.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return emptyChart(input, title, 'No predictions to draw');
  const drawn = thinRows(all, {
    maxRows: pointsOf(input.maxPoints),
    measures: [
      ({ count }) => count,
      ...percentiles.map((which) => (bucket: TrafficBucket) => latencyOf(bucket, which)),
    ],
  });
  const { width, height } = sizeOf(input, 560, 160);
  const [first, last] = [all[0], all.at(-1)];
  const ends = [first?.at.getTime() ?? 0, (last?.at.getTime() ?? 0) + bucketMs] as const;
  const x = (name: string | null) => ({ ...timeAxis(ends, name), field: 'from' });
  const volume = {
    width,
    height,
    data: {
      values: drawn.map(({ at, count }) => ({ from: at.getTime(), to: at.getTime() + bucketMs, count })),
    },
    mark: { type: 'rect', color: seriesColours[0], aria: false, tooltip: { content: 'data' } },
    encoding: {
      x: x(null),
      x2: { field: 'to' },
      y: {
        field: 'count',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Predictions', tickCount: 4, format: '~s' },
      },
      y2: { datum: 0 },
    },
  };
  const withLatency = drawn.some((bucket) => bucket.latencyP50Ms !== null);
  const { params, line } = seriesScales('Latency', [...percentiles]);
  const latency = {
    width,
    height,
    data: { values: latencyRows(drawn, all, bucketMs) },
    mark: { type: 'line', strokeWidth: 1.75, invalid: 'break-paths-filter-domains', point: { size: 12 }, aria: false },
    encoding: {
      x: x('Time (UTC)'),
      y: {
        field: 'latencyMs',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Latency (ms)', tickCount: 4 },
      },
      ...line,
    },
  };
  const notes = [
    `${countOf(total, 'prediction')} in ${countOf(all.length, 'span')} of ${spanText(bucketMs)}`,
    withLatency ? undefined : 'None of them has a latency.',
    thinnedNote(all.length, drawn.length, 'spans'),
  ];
  const body = withLatency
    ? { params, vconcat: [volume, latency], spacing: 16 }
    : { ...volume, encoding: { ...volume.encoding, x: x('Time (UTC)') } };
  return chartSpec({ options: input, title, width, notes, body });
}

function inOrder(buckets: readonly TrafficBucket[]): readonly TrafficBucket[] {
  const ordered = buckets.toSorted((a, b) => requireTime('at', a.at) - requireTime('at', b.at));
  for (const [index, { at, count, latencyP50Ms, latencyP95Ms, latencyP99Ms }] of ordered.entries()) {
    requireAmount('count', count);
    for (const latency of [latencyP50Ms, latencyP95Ms, latencyP99Ms]) {
      if (latency !== null) requireAmount('A latency', latency);
    }
    if (requireTime('at', at) === ordered[index - 1]?.at.getTime()) {
      throw new ChartError('invalid_input', 'buckets must hold one row of each span.');
    }
  }
  return ordered;
}

/** One point a percentile in the middle of each span; one without a value where spans are missing, so that the line breaks. */
function latencyRows(
  drawn: readonly TrafficBucket[],
  all: readonly TrafficBucket[],
  bucketMs: number,
): readonly Json[] {
  const followsGap = new Set(
    all.filter(({ at }, i) => at.getTime() - (all[i - 1]?.at.getTime() ?? at.getTime()) > 1.5 * bucketMs),
  );
  return percentiles.flatMap((which, series) =>
    drawn.flatMap((bucket) => {
      const from = bucket.at.getTime();
      const point = { series, percentile: which, from: from + bucketMs / 2, latencyMs: latencyOf(bucket, which) };
      return followsGap.has(bucket) ? [{ ...point, from, latencyMs: null }, point] : [point];
    }),
  );
}

function latencyOf(bucket: TrafficBucket, which: (typeof percentiles)[number]): number | null {
  return { p50: bucket.latencyP50Ms, p95: bucket.latencyP95Ms, p99: bucket.latencyP99Ms }[which];
}

function spanText(milliseconds: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [unit, size] = units.find(([, unitMs]) => milliseconds % unitMs === 0) ?? ['millisecond', 1];
  return countOf(milliseconds / size, unit);
}
