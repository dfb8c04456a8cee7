import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant, runReadme, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../../src/index.ts';
import { rowsOf, twice } from '../support/batch-jobs.ts';
import { countFlights, type FlightCounter } from '../support/count-flights.ts';

const folder = new URL('../..', import.meta.url);
const section =
  /\n## Batch jobs\n([\s\S]*?)(?=\n## |$)/.exec(readFileSync(new URL('README.md', folder), 'utf8'))?.[1] ?? '';

/** The rows that a function may hold, by the word that the README has for them. */
const lockable = { job: 'batch_jobs', chunk: 'batch_job_chunks', limit: 'batch_limits' } as const;

/** What the column "Lock, round trips" says of each function. */
const promised = new Map(
  section.split('\n').flatMap((line) => {
    const [, names, , cost] = line.split('|');
    if (names === undefined || cost === undefined || !/^\s*(?:no|job|chunk|limit)\b/.test(cost)) return [];
    const trips = (cost.match(/\d+/g) ?? []).map(Number);
    return (names.match(/(?<=`)\w+(?=`)/g) ?? []).map((name) => [name, { cost, trips }] as const);
  }),
);

const database = useTestDatabase();
let counter: FlightCounter;
let db: Database;
let other: Database;
beforeAll(async () => {
  counter = await countFlights(database.serviceUrl);
  db = await connect({ url: counter.url, max: 1 });
  other = await connect({ url: database.serviceUrl });
});
afterAll(async () => {
  await Promise.all([db.close(), other.close()]);
  await counter.close();
});

interface World {
  /** Runs, with a chunk that is held, one that waits and a dead letter; not capped. */
  readonly jobId: string;
  readonly pausedId: string;
  readonly endedId: string;
  readonly chunk: exported.ClaimedChunk;
}

async function makeWorld(tx: TenantTx): Promise<World> {
  await registerVersion(tx, { name: 'churn' });
  const job = { reference: 'churn/1', jobName: 'j', chunkRows: 2, maxAttempts: 1 };
  const { jobId } = await exported.submitBatchJob(tx, { ...job, rows: rowsOf(6), priority: 1 });
  const { jobId: pausedId } = await exported.submitBatchJob(tx, { ...job, rows: rowsOf(2) });
  await exported.pauseBatchJob(tx, { jobId: pausedId });
  const { jobId: endedId } = await exported.submitBatchJob(tx, { ...job, rows: [] });
  const [dead, chunk] = [await exported.claimChunk(tx), await exported.claimChunk(tx)];
  if (dead === undefined || chunk === undefined) throw new Error('There are three chunks.');
  // With the ledger of the version, and a dead letter.
  const { lease, rows } = dead;
  const [first] = twice(rows);
  await exported.completeChunk(tx, { lease, rows, results: [first ?? {}, { error: 'e' }] });
  return { jobId, pausedId, endedId, chunk };
}

const inputsIn = ({ jobId, pausedId, endedId, chunk }: World): Readonly<Record<string, unknown>> => ({
  submitBatchJob: { reference: 'churn/1', jobName: 'new', rows: rowsOf(3) },
  getBatchJob: { jobId },
  findBatchJob: { jobId },
  listBatchJobs: {},
  listBatchJobEvents: { jobId },
  listDeadLetters: { jobId },
  pauseBatchJob: { jobId },
  resumeBatchJob: { jobId: pausedId },
  cancelBatchJob: { jobId },
  retryDeadLetters: { jobId },
  deleteBatchJob: { jobId: endedId },
  setBatchLimit: { maxRunningChunks: 3 },
  getBatchLimit: undefined,
  claimChunk: {},
  heartbeatChunk: { lease: chunk.lease },
  completeChunk: { lease: chunk.lease, rows: chunk.rows, results: twice(chunk.rows) },
  failChunk: { lease: chunk.lease, reason: 'r' },
  releaseChunk: { lease: chunk.lease },
  sweepBatchJob: { jobId },
});

/** What a call in a world of its own costs, and whose rows it holds. Nothing of it stays. */
async function costOf(name: string) {
  const undo = new Error('undo');
  const tenant = freshTenant();
  const world = await withTenant(db, tenant, makeWorld);
  const call = async (tx: TenantTx) => {
    const found = Reflect.get(exported, name) as (tx: TenantTx, input: unknown) => Promise<unknown>;
    return await found(tx, inputsIn(world)[name]);
  };
  const inVain = async (work: (tx: TenantTx) => Promise<void>) => {
    const tried = withTenant(db, tenant, async (tx) => {
      await work(tx);
      throw undo;
    });
    await tried.catch((error: unknown) => expect(error).toBe(undo));
  };
  // Once before, so that its statements are known to the connection.
  await inVain(async (tx) => void (await call(tx)));
  let trips = 0;
  const locks: string[] = [];
  await inVain(async (tx) => {
    await tx.execute(sql`select 1`);
    const before = counter.flights();
    await call(tx);
    trips = counter.flights() - before;
    for (const [word, table] of Object.entries(lockable)) {
      if (await withTenant(other, tenant, (looking) => holdsRows(looking, table))) locks.push(word);
    }
  });
  return { trips, locks };
}

/** Whether another transaction would wait for a row; one that is shared with a foreign key's check is none of them. */
async function holdsRows(tx: TenantTx, table: string): Promise<boolean> {
  const name = sql.identifier(table);
  const [held] = await tx.execute<{ locked: boolean }>(sql`
    with free as materialized (select 1 from ${name} for no key update skip locked)
    select (select count(*) from free) < (select count(*) from ${name}) as locked`);
  return held?.locked ?? false;
}

describe('the table of batch jobs', () => {
  const names = [...promised.keys()];

  it('has every function of jobs that takes a transaction', () => {
    const ofJobs = Object.keys(exported).filter((name) => /^[a-z]\w*(?:Batch|Chunk|DeadLetter)/.test(name));
    const isFunction = (name: string) => typeof Reflect.get(exported, name) === 'function';
    const others = ['submitBatchRows', 'runBatchWorker', 'batchSweepHandler', 'formatBatchProgress'];
    expect(names.sort()).toEqual(ofJobs.filter((name) => isFunction(name) && !others.includes(name)).sort());
    for (const name of others) expect(section).toContain(`\`${name}`);
  });

  it.each(names.filter((name) => name !== 'completeChunk'))('says truly what %s costs', async (name) => {
    const { trips, locks } = await costOf(name);
    const { cost = '', trips: said = [] } = promised.get(name) ?? {};
    expect([name, cost, said]).toEqual([name, cost, expect.arrayContaining([trips])]);
    for (const lock of locks) expect([name, cost]).toEqual([name, expect.stringContaining(lock)]);
  });

  it('says truly what completeChunk costs: one more than recordPredictions', async () => {
    const { trips, locks } = await costOf('completeChunk');
    expect({ trips, locks }).toEqual({ trips: 1 + 2, locks: ['chunk'] });
  });
});

it('the section names every limit, event and move of jobs', () => {
  const ofJobs = [
    ...(['jobNameLength', 'reasonLength', 'deadLetterReasonLength', 'priority', 'chunkRows', 'chunkLength'] as const),
    ...(['rowsAtOnce', 'jobRows', 'runningChunks', 'attempts', 'leaseMsMin', 'leaseMs'] as const),
    ...(['submissionMs', 'sweepBatch', 'workerConcurrency'] as const),
  ];
  for (const name of ofJobs) expect(section).toContain(exported.PREDICTION_LIMITS[name].toLocaleString('en-US'));
  for (const kind of exported.batchJobEventKinds) expect(section).toContain(`\`batch_job.${kind}\``);
});

it("the section's lines compile, run and print what it says", async () => {
  const lines = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const before = `
import { connect, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
const db = await connect({ url: process.env.POSTGRES_SERVICE_URL ?? '' });
const tenant = 'acme';
await withTenant(db, tenant, (tx) => registerVersion(tx, { name: 'churn' }));
`;
  const made = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    const readme = join(made, 'README.md');
    writeFileSync(readme, `\`\`\`ts\n${before}${lines}await db.close();\n\`\`\`\n`);
    const environment = { POSTGRES_SERVICE_URL: database.serviceUrl };
    expect(await runReadme({ readme: pathToFileURL(readme), folder, environment })).toEqual({
      typeErrors: '',
      exitCode: 0,
      errors: '',
      lines: [
        '4 failed { total: 2000, succeeded: 1999, dead: 1, pending: 0 }',
        '████████████████████████ 100 % · 2,000 of 2,000 rows · 1 dead',
      ],
    });
  } finally {
    rmSync(made, { recursive: true });
  }
}, 60_000);
