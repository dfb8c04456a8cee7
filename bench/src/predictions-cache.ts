import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Database, readOne, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import { flushCacheUsage, getCacheStats, predictionCache, setCachePolicy, withCache } from '@mcp-hub/predictions';
import { registerVersion, setAlias } from '@mcp-hub/registry';
import { and, eq } from 'drizzle-orm';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const tenant = 'bench';
const entries = 1_000;
const computeMs = 50;

/** What a hit costs beside a read by primary key, and what becomes of 100 calls that miss at once. */
export async function benchPredictionsCache(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: 1 });
  try {
    const versionId = await withTenant(db, tenant, async (tx) => {
      const { id } = await registerVersion(tx, { name: 'churn' });
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '1' });
      await setCachePolicy(tx, { versionId: id, deterministic: true });
      return id;
    });
    await benchHits(db, versionId);
    await benchMisses(database.serviceUrl, versionId);
    await flushCacheUsage(db);
  } finally {
    await db.close();
    await database.end();
  }
}

/** Twenty numeric features, as a model of tabular data takes them. */
const inputOf = (row: number) =>
  Object.fromEntries(Array.from({ length: 20 }, (_, feature) => [`feature_${feature}`, row * 0.1 + feature / 7]));
const params = { threshold: 0.5 };
const outputOf = (row: number) => ({
  label: 'churn',
  score: row / entries,
  probabilities: [row / entries, 1 - row / entries],
});

async function benchHits(db: Database, versionId: string): Promise<void> {
  for (let row = 0; row < entries; row += 1) {
    await withCache(db, tenant, { versionId, input: inputOf(row), params, compute: () => outputOf(row) });
  }
  const keys = await withTenant(db, tenant, (tx) =>
    tx
      .select({ modelVersionId: predictionCache.modelVersionId, key: predictionCache.key })
      .from(predictionCache)
      .where(eq(predictionCache.tenantId, tenantOf(tx))),
  );
  let turn = 0;
  const next = () => {
    turn = (turn + 1) % entries;
    return turn;
  };
  const byKey = (tx: TenantTx) => {
    const { modelVersionId, key } = keys[next()] ?? raise();
    return tx
      .select()
      .from(predictionCache)
      .where(
        and(
          eq(predictionCache.tenantId, tenantOf(tx)),
          eq(predictionCache.modelVersionId, modelVersionId),
          eq(predictionCache.key, key),
        ),
      );
  };
  const hit = async (subject: { readonly versionId: string } | { readonly reference: string }) => {
    const { isHit } = await withCache(db, tenant, { ...subject, input: inputOf(next()), params, compute: raise });
    if (!isHit) raise();
  };
  const measured = await measure(
    [
      { name: 'primary key, withTenant (reference)', run: () => withTenant(db, tenant, async (tx) => await byKey(tx)) },
      { name: 'cache hit, by version id', aim: '1.3', run: () => hit({ versionId }) },
      { name: 'cache hit, churn@champion', run: () => hit({ reference: 'churn@champion' }) },
      { name: 'primary key, readOne', run: () => readOne(db, tenant, byKey) },
    ],
    { rounds: 3_000, warmUp: 300 },
  );
  printTable(
    `A hit of ${entries} entries, 20 features and a parameter each: canonical JSON, SHA-256, read and parse`,
    measured.map(({ name, medianMs, p95Ms, ratio, aim }) => ({
      read: name,
      'median ms': medianMs,
      'p95 ms': p95Ms,
      ratio,
      aim,
    })),
  );
}

/** Four pools share nothing, as four processes. */
async function benchMisses(url: string, versionId: string): Promise<void> {
  const pools = await Promise.all([1, 2, 3, 4].map(() => connect({ url, max: 4 })));
  try {
    const rows = [];
    for (let round = 1; round <= 5; round += 1) {
      let computed = 0;
      const start = performance.now();
      await Promise.all(
        pools.flatMap((db) =>
          Array.from({ length: 25 }, () =>
            withCache(db, tenant, {
              versionId,
              input: { round },
              compute: async () => {
                computed += 1;
                await pause(computeMs);
                return round;
              },
            }),
          ),
        ),
      );
      rows.push({ round: String(round), computed, aim: '1', 'all answered ms': performance.now() - start });
    }
    await Promise.all(pools.map((db) => flushCacheUsage(db)));
    printTable(`100 calls that miss at once, of four pools; to compute takes ${computeMs} ms`, rows);
    const [db] = pools;
    if (db === undefined) raise();
    const { hits, misses, savedMs } = await readOne(db, tenant, (tx) => getCacheStats(tx, { versionId }));
    console.log(`Counted: ${hits} hits, ${misses} misses, ${Math.round(savedMs)} ms saved`);
  } finally {
    await Promise.all(pools.map((db) => db.close()));
  }
}

function raise(): never {
  throw new Error('It was to be a hit.');
}
