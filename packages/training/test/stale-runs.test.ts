import { dispatchWork, runDispatcher, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant, startProgram } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  claimRun,
  createRun,
  deleteRun,
  finishRun,
  getRun,
  heartbeatRun,
  listRunEvents,
  restoreRun,
  retryRun,
  staleRunsHandler,
  startRun,
  sweepStaleRuns,
} from '../src/index.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const second = (count: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, count));

/** All work of the kind that is due at that time, of all tenants. */
const sweepAt = (now: Date, options: Parameters<typeof staleRunsHandler>[0] = {}) =>
  dispatchWork(training.db, { ...staleRunsHandler({ now: () => now, ...options }), now: () => now });

const leased = (tenant: string, leaseMs: number, now: Date, name = 'r') =>
  training.run(tenant, (tx) => createRun(tx, { name, start: true, leaseMs }), { now });

const statusOf = async (tenant: string, runId: string) =>
  (await training.run(tenant, (tx) => getRun(tx, { runId }))).status;

const sweepsOf = (tenant: string) =>
  training.run(tenant, (tx) =>
    tx.execute<{ due: string }>(sql`
      select (extract(epoch from due_at) * 1000)::text as due from tenant_work where kind = 'training.staleRuns'
       order by due_at`),
  );
const duesOf = async (tenant: string) => (await sweepsOf(tenant)).map(({ due }) => new Date(Number(due)));

describe('the dispatcher', () => {
  it('finds by itself the tenants whose leases end, and when', async () => {
    const [one, other] = [freshTenant(), freshTenant()];
    const first = await leased(one, 10_000, second(0));
    const long = await leased(one, 60_000, second(0));
    const theirs = await leased(other, 20_000, second(0));
    expect(await duesOf(one)).toEqual([second(10)]);

    await sweepAt(second(9));
    expect(await statusOf(one, first.id)).toBe('running');
    await sweepAt(second(10));
    expect([await statusOf(one, first.id), await statusOf(one, long.id)]).toEqual(['stale', 'running']);
    expect(await statusOf(other, theirs.id)).toBe('running');
    // The next that ends.
    expect(await duesOf(one)).toEqual([second(60)]);

    await sweepAt(second(20));
    expect(await statusOf(other, theirs.id)).toBe('stale');
    expect(await duesOf(other)).toEqual([]);
    await training.run(one, (tx) => finishRun(tx, { runId: long.id, fencingToken: long.fencingToken }));
    await sweepAt(second(60));
    expect([await statusOf(one, long.id), await duesOf(one)]).toEqual(['succeeded', []]);
  });

  it('comes back where a heartbeat has moved the end', async () => {
    const tenant = freshTenant();
    const { id: runId, fencingToken } = await leased(tenant, 10_000, second(0));
    const beat = (now: Date) =>
      training.run(tenant, (tx) => heartbeatRun(tx, { runId, fencingToken, leaseMs: 10_000 }), { now });
    await beat(second(5));
    await sweepAt(second(12));
    expect([await statusOf(tenant, runId), await duesOf(tenant)]).toEqual(['running', [second(15)]]);
    await sweepAt(second(15));
    expect(await statusOf(tenant, runId)).toBe('stale');
  });

  it('sweeps more runs than one batch has', async () => {
    const tenant = freshTenant();
    await training.run(
      tenant,
      async (tx) => {
        for (let index = 0; index < 150; index += 1) await createRun(tx, { name: 'r', start: true, leaseMs: 1_000 });
      },
      { now: second(0) },
    );
    await sweepAt(second(1));
    const rows = await training.run(tenant, (tx) => tx.execute(sql`select distinct status from training_runs`));
    expect(rows).toEqual([{ status: 'stale' }]);
  });

  it('looks again after a pause where a transaction held a run that is due', async () => {
    const tenant = freshTenant();
    const { id } = await leased(tenant, 10_000, second(0));
    await training.run(tenant, async (tx) => {
      await tx.execute(sql`select 1 from training_runs for no key update`);
      await sweepAt(second(20));
    });
    expect([await statusOf(tenant, id), await duesOf(tenant)]).toEqual(['running', [second(21)]]);
    await sweepAt(second(21));
    expect(await statusOf(tenant, id)).toBe('stale');
  });

  it('misses no lease that is taken while it sweeps', async () => {
    const tenant = freshTenant();
    await leased(tenant, 10_000, second(0));
    const { id: later } = await training.run(tenant, (tx) => createRun(tx, { name: 'later' }));
    // Taken in a transaction that is open for as long as the sweep runs, which cannot see it.
    await training.run(
      tenant,
      async (tx) => {
        await startRun(tx, { runId: later, leaseMs: 15_000 });
        await sweepAt(second(10));
      },
      { now: second(0) },
    );
    await sweepAt(second(12));
    await sweepAt(second(15));
    expect(await statusOf(tenant, later)).toBe('stale');
    expect(await duesOf(tenant)).toEqual([]);
  });

  it('does not let transactions that take several leases wait for each other', async () => {
    const tenant = freshTenant();
    const ids = await training.run(tenant, async (tx) => {
      const made: string[] = [];
      for (let index = 0; index < 8; index += 1) made.push((await createRun(tx, { name: 'r' })).id);
      return made;
    });
    // Each takes the shorter lease second, so that it wants the sweep earlier than it has asked for.
    await training.run(tenant, async (tx) => {
      await startRun(tx, { runId: ids[0] ?? '', leaseMs: 60_000 });
      await training.run(tenant, async (inner) => {
        await startRun(inner, { runId: ids[1] ?? '', leaseMs: 50_000 });
        await startRun(inner, { runId: ids[2] ?? '', leaseMs: 20_000 });
        await startRun(tx, { runId: ids[3] ?? '', leaseMs: 10_000 });
      });
    });
    expect((await sweepsOf(tenant)).length).toBeLessThanOrEqual(4);
  });

  it('hands each stale run to a function in the same transaction', async () => {
    const tenant = freshTenant();
    const { id: runId } = await leased(tenant, 10_000, second(0));
    const seen: number[] = [];
    await sweepAt(second(10), {
      onStale: async (tx, run) => {
        // The dispatcher sweeps the tenants of the other tests too.
        if (run.runId !== runId) return;
        seen.push(run.attempt);
        await retryRun(tx, { runId });
      },
    });
    expect(await training.run(tenant, (tx) => getRun(tx, { runId }))).toMatchObject({ status: 'queued', attempt: 2 });
    const { items } = await training.run(tenant, (tx) => listRunEvents(tx, { runId, limit: 2 }));
    expect([seen, items.map(({ kind }) => kind)]).toEqual([[1], ['retried', 'stale']]);
  });

  it('hands over no run that is deleted, and makes it stale', async () => {
    const tenant = freshTenant();
    const deleted = await leased(tenant, 10_000, second(0));
    const other = await leased(tenant, 10_000, second(0));
    await training.run(tenant, (tx) => deleteRun(tx, { runId: deleted.id }));
    const seen: string[] = [];
    await sweepAt(second(10), {
      onStale: async (_, { runId }) => {
        seen.push(runId);
      },
    });
    expect(seen.filter((id) => id === deleted.id || id === other.id)).toEqual([other.id]);
    await training.run(tenant, (tx) => restoreRun(tx, { runId: deleted.id }));
    expect(await statusOf(tenant, deleted.id)).toBe('stale');
  });

  it('sweeps the others where the function throws for one, which it comes back to', async () => {
    const tenant = freshTenant();
    const [, poison, ...rest] = [
      await leased(tenant, 10_000, second(0)),
      await leased(tenant, 11_000, second(0)),
      await leased(tenant, 12_000, second(0)),
      await leased(tenant, 13_000, second(0)),
    ];
    const onStale = async (tx: TenantTx, { runId }: { readonly runId: string }) => {
      if (runId === poison?.id) throw new Error('not this one');
      if (rest.some(({ id }) => id === runId)) await retryRun(tx, { runId });
    };
    const ended = await sweepAt(second(20), { onStale });
    expect(ended.failed).toBe(1);
    const statuses = await Promise.all([poison, ...rest].map((run) => statusOf(tenant, run?.id ?? '')));
    expect(statuses).toEqual(['running', 'queued', 'queued']);
    await sweepAt(second(600));
    expect(await statusOf(tenant, poison?.id ?? '')).toBe('stale');
    expect(await duesOf(tenant)).toEqual([]);
  });

  it('runs it beside other handlers', async () => {
    const tenant = freshTenant();
    const { id } = await leased(tenant, 1_000, new Date(Date.now() - 60_000));
    const stop = new AbortController();
    const running = runDispatcher(training.db, { handlers: [staleRunsHandler()], signal: stop.signal, idleMs: 10 });
    await expect.poll(() => statusOf(tenant, id), { timeout: 30_000 }).toBe('stale');
    stop.abort();
    await running;
  });
});

describe('a worker process', () => {
  const leaseMs = 3_600_000;
  const startWorker = (tenant: string, environment: Readonly<Record<string, string>> = {}) =>
    startProgram({
      file: new URL('programs/train.ts', import.meta.url),
      environment: { SERVICE_URL: training.serviceUrl, TENANT: tenant, LEASE_MS: String(leaseMs), ...environment },
    });
  const afterLease = () => new Date(Date.now() + leaseMs + 1_000);

  it('that is killed loses its run within its grace, and the run is tried again once', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const worker = startWorker(tenant);
    expect(JSON.parse(await worker.nextLine())).toMatchObject({ runId });
    expect(await worker.nextLine()).toBe('logged 1');
    worker.signal('SIGKILL');
    expect((await worker.ended).signal).toBe('SIGKILL');

    await sweepAt(new Date());
    expect(await statusOf(tenant, runId)).toBe('running');
    await sweepAt(afterLease());
    expect(await statusOf(tenant, runId)).toBe('stale');

    const retries = await Promise.allSettled(
      [1, 2, 3].map(() => training.run(tenant, (tx) => retryRun(tx, { runId, expectedAttempt: 1 }))),
    );
    expect(retries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const next = startWorker(tenant);
    expect(JSON.parse(await next.nextLine())).toMatchObject({ runId });
    expect(await next.nextLine()).toBe('logged 1');
    next.signal('SIGKILL');
    await next.ended;
    expect(await training.run(tenant, (tx) => getRun(tx, { runId }))).toMatchObject({ status: 'running', attempt: 2 });
  });

  it('that stood still meanwhile is refused its late write', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const zombie = startWorker(tenant, { STAND_STILL: 'yes' });
    await zombie.nextLine();
    expect(await zombie.nextLine()).toBe('logged 1');
    expect(await training.run(tenant, (tx) => sweepStaleRuns(tx), { now: afterLease() })).toHaveLength(1);
    await training.run(tenant, (tx) => retryRun(tx, { runId }));
    const next = await training.run(tenant, (tx) => claimRun(tx, { leaseMs }));
    const before = await training.run(tenant, (tx) => getRun(tx, { runId }));

    // A signal that comes before it has stopped is lost.
    const waking = setInterval(() => zombie.signal('SIGCONT'), 100);
    expect(await zombie.nextLine()).toBe('lost');
    clearInterval(waking);
    expect((await zombie.ended).exitCode).toBe(0);
    expect(await training.run(tenant, (tx) => getRun(tx, { runId }))).toEqual(before);
    await training.run(tenant, (tx) => finishRun(tx, { runId, fencingToken: next?.fencingToken }));
  });
});
