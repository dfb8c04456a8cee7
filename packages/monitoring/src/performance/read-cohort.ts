import { float8Array, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { predictionLedgers } from '@mcp-hub/predictions/schema';
import { sql } from 'drizzle-orm';
import { cohortAtAge } from './cohort.ts';
import type { OutcomeCounts, ProbabilitySums } from './performance-metrics.ts';
import type { BaselineEvaluation } from './read-evaluation.ts';

export interface CohortSums {
  readonly predictions: number;
  readonly labelled: number;
  /** Labelled predictions of the true class. */
  readonly right: number;
  readonly counts: OutcomeCounts;
  readonly probabilities: ProbabilitySums;
  /** Predictions without a score from 0 to 1. */
  readonly unscored: number;
  readonly matureAt: Date;
  readonly isMature: boolean;
}

interface WindowRow extends Record<string, unknown> {
  readonly model_id: string | null;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly now_ms: number;
}

interface SumsRow extends Record<string, unknown> {
  readonly predictions: number;
  readonly labelled: number;
  readonly right: number;
  readonly unscored: number;
  readonly counts: readonly number[];
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

/** What the predictions of a window come to when they are `ageMs` old. Two statements. */
export async function readCohort(
  tx: TenantTx,
  input: {
    readonly baseline: BaselineEvaluation;
    readonly positive: string | null;
    readonly fromDay: string;
    readonly toDay: string;
    readonly timeZone: string;
    readonly ageMs: number;
  },
): Promise<CohortSums> {
  const { baseline, positive, fromDay, toDay, timeZone, ageMs } = input;
  const { versionId, threshold, calibration } = baseline;
  const [window] = await tx.execute<WindowRow>(sql`
    select (select model_id from ${predictionLedgers}
             where tenant_id = ${tenantOf(tx)} and model_version_id = ${versionId}::uuid) as model_id,
           (extract(epoch from ${fromDay}::date::timestamp at time zone ${timeZone}) * 1000)::float8 as from_ms,
           (extract(epoch from (${toDay}::date + 1)::timestamp at time zone ${timeZone}) * 1000)::float8 as to_ms,
           (extract(epoch from app_now()) * 1000)::float8 as now_ms`);
  if (window === undefined) throw new TypeError('A select without FROM gives one row');
  const matureAt = new Date(window.to_ms + ageMs);
  const isMature = window.now_ms >= matureAt.getTime();
  const none = { n: 0, sum: 0, spread: 0 };
  if (window.model_id === null) {
    return {
      ...{ predictions: 0, labelled: 0, right: 0, unscored: 0, matureAt, isMature },
      ...{ counts: { tp: 0, fp: 0, fn: 0, tn: 0 }, probabilities: { positive: none, negative: none } },
    };
  }
  const cohort = { versionId, modelId: window.model_id, from: new Date(window.from_ms), to: new Date(window.to_ms) };
  // Predicted by the label where there is one, else by the score.
  const isPositive = sql`coalesce(c.predicted = ${positive ?? ''}, c.score >= ${threshold}::float8)`;
  const bounds = sql`(select ${float8Array(calibration.map(({ lower }) => lower))})`;
  const rates = sql`(select ${float8Array(calibration.map(({ positiveRate }) => positiveRate))})`;
  // The share of positives that the evaluation found around a score; without a calibration the score itself.
  const probability =
    calibration.length === 0 ? sql`c.score` : sql`${rates}[greatest(1, width_bucket(c.score, ${bounds}))]`;
  const sums = (side: string) =>
    sql.raw(`array[
             count(*) filter (where ${side}), coalesce(sum(probability) filter (where ${side}), 0),
             coalesce(sum(probability * (1 - probability)) filter (where ${side}), 0)]::float8[]`);
  const [row] = await tx.execute<SumsRow>(sql`
    select count(*)::float8 as predictions, count(truth)::float8 as labelled,
           (count(*) filter (where predicted = truth))::float8 as right, 
           (count(*) filter (where probability is null))::float8 as unscored,
           array[count(*) filter (where is_positive and is_true), count(*) filter (where is_positive and not is_true),
                 count(*) filter (where not is_positive and is_true),
                 count(*) filter (where not is_positive and not is_true)]::float8[] as counts,
           ${sums('is_positive')} as positive, ${sums('not is_positive')} as negative
      from (select c.predicted, c.truth, ${isPositive} as is_positive, c.truth = ${positive ?? ''} as is_true,
                   case when c.score between 0 and 1 then ${probability} end as probability
              from ${cohortAtAge(tx, cohort, ageMs)}
            offset 0) r`);
  if (row === undefined) throw new TypeError('An aggregate without groups gives one row');
  const [tp = 0, fp = 0, fn = 0, tn = 0] = row.counts;
  const side = ([n = 0, sum = 0, spread = 0]: readonly number[]) => ({ n, sum, spread });
  return {
    ...{
      predictions: row.predictions,
      labelled: row.labelled,
      right: row.right,
      unscored: row.unscored,
      matureAt,
      isMature,
    },
    ...{ counts: { tp, fp, fn, tn }, probabilities: { positive: side(row.positive), negative: side(row.negative) } },
  };
}
