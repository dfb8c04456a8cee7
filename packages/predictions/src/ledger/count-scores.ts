import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import { isInWindow, namesOneVersionOrNone, ONE_VERSION_OR_NONE, predictionWindow } from './list-predictions.ts';
import { labelJoin } from './prediction.ts';
import { predictions } from './schema.ts';

export const CountScoresInput = z
  .strictObject({
    ...predictionWindow,
    /** Where the first bin begins. Default 0. */
    lower: z.number().optional(),
    /** Where the last bin ends; it belongs to that bin. Default 1. */
    upper: z.number().optional(),
    /** Of equal width. Default 20. */
    bins: z.int().min(1).max(PREDICTION_LIMITS.scoreBins).optional(),
  })
  .refine(namesOneVersionOrNone, ONE_VERSION_OR_NONE)
  .refine(({ lower = 0, upper = 1 }) => lower < upper, 'must have lower below upper');
export type CountScoresInput = Readonly<z.input<typeof CountScoresInput>>;

export interface ScoreCounts {
  /** All bins, in order, with those that are empty; each begins where the one before ends, and its end is the next one's. */
  readonly bins: readonly { readonly lower: number; readonly upper: number; readonly count: number }[];
  /** Scores below the first and above the last bin, infinities among them. */
  readonly below: number;
  readonly above: number;
  /** Scores that are NaN. */
  readonly nan: number;
  /** Predictions without a score. */
  readonly missing: number;
}

/**
 * How the scores of a window are spread, of a version or of all. Reads the window's rows once; one round trip, no lock.
 */
export async function countScores(tx: TenantTx, input: CountScoresInput = {}): Promise<ScoreCounts> {
  const { lower = 0, upper = 1, bins = 20, ...window } = parseInput(CountScoresInput, input);
  const score = predictions.score;
  const tenant = tenantOf(tx);
  // Bins are 1 to n for width_bucket, 0 what lies below them and n + 1 what lies above; NaN it refuses.
  const rows = await tx.execute<{ bin: number | null; count: number }>(sql`
    select case when ${score} = 'NaN' then -1
                when ${score} = ${upper}::float8 then ${bins}::int
                when ${score} < ${lower}::float8 then 0
                when ${score} > ${upper}::float8 then ${bins}::int + 1
                else width_bucket(${score}, ${lower}::float8, ${upper}::float8, ${bins}::int) end as bin,
           count(*)::float8 as count
      from ${predictions} ${window.labelled === undefined ? sql`` : labelJoin}
     where ${and(eq(predictions.tenantId, tenant), isInWindow(tx, window))}
     group by 1`);
  const countOf = (bin: number | null) => rows.find((row) => row.bin === bin)?.count ?? 0;
  const edge = (index: number) => (index === bins ? upper : lower + ((upper - lower) * index) / bins);
  return {
    bins: Array.from({ length: bins }, (_, i) => ({ lower: edge(i), upper: edge(i + 1), count: countOf(i + 1) })),
    below: countOf(0),
    above: countOf(bins + 1),
    nan: countOf(-1),
    missing: countOf(null),
  };
}
