import { connect, type Logger, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type BatchProgressEvent,
  type BatchWorkerOptions,
  cancelBatchJob,
  claimChunk,
  formatBatchProgress,
  getBatchJob,
  listDeadLetters,
  pauseBatchJob,
  recordPredictions,
  resumeBatchJob,
  runBatchWorker,
} from '../../src/index.ts';
import { predictionsOf, rowsOf, submitted, twice } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const never = () => new AbortController().signal;

const work = (tenants: readonly string[], options: Partial<BatchWorkerOptions> = {}) =>
  runBatchWorker(predictions.db, {
    ...{ predict: ({ rows }) => twice(rows), signal: never(), tenants, stopWhenDone: true, idleMs: 20 },
    ...options,
  });

const jobOf = (tenant: string, jobId: string) => predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));

describe('runBatchWorker', () => {
  it('predicts all that there is, each row once, and tells how far it is', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(100), chunkRows: 7 });
    const events: BatchProgressEvent[] = [];
    const report = await work([tenant], {
      concurrency: 3,
      progressMs: 1,
      onProgress: (event) => void events.push(event),
    });
    expect(report).toEqual({ completed: 15, failed: 0, dead: 0, released: 0, lost: 0, rows: 100 });
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual(
      rowsOf(100).map(({ subject }, x) => ({ subject, score: 2 * x })),
    );
    expect(events.length).toBeGreaterThan(3);
    const last = events.find(({ status }) => status === 'succeeded');
    expect(last).toMatchObject({ tenant, jobId, jobName: 'job', progress: { rows: { succeeded: 100, pending: 0 } } });
    expect(last === undefined ? '' : formatBatchProgress(last.progress)).toMatch(/^█{24} 100 % · 100 of 100 rows · /);
  });

  it('takes turns between tenants, one chunk each, however much one of them has', async () => {
    const [big, small] = [freshTenant('a'), freshTenant('b')];
    await submitted(predictions.db, big, { rows: rowsOf(400), chunkRows: 4 });
    await submitted(predictions.db, small, { rows: rowsOf(40), chunkRows: 4 });
    const order: string[] = [];
    await work([big, small], {
      predict: ({ tenant, rows }) => {
        order.push(tenant);
        return twice(rows);
      },
    });
    expect(order).toHaveLength(110);
    expect(order.slice(0, 20).filter((tenant) => tenant === small)).toHaveLength(10);
    for (let turn = 0; turn < 20; turn += 2) expect(new Set(order.slice(turn, turn + 2)).size).toBe(2);
  });

  it('finds by itself the tenants that have work, those that come later too, and is stopped by its signal', async () => {
    const [first, later] = [freshTenant(), freshTenant()];
    await submitted(predictions.db, first, { rows: rowsOf(200), chunkRows: 1 });
    const stop = new AbortController();
    const order: string[] = [];
    let submission: Promise<unknown> | undefined;
    const running = runBatchWorker(predictions.db, {
      signal: stop.signal,
      idleMs: 20,
      predict: async ({ tenant, rows }) => {
        if (![first, later].includes(tenant)) return rows.map(() => ({ error: 'another test’s' }));
        order.push(tenant);
        if (order.length === 3) submission = submitted(predictions.db, later, { rows: rowsOf(2), chunkRows: 1 });
        await submission;
        return twice(rows);
      },
    });
    await expect.poll(() => order.filter((tenant) => tenant === later).length, { timeout: 20_000 }).toBe(2);
    stop.abort();
    const report = await running;
    expect(order.length).toBeLessThan(200);
    expect(report.lost + report.failed).toBe(0);
  });

  it('makes a dead letter of a row that is an error, and of one that cannot be recorded; the others are predicted', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(10), chunkRows: 5 });
    const report = await work([tenant], {
      predict: ({ rows }) =>
        rows.map(({ row }) => {
          if (row === 2) return { error: 'poison' };
          if (row === 3) return { score: 1, label: 'x'.repeat(1_000) };
          if (row === 9) return { score: 1, output: { at: Number.NaN } };
          return { score: 1 };
        }),
    });
    expect(report).toMatchObject({ completed: 2, rows: 7 });
    const { items } = await predictions.run(tenant, (tx) => listDeadLetters(tx, { jobId }));
    expect(items.map(({ rowNumber, kind, reason }) => [rowNumber, kind, reason])).toEqual([
      [2, 'row', 'poison'],
      [3, 'row', expect.stringMatching(/label must have at most 256 characters/)],
      [9, 'row', expect.stringMatching(/output must be JSON/)],
    ]);
    expect(await jobOf(tenant, jobId)).toMatchObject({
      status: 'failed',
      progress: { rows: { succeeded: 7, dead: 3 } },
    });
  });

  it('tries a chunk again whose predict throws, tells of the error, and keeps its text', async () => {
    const tenant = freshTenant();
    const input = { rows: rowsOf(4), chunkRows: 2, maxAttempts: 2, backoff: { baseMs: 1 } };
    const { jobId } = await submitted(predictions.db, tenant, input);
    const heard: unknown[] = [];
    const logged: unknown[] = [];
    const say = (facts: object) => void logged.push(facts);
    const logger = { debug: say, info: say, warn: say, error: say } as unknown as Logger;
    const report = await work([tenant], {
      logger,
      predict: ({ chunkNumber, attempt, rows }) => {
        if (chunkNumber === 1 && attempt === 1) throw new TypeError('secret 4711');
        if (chunkNumber === 2) return rows.slice(1).map(() => ({ score: 1 }));
        return twice(rows);
      },
      onError: (error, { chunkNumber, attempt }) => void heard.push([String(error), chunkNumber, attempt]),
    });
    expect(report).toMatchObject({ completed: 1, failed: 2, dead: 1, rows: 2 });
    expect(heard).toContainEqual(['TypeError: secret 4711', 1, 1]);
    expect(JSON.stringify(logged)).not.toContain('4711');
    const { items } = await predictions.run(tenant, (tx) => listDeadLetters(tx, { jobId }));
    expect(items.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => 'DomainError: predict gave 1 results for 2 rows.'),
    );
  });

  it('sees while it predicts that its job was paused, and releases the chunk', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(4), chunkRows: 2 });
    const started = barrier();
    let attempts = 0;
    const running = work([tenant], {
      watchMs: 20,
      predict: async ({ rows, signal }) => {
        attempts += 1;
        if (attempts > 1) return twice(rows);
        started.open();
        return await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    });
    await started.passed;
    await predictions.run(tenant, (tx) => pauseBatchJob(tx, { jobId }));
    expect(await running).toMatchObject({ released: 1, completed: 0 });
    await predictions.run(tenant, (tx) => resumeBatchJob(tx, { jobId }));
    const chunk = await predictions.run(tenant, (tx) => claimChunk(tx, { leaseMs: 100 }));
    expect(chunk).toMatchObject({ attempt: 1 });
  });

  it('sees while it predicts that its job was cancelled, and records nothing', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(4), chunkRows: 2 });
    const started = barrier();
    const running = work([tenant], {
      watchMs: 20,
      predict: async ({ rows, signal }) => {
        started.open();
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        });
        return twice(rows);
      },
    });
    await started.passed;
    await predictions.run(tenant, (tx) => cancelBatchJob(tx, { jobId }));
    expect(await running).toMatchObject({ lost: 1, completed: 0 });
    expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual([]);
  });

  it.each([
    ['completes the chunk where predict comes to its end', 'finish', { completed: 1, released: 0 }],
    ['releases it where predict throws', 'throw', { completed: 0, released: 1 }],
    ['releases it where predict does not end in time', 'hang', { completed: 0, released: 1 }],
  ])('when it is stopped: %s', async (_, how, ended) => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(4), chunkRows: 2 });
    const stop = new AbortController();
    const report = await work([tenant], {
      signal: stop.signal,
      graceMs: 50,
      predict: async ({ rows, signal }) => {
        stop.abort(new Error('SIGTERM'));
        expect(signal.aborted).toBe(true);
        if (how === 'throw') throw signal.reason;
        if (how === 'hang') await new Promise(() => {});
        return twice(rows);
      },
    });
    expect(report).toMatchObject({ ...ended, failed: 0, lost: 0 });
    const job = await jobOf(tenant, jobId);
    expect(job.progress.rows.succeeded).toBe(2 * ended.completed);
    const next = await predictions.run(tenant, (tx) => claimChunk(tx));
    expect(next).toMatchObject({ attempt: 1, lease: { chunkNumber: 1 + ended.completed } });
  });

  it('renews the lease for as long as predict takes', async () => {
    const tenant = freshTenant();
    const { jobId } = await submitted(predictions.db, tenant, { rows: rowsOf(1) });
    const report = await work([tenant], {
      leaseMs: 300,
      predict: async ({ rows }) => {
        const until = Date.now() + 900;
        while (Date.now() < until) {
          // Others come for lost chunks meanwhile.
          expect(await predictions.run(tenant, (tx) => claimChunk(tx))).toBeUndefined();
        }
        return twice(rows);
      },
    });
    expect(report).toMatchObject({ completed: 1, lost: 0 });
    expect((await jobOf(tenant, jobId)).status).toBe('succeeded');
  });

  it('passes over a tenant whose rows another transaction holds; the others go on', async () => {
    const [held, free] = [freshTenant(), freshTenant()];
    await submitted(predictions.db, held, { rows: rowsOf(2), maxRunningChunks: 1 });
    const { jobId } = await submitted(predictions.db, free, { rows: rowsOf(20), chunkRows: 1 });
    const stop = new AbortController();
    const other = await connect({ url: predictions.serviceUrl, max: 1 });
    const [isHeld, letGo] = [barrier(), barrier()];
    const holding = withTenant(other, held, async (tx: TenantTx) => {
      await tx.execute(sql`select 1 from batch_limits for update`);
      isHeld.open();
      await letGo.passed;
    });
    await isHeld.passed;
    const running = work([held, free], { signal: stop.signal });
    await expect.poll(async () => (await jobOf(free, jobId)).status, { timeout: 20_000 }).toBe('succeeded');
    letGo.open();
    await holding;
    stop.abort();
    await running;
    await other.close();
  });

  it('gives up a chunk whose completion waits for another transaction of its tenant; the others go on', async () => {
    const [held, free] = [freshTenant(), freshTenant()];
    const ofHeld = await submitted(predictions.db, held, { rows: rowsOf(1), backoff: { baseMs: 1, maxMs: 1 } });
    const { jobId } = await submitted(predictions.db, free, { rows: rowsOf(2), chunkRows: 1 });
    await predictions.run(held, (tx) => recordPredictions(tx, { reference: 'churn/1', predictions: [] }));
    const stop = new AbortController();
    const other = await connect({ url: predictions.serviceUrl, max: 1 });
    const [isHeld, letGo] = [barrier(), barrier()];
    const holding = withTenant(other, held, async (tx: TenantTx) => {
      await tx.execute(sql`select 1 from prediction_ledgers for update`);
      isHeld.open();
      await letGo.passed;
    });
    await isHeld.passed;
    const running = work([held, free], { signal: stop.signal, leaseMs: 600, graceMs: 1 });
    try {
      await expect.poll(async () => (await jobOf(free, jobId)).status, { timeout: 20_000 }).toBe('succeeded');
    } finally {
      letGo.open();
      await holding;
    }
    await expect.poll(async () => (await jobOf(held, ofHeld.jobId)).endedAt, { timeout: 20_000 }).not.toBeNull();
    stop.abort();
    await running;
    await other.close();
  });

  it('refuses options that cannot be meant', async () => {
    const predict = () => [];
    const wrong: readonly object[] = [
      { predict, signal: never(), stopWhenDone: true },
      { predict, signal: never(), concurrency: 0 },
      { predict: 1, signal: never() },
      { predict },
    ];
    for (const options of wrong) {
      const refusal = await failureOf(runBatchWorker(predictions.db, options as BatchWorkerOptions));
      expect(refusal).toMatchObject({ code: 'invalid_input' });
    }
  });
});
