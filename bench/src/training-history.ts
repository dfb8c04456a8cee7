import { type Database, readOne, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import { listMetricPoints, logBatch, sampleMetricPoints, trainingMetrics, trainingRuns } from '@mcp-hub/training';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { historyShape, runIdAt } from './training-history-data.ts';

const { tenant, keys, steps, longRun } = historyShape;

/** One key's history among all points, beside the same rows in a bare table clustered by key. */
export async function benchHistory(db: Database, serviceUrl: string, runs: number): Promise<void> {
  const client = postgres(serviceUrl, { max: 1, connection: { search_path: 'clustered' } });
  const stock = drizzle(client);
  const { step, at, value } = trainingMetrics;
  let turn = 0;
  // Far apart from one to the next, so that no run is met warm.
  const next = () => {
    turn += 1;
    return { runId: runIdAt(1 + ((turn * 37) % runs)), keyId: 1 + (turn % keys) };
  };
  const bare = (limit: number) => () => {
    const { runId, keyId } = next();
    return stock
      .select({ step, at, value })
      .from(trainingMetrics)
      .where(sql`tenant_id = ${tenant} and run_id = ${runId} and key_id = ${keyId}`)
      .orderBy(step)
      .limit(limit);
  };
  const listed = (limit: number) => () => {
    const { runId, keyId } = next();
    return readOne(db, tenant, (tx) => listMetricPoints(tx, { runId, key: `metric ${keyId}`, limit }));
  };
  const sample = () => {
    const { runId, keyId } = next();
    return readOne(db, tenant, (tx) => sampleMetricPoints(tx, { runId, key: `metric ${keyId}` }));
  };
  const rows = [];
  for (const limit of [1_000, steps]) {
    rows.push(
      ...(await measure(
        [
          { name: `${limit} points, bare table clustered by key (reference)`, run: bare(limit) },
          { name: `${limit} points, listMetricPoints`, aim: '1.5', run: listed(limit) },
          ...(limit === steps ? [{ name: `1000 of ${steps} points, sampleMetricPoints`, run: sample }] : []),
        ],
        { rounds: 100, warmUp: 10 },
      )),
    );
  }
  printTable(
    `One key's history among ${(runs * keys * steps).toLocaleString('en-US')} points`,
    rows.map(({ name, medianMs, p95Ms, ratio, aim }) => ({
      read: name,
      'median ms': medianMs,
      'p95 ms': p95Ms,
      ratio,
      aim,
    })),
  );
  await client.end();
}

/** A batch of 1,000 points that is sent again, on a run of a million points beside an empty run. */
export async function benchRetry(db: Database): Promise<void> {
  const [empty] = await withTenant(db, tenant, (tx) =>
    tx
      .insert(trainingRuns)
      .values({ name: 'empty', tenantId: tenantOf(tx) })
      .returning({ id: trainingRuns.id }),
  );
  const cases = [];
  for (const key of [undefined, 'once'] as const) {
    const how = key === undefined ? 'without a key' : 'with its idempotency key';
    for (const [name, runId] of [
      [`the empty run, ${how}`, empty?.id ?? ''],
      [`the run of 1,000,000 points, ${how}`, runIdAt(longRun)],
    ] as const) {
      const points = Array.from({ length: 1_000 }, (_, index) => ({
        key: `metric ${1 + (index % keys)}`,
        value: index,
        step: steps + index,
        at: new Date(Date.UTC(2026, 1, 1)),
      }));
      const batch = { runId, points, ...(key === undefined ? {} : { idempotencyKey: `${key} ${runId}` }) };
      const send = () => withTenant(db, tenant, (tx: TenantTx) => logBatch(tx, batch));
      await send();
      cases.push({ name, run: send });
    }
  }
  const measured = await measure(cases, { rounds: 60, warmUp: 5 });
  printTable(
    'A batch of 1,000 points, sent again',
    measured.map(({ name, medianMs, p95Ms }, index) => ({
      'sent to': name,
      'median ms': medianMs,
      'p95 ms': p95Ms,
      'beside the empty run': medianMs / (measured[index - (index % 2)]?.medianMs ?? Number.NaN),
    })),
  );
}
