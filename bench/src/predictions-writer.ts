import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Database, withTenant } from '@mcp-hub/db-core';
import { maintainPartitions } from '@mcp-hub/migrate';
import { createPredictionWriter, exportPredictions, recordPredictions } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { makePredictions } from './predictions.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const tenant = 'bench';
const producers = 8;
const rounds = 5;

/** The writer with 8 producers beside calls of recordPredictions, and a million predictions as files. */
export async function benchPredictionsWriter(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: producers });
  try {
    await maintainPartitions({ url: database.ownerUrl });
    const { id: versionId } = await withTenant(db, tenant, (tx) => registerVersion(tx, { name: 'churn' }));
    await benchThroughput(db, versionId);
    await benchOne(db, versionId);
    await benchExports(db);
  } finally {
    await db.close();
    await database.end();
  }
}

const failed = () => {
  throw new Error('A prediction of the bench was rejected.');
};

async function benchThroughput(db: Database, versionId: string): Promise<void> {
  const count = 20_000;
  const direct = (size: number) => async () => {
    const rows = makePredictions(count);
    const start = performance.now();
    for (let from = 0; from < count; from += size) {
      const predictions = rows.slice(from, from + size);
      await withTenant(db, tenant, (tx) => recordPredictions(tx, { versionId, predictions }));
    }
    return performance.now() - start;
  };
  const written = async () => {
    const writer = createPredictionWriter(db, tenant, { onRejected: failed });
    const rows = makePredictions(count);
    const start = performance.now();
    await shared(rows, (row) => writer.enqueue({ versionId, ...row }));
    await writer.close({ timeoutMs: 600_000 });
    return performance.now() - start;
  };
  const ways = {
    'recordPredictions, 1,000 a call': direct(1_000),
    'recordPredictions, 100 a call': direct(100),
    [`enqueue by ${producers} producers, then close`]: written,
  };
  const times = new Map<string, number>();
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const ms = await way();
      if (round >= 0) times.set(name, (times.get(name) ?? 0) + ms);
    }
  }
  const [reference = Number.NaN] = times.values();
  printTable(
    `${rounds * count} predictions with 20 numbers and 2 categories, ${count} by turns`,
    [...times].map(([way, ms]) => ({
      way,
      'rows a second': Math.round((rounds * count * 1_000) / ms),
      'of the first': reference / ms,
    })),
  );
}

async function benchOne(db: Database, versionId: string): Promise<void> {
  const count = 5_000;
  const writer = createPredictionWriter(db, tenant, { onRejected: failed });
  const record = async (row: ReturnType<typeof makePredictions>[number]) =>
    await withTenant(db, tenant, (tx) => recordPredictions(tx, { versionId, predictions: [row] }));
  const ways: Readonly<Record<string, (row: ReturnType<typeof makePredictions>[number]) => Promise<unknown>>> = {
    'recordPredictions of one, 8 connections': record,
    'record of the writer, until it is committed': (row) => writer.record({ versionId, ...row }),
    'enqueue of the writer, 2,000 a second': async (row) => {
      await writer.enqueue({ versionId, ...row });
    },
  };
  const samples = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  const rates = new Map<string, number>();
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const isPaced = name.startsWith('enqueue');
      const rows = makePredictions(round < 0 ? 500 : count / rounds);
      const begun = performance.now();
      await shared(rows, async (row) => {
        const start = performance.now();
        await way(row);
        if (round >= 0) samples.get(name)?.push(performance.now() - start);
        if (isPaced) await pause(producers / 2);
      });
      if (round >= 0) rates.set(name, (rates.get(name) ?? 0) + performance.now() - begun);
      await writer.flush();
    }
  }
  await writer.close();
  printTable(
    `One prediction, ${producers} producers, each awaiting its own`,
    [...samples].map(([way, all]) => {
      const sorted = all.toSorted((one, other) => one - other);
      const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
      return {
        way,
        'p50 ms': at(0.5),
        'p95 ms': at(0.95),
        'p99 ms': at(0.99),
        'rows a second': Math.round((sorted.length * 1_000) / (rates.get(way) ?? Number.NaN)),
      };
    }),
  );
}

/** Producers take rows from one pile, each the next when it is done with one. */
async function shared<Row>(rows: readonly Row[], work: (row: Row) => Promise<unknown>): Promise<void> {
  const pile = rows.values();
  const produce = async () => {
    for (const row of pile) await work(row);
  };
  await Promise.all(Array.from({ length: producers }, produce));
}

async function benchExports(db: Database): Promise<void> {
  const small = 100_000;
  const large = 1_000_000;
  const { id: versionId } = await withTenant(db, tenant, (tx) => registerVersion(tx, { name: 'churn' }));
  const fill = async (version: string, count: number) => {
    await withTenant(db, tenant, async (tx) => {
      await recordPredictions(tx, { versionId: version, predictions: makePredictions(1) });
      await tx.execute(sql`
        insert into predictions (model_version_id, subject, label, score, numbers, categories, latency_ms)
        select ${version}::uuid, 'customer ' || n, case when n % 2 = 0 then 'leaves' else 'stays' end, random(),
               array(select random() * 1000 + n from generate_series(1, 20)), array['de', 'plan ' || n % 5], random() * 10
          from generate_series(2, ${count}::int) n`);
    });
  };
  const { id: smallId } = await withTenant(db, tenant, (tx) => registerVersion(tx, { name: 'churn' }));
  await fill(smallId, small);
  await fill(versionId, large);
  const results = [];
  for (const format of ['csv', 'ndjson', 'parquet'] as const) {
    const few = await exportAll(db, smallId, format);
    const many = await exportAll(db, versionId, format);
    results.push({
      format,
      'rows a second': Math.round((large * 1_000) / many.ms),
      MB: Math.round(many.bytes / 1_000_000),
      'longest stop of the loop, ms': Math.round(many.longestStopMs),
      [`peak RSS MB, ${small} rows`]: Math.round(few.peakBytes / 1_000_000),
      [`peak RSS MB, ${large} rows`]: Math.round(many.peakBytes / 1_000_000),
      aim: '< 1.5 of the peak before',
    });
  }
  printTable(`Exports of ${large} predictions with 20 numbers and 2 categories, beside ${small}`, results);
}

async function exportAll(db: Database, versionId: string, format: 'csv' | 'ndjson' | 'parquet') {
  let bytes = 0;
  let peakBytes = 0;
  let longestStopMs = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longestStopMs = Math.max(longestStopMs, performance.now() - last - 5);
    last = performance.now();
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 5);
  const start = performance.now();
  for await (const chunk of exportPredictions(db, tenant, { versionId, format })) bytes += chunk.length;
  clearInterval(watch);
  return { ms: performance.now() - start, bytes, peakBytes, longestStopMs };
}
