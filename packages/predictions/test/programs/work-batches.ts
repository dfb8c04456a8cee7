import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '@mcp-hub/db-core';
import { runBatchWorker } from '../../src/index.ts';

// A worker process as a service has one: predicts twice x, and tells of each chunk that it begins on a line of its own.
// SIGTERM stops it. STAND_STILL: the process stands still in its first chunk. PREDICT_MS: how long a chunk takes.

const { SERVICE_URL = '', TENANT = '', LEASE_MS = '60000', PREDICT_MS = '5', STAND_STILL } = process.env;

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')));
const db = await connect({ url: SERVICE_URL, max: 3 });
let begun = 0;
const report = await runBatchWorker(db, {
  tenants: [TENANT],
  stopWhenDone: true,
  signal: stop.signal,
  leaseMs: Number(LEASE_MS),
  idleMs: 50,
  watchMs: 50,
  predict: async ({ chunkNumber, attempt, rows }) => {
    begun += 1;
    console.log(JSON.stringify({ chunkNumber, attempt }));
    if (begun === 1 && STAND_STILL !== undefined) process.kill(process.pid, 'SIGSTOP');
    await pause(Number(PREDICT_MS));
    return rows.map(({ features }) => ({ score: 2 * Number(features['x']) }));
  },
});
console.log(JSON.stringify(report));
await db.close();
