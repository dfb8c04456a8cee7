import { parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { isInWindow, namesOneVersionOrNone, ONE_VERSION_OR_NONE, predictionWindow } from './list-predictions.ts';
import { predictions } from './schema.ts';

const { labelled: _, from: __, to: ___, ...whose } = predictionWindow;

export const ReadTrafficInput = z
  .strictObject({
    ...whose,
    from: z.date(),
    /** Not included. */
    to: z.date(),
    /** The length of a span; spans begin at `from`. */
    bucketMs: z.int().min(1),
  })
  .refine(namesOneVersionOrNone, ONE_VERSION_OR_NONE)
  .refine(
    ({ from, to, bucketMs }) => (to.getTime() - from.getTime()) / bucketMs <= PREDICTION_LIMITS.trafficBuckets,
    `must ask for at most ${PREDICTION_LIMITS.trafficBuckets} spans: give a longer bucketMs or a shorter window`,
  );
export type ReadTrafficInput = Readonly<z.input<typeof ReadTrafficInput>>;

/** The predictions of one span of time. */
export interface TrafficBucket {
  /** Its beginning. */
  readonly at: Date;
  readonly count: number;
  /** Percentiles by linear interpolation; null where none of them has a latency. */
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
}

/**
 * How many predictions were made in each span of a window, of a version or of all, and how long they took: in the order of
 * time, without the spans that have none. Reads the window's rows once; one round trip, no lock.
 */
export async function readTraffic(tx: TenantTx, input: ReadTrafficInput): Promise<readonly TrafficBucket[]> {
  const { bucketMs, ...window } = parseInput(ReadTrafficInput, input);
  const rows = await tx.execute<TrafficRow>(sql`
    select (extract(epoch from at) * 1000)::float8 as at_ms, count, latencies[1] as p50, latencies[2] as p95,
           latencies[3] as p99
      from (select date_bin(interval '1 millisecond' * ${bucketMs}::float8, ${predictions.predictedAt},
                            ${timeParameter(window.from)}) as at,
                   count(*)::float8 as count,
                   percentile_cont(array[0.5, 0.95, 0.99]) within group (order by ${predictions.latencyMs}) as latencies
              from ${predictions}
             where ${and(eq(predictions.tenantId, tenantOf(tx)), isInWindow(tx, window))}
             group by 1) spans
     order by at`);
  return rows.map(({ at_ms, count, p50, p95, p99 }) => ({
    ...{ at: new Date(at_ms), count },
    ...{ latencyP50Ms: p50, latencyP95Ms: p95, latencyP99Ms: p99 },
  }));
}

interface TrafficRow extends Record<string, unknown> {
  readonly at_ms: number;
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}
