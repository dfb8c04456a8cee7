import { connect } from '@mcp-hub/db-core';
import { createPredictionWriter } from '../../src/index.ts';

// A service's process. FOREVER: 8 producers record without an end, and each acknowledged subject is a line. Otherwise a
// prediction waits for a time that never comes, and the process ends by itself.

const { SERVICE_URL = '', TENANT = '', FOREVER } = process.env;

const db = await connect({ url: SERVICE_URL, max: 4 });
const version = { name: 'churn', version: '1' };
const writer = createPredictionWriter(db, TENANT, {
  onRejected: () => console.log('rejected'),
  flushMs: 60_000,
  retryMs: 60_000,
});
if (FOREVER === undefined) {
  await writer.record({ ...version, subject: 'recorded' });
  await writer.enqueue({ ...version, subject: 'waits' });
  // Nothing else holds the process: neither the connections nor the writer's timers do.
  await db.close();
  console.log('ends');
} else {
  const produce = async (who: number) => {
    for (let n = 0; ; n += 1) {
      await writer.record({ ...version, subject: `${who}-${n}`, features: { n } });
      console.log(`${who}-${n}`);
    }
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(produce));
}
