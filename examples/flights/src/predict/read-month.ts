import type { TenantTx } from '@mcp-hub/db-core';
import { measureBinaryQuery } from '@mcp-hub/evaluation';
import {
  countScores,
  iteratePredictions,
  labelledPredictions,
  type Prediction,
  readTraffic,
  type ScoreCounts,
  type TrafficBucket,
} from '@mcp-hub/predictions';
import { rocAuc, thresholdCurve } from '@mcp-hub/stats';
import { costs, LATE_FROM } from '../evaluate/late-from.ts';

/** What the ledger has of the month. */
export interface MonthInLedger {
  /** In the order of time. */
  readonly predictions: readonly Prediction[];
  /** The area under the ROC curve of those with a label, by one statement over the ledger and the labels. */
  readonly inSql: { readonly n: number; readonly auc: number; readonly lower: number; readonly upper: number };
  /** The same from arrays of the rows. */
  readonly fromArrays: number;
  /** Of what was asked online: the job's predictions all have the time of its submission. */
  readonly traffic: { readonly bucketMs: number; readonly buckets: readonly TrafficBucket[] };
  readonly scores: ScoreCounts;
}

/** Reads the predictions of a version, and evaluates them in the database and here. */
export async function readMonth(tx: TenantTx, versionId: string): Promise<MonthInLedger> {
  const predictions: Prediction[] = [];
  for await (const prediction of iteratePredictions(tx, { versionId })) predictions.push(prediction);
  const times = predictions.map(({ predictedAt }) => predictedAt);
  const [from, last] = [times[0], times.at(-1)];
  if (from === undefined || last === undefined) throw new Error('The ledger has no prediction of the version.');
  const inSql = await evaluateInSql(tx, { versionId, from, to: after(last) });
  const fromArrays = evaluateArrays(predictions);
  // The two sum in other orders.
  if (Math.abs(inSql.auc - fromArrays) > 1e-12) throw new Error(`${inSql.auc} in SQL is ${fromArrays} from arrays.`);
  return {
    ...{ predictions, inSql, fromArrays },
    traffic: await readOnlineTraffic(tx, versionId, predictions),
    scores: await countScores(tx, { versionId }),
  };
}

async function readOnlineTraffic(
  tx: TenantTx,
  versionId: string,
  predictions: readonly Prediction[],
): Promise<MonthInLedger['traffic']> {
  const times = predictions.filter(({ source }) => source === 'online').map(({ predictedAt }) => predictedAt.getTime());
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const bucketMs = bucketOf(last - first);
  const from = new Date(Math.floor(first / bucketMs) * bucketMs);
  return { bucketMs, buckets: await readTraffic(tx, { versionId, from, to: after(new Date(last)), bucketMs }) };
}

/** The end of a window, which is not a part of it. */
const after = (time: Date) => new Date(time.getTime() + 1);

async function evaluateInSql(
  tx: TenantTx,
  window: { readonly versionId: string; readonly from: Date; readonly to: Date },
): Promise<MonthInLedger['inSql']> {
  const { rows } = labelledPredictions(tx, window);
  const { n, metrics } = await measureBinaryQuery(tx, {
    ...{ rows, columns: { label: rows.trueLabel, score: rows.score }, positiveLabel: 'late' },
    ...{ threshold: LATE_FROM, costs },
  });
  const { value, lower, upper } = metrics.find(({ metric }) => metric === 'roc_auc') ?? {};
  if (value == null || lower == null || upper == null) throw new Error('The predictions have no area under a curve.');
  return { n, auc: value, lower, upper };
}

function evaluateArrays(predictions: readonly Prediction[]): number {
  const labelled = predictions.filter(({ truth }) => truth !== null);
  const { value, reason } = rocAuc(
    thresholdCurve({
      labels: labelled.map(({ truth }) => truth?.label === 'late'),
      scores: labelled.map(({ score }) => score ?? Number.NaN),
    }),
  );
  if (value === null) throw new Error(reason);
  return value;
}

/** The shortest round length of which some forty make up the time. */
function bucketOf(durationMs: number): number {
  const lengths = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000];
  return lengths.find((length) => length * 40 >= durationMs) ?? 86_400_000;
}
