import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClaimedWork,
  cancelWork,
  claimWork,
  completeWork,
  connect,
  type Database,
  extendLease,
  failWork,
  isLeaseLost,
  releaseWork,
  scheduleWork,
  type TenantTx,
  tenantOf,
  tenantWork,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 6 });
});
afterAll(() => db.close());

const start = new Date('2026-01-01T00:00:00.000Z');
const later = (ms: number) => new Date(start.getTime() + ms);
const kind = 'refresh';
const leaseMs = 10_000;

/** In the tenant, `ms` after the start. */
const at = <Result>(tenant: string, ms: number, work: (tx: TenantTx) => Promise<Result>) =>
  withTenant(db, tenant, work, { now: later(ms) });
const claimOne = async (tenant: string, ms: number, inOrder = false): Promise<ClaimedWork | undefined> =>
  (await at(tenant, ms, (tx) => claimWork(tx, { kind, leaseMs, inOrder })))[0];
const claimed = async (tenant: string, ms: number): Promise<ClaimedWork> => {
  const work = await claimOne(tenant, ms);
  if (work === undefined) throw new Error('Nothing was there to claim.');
  return work;
};
const rowsOf = (tenant: string) =>
  withTenant(db, tenant, (tx) =>
    tx
      .select()
      .from(tenantWork)
      .where(eq(tenantWork.tenantId, tenantOf(tx)))
      .orderBy(tenantWork.workKey),
  );
const lost = expect.objectContaining({ code: 'conflict', details: { reason: 'lease_lost' } });

describe('scheduleWork', () => {
  it('asks once, however often it is called, and the earliest time wins', async () => {
    const tenant = freshTenant();
    for (const ms of [5_000, 2_000, 9_000]) {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey: 'k', dueAt: later(ms) }));
    }
    expect(await rowsOf(tenant)).toMatchObject([{ kind, workKey: 'k', dueAt: later(2_000), attempts: 0 }]);
  });

  it('is due at once by default, by the clock of the context', async () => {
    const tenant = freshTenant();
    await at(tenant, 3_000, (tx) => scheduleWork(tx, { kind }));
    expect(await claimOne(tenant, 2_999)).toBeUndefined();
    expect(await claimOne(tenant, 3_000)).toMatchObject({ workKey: '', dueAt: later(3_000), attempts: 1 });
  });

  it('asks for one more run while a run is under way', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    for (const ms of [700, 500, 900]) await at(tenant, 1, (tx) => scheduleWork(tx, { kind, dueAt: later(ms) }));
    expect(await claimOne(tenant, 600)).toBeUndefined();
    await at(tenant, 600, (tx) => completeWork(tx, work));
    const next = await claimed(tenant, 600);
    expect(next).toMatchObject({ attempts: 1, dueAt: later(500) });
    await at(tenant, 601, (tx) => completeWork(tx, next));
    expect(await rowsOf(tenant)).toEqual([]);
  });

  it('does not cut short the back-off of work that failed', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    await at(tenant, 0, (tx) => failWork(tx, work, { errorCode: 'unavailable' }));
    const [before] = await rowsOf(tenant);
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    expect(await rowsOf(tenant)).toEqual([before]);
  });

  it('keeps the claim off until the transaction that asks has committed', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const [asked, mayCommit] = [barrier(), barrier()];
    const asking = at(tenant, 0, async (tx) => {
      await scheduleWork(tx, { kind });
      asked.arrive();
      await mayCommit.passed;
    });
    await asked.passed;
    expect(await claimOne(tenant, 1)).toBeUndefined();
    mayCommit.open();
    await asking;
    expect(await claimOne(tenant, 1)).toMatchObject({ attempts: 1 });
  });

  it('lets transactions that ask for the same waiting work run side by side', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const both = barrier(2);
    const ask = () =>
      at(tenant, 0, async (tx) => {
        await scheduleWork(tx, { kind });
        both.arrive();
        await both.passed;
      });
    await Promise.all([ask(), ask()]);
    expect(await rowsOf(tenant)).toHaveLength(1);
  });

  it('loses no request that meets the completion', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    const [asked, mayCommit] = [barrier(), barrier()];
    const asking = at(tenant, 1, async (tx) => {
      await scheduleWork(tx, { kind });
      asked.arrive();
      await mayCommit.passed;
    });
    await asked.passed;
    const completing = at(tenant, 2, (tx) => completeWork(tx, work));
    setTimeout(() => mayCommit.open(), 100);
    await Promise.all([asking, completing]);
    expect(await claimOne(tenant, 3)).toMatchObject({ attempts: 1, dueAt: later(1) });
  });

  it('keeps the earliest of two requests that are made at the same time', async () => {
    const tenant = freshTenant();
    const [asked, mayCommit] = [barrier(), barrier()];
    const first = at(tenant, 0, async (tx) => {
      await scheduleWork(tx, { kind, dueAt: later(100) });
      asked.arrive();
      await mayCommit.passed;
    });
    await asked.passed;
    const second = at(tenant, 0, (tx) => scheduleWork(tx, { kind, dueAt: later(900) }));
    setTimeout(() => mayCommit.open(), 100);
    await Promise.all([first, second]);
    expect(await claimOne(tenant, 99)).toBeUndefined();
    expect(await claimOne(tenant, 100)).toMatchObject({ dueAt: later(100) });
  });

  it('keeps the back-off also when it meets the failure', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    const [failed, mayCommit] = [barrier(), barrier()];
    const failing = at(tenant, 1_000, async (tx) => {
      await failWork(tx, work, { errorCode: 'x', backoff: { baseMs: 60_000 } });
      failed.arrive();
      await mayCommit.passed;
    });
    await failed.passed;
    const asking = at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    setTimeout(() => mayCommit.open(), 100);
    await Promise.all([failing, asking]);
    const [row] = await rowsOf(tenant);
    expect(row?.dueAt.getTime()).toBeGreaterThan(later(1_000).getTime());
  });

  it('names the limit that a kind or key is over', async () => {
    const tenant = freshTenant();
    for (const input of [{ kind: '' }, { kind: 'x'.repeat(65) }, { kind, workKey: 'k'.repeat(257) }, { kind: 'a\n' }]) {
      const failure = await failureOf(at(tenant, 0, (tx) => scheduleWork(tx, input)));
      expect(failure).toMatchObject({ code: 'invalid_input' });
    }
  });
});

describe('claimWork', () => {
  it('takes what is due, longest due first, and no more than asked for', async () => {
    const tenant = freshTenant();
    const due: Readonly<Record<string, number>> = { c: 10, a: 20, b: 30, future: 500 };
    for (const [workKey, ms] of Object.entries(due)) {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey, dueAt: later(ms) }));
    }
    const first = await at(tenant, 100, (tx) => claimWork(tx, { kind, leaseMs, limit: 2 }));
    const second = await at(tenant, 100, (tx) => claimWork(tx, { kind, leaseMs, limit: 10 }));
    expect(first.map((work) => work.workKey)).toEqual(['c', 'a']);
    expect(second.map((work) => work.workKey)).toEqual(['b']);
    expect(first[0]?.leasedUntil).toEqual(later(100 + leaseMs));
  });

  it('gives each piece to one of many that claim at the same time', async () => {
    const tenant = freshTenant();
    for (let n = 0; n < 30; n += 1) await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey: `k${n}` }));
    const all = barrier(6);
    const rounds = await Promise.all(
      Array.from({ length: 6 }, () =>
        at(tenant, 1, async (tx) => {
          all.arrive();
          await all.passed;
          return claimWork(tx, { kind, leaseMs, limit: 10 });
        }),
      ),
    );
    const keys = rounds.flat().map((work) => work.workKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('passes over work that another transaction is about to take, without waiting', async () => {
    const tenant = freshTenant();
    for (const workKey of ['a', 'b']) await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey }));
    const [took, mayCommit] = [barrier(), barrier()];
    const first = at(tenant, 1, async (tx) => {
      const works = await claimWork(tx, { kind, leaseMs });
      took.arrive();
      await mayCommit.passed;
      return works;
    });
    await took.passed;
    expect(await claimOne(tenant, 1)).toMatchObject({ workKey: 'b' });
    mayCommit.open();
    expect(await first).toMatchObject([{ workKey: 'a' }]);
  });

  it('gives work again when its lease has ended, and refuses whoever held it before', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const zombie = await claimed(tenant, 0);
    expect(await claimOne(tenant, leaseMs - 1)).toBeUndefined();
    const holder = await claimed(tenant, leaseMs);
    expect(holder).toMatchObject({ attempts: 2, dueAt: later(leaseMs) });
    expect(holder.fencingToken).toBeGreaterThan(zombie.fencingToken);
    for (const act of [
      (tx: TenantTx) => completeWork(tx, zombie),
      async (tx: TenantTx) => void (await failWork(tx, zombie, { errorCode: 'internal' })),
      (tx: TenantTx) => extendLease(tx, zombie, leaseMs),
      (tx: TenantTx) => releaseWork(tx, zombie),
    ]) {
      expect(await failureOf(at(tenant, leaseMs, act))).toEqual(lost);
    }
    await at(tenant, leaseMs, (tx) => completeWork(tx, holder));
    expect(await rowsOf(tenant)).toEqual([]);
  });

  it('refuses a zombie also when the work was completed and asked for again since', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const zombie = await claimed(tenant, 0);
    await at(tenant, leaseMs, async (tx) => {
      const [holder] = await claimWork(tx, { kind, leaseMs });
      if (holder !== undefined) await completeWork(tx, holder);
      await scheduleWork(tx, { kind });
    });
    const next = await claimed(tenant, leaseMs);
    expect(next).toMatchObject({ attempts: 1 });
    expect(await failureOf(at(tenant, leaseMs, (tx) => completeWork(tx, zombie)))).toSatisfy(isLeaseLost);
  });

  it('in order, gives the lowest key alone, and nothing while that one is held', async () => {
    const tenant = freshTenant();
    for (const [workKey, ms] of [['b', 1] as const, ['a', 2] as const]) {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey, dueAt: later(ms) }));
    }
    const head = await claimOne(tenant, 10, true);
    expect(head).toMatchObject({ workKey: 'a' });
    expect(await claimOne(tenant, 10, true)).toBeUndefined();
    if (head !== undefined) await at(tenant, 10, (tx) => completeWork(tx, head));
    expect(await claimOne(tenant, 10, true)).toMatchObject({ workKey: 'b' });
  });

  it('in order, one that waited for another claimer does not go on to the second', async () => {
    const tenant = freshTenant();
    for (const workKey of ['a', 'b']) await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey }));
    const [took, mayCommit] = [barrier(), barrier()];
    const first = at(tenant, 1, async (tx) => {
      const works = await claimWork(tx, { kind, leaseMs, inOrder: true });
      took.arrive();
      await mayCommit.passed;
      return works;
    });
    await took.passed;
    const second = claimOne(tenant, 1, true);
    setTimeout(() => mayCommit.open(), 100);
    expect(await second).toBeUndefined();
    expect(await first).toMatchObject([{ workKey: 'a' }]);
  });
});

describe('a lease', () => {
  it('can be extended while it is held, also late, when nobody came', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    await at(tenant, leaseMs + 1, (tx) => extendLease(tx, work, leaseMs));
    expect(await claimOne(tenant, 2 * leaseMs)).toBeUndefined();
    expect(await claimOne(tenant, 2 * leaseMs + 1)).toMatchObject({ attempts: 2 });
  });

  it('given back counts no attempt and is due at once', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    await at(tenant, 5, (tx) => releaseWork(tx, work));
    expect(await claimOne(tenant, 5)).toMatchObject({ attempts: 1 });
  });
});

describe('failWork', () => {
  it('makes work due again within the back-off, doubled with each attempt, and keeps the code alone', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const backoff = { baseMs: 1_000, maxMs: 3_000 };
    let ms = 0;
    for (const most of [1_000, 2_000, 3_000, 3_000]) {
      const work = await claimed(tenant, ms);
      await at(tenant, ms, (tx) => failWork(tx, work, { errorCode: 'unavailable', backoff }));
      const [row] = await rowsOf(tenant);
      const delay = (row?.dueAt.getTime() ?? 0) - later(ms).getTime();
      expect(delay).toBeGreaterThanOrEqual(1);
      expect(delay).toBeLessThanOrEqual(most);
      expect(row).toMatchObject({ lastErrorCode: 'unavailable', leasedUntil: null, deadAt: null });
      ms += most;
    }
  });

  it('scatters the next attempts', async () => {
    const tenant = freshTenant();
    const delays = new Set<number>();
    for (let n = 0; n < 20; n += 1) {
      const workKey = `k${n}`;
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey }));
      const work = await claimed(tenant, 0);
      await at(tenant, 0, (tx) => failWork(tx, work, { errorCode: 'x', backoff: { baseMs: 100_000 } }));
    }
    for (const row of await rowsOf(tenant)) delays.add(row.dueAt.getTime());
    expect(delays.size).toBeGreaterThan(10);
  });

  it('leaves work dead when its attempts are used up, until it is asked for again', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const fail = async (ms: number) => {
      const work = await claimed(tenant, ms);
      return at(tenant, ms, (tx) => failWork(tx, work, { errorCode: 'x', backoff: { maxMs: 1 }, maxAttempts: 2 }));
    };
    expect(await fail(0)).toEqual({ dead: false });
    expect(await fail(10)).toEqual({ dead: true });
    expect(await claimOne(tenant, 1_000_000)).toBeUndefined();
    await at(tenant, 20, (tx) => scheduleWork(tx, { kind }));
    expect(await claimOne(tenant, 20)).toMatchObject({ attempts: 1 });
  });
});

describe('cancelWork', () => {
  it('takes work away, and what runs cannot complete', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimed(tenant, 0);
    expect(await at(tenant, 0, (tx) => cancelWork(tx, { kind }))).toBe(true);
    expect(await at(tenant, 0, (tx) => cancelWork(tx, { kind }))).toBe(false);
    expect(await failureOf(at(tenant, 0, (tx) => completeWork(tx, work)))).toEqual(lost);
  });
});

describe("another tenant's work", () => {
  it('can neither be seen, claimed, changed nor cancelled', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    await at(mine, 0, (tx) => scheduleWork(tx, { kind, workKey: 'k', dueAt: later(5) }));
    expect(await claimOne(other, 1_000)).toBeUndefined();
    expect(await claimOne(other, 1_000, true)).toBeUndefined();
    expect(await at(other, 0, (tx) => cancelWork(tx, { kind, workKey: 'k' }))).toBe(false);
    await at(other, 0, (tx) => scheduleWork(tx, { kind, workKey: 'k' }));
    expect(await rowsOf(mine)).toMatchObject([{ dueAt: later(5), attempts: 0 }]);
    const work = await claimed(mine, 5);
    for (const act of [
      (tx: TenantTx) => completeWork(tx, work),
      async (tx: TenantTx) => void (await failWork(tx, work, { errorCode: 'x' })),
      (tx: TenantTx) => extendLease(tx, work, 1),
      (tx: TenantTx) => releaseWork(tx, work),
    ]) {
      expect(await failureOf(at(other, 5, act))).toEqual(lost);
    }
    await at(mine, 6, (tx) => completeWork(tx, work));
  });
});
