import { isLeaseLost, type TenantOptions, type TenantTx } from '@mcp-hub/db-core';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  cancelRun,
  claimRun,
  createRun,
  finishRun,
  getRun,
  heartbeatRun,
  listRunEvents,
  logBatch,
  recordArtifacts,
  retryRun,
  runStatuses,
  startRun,
  sweepStaleRuns,
  updateRun,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

/** A moment, in minutes after one that all tests share. */
const minute = (count: number) => ({ now: new Date(Date.UTC(2030, 0, 1, 0, count)) });

describe('a run under a lease', () => {
  it('lives from heartbeat to heartbeat, and goes stale where none came', async () => {
    const tenant = freshTenant();
    const leaseMs = 120_000;
    const run = await training.run(tenant, (tx) => createRun(tx, { name: 'r', start: true, leaseMs }), minute(0));
    const lease = { runId: run.id, fencingToken: run.fencingToken };
    const end = await training.run(tenant, (tx) => heartbeatRun(tx, { ...lease, leaseMs }), minute(1));
    expect(end).toEqual(minute(3).now);
    expect(await training.run(tenant, (tx) => sweepStaleRuns(tx), minute(2))).toEqual([]);
    // Nobody has taken it from the worker that is late.
    await training.run(tenant, (tx) => heartbeatRun(tx, { ...lease, leaseMs }), minute(4));
    expect(await training.run(tenant, (tx) => sweepStaleRuns(tx), minute(5))).toEqual([]);
    expect(await training.run(tenant, (tx) => sweepStaleRuns(tx), minute(6))).toEqual([
      { runId: run.id, name: 'r', group: 'default', attempt: 1 },
    ]);
    const stale = await training.run(tenant, (tx) => getRun(tx, { runId: run.id }));
    expect(stale).toMatchObject({ status: 'stale', leasedUntil: null, endedAt: minute(6).now });
  });

  it('is given to one worker, and whoever had it before can write nothing more', async () => {
    const tenant = freshTenant();
    const first = await training.run(
      tenant,
      (tx) => createRun(tx, { name: 'r', start: true, leaseMs: 60_000 }),
      minute(0),
    );
    const zombie = { runId: first.id, fencingToken: first.fencingToken };
    await training.run(tenant, (tx) => sweepStaleRuns(tx), minute(2));
    expect(await training.run(tenant, (tx) => retryRun(tx, { runId: first.id, expectedAttempt: 1 }))).toBe(2);
    const again = await refusalOf(training.run(tenant, (tx) => retryRun(tx, { runId: first.id, expectedAttempt: 1 })));
    expect(again.code).toBe('conflict');

    const second = await training.run(tenant, (tx) => claimRun(tx, { leaseMs: 60_000 }), minute(3));
    expect(second).toMatchObject({ runId: first.id, attempt: 2 });
    expect(second?.fencingToken).toBeGreaterThan(first.fencingToken);
    expect(await training.run(tenant, (tx) => claimRun(tx, { leaseMs: 60_000 }), minute(3))).toBeUndefined();

    await training.run(tenant, async (tx) => {
      const lost = [
        await refusalOf(heartbeatRun(tx, { ...zombie, leaseMs: 60_000 })),
        await refusalOf(finishRun(tx, zombie)),
        await refusalOf(finishRun(tx, { runId: first.id })),
        await refusalOf(recordArtifacts(tx, { ...zombie, artifacts: [{ path: 'a' }] })),
      ];
      for (const error of lost) expect([error.code, isLeaseLost(error)]).toEqual(['conflict', true]);
    });
    expect(await training.run(tenant, (tx) => tx.execute(sql`select 1 from training_artifacts`))).toEqual([]);
    await training.run(tenant, (tx) => finishRun(tx, { runId: first.id, fencingToken: second?.fencingToken }));
    const { items } = await training.run(tenant, (tx) => listRunEvents(tx, { runId: first.id }));
    expect(items.map(({ kind, attempt }) => `${kind} ${attempt}`)).toEqual([
      'succeeded 2',
      'started 2',
      'retried 2',
      'stale 1',
      'started 1',
      'created 1',
    ]);
  });

  it('is lost by a cancellation, of which its worker learns at the next heartbeat', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId, fencingToken } = await createRun(tx, { name: 'r', start: true, leaseMs: 60_000 });
      await cancelRun(tx, { runId, reason: 'enough' });
      await cancelRun(tx, { runId });
      expect(isLeaseLost(await refusalOf(heartbeatRun(tx, { runId, fencingToken, leaseMs: 60_000 })))).toBe(true);
      expect((await listRunEvents(tx, { runId })).items[0]).toMatchObject({ kind: 'cancelled', reason: 'enough' });
    });
  });

  it('is no longer asked of whoever finished it: the same call again changes nothing, and its worker may still write', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId, fencingToken } = await createRun(tx, { name: 'r', start: true, leaseMs: 60_000 });
      const lease = { runId, fencingToken };
      await finishRun(tx, { ...lease, status: 'failed', error: 'out of memory' });
      await finishRun(tx, { ...lease, status: 'failed' });
      await recordArtifacts(tx, { ...lease, artifacts: [{ path: 'core' }] });
      expect(await getRun(tx, { runId })).toMatchObject({ status: 'failed', error: 'out of memory' });
      const refused = await refusalOf(heartbeatRun(tx, { ...lease, leaseMs: 60_000 }));
      expect([refused.code, refused.details]).toEqual(['failed_precondition', { reason: 'not_running' }]);
    });
  });
});

describe('a run without a lease', () => {
  it('asks nobody for a token, and never goes stale', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r', start: true }), minute(0));
    expect(await training.run(tenant, (tx) => sweepStaleRuns(tx), minute(1_000_000))).toEqual([]);
    await training.run(tenant, async (tx) => {
      await recordArtifacts(tx, { runId, artifacts: [{ path: 'a' }] });
      await finishRun(tx, { runId });
      expect(await getRun(tx, { runId })).toMatchObject({ status: 'succeeded', fencingToken: 0 });
    });
  });

  it('that is tried again after a leased attempt keeps the older attempt out', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId, fencingToken } = await createRun(tx, { name: 'r', start: true, leaseMs: 60_000 });
      await finishRun(tx, { runId, fencingToken, status: 'failed' });
      await retryRun(tx, { runId });
      const started = await startRun(tx, { runId });
      expect(started).toMatchObject({ attempt: 2, leasedUntil: null });
      expect(isLeaseLost(await refusalOf(finishRun(tx, { runId, fencingToken })))).toBe(true);
      await finishRun(tx, { runId, fencingToken: started.fencingToken });
    });
  });
});

describe('the status of a run', () => {
  /** What may be asked of a run in each status, and what it gives. */
  const legal: Readonly<Record<string, readonly string[]>> = {
    queued: ['start', 'cancel', 'finish cancelled'],
    running: ['finish succeeded', 'finish failed', 'finish cancelled', 'cancel'],
    // The same once more is no change.
    succeeded: ['finish succeeded'],
    failed: ['finish failed', 'retry'],
    cancelled: ['finish cancelled', 'cancel'],
    stale: ['finish cancelled', 'cancel', 'retry'],
  };

  it.each(runStatuses)('%s allows its moves and no other', async (status) => {
    await training.run(freshTenant(), async (tx) => {
      const allowed: string[] = [];
      const moves = {
        start: (runId: string) => startRun(tx, { runId }),
        'finish succeeded': (runId: string) => finishRun(tx, { runId }),
        'finish failed': (runId: string) => finishRun(tx, { runId, status: 'failed' }),
        'finish cancelled': (runId: string) => finishRun(tx, { runId, status: 'cancelled' }),
        cancel: (runId: string) => cancelRun(tx, { runId }),
        retry: (runId: string) => retryRun(tx, { runId }),
      };
      for (const [name, move] of Object.entries(moves)) {
        const { id } = await createRun(tx, { name });
        await tx.execute(sql`update training_runs set status = ${status} where id = ${id}`);
        try {
          await move(id);
          allowed.push(name);
        } catch (error) {
          expect(error).toMatchObject({ code: 'failed_precondition' });
        }
      }
      expect(allowed.sort()).toEqual([...(legal[status] ?? [])].sort());
    });
  });
});

describe('two at once', () => {
  /** Runs `second` while the transaction of `first` is open and has its locks; both outcomes, in that order. */
  async function race(
    tenant: string,
    first: (tx: TenantTx) => Promise<unknown>,
    second: (tx: TenantTx) => Promise<unknown>,
    options: TenantOptions = {},
  ): Promise<readonly [unknown, PromiseSettledResult<unknown>]> {
    const hasLocks = barrier();
    const mayCommit = barrier();
    const earlier = training.run(
      tenant,
      async (tx) => {
        const gave = await first(tx);
        hasLocks.open();
        await mayCommit.passed;
        return gave;
      },
      options,
    );
    await hasLocks.passed;
    const later = Promise.allSettled([training.run(tenant, second, options)]);
    const ended = later.then(() => undefined);
    await training.run(tenant, async (tx) => {
      let hasEnded = false;
      void ended.then(() => (hasEnded = true));
      const waiting = sql`select 1 from pg_locks join pg_stat_activity using (pid)
                           where not granted and datname = current_database()`;
      while (!hasEnded && (await tx.execute(waiting)).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    mayCommit.open();
    const [outcome] = await later;
    return [await earlier, outcome];
  }

  const leased = (tenant: string) =>
    training.run(tenant, (tx) => createRun(tx, { name: 'r', start: true, leaseMs: 60_000 }), minute(0));

  it('start one run: one has it, the other is refused', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const start = (tx: TenantTx) => startRun(tx, { runId, leaseMs: 60_000 });
    const [started, refused] = await race(tenant, start, start);
    expect(started).toMatchObject({ attempt: 1 });
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'failed_precondition' } });
  });

  it('a heartbeat before the sweep: the run lives', async () => {
    const tenant = freshTenant();
    const { id: runId, fencingToken } = await leased(tenant);
    const beat = (tx: TenantTx) => heartbeatRun(tx, { runId, fencingToken, leaseMs: 60_000 });
    const [, swept] = await race(tenant, beat, (tx) => sweepStaleRuns(tx), minute(2));
    expect(swept).toEqual({ status: 'fulfilled', value: [] });
    expect(await training.run(tenant, (tx) => sweepStaleRuns(tx), minute(2))).toEqual([]);
  });

  it('the sweep before a heartbeat: it is refused', async () => {
    const tenant = freshTenant();
    const { id: runId, fencingToken } = await leased(tenant);
    const beat = (tx: TenantTx) => heartbeatRun(tx, { runId, fencingToken, leaseMs: 60_000 });
    const [swept, late] = await race(tenant, (tx) => sweepStaleRuns(tx), beat, minute(2));
    expect(swept).toHaveLength(1);
    expect(late.status === 'rejected' && isLeaseLost(late.reason)).toBe(true);
  });

  it('the sweep before a write: nothing of it is stored', async () => {
    const tenant = freshTenant();
    const { id: runId, fencingToken } = await leased(tenant);
    const write = async (tx: TenantTx) => {
      // Caught and committed, as a worker may.
      await refusalOf(logBatch(tx, { runId, fencingToken, points: [{ key: 'loss', value: 1 }], tags: { k: 'v' } }));
      await refusalOf(recordArtifacts(tx, { runId, fencingToken, artifacts: [{ path: 'a' }] }));
    };
    const [, wrote] = await race(tenant, (tx) => sweepStaleRuns(tx), write, minute(2));
    expect(wrote.status).toBe('fulfilled');
    const run = await training.run(tenant, (tx) => getRun(tx, { runId }));
    expect([run.metrics, run.tags]).toEqual([{}, {}]);
  });

  it('the end before a cancellation: it has ended', async () => {
    const tenant = freshTenant();
    const { id: runId, fencingToken } = await leased(tenant);
    const [, cancelled] = await race(
      tenant,
      (tx) => finishRun(tx, { runId, fencingToken }),
      (tx) => cancelRun(tx, { runId }),
    );
    expect(cancelled).toMatchObject({ status: 'rejected', reason: { code: 'failed_precondition' } });
    expect((await training.run(tenant, (tx) => getRun(tx, { runId }))).status).toBe('succeeded');
  });
});

describe('claimRun', () => {
  it('gives the runs of a group, the oldest first, each to one of many workers', async () => {
    const tenant = freshTenant();
    const ids: string[] = [];
    for (const index of [0, 1, 2, 3, 4]) {
      const { id } = await training.run(tenant, (tx) => createRun(tx, { name: 'r', group: 'g' }), minute(index));
      ids.push(id);
    }
    await training.run(tenant, (tx) => createRun(tx, { name: 'r' }), minute(0));
    const claim = () => training.run(tenant, (tx) => claimRun(tx, { group: 'g', leaseMs: 60_000 }));
    expect((await claim())?.runId).toBe(ids[0]);
    const claimed = await Promise.all([claim(), claim(), claim(), claim(), claim()]);
    const given = claimed.flatMap((run) => run?.runId ?? []);
    expect([...given].sort()).toEqual(ids.slice(1).sort());
    expect(await claim()).toBeUndefined();
  });
});

describe('updateRun', () => {
  it('changes what is given, leaves the rest, and tells of a new name', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'a', seed: 7, description: 'd', params: { lr: '1' } });
      const updated = await updateRun(tx, { runId, name: 'b', description: null, environment: { gpu: 1 } });
      expect(updated).toMatchObject({ name: 'b', seed: 7, description: null, environment: { gpu: 1 } });
      expect(updated).toEqual(await getRun(tx, { runId }));
      await updateRun(tx, { runId, name: 'b', group: 'g' });
      const { items } = await listRunEvents(tx, { runId });
      expect(items.map(({ kind, name }) => [kind, name])).toEqual([
        ['renamed', 'b'],
        ['created', 'a'],
      ]);
    });
  });
});
