import { connect, type Database, withTenant } from '@mcp-hub/db-core';
import { claimChunk, completeChunk, recordPredictions, submitBatchJob } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import PgBoss from 'pg-boss';
import postgres from 'postgres';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const sizes = [1_000, 1_000_000] as const;
const workers = 8;
/** Claimed and completed by each worker in a round. */
const turns = 25;
const rounds = 9;
const warmUp = 2;

/** What it costs 8 workers to claim and complete with few and with many chunks waiting, beside pg-boss 10 on the same server. */
export async function benchPredictionsJobs(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: workers });
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const boss = new PgBoss({ connectionString: database.ownerUrl, max: workers, supervise: false, schedule: false });
  try {
    boss.on('error', (error) => {
      throw error;
    });
    await boss.start();
    for (const size of sizes) {
      const tenant = tenantOf(size);
      await withTenant(db, tenant, (tx) => registerVersion(tx, { name: 'churn' }));
      const start = performance.now();
      await submitRows(db, tenant, size);
      const seconds = (performance.now() - start) / 1000;
      console.log(`Submitted ${size.toLocaleString('en-US')} chunks from a query in ${seconds.toPrecision(3)} s.`);
      await boss.createQueue(queueOf(size));
      await sendJobs(boss, queueOf(size), size);
    }
    const cases = sizes.flatMap((size): readonly QueueCase[] => [
      {
        ...{ name: `chunks, ${size.toLocaleString('en-US')} waiting`, aim: size === 1_000 ? '' : '1.2', turns },
        refill: () => submitRows(db, tenantOf(size), workers * turns),
        turn: () => claimAndComplete(db, tenantOf(size)),
      },
      {
        // Beside a million it takes seconds for each.
        ...{ name: `pg-boss, ${size.toLocaleString('en-US')} waiting`, aim: '', turns: size === 1_000 ? turns : 1 },
        refill: () => sendJobs(boss, queueOf(size), workers * (size === 1_000 ? turns : 1)),
        turn: () => fetchAndComplete(boss, queueOf(size)),
      },
      {
        ...{ name: 'pg-boss with recordPredictions', aim: '', turns: size === 1_000 ? turns : 1 },
        refill: () => sendJobs(boss, queueOf(size), workers * (size === 1_000 ? turns : 1)),
        turn: () => fetchAndComplete(boss, queueOf(size), () => record(db, tenantOf(size))),
      },
    ]);
    printTable(
      `Claim and complete, ${workers} workers, without statistics (chunks: a prediction recorded with each)`,
      await measureQueues(cases),
    );
    await owner`analyze`;
    printTable(`The same with statistics`, await measureQueues(cases));
    await recordsMany(db);
  } finally {
    await boss.stop({ graceful: false, wait: true });
    await owner.end();
    await db.close();
    await database.end();
  }
}

interface QueueCase {
  readonly name: string;
  readonly aim: string;
  /** Of each worker in a round. */
  readonly turns: number;
  /** Puts back what a round takes, outside of its time. */
  readonly refill: () => Promise<unknown>;
  readonly turn: () => Promise<void>;
}

const tenantOf = (size: number) => `jobs-${size}`;
const queueOf = (size: number) => `queue-${size}`;

/** By turns, one round of each, so that what else the machine does falls on all of them alike. */
async function measureQueues(cases: readonly QueueCase[]) {
  const times = cases.map((): number[] => []);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [index, { refill, turn, turns: each }] of cases.entries()) {
      await refill();
      const start = performance.now();
      await Promise.all(
        Array.from({ length: workers }, async () => {
          for (let count = 0; count < each; count += 1) await turn();
        }),
      );
      if (round >= 0) times[index]?.push((performance.now() - start) / (workers * each));
    }
  }
  const medians = times.map((all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN);
  const kinds = cases.length / sizes.length;
  return cases.map(({ name, aim }, index) => {
    const ms = medians[index] ?? Number.NaN;
    const recording = medians[index - (index % kinds) + 2] ?? Number.NaN;
    return {
      waiting: name,
      'pairs/s': Math.round(1000 / ms),
      'beside 1,000': (ms / (medians[index % kinds] ?? Number.NaN)).toFixed(2),
      aim,
      'beside pg-boss that records': (ms / recording).toFixed(3),
    };
  });
}

async function submitRows(db: Database, tenant: string, count: number): Promise<void> {
  await withTenant(db, tenant, async (tx) => {
    const query = tx
      .select({ x: sql<number>`x`.as('x') })
      .from(sql`generate_series(1, ${count}::int) as x`)
      .as('numbers');
    await submitBatchJob(tx, { reference: 'churn/1', jobName: 'bench', chunkRows: 1, query });
  });
}

async function sendJobs(boss: PgBoss, name: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 10_000) {
    const some = Math.min(10_000, count - sent);
    await boss.insert(Array.from({ length: some }, (_, index) => ({ name, data: { x: sent + index } })));
  }
}

async function claimAndComplete(db: Database, tenant: string): Promise<void> {
  const chunk = await withTenant(db, tenant, (tx) => claimChunk(tx));
  if (chunk === undefined) throw new Error('No chunk is waiting.');
  const { lease, rows } = chunk;
  const results = rows.map(() => ({ score: 0.5 }));
  await withTenant(db, tenant, (tx) => completeChunk(tx, { lease, rows, results }));
}

async function record(db: Database, tenant: string): Promise<void> {
  const predictions = [{ score: 0.5, features: { x: 1 } }];
  await withTenant(db, tenant, (tx) => recordPredictions(tx, { reference: 'churn/1', predictions }));
}

async function fetchAndComplete(
  boss: PgBoss,
  name: string,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  const [job] = await boss.fetch(name);
  if (job === undefined) throw new Error('No job is waiting.');
  await between();
  await boss.complete(name, job.id);
}

/** Chunks as they are meant to be: many rows each, so that what a claim costs is spread over them. */
async function recordsMany(db: Database): Promise<void> {
  const tenant = 'jobs-rows';
  const rowCount = 100_000;
  await withTenant(db, tenant, async (tx) => {
    await registerVersion(tx, { name: 'churn' });
    const fields = Object.fromEntries(Array.from({ length: 20 }, (_, f) => [`f${f}`, sql`random()`.as(`f${f}`)]));
    const query = tx.select(fields).from(sql`generate_series(1, ${rowCount}::int) as x`).as('numbers');
    await submitBatchJob(tx, { reference: 'churn/1', jobName: 'bench', chunkRows: 1_000, query });
  });
  const start = performance.now();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (;;) {
        const chunk = await withTenant(db, tenant, (tx) => claimChunk(tx));
        if (chunk === undefined) return;
        const { lease, rows } = chunk;
        const results = rows.map(() => ({ score: 0.5 }));
        await withTenant(db, tenant, (tx) => completeChunk(tx, { lease, rows, results }));
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  printTable('100,000 rows of 20 features in chunks of 1,000, 8 workers of one process, predict left out', [
    { 'rows/s': Math.round(rowCount / seconds), seconds },
  ]);
}
