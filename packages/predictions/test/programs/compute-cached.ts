import { setTimeout as pause } from 'node:timers/promises';
import { connect, readOne } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { withCache } from '../../src/index.ts';

// A service's process: asks for the same outputs many times at once and tells of each computation and of what it got, a
// line each. HANG: a computation never ends. STAND_STILL: the process stands still in the first.

const {
  SERVICE_URL = '',
  TENANT = '',
  VERSION_ID = '',
  CALLS = '1',
  KEYS = '1',
  LEASE_MS = '30000',
  HANG,
  STAND_STILL,
} = process.env;

const db = await connect({ url: SERVICE_URL, max: 4 });
console.log('ready');
// So that several begin together.
const isTold = async () =>
  (await readOne(db, TENANT, (tx) => tx.execute(sql`select from tenant_work where kind = 'test.begin'`))).length > 0;
while (!(await isTold())) await pause(10);

const call = async (index: number) => {
  const { output, isHit, isStored } = await withCache(db, TENANT, {
    versionId: VERSION_ID,
    input: { key: index % Number(KEYS) },
    leaseMs: Number(LEASE_MS),
    compute: async () => {
      console.log('computing');
      if (HANG !== undefined) await new Promise(() => setInterval(() => {}, 1_000));
      if (STAND_STILL !== undefined) process.kill(process.pid, 'SIGSTOP');
      await pause(200);
      return { by: process.pid, key: index % Number(KEYS) };
    },
  });
  return { output, isHit, isStored };
};
const all = await Promise.all(Array.from({ length: Number(CALLS) }, (_, index) => call(index)));
console.log(JSON.stringify(all));
await db.close();
