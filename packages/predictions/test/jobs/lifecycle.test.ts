import { type DomainError, type TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type BatchJobStatus,
  batchJobStatuses,
  cancelBatchJob,
  claimChunk,
  completeChunk,
  deleteBatchJob,
  failChunk,
  getBatchJob,
  heartbeatChunk,
  legalBatchJobMoves,
  listBatchJobEvents,
  listBatchJobs,
  listDeadLetters,
  pauseBatchJob,
  resumeBatchJob,
  retryDeadLetters,
} from '../../src/index.ts';
import { predictionsOf, rowsOf, submitted, twice } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

async function claimed(tenant: string, now?: Date) {
  const chunk = await predictions.run(tenant, (tx) => claimChunk(tx), now === undefined ? {} : { now });
  if (chunk === undefined) throw new Error('Nothing to claim.');
  return chunk;
}

const statusOf = async (tenant: string, jobId: string) =>
  (await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }))).status;

/** The events of a job, the first first. */
const historyOf = async (tenant: string, jobId: string) =>
  (await predictions.run(tenant, (tx) => listBatchJobEvents(tx, { jobId }))).items.toReversed();

const topicsOf = (tenant: string) =>
  predictions.run(tenant, (tx) =>
    tx.execute<{ topic: string; subject_id: string }>(
      sql`select topic, subject_id from outbox_events where topic like 'batch_job.%' order by id`,
    ),
  );

describe('a job', () => {
  it('leaves a row in its history and an event in the outbox with each change, in one order', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1, maxAttempts: 1 });
    const run = (work: (tx: TenantTx) => Promise<unknown>) => predictions.run(tenant, work, { actor: 'ada' });
    await run((tx) => pauseBatchJob(tx, { jobId, reason: 'lunch' }));
    await run((tx) => resumeBatchJob(tx, { jobId }));
    const [first, second] = [await claimed(tenant), await claimed(tenant)];
    await run((tx) => failChunk(tx, { lease: first.lease, reason: 'no memory' }));
    await run((tx) => completeChunk(tx, { lease: second.lease, rows: second.rows, results: twice(second.rows) }));
    expect(await statusOf(tenant, jobId)).toBe('failed');
    await run((tx) => retryDeadLetters(tx, { jobId }));
    const again = await claimed(tenant);
    await run((tx) => completeChunk(tx, { lease: again.lease, rows: again.rows, results: twice(again.rows) }));
    await run((tx) => deleteBatchJob(tx, { jobId }));
    const history = await historyOf(tenant, jobId);
    expect(history.map(({ kind, fromStatus, toStatus }) => [kind, fromStatus, toStatus])).toEqual([
      ['submitted', null, 'queued'],
      ['paused', 'queued', 'paused'],
      ['resumed', 'paused', 'queued'],
      ['started', 'queued', 'running'],
      ['failed', 'running', 'failed'],
      ['retried', 'failed', 'queued'],
      ['started', 'queued', 'running'],
      ['succeeded', 'running', 'succeeded'],
      ['deleted', 'succeeded', null],
    ]);
    expect(history.map(({ changeNumber }) => changeNumber)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(history[1]).toMatchObject({ reason: 'lunch', actor: 'ada', jobName: 'job' });
    expect(await topicsOf(tenant)).toEqual(
      history.map(({ kind }) => ({ topic: `batch_job.${kind}`, subject_id: jobId })),
    );
    expect(await predictionsOf(predictions.db, tenant, jobId)).toHaveLength(2);
  });

  it('without rows has succeeded at once', async () => {
    const tenant = freshTenant();
    const { jobId, status } = await submitted(predictions.db, tenant, { rows: [] });
    expect(status).toBe('succeeded');
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job.progress).toMatchObject({ rows: { total: 0, pending: 0 }, remainingMs: 0 });
    expect(job.endedAt).not.toBeNull();
  });

  it('says how far it is, how fast it goes and how long it will take, by the time that it ran', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(100), chunkRows: 25 }, at(0));
    const progressAt = async (now: Date) =>
      (await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }), { now })).progress;
    expect(await progressAt(at(5))).toMatchObject({ activeMs: 0, rowsPerSecond: null, remainingMs: null });
    const chunk = await claimed(tenant, at(10));
    const results = twice(chunk.rows).map((result, index) => (index < 5 ? { error: 'odd' } : result));
    await predictions.run(tenant, (tx) => completeChunk(tx, { lease: chunk.lease, rows: chunk.rows, results }), {
      now: at(15),
    });
    expect(await progressAt(at(20))).toEqual({
      chunks: { total: 4, succeeded: 1, dead: 0, pending: 3 },
      rows: { total: 100, succeeded: 20, dead: 5, pending: 75 },
      activeMs: 10_000,
      rowsPerSecond: 2.5,
      remainingMs: 30_000,
    });
    // A pause does not slow it down.
    await predictions.run(tenant, (tx) => pauseBatchJob(tx, { jobId }), { now: at(20) });
    expect((await progressAt(at(55))).activeMs).toBe(10_000);
    await predictions.run(tenant, (tx) => resumeBatchJob(tx, { jobId }), { now: at(56) });
    expect((await progressAt(at(58))).activeMs).toBe(12_000);
  });

  it('that is paused gives out nothing, takes what is in hand, and may end so', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1 });
    const first = await claimed(tenant);
    await predictions.run(tenant, (tx) => pauseBatchJob(tx, { jobId }));
    expect(await predictions.run(tenant, (tx) => claimChunk(tx))).toBeUndefined();
    const { lease, rows } = first;
    expect(await predictions.run(tenant, (tx) => heartbeatChunk(tx, { lease }))).toMatchObject({ jobStatus: 'paused' });
    const done = await predictions.run(tenant, (tx) => completeChunk(tx, { lease, rows, results: twice(rows) }));
    expect(done).toEqual({ jobStatus: 'paused', rowsSucceeded: 1, rowsDead: 0 });
    await predictions.run(tenant, (tx) => resumeBatchJob(tx, { jobId }));
    expect(await statusOf(tenant, jobId)).toBe('running');
    const second = await claimed(tenant);
    await predictions.run(tenant, (tx) => pauseBatchJob(tx, { jobId }));
    await predictions.run(tenant, (tx) =>
      completeChunk(tx, { lease: second.lease, rows: second.rows, results: twice(second.rows) }),
    );
    expect(await statusOf(tenant, jobId)).toBe('succeeded');
  });

  it('that is cancelled takes its chunks from the workers, and frees what they held of caps', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(4), chunkRows: 1, maxRunningChunks: 1 });
    const { lease, rows } = await claimed(tenant);
    await predictions.run(tenant, (tx) => cancelBatchJob(tx, { jobId, reason: 'wrong month' }));
    const late = [
      () => predictions.run(tenant, (tx) => heartbeatChunk(tx, { lease })),
      () => predictions.run(tenant, (tx) => completeChunk(tx, { lease, rows, results: twice(rows) })),
      () => predictions.run(tenant, (tx) => failChunk(tx, { lease, reason: 'late' })),
    ];
    for (const write of late) {
      expect(await failureOf(write())).toMatchObject({ code: 'conflict', details: { reason: 'lease_lost' } });
    }
    expect(await predictions.run(tenant, (tx) => claimChunk(tx))).toBeUndefined();
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual([]);
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job).toMatchObject({ status: 'cancelled', progress: { rows: { pending: 4 } } });
  });

  it('moves as its table says, and nowhere else', async () => {
    const tenant = freshTenant();
    const actions: Readonly<Partial<Record<BatchJobStatus, (tx: TenantTx, jobId: string) => Promise<unknown>>>> = {
      paused: (tx, jobId) => pauseBatchJob(tx, { jobId }),
      running: (tx, jobId) => resumeBatchJob(tx, { jobId }),
      cancelled: (tx, jobId) => cancelBatchJob(tx, { jobId }),
    };
    for (const from of batchJobStatuses) {
      for (const [to, act] of Object.entries(actions)) {
        const { jobId } = await submitted(predictions.db, tenant);
        await predictions.run(tenant, (tx) =>
          tx.execute(sql`update batch_jobs set status = ${from}, started_at = app_now() where id = ${jobId}::uuid`),
        );
        const failure = await predictions
          .run(tenant, (tx) => act(tx, jobId))
          .then(
            () => undefined,
            (error: DomainError) => error,
          );
        const stays = from === to || (from === 'queued' && to === 'running');
        const isLegal = stays || legalBatchJobMoves[from].includes(to as BatchJobStatus);
        expect([from, to, failure?.code]).toEqual([from, to, isLegal ? undefined : 'failed_precondition']);
        expect(await statusOf(tenant, jobId)).toBe(isLegal && !stays ? to : from);
      }
    }
  });

  it('that has not ended is not deleted', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant);
    const refusal = await failureOf(predictions.run(tenant, (tx) => deleteBatchJob(tx, { jobId })));
    expect(refusal).toMatchObject({ code: 'failed_precondition' });
    await predictions.run(tenant, (tx) => cancelBatchJob(tx, { jobId }));
    await predictions.run(tenant, (tx) => deleteBatchJob(tx, { jobId }));
    expect(await failureOf(statusOf(tenant, jobId))).toMatchObject({ code: 'not_found' });
    const left = await predictions.run(tenant, (tx) =>
      tx.execute<{ count: number }>(sql`select count(*)::int as count from batch_job_chunks`),
    );
    expect(left).toEqual([{ count: 0 }]);
  });
});

describe('dead letters', () => {
  it('are single rows and rows of dead chunks, with their reasons and inputs, and are predicted anew', async () => {
    const tenant = freshTenant();
    const rows = [...rowsOf(3), { features: { x: Number.NaN, kind: 'odd' } }];
    const { jobId } = await submitted(predictions.db, tenant, { rows, chunkRows: 2, maxAttempts: 1 });
    const [first, second] = [await claimed(tenant), await claimed(tenant)];
    const results = [{ score: 0 }, { error: 'x is odd' }];
    await predictions.run(tenant, (tx) => completeChunk(tx, { lease: first.lease, rows: first.rows, results }));
    await predictions.run(tenant, (tx) => failChunk(tx, { lease: second.lease, reason: 'no memory' }));
    const letters = async () => (await predictions.run(tenant, (tx) => listDeadLetters(tx, { jobId }))).items;
    expect(await letters()).toMatchObject([
      { rowNumber: 1, chunkNumber: 1, kind: 'row', reason: 'x is odd', subject: 's1', features: { x: 1 } },
      { rowNumber: 2, chunkNumber: 2, kind: 'chunk', reason: 'no memory', subject: 's2' },
      { rowNumber: 3, chunkNumber: 2, kind: 'chunk', subject: null, features: { x: Number.NaN, kind: 'odd' } },
    ]);
    const dead = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(dead).toMatchObject({ status: 'failed', progress: { rows: { succeeded: 1, dead: 3, pending: 0 } } });
    expect(await predictions.run(tenant, (tx) => retryDeadLetters(tx, { jobId }))).toEqual({ rows: 3, chunks: 2 });
    expect(await predictions.run(tenant, (tx) => retryDeadLetters(tx, { jobId }))).toEqual({ rows: 0, chunks: 0 });
    expect(await letters()).toEqual([]);
    for (const numbers of [[1], [2, 3]]) {
      const chunk = await claimed(tenant);
      expect(chunk.rows.map(({ row }) => row)).toEqual(numbers);
      expect(chunk.attempt).toBe(1);
      await predictions.run(tenant, (tx) =>
        completeChunk(tx, { lease: chunk.lease, rows: chunk.rows, results: twice(chunk.rows) }),
      );
    }
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job.status).toBe('succeeded');
    expect(job.progress).toMatchObject({
      chunks: { total: 2, succeeded: 2, dead: 0, pending: 0 },
      rows: { succeeded: 4, dead: 0, pending: 0 },
    });
    const stored = await predictionsOf(predictions.db, tenant, jobId);
    expect(stored.map(({ score }) => score)).toEqual([0, 2, 4, Number.NaN]);
  });

  it('of a cancelled job are not retried', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1, maxAttempts: 1 });
    const { lease } = await claimed(tenant);
    await predictions.run(tenant, (tx) => failChunk(tx, { lease, reason: 'r' }));
    await predictions.run(tenant, (tx) => cancelBatchJob(tx, { jobId }));
    const refusal = await failureOf(predictions.run(tenant, (tx) => retryDeadLetters(tx, { jobId })));
    expect(refusal).toMatchObject({ code: 'failed_precondition' });
    expect((await predictions.run(tenant, (tx) => listDeadLetters(tx, { jobId }))).items).toHaveLength(1);
  });
});

it('jobs are listed by pages, the newest first, with filters', async () => {
  const tenant = freshTenant();
  const ids: string[] = [];
  for (const second of [0, 1, 2]) {
    ids.unshift((await submitted(predictions.db, tenant, { priority: second }, at(second))).jobId);
  }
  const page = await predictions.run(tenant, (tx) => listBatchJobs(tx, { limit: 2 }));
  expect(page.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const rest = await predictions.run(tenant, (tx) => listBatchJobs(tx, { limit: 2, cursor: page.nextCursor ?? '' }));
  expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(2));
  const found = await predictions.run(tenant, (tx) =>
    listBatchJobs(tx, { filter: "status = 'queued' AND priority > 1" }),
  );
  expect(found.items.map(({ id }) => id)).toEqual(ids.slice(0, 1));
});
