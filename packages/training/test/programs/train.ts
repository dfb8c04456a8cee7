import { connect, isDomainError, isLeaseLost, withTenant } from '@mcp-hub/db-core';
import { claimRun, heartbeatRun, logBatch } from '../../src/index.ts';

// A worker as a service has one: takes a run under a lease and logs a point with each heartbeat, until it loses it. Tells
// of each step on a line of its own.

const { SERVICE_URL = '', TENANT = '', LEASE_MS = '', STAND_STILL } = process.env;
const leaseMs = Number(LEASE_MS);

const db = await connect({ url: SERVICE_URL, max: 1 });
const run = await withTenant(db, TENANT, (tx) => claimRun(tx, { leaseMs }));
if (run === undefined) throw new Error('No run is queued.');
const lease = { runId: run.runId, fencingToken: run.fencingToken };
console.log(JSON.stringify(lease));
try {
  for (let step = 1; ; step += 1) {
    await withTenant(db, TENANT, (tx) => logBatch(tx, { ...lease, points: [{ key: 'loss', step, value: 1 / step }] }));
    await withTenant(db, TENANT, (tx) => heartbeatRun(tx, { ...lease, leaseMs }));
    console.log(`logged ${step}`);
    // Between its transactions: one that stands still in the middle of one holds the run for as long as its connection lives.
    if (step === 1 && STAND_STILL !== undefined) process.kill(process.pid, 'SIGSTOP');
  }
} catch (error) {
  console.log(isLeaseLost(error) ? 'lost' : isDomainError(error) ? error.code : String(error));
}
await db.close();
