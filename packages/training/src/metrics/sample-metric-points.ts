import { parseInput, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { key, runId } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import type { MetricPoint } from '../runs/metric-summary.ts';
import { trainingMetricKeys, trainingMetrics, trainingRuns } from '../schema.ts';
import { compareValues } from './compare-values.ts';
import { inSteps, type StepRange, stepRange } from './step-range.ts';

/** Points of a series at the most. Default 1,000. */
const maxPoints = z.int().min(TRAINING_LIMITS.samplePointsMin).max(TRAINING_LIMITS.samplePoints).optional();

export const SampleMetricPointsInput = z.strictObject({ runId, key, maxPoints, ...stepRange });
export type SampleMetricPointsInput = Readonly<z.input<typeof SampleMetricPointsInput>>;

/**
 * At most `maxPoints` points of one metric of a run that show what all of them show, by (step, time, value); all of them
 * where they are not more.
 *
 * The points are dealt into buckets of equal size, `maxPoints` / 5 of them; of each the first and the last stay, the
 * smallest and the largest (the first of equal ones), and the first NaN (M4 of Jugel et al., VLDB 2014, and NaN). The same
 * points always give the same sample. One statement that reads the points once, no lock; flat memory. Empty where there is
 * no such run or metric, or the run is deleted.
 */
export async function sampleMetricPoints(
  tx: TenantTx,
  input: SampleMetricPointsInput,
): Promise<readonly MetricPoint[]> {
  const { runId: id, ...wanted } = parseInput(SampleMetricPointsInput, input);
  return (await sampleRuns(tx, { ...wanted, runIds: [id] })).get(id.toLowerCase()) ?? [];
}

export const CompareMetricInput = z.strictObject({
  runIds: z.array(runId).min(1).max(TRAINING_LIMITS.seriesAtOnce),
  key,
  maxPoints,
  ...stepRange,
});
export type CompareMetricInput = Readonly<z.input<typeof CompareMetricInput>>;

/** One metric of one run. */
export interface MetricSeries {
  readonly runId: string;
  readonly points: readonly MetricPoint[];
}

/**
 * One metric of several runs side by side: a series for each run, in the order asked for, sampled as sampleMetricPoints
 * does. One statement, no lock. A run that has no such metric, is not there or is deleted has no series.
 */
export async function compareMetric(tx: TenantTx, input: CompareMetricInput): Promise<readonly MetricSeries[]> {
  const wanted = parseInput(CompareMetricInput, input);
  const found = await sampleRuns(tx, wanted);
  return wanted.runIds.flatMap((id) => {
    const points = found.get(id.toLowerCase());
    return points === undefined ? [] : [{ runId: id.toLowerCase(), points }];
  });
}

interface Wanted extends StepRange {
  readonly runIds: readonly string[];
  readonly key: string;
  readonly maxPoints?: number | undefined;
}

type Numbers = readonly [number, number, number];

interface BucketRow extends Record<string, unknown> {
  readonly run_id: string;
  /** Step, seconds since 1970, value. */
  readonly first: Numbers;
  readonly last: Numbers;
  readonly first_nan: Numbers | null;
  /** Value, step, seconds; null where all are NaN. */
  readonly lowest: Numbers | null;
  /** Value, and step and seconds negated, so that the first of equal values is the largest of these. */
  readonly highest: Numbers | null;
}

async function sampleRuns(tx: TenantTx, wanted: Wanted): Promise<ReadonlyMap<string, readonly MetricPoint[]>> {
  const { maxPoints: most = TRAINING_LIMITS.samplePointsDefault } = wanted;
  const tenant = tenantOf(tx);
  const range = inSteps(wanted, sql`m.step`);
  const ofMetric = sql`m.tenant_id = ${tenant} and m.run_id = k.run_id and m.key_id = k.key_id${
    range === undefined ? sql`` : sql` and ${range}`
  }`;
  const total =
    range === undefined ? sql`k.point_count` : sql`(select count(*) from ${trainingMetrics} m where ${ofMetric})`;
  // Buckets by rank and not by step: many metrics are logged without one. Each run is read by its own range of the primary
  // key, in its order, which one window over all runs would sort first. date_part gives a float8, EXTRACT a numeric that
  // takes four times as long.
  const buckets = Math.floor(most / 5);
  const point = sql`array[step, date_part('epoch', at), value]`;
  const rows = await tx.execute<BucketRow>(sql`
    select metric.run_id, first, last, lowest, highest, first_nan
      from (
        select k.run_id, k.key_id, ${total} as total
          from ${trainingMetricKeys} k
          join ${trainingRuns} r on r.tenant_id = k.tenant_id and r.id = k.run_id
         where k.tenant_id = ${tenant} and k.run_id = any (${uuidArray(wanted.runIds)}) and k.key = ${wanted.key}
           and r.deleted_at is null
        offset 0
      ) metric
      cross join lateral (
        select bucket,
               max(${point}) filter (where bucket <> before or n = 1) as first,
               max(${point}) filter (where bucket <> after) as last,
               min(array[value, step, date_part('epoch', at)]) filter (where value <> 'NaN') as lowest,
               max(array[value, -step, -date_part('epoch', at)]) filter (where value <> 'NaN') as highest,
               min(${point}) filter (where value = 'NaN') as first_nan
          from (
            select step, at, value, n, ${bucketOf(sql`n - 2`, buckets, most)} as before,
                   ${bucketOf(sql`n - 1`, buckets, most)} as bucket, ${bucketOf(sql`n`, buckets, most)} as after
              from (
                select m.step, m.at, m.value, row_number() over (order by m.step, m.at, m.value) as n
                  from ${trainingMetrics} m
                 where m.tenant_id = ${tenant} and m.run_id = metric.run_id and m.key_id = metric.key_id
                       ${range === undefined ? sql`` : sql`and ${range}`}
              ) ranked
          ) dealt
         group by bucket
      ) sampled
     order by metric.run_id, bucket`);
  return pointsByRun(rows);
}

/** The bucket of the point before which `rank` points stand; each point is one of its own where all of them fit. */
const bucketOf = (rank: SQL, buckets: number, most: number): SQL => sql`
                   (${rank}) * case when metric.total <= ${most}::bigint then metric.total else ${buckets}::bigint end
                     / metric.total`;

function pointsByRun(rows: readonly BucketRow[]): ReadonlyMap<string, readonly MetricPoint[]> {
  const found = new Map<string, MetricPoint[]>();
  for (const row of rows) {
    const points = found.get(row.run_id) ?? [];
    found.set(row.run_id, points);
    points.push(...pointsOfBucket(row));
  }
  return found;
}

/** Each once, in their order. */
function pointsOfBucket({ first, last, first_nan: nan, lowest, highest }: BucketRow): readonly MetricPoint[] {
  const points = [toPoint(...first), toPoint(...last)];
  if (nan !== null) points.push(toPoint(...nan));
  if (lowest !== null) points.push(toPoint(lowest[1], lowest[2], lowest[0]));
  if (highest !== null) points.push(toPoint(-highest[1], -highest[2], highest[0]));
  points.sort(compare);
  return points.filter((point, index) => {
    const before = points[index - 1];
    return before === undefined || compare(before, point) !== 0;
  });
}

// Adding 0 makes 0 of -0.
const toPoint = (step: number, seconds: number, value: number): MetricPoint => ({
  step: step + 0,
  at: new Date(Math.round(seconds * 1_000)),
  value,
});

function compare(left: MetricPoint, right: MetricPoint): number {
  return left.step - right.step || left.at.getTime() - right.at.getTime() || compareValues(left.value, right.value);
}
