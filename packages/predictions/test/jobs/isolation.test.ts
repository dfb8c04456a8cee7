import { setTimeout as pause } from 'node:timers/promises';
import { connect, dispatchWork, isDomainError, type TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  batchSweepHandler,
  claimChunk,
  completeChunk,
  failChunk,
  getBatchLimit,
  listDeadLetters,
  runBatchWorker,
  setBatchLimit,
  submitBatchRows,
  sweepBatchJob,
} from '../../src/index.ts';
import { rowsOf, submitted, twice } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const past = new Date('2026-01-01Z');
const tables = [
  ...['batch_jobs', 'batch_job_chunks', 'batch_job_tallies', 'batch_dead_letters', 'batch_job_events', 'batch_limits'],
  ...['predictions', 'tenant_work', 'outbox_events'],
];

const contentOf = (tenant: string) =>
  predictions.run(tenant, async (tx) => {
    const content: unknown[] = [];
    for (const table of tables) {
      content.push([...(await tx.execute(sql`select t::text as row from ${sql.identifier(table)} t order by 1`))]);
    }
    return content;
  });

describe("tenant B, beside tenant A's jobs", () => {
  let owner: string;
  let jobId: string;
  let before: readonly unknown[];

  /** A has a dead letter, a chunk whose lease is over, one that waits, and a cap. */
  beforeAll(async () => {
    owner = freshTenant();
    const input = { rows: rowsOf(3), chunkRows: 1, maxAttempts: 1 };
    ({ jobId } = await submitted(predictions.db, owner, input, past));
    await predictions.run(
      owner,
      async (tx) => {
        const dead = await claimChunk(tx);
        if (dead !== undefined) await failChunk(tx, { lease: dead.lease, reason: "A's" });
        await claimChunk(tx);
        await setBatchLimit(tx, { maxRunningChunks: 1 });
      },
      { now: past },
    );
    before = await contentOf(owner);
  });

  it('reads none of its dead letters and caps, and sweeps nothing of it', async () => {
    const tenant = freshTenant();
    await predictions.run(tenant, async (tx: TenantTx) => {
      expect((await listDeadLetters(tx, { jobId })).items).toEqual([]);
      expect(await getBatchLimit(tx)).toEqual({ maxRunningChunks: null });
      expect(await sweepBatchJob(tx, { jobId })).toEqual({ chunks: 0, abandoned: false });
      expect(await claimChunk(tx)).toBeUndefined();
      expect(await claimChunk(tx, { jobId })).toBeUndefined();
      await setBatchLimit(tx, { maxRunningChunks: 9 });
    });
    expect(await contentOf(owner)).toEqual(before);
  });

  it('is worked on by runBatchWorker without it', async () => {
    const tenant = freshTenant();
    await submitted(predictions.db, tenant, { rows: rowsOf(4), chunkRows: 1 });
    const seen = new Set<string>();
    const report = await runBatchWorker(predictions.db, {
      ...{ tenants: [tenant], stopWhenDone: true, idleMs: 20, signal: new AbortController().signal },
      predict: ({ tenant: of, rows }) => {
        seen.add(of);
        return twice(rows);
      },
    });
    expect([[...seen], report.rows]).toEqual([[tenant], 4]);
    expect(await contentOf(owner)).toEqual(before);
  });

  it('submits rows for its own versions alone, under the keys of A too', async () => {
    const stranger = freshTenant();
    const input = { reference: 'churn/1', jobName: 'j', rows: rowsOf(2), idempotencyKey: 'k' };
    const refusal = await failureOf(submitBatchRows(predictions.db, stranger, input));
    expect(isDomainError(refusal, 'not_found')).toBe(true);
    await predictions.run(stranger, (tx) => registerVersion(tx, { name: 'churn' }));
    const own = await submitBatchRows(predictions.db, stranger, input);
    const third = freshTenant();
    await predictions.run(third, (tx) => registerVersion(tx, { name: 'churn' }));
    expect((await submitBatchRows(predictions.db, third, input)).jobId).not.toBe(own.jobId);
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the same job id, chunk and token are two tenants’ two chunks', async () => {
    const stranger = freshTenant();
    await submitted(predictions.db, stranger, { rows: [] }, past);
    // By hand: an id is unique in its tenant only.
    await predictions.run(stranger, async (tx) => {
      const one = sql`${jobId}::uuid`;
      await tx.execute(sql`
        insert into batch_jobs (id, name, model_version_id, chunk_rows, chunk_count, row_count, submitted_at, status)
        select ${one}, 'j', id, 1, 1, 1, app_now(), 'running' from model_registry`);
      await tx.execute(sql`
        insert into batch_job_chunks (job_id, number, row_count, rows)
        values (${one}, 2, 1, '[{"row": 1, "features": {"x": 1}}]')`);
      const chunk = await claimChunk(tx);
      if (chunk === undefined) throw new Error('There is a chunk.');
      expect(chunk.lease).toMatchObject({ jobId, chunkNumber: 2 });
      const { lease, rows } = chunk;
      const done = await completeChunk(tx, { lease, rows, results: twice(rows) });
      expect(done.jobStatus).toBe('succeeded');
    });
    expect(await contentOf(owner)).toEqual(before);
  });

  it('is swept by the handler in a turn of its own', async () => {
    const tenant = freshTenant();
    const input = { rows: rowsOf(1), maxAttempts: 1 };
    const own = await submitted(predictions.db, tenant, input, past);
    await predictions.run(tenant, (tx) => claimChunk(tx), { now: past });
    // As if only this tenant had asked for it.
    const keep = await predictions.run(owner, (tx) =>
      tx.execute<{ due: string }>(
        sql`update tenant_work set due_at = '2100-01-01Z' where kind = 'predictions.batchSweep' returning 1`,
      ),
    );
    expect(keep).toHaveLength(1);
    const held = await contentOf(owner);
    const now = () => new Date('2026-02-01Z');
    await dispatchWork(predictions.db, { ...batchSweepHandler({ now }), now });
    const letters = await predictions.run(tenant, (tx) => listDeadLetters(tx, { jobId: own.jobId }));
    expect(letters.items).toHaveLength(1);
    expect(await contentOf(owner)).toEqual(held);
  });

  it('is not kept waiting by the sweep of a job that A’s own transaction holds', async () => {
    const tenant = freshTenant();
    await submitted(predictions.db, tenant, {}, past);
    const pool = await connect({ url: predictions.serviceUrl, max: 3 });
    const [isHeld, letGo] = [barrier(), barrier()];
    const holding = predictions.run(tenant, async (tx) => {
      await tx.execute(sql`select from batch_jobs for update`);
      isHeld.open();
      await letGo.passed;
    });
    await isHeld.passed;
    const now = () => new Date('2026-03-01Z');
    const sweeping = dispatchWork(pool, { ...batchSweepHandler({ now }), now });
    const report = await Promise.race([sweeping, pause(7_000, undefined)]);
    letGo.open();
    await Promise.all([holding, sweeping]);
    await pool.close();
    expect(report).toMatchObject({ failed: 1 });
  });
});
