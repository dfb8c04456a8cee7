import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import * as exported from '../../src/index.ts';

// What a new export has to be told to: the world that it is called in, and its input there. Isolation and the README's
// tables are held against all of them.

/** Exports that take a pool, or nothing, in the place of a transaction; their isolation is tested by their own. */
export const withoutTransaction: readonly string[] = [
  ...['batchSweepHandler', 'cachePruneHandler', 'createPredictionWriter', 'exportPredictions', 'flushCacheUsage'],
  ...['formatBatchProgress', 'pruneCache', 'prunePredictions', 'runBatchWorker', 'submitBatchRows', 'withCache'],
];

/** Exports that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && !withoutTransaction.includes(name))
  .map(([name]) => name)
  .sort();

type Callable = (tx: TenantTx, input: unknown) => unknown;

/** An iterator is read to its end, and what makes a subquery is selected from. */
export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  if (name === 'labelledPredictions') {
    const { rows } = exported.labelledPredictions(tx, input as exported.LabelledPredictionsInput);
    return await tx.select().from(rows);
  }
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  const result: unknown = await (found as Callable)(tx, input);
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result;
  const all: unknown[] = [];
  for await (const one of result as AsyncIterable<unknown>) all.push(one);
  return all;
}

/** What a caller can name. */
export interface World {
  readonly model: string;
  readonly versionId: string;
  readonly modelId: string;
  readonly predictionId: string;
  readonly subject: string;
  /** Has one chunk that is held, and one that is not. */
  readonly jobId: string;
  readonly chunk: exported.ClaimedChunk;
}

export const at = new Date('2026-05-04T10:20:30.456Z');
const window = { from: new Date('2026-05-01Z'), to: new Date('2026-06-01Z') };
const day = (n: number) => new Date(Date.UTC(2026, 4, n));

const features = (x: number) => ({ x, origin: 'SFO' });

/** Entered at the time above. */
export async function makeWorld(tx: TenantTx): Promise<World> {
  const model = 'm';
  const subject = 's';
  const predictionId = '019df26b-6cf8-7000-8000-000000000001';
  const { id: versionId } = await registerVersion(tx, { name: model });
  await exported.recordPredictions(tx, {
    versionId,
    predictions: [
      { id: predictionId, subject, score: 0.5, features: features(1) },
      { subject: 't', features: features(2) },
    ],
  });
  const labels = [1, 2].map((n) => ({ subject, label: `class ${n}`, observedAt: day(n) }));
  const { modelId } = await exported.recordLabels(tx, { name: model, labels });
  await exported.setCachePolicy(tx, { versionId, deterministic: true });
  const rows = Array.from({ length: 3 }, (_, n) => ({ features: features(n) }));
  const { jobId } = await exported.submitBatchJob(tx, { versionId, jobName: 'job', rows, chunkRows: 2 });
  const chunk = await exported.claimChunk(tx, { jobId });
  if (chunk === undefined) throw new Error('A job that was submitted has chunks.');
  return { model, versionId, modelId, predictionId, subject, jobId, chunk };
}

const nobodysId = '01890000-0000-7000-8000-000000000000';

/** What nobody has, in the place of what the world has. */
export const nobodysIn = ({ chunk }: World): World => ({
  ...{ model: 'nobodys', versionId: nobodysId, modelId: nobodysId, predictionId: nobodysId, subject: 's' },
  ...{ jobId: nobodysId, chunk: { ...chunk, lease: { ...chunk.lease, jobId: nobodysId } } },
});

/** An input for each function that names what is in the world. */
export function inputsIn(world: World): Readonly<Record<string, unknown>> {
  const { model: name, versionId, modelId, predictionId, subject, jobId, chunk } = world;
  const { lease } = chunk;
  const labels = [{ predictionId, label: 'class 3' }];
  return {
    cancelBatchJob: { jobId },
    claimChunk: { jobId },
    completeChunk: { lease, rows: chunk.rows, results: chunk.rows.map(() => ({ score: 1 })) },
    countScores: { versionId },
    deleteBatchJob: { jobId },
    failChunk: { lease, reason: 'no' },
    findBatchJob: { jobId },
    getBatchJob: { jobId },
    getBatchLimit: undefined,
    getCacheStats: { versionId },
    getLabelHistory: { modelId, subject },
    getLedger: { versionId },
    getPrediction: { id: predictionId },
    heartbeatChunk: { lease },
    invalidateCache: { versionId },
    iteratePredictions: { versionId },
    labelledPredictions: { versionId, ...window, numbers: ['x'], categories: ['origin'] },
    listBatchJobEvents: { jobId },
    listBatchJobs: { filter: `id = '${jobId}'` },
    listDeadLetters: { jobId },
    listLabels: { modelId },
    listLedgers: { name },
    listPredictions: { name, version: '1' },
    pauseBatchJob: { jobId },
    readTraffic: { versionId, ...window, bucketMs: 3_600_000 },
    recordLabels: { name, labels },
    recordPredictions: { versionId, predictions: [{ subject, features: features(3) }] },
    releaseChunk: { lease },
    removeCachePolicy: { versionId },
    resumeBatchJob: { jobId },
    retryDeadLetters: { jobId },
    setBatchLimit: { maxRunningChunks: 7 },
    setCachePolicy: { versionId, deterministic: true, ttlMs: 1_000 },
    watchLedger: { versionId },
    submitBatchJob: { versionId, jobName: 'other', rows: [{ features: features(1) }] },
    sweepBatchJob: { jobId },
  };
}
