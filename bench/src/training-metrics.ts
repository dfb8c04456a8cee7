import { connect } from '@mcp-hub/db-core';
import { startBenchDatabase } from './server.ts';
import { benchHistory, benchRetry } from './training-history.ts';
import { fillHistory } from './training-history-data.ts';
import { benchLayouts } from './training-layouts.ts';
import { benchPoints } from './training-points.ts';

/** Points in and out. `BENCH_POINTS` is the size of the history that is read, 10,000,000 without it. */
export async function benchTrainingMetrics(): Promise<void> {
  const points = Number(process.env['BENCH_POINTS'] ?? 10_000_000);
  const database = await startBenchDatabase();
  try {
    const db = await connect({ url: database.serviceUrl, max: 8 });
    await benchPoints(db, database.ownerUrl);
    await benchLayouts(database.ownerUrl);
    const runs = await fillHistory(database.ownerUrl, points);
    await benchHistory(db, database.serviceUrl, runs);
    await benchRetry(db);
    await db.close();
  } finally {
    await database.end();
  }
}
