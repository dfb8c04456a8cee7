import { connect } from '@mcp-hub/db-core';
import { runMonitor } from '../../src/index.ts';

// A monitor as a service runs one; SIGTERM stops it. NAME: what its transitions are signed with.

const { SERVICE_URL = '', NAME = '', LEASE_MS = '60000' } = process.env;

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')));
const db = await connect({ url: SERVICE_URL, max: 4 });
console.log('ready');
const report = await runMonitor(db, {
  signal: stop.signal,
  idleMs: 50,
  evaluation: { actor: NAME, leaseMs: Number(LEASE_MS) },
  delivery: { allowPrivate: true, leaseMs: Number(LEASE_MS) },
});
console.log(JSON.stringify(report));
await db.close();
