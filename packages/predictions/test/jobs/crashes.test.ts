import { connect, withTenant } from '@mcp-hub/db-core';
import { freshTenant, type Program, startOwnServer, startProgram } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { getBatchJob, runBatchWorker } from '../../src/index.ts';
import { predictionsOf, rowsOf, submitted, twice } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();

const startWorker = (serviceUrl: string, tenant: string, more: Readonly<Record<string, string>> = {}): Program =>
  startProgram({
    file: new URL('../programs/work-batches.ts', import.meta.url),
    environment: { SERVICE_URL: serviceUrl, TENANT: tenant, ...more },
  });

const once = (count: number) => rowsOf(count).map(({ subject }, x) => ({ subject, score: 2 * x }));

const heldChunks = sql`select number from batch_job_chunks where status = 'running'`;

async function lastLine(program: Program): Promise<string> {
  let last = '';
  for (;;) {
    const line = await program.nextLine().catch(() => undefined);
    if (line === undefined) return last;
    last = line;
  }
}

describe('a worker process', () => {
  it('that is killed costs no row and doubles none: the others take over its chunk when its lease ends', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(300), chunkRows: 5 });
    const options = { LEASE_MS: '1500', PREDICT_MS: '30' };
    const workers = [1, 2, 3].map(() => startWorker(predictions.serviceUrl, tenant, options));
    const [victim, ...others] = workers;
    for (const worker of workers) await worker.nextLine();
    // Somewhere: claiming, predicting, or in the middle of recording.
    for (let line = 0; line < 4; line += 1) await victim?.nextLine();
    victim?.signal('SIGKILL');
    expect((await victim?.ended)?.signal).toBe('SIGKILL');
    const reports = await Promise.all(others.map(lastLine));
    for (const report of reports) expect(JSON.parse(report)).toMatchObject({ failed: 0, dead: 0, lost: 0 });
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job).toMatchObject({ status: 'succeeded', progress: { rows: { succeeded: 300, pending: 0 } } });
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual(once(300));
  }, 60_000);

  it('that is told to end by SIGTERM completes what it has in hand, and ends', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(100), chunkRows: 5 });
    const worker = startWorker(predictions.serviceUrl, tenant, { PREDICT_MS: '300' });
    await worker.nextLine();
    await worker.nextLine();
    worker.signal('SIGTERM');
    const report = JSON.parse(await lastLine(worker)) as { readonly completed: number };
    expect(report).toMatchObject({ completed: 2, released: 0, failed: 0, lost: 0 });
    expect((await worker.ended).exitCode).toBe(0);
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job.progress.chunks).toMatchObject({ succeeded: 2, pending: 18 });
    expect(await predictions.run(tenant, (tx) => tx.execute(heldChunks))).toEqual([]);
  }, 60_000);

  it('that stood still writes nothing late: its chunk has been predicted by another', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(20), chunkRows: 5 });
    const zombie = startWorker(predictions.serviceUrl, tenant, { LEASE_MS: '500', STAND_STILL: 'yes' });
    expect(JSON.parse(await zombie.nextLine())).toEqual({ chunkNumber: 1, attempt: 1 });
    const report = await runBatchWorker(predictions.db, {
      ...{ tenants: [tenant], stopWhenDone: true, idleMs: 50, signal: new AbortController().signal },
      predict: ({ rows }) => twice(rows),
    });
    expect(report).toMatchObject({ completed: 4, rows: 20 });
    const before = await predictionsOf(predictions.db, tenant, jobId);
    expect(before).toEqual(once(20));
    zombie.signal('SIGCONT');
    expect(JSON.parse(await lastLine(zombie))).toMatchObject({ completed: 0, lost: 1, rows: 0 });
    expect((await zombie.ended).exitCode).toBe(0);
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual(before);
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job).toMatchObject({ status: 'succeeded', progress: { rows: { succeeded: 20 }, chunks: { succeeded: 4 } } });
  }, 60_000);
});

it('a server that is killed in the middle of a job and comes back has each row predicted once', async () => {
  const server = await startOwnServer();
  const db = await connect({ url: server.serviceUrl, max: 4, acquireTimeoutMs: 2_000 });
  try {
    const tenant = freshTenant();
    const { jobId } = await submitted(db, tenant, { rows: rowsOf(600), chunkRows: 5 });
    const options = { LEASE_MS: '4000', PREDICT_MS: '20' };
    const workers = [1, 2].map(() => startWorker(server.serviceUrl, tenant, options));
    for (const worker of workers) for (let line = 0; line < 5; line += 1) await worker.nextLine();
    const succeeded = async () =>
      (await withTenant(db, tenant, (tx) => getBatchJob(tx, { jobId }))).progress.chunks.succeeded;
    for (let time = 0; time < 2; time += 1) {
      await server.kill();
      await server.restart();
      // They go on by themselves; which of them is first is chance, and the other may find nothing left.
      const before = await succeeded().catch(() => succeeded());
      await expect.poll(succeeded, { timeout: 30_000 }).toBeGreaterThan(Math.min(before + 2, 119));
    }
    const reports = await Promise.all(workers.map(lastLine));
    for (const worker of workers) expect((await worker.ended).exitCode).toBe(0);
    const sum = reports.map((report) => JSON.parse(report) as { readonly rows: number; readonly dead: number });
    expect(sum.map(({ dead }) => dead)).toEqual([0, 0]);
    const job = await withTenant(db, tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job).toMatchObject({ status: 'succeeded', progress: { rows: { succeeded: 600, dead: 0, pending: 0 } } });
    expect(await predictionsOf(db, tenant, jobId)).toEqual(once(600));
    const tallies = await withTenant(db, tenant, (tx) =>
      tx.execute(sql`select count(*)::int as chunks from batch_job_chunks where status = 'succeeded' and rows is null`),
    );
    expect(tallies).toEqual([{ chunks: 120 }]);
  } finally {
    await db.close({ timeoutMs: 0 });
    await server.remove();
  }
}, 120_000);
