import { dispatchWork, type TenantTx } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  batchSweepHandler,
  type ClaimedChunk,
  cancelBatchJob,
  claimChunk,
  completeChunk,
  failChunk,
  getBatchJob,
  getBatchLimit,
  heartbeatChunk,
  releaseChunk,
  setBatchLimit,
  sweepBatchJob,
} from '../../src/index.ts';
import { predictionsOf, rowsOf, submitted, twice } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const leaseMs = 10_000;
const at = (second: number) => ({ now: new Date(Date.UTC(2026, 0, 1, 0, 0, second)) });

const claim = (tenant: string, second: number) =>
  predictions.run(tenant, (tx) => claimChunk(tx, { leaseMs }), at(second));

async function claimed(tenant: string, second = 0): Promise<ClaimedChunk> {
  const chunk = await claim(tenant, second);
  if (chunk === undefined) throw new Error('Nothing to claim.');
  return chunk;
}

const complete = (tx: TenantTx, { lease, rows }: ClaimedChunk) =>
  completeChunk(tx, { lease, rows, results: twice(rows) });
const lost = { code: 'conflict', details: { reason: 'lease_lost' } };
const jobOf = (tenant: string, jobId: string) => predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
const sweepAt = (second: number) =>
  dispatchWork(predictions.db, { ...batchSweepHandler({ now: () => at(second).now }), now: () => at(second).now });

/** The first predictions of a version wait for each other. */
async function tenantWithLedger(): Promise<string> {
  const tenant = freshTenant();
  await submitted(predictions.db, tenant, { rows: rowsOf(1) }, at(0).now);
  const chunk = await claimed(tenant, 0);
  await predictions.run(tenant, (tx) => complete(tx, chunk));
  return tenant;
}

describe('a lease', () => {
  it('keeps others off until it ends; then claimChunk gives the chunk to the next, and the zombie is refused whole', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(3), chunkRows: 3 }, at(0).now);
    const zombie = await claimed(tenant, 0);
    expect(zombie.leasedUntil).toEqual(at(10).now);
    expect(await claim(tenant, 9)).toBeUndefined();
    const next = await claimed(tenant, 10);
    expect(next).toMatchObject({ attempt: 2, rows: zombie.rows });
    expect(next.lease.fencingToken).toBeGreaterThan(zombie.lease.fencingToken);
    const late: readonly ((tx: TenantTx) => Promise<unknown>)[] = [
      (tx) => complete(tx, zombie),
      (tx) => heartbeatChunk(tx, { lease: zombie.lease }),
      (tx) => releaseChunk(tx, { lease: zombie.lease }),
      (tx) => failChunk(tx, { lease: zombie.lease, reason: 'late' }),
    ];
    for (const write of late) expect(await failureOf(predictions.run(tenant, write, at(11)))).toMatchObject(lost);
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual([]);
    await predictions.run(tenant, (tx) => complete(tx, next), at(11));
    for (const write of late) expect(await failureOf(predictions.run(tenant, write, at(12)))).toMatchObject(lost);
    expect(await predictionsOf(predictions.db, tenant, jobId)).toHaveLength(3);
  });

  it('that ran out and was not taken by another is still its holder’s', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(1) }, at(0).now);
    const chunk = await claimed(tenant, 0);
    const held = await predictions.run(tenant, (tx) => heartbeatChunk(tx, { lease: chunk.lease, leaseMs }), at(30));
    expect(held).toEqual({ leasedUntil: at(40).now, jobStatus: 'running' });
    expect(await claim(tenant, 39)).toBeUndefined();
    await predictions.run(tenant, (tx) => complete(tx, chunk), at(50));
    expect((await jobOf(tenant, jobId)).status).toBe('succeeded');
  });

  it('is completed twice as once', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2) }, at(0).now);
    const chunk = await claimed(tenant, 0);
    const first = await predictions.run(tenant, (tx) => complete(tx, chunk));
    expect(await predictions.run(tenant, (tx) => complete(tx, chunk))).toEqual(first);
    expect((await jobOf(tenant, jobId)).progress.rows).toMatchObject({ total: 2, succeeded: 2 });
  });

  it('given back does not count as an attempt', async () => {
    const tenant = freshTenant();
    await submitted(predictions.db, tenant, { rows: rowsOf(1), maxAttempts: 1 }, at(0).now);
    const chunk = await claimed(tenant, 0);
    await predictions.run(tenant, (tx) => releaseChunk(tx, { lease: chunk.lease }), at(1));
    expect(await claimed(tenant, 1)).toMatchObject({ attempt: 1 });
    expect(await failureOf(predictions.run(tenant, (tx) => complete(tx, chunk)))).toMatchObject(lost);
  });
});

describe('completeChunk', () => {
  it('writes nothing where one result cannot be recorded, and names its row', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(4) }, at(0).now);
    const { lease, rows } = await claimed(tenant, 0);
    const results = [{ error: 'dead' }, { score: 1 }, { score: 2, label: 'x'.repeat(300) }, { score: 3 }];
    const refusal = await failureOf(predictions.run(tenant, (tx) => completeChunk(tx, { lease, rows, results })));
    expect(refusal).toMatchObject({ code: 'invalid_input', details: { index: 2, field: 'results[2].label' } });
    expect((await jobOf(tenant, jobId)).progress.rows).toMatchObject({ succeeded: 0, dead: 0, pending: 4 });
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual([]);
  });

  it.each([
    ['too few', [{ score: 1 }]],
    ['no objects', [1, 2]],
    ['unknown fields', [{ score: 1 }, { scores: 2 }]],
  ])('refuses results that are %s', async (_, results) => {
    const tenant = freshTenant();
    await submitted(predictions.db, tenant, { rows: rowsOf(2) }, at(0).now);
    const { lease, rows } = await claimed(tenant, 0);
    const refused = predictions.run(tenant, (tx) => completeChunk(tx, { lease, rows, results: results as [] }));
    expect(await failureOf(refused)).toMatchObject({ code: 'invalid_input' });
  });

  it('ends the job once where the last two chunks are completed at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const tenant = freshTenant();
      const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1 }, at(0).now);
      const chunks = [await claimed(tenant, 0), await claimed(tenant, 0)];
      const both = barrier(2);
      const outcomes = await Promise.all(
        chunks.map((chunk) =>
          predictions.run(tenant, async (tx) => {
            await tx.execute(sql`select 1`);
            both.arrive();
            await both.passed;
            return await complete(tx, chunk);
          }),
        ),
      );
      expect(outcomes.map(({ jobStatus }) => jobStatus).sort()).toEqual(['running', 'succeeded']);
      expect((await jobOf(tenant, jobId)).status).toBe('succeeded');
    }
  });

  it('leaves no job open whose last workers missed each other: the next claim or sweep ends it', async () => {
    for (const mend of ['claim', 'sweep'] as const) {
      const tenant = await tenantWithLedger();
      const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(3), chunkRows: 1 }, at(0).now);
      const [slow, second] = [await claimed(tenant, 0), await claimed(tenant, 0)];
      const looked = barrier();
      const goOn = barrier();
      const first = predictions.run(tenant, async (tx) => {
        // Sees the third chunk waiting, and stands still before it commits.
        await complete(tx, slow);
        looked.open();
        await goOn.passed;
      });
      await looked.passed;
      await predictions.run(tenant, (tx) => complete(tx, second));
      const third = await claimed(tenant, 0);
      await predictions.run(tenant, (tx) => complete(tx, third));
      goOn.open();
      await first;
      expect((await jobOf(tenant, jobId)).status).toBe('running');
      if (mend === 'claim') expect(await claim(tenant, 1)).toBeUndefined();
      else await predictions.run(tenant, (tx) => sweepBatchJob(tx, { jobId }));
      expect((await jobOf(tenant, jobId)).status).toBe('succeeded');
    }
  });
});

describe('attempts', () => {
  it('that fail are made again after a random part of a doubling time, and the last makes dead letters', async () => {
    const tenant = freshTenant();
    const backoff = { baseMs: 1_000, maxMs: 3_000 };
    const { jobId } = await submitted(
      predictions.db,
      tenant,
      { rows: rowsOf(100), chunkRows: 1, maxAttempts: 4, backoff },
      at(0).now,
    );
    const longest: number[] = [];
    for (const [attempt, second] of [
      [1, 0],
      [2, 10],
      [3, 20],
    ] as const) {
      const waits = await predictions.run(
        tenant,
        async (tx) => {
          const times: number[] = [];
          for (let chunk = await claimChunk(tx); chunk !== undefined; chunk = await claimChunk(tx)) {
            expect(chunk.attempt).toBe(attempt);
            const { dead, dueAt } = await failChunk(tx, { lease: chunk.lease, reason: 'r' });
            expect(dead).toBe(false);
            times.push((dueAt?.getTime() ?? 0) - at(second).now.getTime());
          }
          return times;
        },
        at(second),
      );
      expect(waits).toHaveLength(100);
      expect(Math.min(...waits)).toBeGreaterThan(0);
      const mean = waits.reduce((sum, ms) => sum + ms, 0) / waits.length;
      longest.push(Math.max(...waits));
      const most = [1_000, 2_000, 3_000][attempt - 1] ?? 0;
      // Uniform over all of it: of 100 the mean lies within five of its deviations.
      expect(Math.abs(mean - most / 2)).toBeLessThan(5 * (most / Math.sqrt(12 * 100)));
      expect(Math.max(...waits)).toBeLessThanOrEqual(most);
    }
    const { lease } = await claimed(tenant, 30);
    expect(await predictions.run(tenant, (tx) => failChunk(tx, { lease, reason: 'r' }), at(30))).toEqual({
      dead: true,
      dueAt: null,
    });
    expect((await jobOf(tenant, jobId)).progress).toMatchObject({ chunks: { dead: 1 }, rows: { dead: 1 } });
  });

  it('that are lost with their workers count: a chunk that kills each of them is dead at last', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2), maxAttempts: 2 }, at(0).now);
    await claimed(tenant, 0);
    await claimed(tenant, 20);
    expect(await claim(tenant, 40)).toBeUndefined();
    expect(await jobOf(tenant, jobId)).toMatchObject({ status: 'failed', progress: { rows: { dead: 2, pending: 0 } } });
  });
});

describe('the sweep', () => {
  it('takes lost chunks back where no worker is left, and ends the job', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(1), maxAttempts: 1 }, at(0).now);
    await sweepAt(0);
    await claimed(tenant, 5);
    await sweepAt(14);
    expect((await jobOf(tenant, jobId)).status).toBe('running');
    await sweepAt(61);
    expect(await jobOf(tenant, jobId)).toMatchObject({ status: 'failed', progress: { rows: { dead: 1 } } });
    const left = await predictions.run(tenant, (tx) =>
      tx.execute(sql`select kind from tenant_work where kind <> 'outbox'`),
    );
    await sweepAt(200);
    expect(left).not.toContainEqual({ kind: 'predictions.batchSweep' });
  });

  it('passes over a chunk that is just being completed', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(1) }, at(0).now);
    const chunk = await claimed(tenant, 0);
    await predictions.run(
      tenant,
      async (tx) => {
        await complete(tx, chunk);
        expect(await predictions.run(tenant, claimChunk, at(20))).toBeUndefined();
      },
      at(20),
    );
    expect((await jobOf(tenant, jobId)).status).toBe('succeeded');
  });

  it('and cancellation do not wait for a worker crosswise', async () => {
    for (let round = 0; round < 10; round += 1) {
      const tenant = await tenantWithLedger();
      const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1 }, at(0).now);
      const chunks = [await claimed(tenant, 0), await claimed(tenant, 0)];
      const all = [
        ...chunks.map((chunk) => predictions.run(tenant, (tx) => complete(tx, chunk), at(20))),
        predictions.run(tenant, (tx) => cancelBatchJob(tx, { jobId }), at(20)),
        predictions.run(tenant, (tx) => sweepBatchJob(tx, { jobId }), at(20)),
        predictions.run(tenant, (tx) => claimChunk(tx), at(20)),
      ];
      for (const outcome of await Promise.allSettled(all)) {
        if (outcome.status === 'rejected') {
          expect(['conflict', 'failed_precondition']).toContain(outcome.reason.code);
          expect(outcome.reason.details.retryable).toBeUndefined();
        }
      }
    }
  });
});

describe('the order', () => {
  it('is that of priority, then of submission, then of rows', async () => {
    const tenant = freshTenant();
    const jobs = new Map<string, string>();
    for (const [name, priority] of [
      ['low', -1],
      ['first', 0],
      ['second', 0],
      ['high', 5],
    ] as const) {
      const input = { rows: rowsOf(2), chunkRows: 1, priority };
      jobs.set((await submitted(predictions.db, tenant, input, at(jobs.size).now)).jobId, name);
    }
    const order: string[] = [];
    for (let chunk = await claim(tenant, 9); chunk !== undefined; chunk = await claim(tenant, 9)) {
      order.push(`${jobs.get(chunk.lease.jobId)} ${chunk.lease.chunkNumber}`);
    }
    expect(order).toEqual(['high', 'first', 'second', 'low'].flatMap((name) => [`${name} 1`, `${name} 2`]));
  });
});

describe('caps', () => {
  it.each(['job', 'tenant'] as const)('of a %s are never exceeded by 8 workers at once', async (whose) => {
    const tenant = freshTenant();
    if (whose === 'tenant') await predictions.run(tenant, (tx) => setBatchLimit(tx, { maxRunningChunks: 3 }));
    const caps = whose === 'job' ? { maxRunningChunks: 3 } : {};
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(60), chunkRows: 1, ...caps }, at(0).now);
    const seen: number[] = [];
    const worker = async () => {
      for (;;) {
        const chunk = await claim(tenant, 1);
        if (chunk === undefined) {
          if ((await jobOf(tenant, jobId)).status === 'succeeded') return;
          continue;
        }
        const rows = await predictions.run(tenant, (tx) =>
          tx.execute<{ count: number }>(
            sql`select count(*)::int as count from batch_job_chunks where status = 'running'`,
          ),
        );
        seen.push(rows[0]?.count ?? 0);
        await predictions.run(tenant, (tx) => complete(tx, chunk));
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(Math.max(...seen)).toBe(3);
    expect((await jobOf(tenant, jobId)).progress.rows).toMatchObject({ succeeded: 60 });
  });

  it('of one job leave the workers to the next', async () => {
    const tenant = freshTenant();
    const first = await submitted(
      predictions.db,
      tenant,
      { rows: rowsOf(2), chunkRows: 1, maxRunningChunks: 1, priority: 1 },
      at(0).now,
    );
    const second = await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1 }, at(0).now);
    const ids = [await claimed(tenant, 1), await claimed(tenant, 1)].map(({ lease }) => lease.jobId);
    expect(ids).toEqual([first.jobId, second.jobId]);
  });

  it('are read, changed and lifted', async () => {
    const tenant = freshTenant();
    const limit = () => predictions.run(tenant, (tx) => getBatchLimit(tx));
    expect(await limit()).toEqual({ maxRunningChunks: null });
    await submitted(predictions.db, tenant, { rows: rowsOf(3), chunkRows: 1 }, at(0).now);
    await predictions.run(tenant, (tx) => setBatchLimit(tx, { maxRunningChunks: 1 }));
    expect(await limit()).toEqual({ maxRunningChunks: 1 });
    await claimed(tenant, 0);
    expect(await claim(tenant, 0)).toBeUndefined();
    await predictions.run(tenant, (tx) => setBatchLimit(tx, { maxRunningChunks: 2 }));
    await claimed(tenant, 0);
    expect(await claim(tenant, 0)).toBeUndefined();
    await predictions.run(tenant, (tx) => setBatchLimit(tx, { maxRunningChunks: null }));
    await claimed(tenant, 0);
  });

  it('do not count chunks that were lost for longer than it takes to claim the next', async () => {
    const tenant = freshTenant();
    await submitted(predictions.db, tenant, { rows: rowsOf(2), chunkRows: 1, maxRunningChunks: 1 }, at(0).now);
    await claimed(tenant, 0);
    expect(await claim(tenant, 9)).toBeUndefined();
    expect(await claimed(tenant, 10)).toMatchObject({ attempt: 2, lease: { chunkNumber: 1 } });
  });
});
