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
const rounds = 7;
const warmUp = 1;

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
      await sendJobs(owner, queueOf(size), size);
    }
    const cases = sizes.flatMap((size): readonly QueueCase[] => {
      const waiting = `${size.toLocaleString('en-US')} waiting`;
      const isFew = size === 1_000;
      const chunks: QueueCase = {
        ...{ name: `chunks, ${waiting}`, kind: 'chunks', aim: isFew ? '' : '1.2', turns, most: rounds },
        refill: () => submitRows(db, tenantOf(size), workers * turns),
        turn: () => claimAndComplete(db, tenantOf(size)),
      };
      const queue: QueueCase = {
        // Beside a million a fetch takes seconds.
        ...{
          name: `pg-boss, ${waiting}`,
          kind: 'pg-boss',
          aim: '',
          turns: isFew ? turns : 1,
          most: isFew ? rounds : 2,
        },
        refill: () => sendJobs(owner, queueOf(size), workers * turns),
        turn: () => fetchAndComplete(boss, queueOf(size)),
      };
      if (!isFew) return [chunks, queue];
      const recording: QueueCase = {
        ...queue,
        ...{ name: `pg-boss with recordPredictions, ${waiting}`, kind: 'recording' },
        turn: () => fetchAndComplete(boss, queueOf(size), () => record(db, tenantOf(size))),
      };
      return [chunks, queue, recording];
    });
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
  readonly kind: string;
  readonly aim: string;
  /** Rounds that are measured. */
  readonly most: number;
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
    for (const [index, { refill, turn, turns: each, most }] of cases.entries()) {
      if (round >= most) continue;
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
  const ofKind = (wanted: string) => medians[cases.findIndex(({ kind }) => kind === wanted)] ?? Number.NaN;
  return cases.map(({ name, kind, aim }, index) => {
    const ms = medians[index] ?? Number.NaN;
    return {
      waiting: name,
      'pairs/s': 1000 / ms > 10 ? Math.round(1000 / ms) : 1000 / ms,
      'beside 1,000': (ms / ofKind(kind)).toFixed(2),
      aim,
      'beside pg-boss with recordPredictions': (ms / ofKind('recording')).toFixed(2),
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

/** As boss.insert leaves them; a million through it takes minutes. */
async function sendJobs(owner: postgres.Sql, name: string, count: number): Promise<void> {
  await owner`insert into pgboss.job (name, data) select ${name}, '{"x": 1}' from generate_series(1, ${count}::int)`;
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
