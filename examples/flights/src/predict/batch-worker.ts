import { connect } from '@mcp-hub/db-core';
import { runBatchWorker } from '@mcp-hub/predictions';
import { actor } from '../actor.ts';
import type { LogisticModel } from '../logistic-regression.ts';
import type { WorkerMessage } from './batch-process.ts';
import { predictFlight } from './month-of-flights.ts';

// `batch-worker.ts TENANT [stand-still]`: a worker of batch jobs in a process of its own, which fork() starts. It says that it
// is ready, gets the model, works until nothing is left, and tells how far the job is. One that is to stand still does so in
// its first chunk, so that whoever kills it always does so in the middle of a job.

/** Of the worker that is killed: so long nobody else gets its chunk. */
const SHORT_LEASE_MS = 1_000;

// It does not outlive whoever started it.
process.once('disconnect', () => process.exit());
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const say = (message: WorkerMessage) => process.send?.(message);

const [tenant = '', mode] = process.argv.slice(2);
const db = await connect({ url: process.env['POSTGRES_SERVICE_URL'] ?? '', max: 2 });
const model = await new Promise<LogisticModel>((resolve) => {
  process.once('message', (message) => resolve(message as LogisticModel));
  say({ kind: 'ready' });
});
await runBatchWorker(db, {
  tenants: [tenant],
  stopWhenDone: true,
  signal: stop.signal,
  ...(mode === 'stand-still' ? { leaseMs: SHORT_LEASE_MS } : {}),
  idleMs: 100,
  progressMs: 50,
  predict: async ({ chunkNumber, rows }) => {
    if (mode === 'stand-still') {
      say({ kind: 'claimed', chunkNumber });
      await new Promise<never>(() => {});
    }
    return rows.map(({ features }) => predictFlight(model, features));
  },
  onProgress: ({ progress }) => say({ kind: 'progress', progress }),
  actor,
});
await db.close();
process.disconnect();
