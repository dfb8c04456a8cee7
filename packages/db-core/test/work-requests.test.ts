import { barrier, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cancelWork,
  claimWork,
  completeWork,
  connect,
  type Database,
  dispatchWork,
  failWork,
  idempotencyKeys,
  scheduleWork,
  type TenantTx,
  tenantWork,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 12 });
});
afterAll(() => db.close());

const start = new Date('2026-01-01T00:00:00.000Z');
const later = (ms: number) => new Date(start.getTime() + ms);
const kind = 'refresh';
const leaseMs = 1_000_000;

/** In the tenant, `ms` after the start. A wait for a lock is an error. */
const at = <Result>(
  tenant: string,
  ms: number,
  work: (tx: TenantTx) => Promise<Result>,
  more?: Parameters<typeof withTenant>[3],
) => withTenant(db, tenant, work, { now: later(ms), lockTimeoutMs: 1_000, ...more });
const claimAt = (tenant: string, ms: number, limit = 1, inOrder = false) =>
  at(tenant, ms, (tx) => claimWork(tx, { kind, leaseMs, limit, inOrder }));
const claimOne = async (tenant: string, ms: number) => {
  const [work] = await claimAt(tenant, ms);
  if (work === undefined) throw new Error('Nothing was there to claim.');
  return work;
};
const countOf = (tenant: string) => withTenant(db, tenant, (tx) => tx.$count(tenantWork));

/** Asks in a transaction that stays open until `end`. */
async function asking(tenant: string, ms: number, dueAt?: Date) {
  const [asked, mayEnd] = [barrier(), barrier()];
  const transaction = at(tenant, ms, async (tx) => {
    await scheduleWork(tx, { kind, ...(dueAt === undefined ? {} : { dueAt }) });
    asked.arrive();
    await mayEnd.passed;
  });
  await Promise.race([asked.passed, transaction]);
  return {
    end: async () => {
      mayEnd.open();
      await transaction;
    },
  };
}

describe('transactions that ask for the same work and overlap without a gap', () => {
  for (const overlap of [1, 3]) {
    it(`do not keep it from being claimed, ${overlap} of them open at any time`, async () => {
      const tenant = freshTenant();
      const open = [];
      const claims: number[] = [];
      for (let n = 0; n < 60; n += 1) {
        open.push(await asking(tenant, n * 100));
        while (open.length > overlap) await open.shift()?.end();
        const [work] = await claimAt(tenant, n * 100 + 50);
        if (work === undefined) continue;
        claims.push(n);
        // It runs while the next asks.
        open.push(await asking(tenant, n * 100 + 60));
        await at(tenant, n * 100 + 70, (tx) => completeWork(tx, work));
      }
      for (const transaction of open) await transaction.end();
      const gaps = claims.map((n, place) => n - (claims[place - 1] ?? 0));
      expect(claims.length).toBeGreaterThan(10);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * (overlap + 1));
      for (let ms = 6_000; (await countOf(tenant)) > 0; ms += 1) {
        const work = await claimOne(tenant, ms);
        await at(tenant, ms, (tx) => completeWork(tx, work));
      }
    });
  }

  it('do not keep work that failed from being tried again', async () => {
    const tenant = freshTenant();
    await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
    const work = await claimOne(tenant, 0);
    await at(tenant, 0, (tx) => failWork(tx, work, { errorCode: 'x' }));
    let open = await asking(tenant, 0);
    let attempts = 0;
    for (let ms = 100; attempts === 0 && ms < 3_000; ms += 100) {
      const next = await asking(tenant, ms);
      await open.end();
      open = next;
      attempts = (await claimAt(tenant, ms))[0]?.attempts ?? 0;
    }
    await open.end();
    expect(attempts).toBe(2);
  });

  it('leave few rows where nobody claims', async () => {
    const tenant = freshTenant();
    let open = await asking(tenant, 0);
    for (let n = 1; n < 40; n += 1) {
      const next = await asking(tenant, n * 100);
      await open.end();
      open = next;
    }
    await open.end();
    expect(await countOf(tenant)).toBeLessThanOrEqual(3);
    await claimOne(tenant, 5_000);
    // What was asked for before the claim is served by it.
    expect(await countOf(tenant)).toBe(1);
  });
});

describe('a transaction that asks', () => {
  /** What may have come before, in a transaction that is open or has ended. */
  const states: Readonly<Record<string, (tenant: string) => Promise<{ readonly end: () => Promise<void> }>>> = {
    'asks for the first time': (tenant) => asking(tenant, 0, later(500)),
    'asks for work that waits': async (tenant) => {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind, dueAt: later(500) }));
      return asking(tenant, 0, later(600));
    },
    'asks for it earlier': async (tenant) => {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind, dueAt: later(500) }));
      return asking(tenant, 0, later(10));
    },
    'asks for it while it runs': async (tenant) => {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
      await claimOne(tenant, 0);
      return asking(tenant, 0);
    },
    'brings dead work to life': async (tenant) => {
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
      const work = await claimOne(tenant, 0);
      await at(tenant, 0, (tx) => failWork(tx, work, { errorCode: 'x', maxAttempts: 1 }));
      return asking(tenant, 0);
    },
  };
  for (const [what, begin] of Object.entries(states)) {
    it(`waits for none that ${what}, and is served without it`, async () => {
      const tenant = freshTenant();
      const other = await begin(tenant);
      for (const ms of [5, 5_000]) await at(tenant, 1, (tx) => scheduleWork(tx, { kind, dueAt: later(ms) }));
      await other.end();
      const [running] = await withTenant(db, tenant, (tx) =>
        tx.select().from(tenantWork).where(sql`leased_until is not null`),
      );
      if (running !== undefined) await at(tenant, 2, (tx) => completeWork(tx, running));
      expect(await claimAt(tenant, 5)).toMatchObject([{ attempts: 1 }]);
    });
  }

  it('waits for no claim, renewal, failure or completion, and is served after it', async () => {
    const ends: readonly ((tx: TenantTx, work: Awaited<ReturnType<typeof claimOne>>) => Promise<unknown>)[] = [
      (tx, work) => completeWork(tx, work),
      (tx, work) => failWork(tx, work, { errorCode: 'x', backoff: { maxMs: 1 } }),
      (tx) => cancelWork(tx, { kind }),
    ];
    for (const end of ends) {
      const tenant = freshTenant();
      await at(tenant, 0, (tx) => scheduleWork(tx, { kind }));
      const work = await at(tenant, 0, async (claiming) => {
        const [claimed] = await claimWork(claiming, { kind, leaseMs });
        await at(tenant, 1, (tx) => scheduleWork(tx, { kind }));
        return claimed;
      });
      if (work === undefined) throw new Error('Nothing was there to claim.');
      await at(tenant, 2, async (ending) => {
        await end(ending, work);
        await at(tenant, 3, (tx) => scheduleWork(tx, { kind }));
      });
      const next = await claimOne(tenant, 10);
      await at(tenant, 11, (tx) => completeWork(tx, next));
      // After a failure the same work is tried first, and then what was asked for meanwhile.
      for (const again of await claimAt(tenant, 12)) await at(tenant, 13, (tx) => completeWork(tx, again));
      expect(await countOf(tenant)).toBe(0);
    }
  });
});

describe('one key', () => {
  it('is run once at a time, also where several have asked for it at the same time', async () => {
    const tenant = freshTenant();
    for (const inOrder of [false, true]) {
      const open = await Promise.all([asking(tenant, 0), asking(tenant, 0), asking(tenant, 0)]);
      await Promise.all(open.slice(1).map((transaction) => transaction.end()));
      const [first, ...more] = await claimAt(tenant, 1, 10, inOrder);
      expect([first?.attempts, more]).toEqual([1, []]);
      await open[0]?.end();
      expect(await claimAt(tenant, 2, 10, inOrder)).toEqual([]);
      if (first !== undefined) await at(tenant, 3, (tx) => completeWork(tx, first));
      // The one that committed after the claim.
      const second = await claimOne(tenant, 4);
      await at(tenant, 5, (tx) => completeWork(tx, second));
      expect(await countOf(tenant)).toBe(0);
    }
  });

  it('asked for all the time by many, loses none of it to two dispatchers', async () => {
    const tenant = freshTenant();
    // Tests share the database, and the dispatcher serves all tenants.
    const ownKind = 'asked-by-many';
    const stop = new AbortController();
    let [running, most, runs] = [0, 0, 0];
    const handler = {
      kind: ownKind,
      concurrency: 2,
      tenantConcurrency: 2,
      handle: async () => {
        running += 1;
        runs += 1;
        most = Math.max(most, running);
        // What it sees has been asked for; what commits later is left to the next run.
        await withTenant(db, tenant, (tx) => tx.delete(idempotencyKeys));
        running -= 1;
      },
    };
    const dispatching = [0, 1].map(async () => {
      while (!stop.signal.aborted) await dispatchWork(db, { ...handler, signal: stop.signal });
    });
    const asked = Promise.all(
      Array.from({ length: 6 }, async (_, worker) => {
        for (let n = 0; n < 25; n += 1) {
          await withTenant(db, tenant, async (tx) => {
            const key = `${worker} ${n}`;
            await tx.insert(idempotencyKeys).values({ scope: 's', key, requestDigest: 'd', expiresAt: start });
            await scheduleWork(tx, { kind: ownKind });
            if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, worker));
          });
        }
      }),
    );
    await asked.finally(() => stop.abort());
    await Promise.all(dispatching);
    await dispatchWork(db, handler);
    expect([most, await withTenant(db, tenant, (tx) => tx.$count(idempotencyKeys))]).toEqual([1, 0]);
    expect(runs).toBeGreaterThan(1);
    expect(await countOf(tenant)).toBe(0);
  });

  it('is claimed at the same cost beside two hundred thousand that back off', async () => {
    const fastest = async (tenant: string) => {
      const times: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        await at(tenant, 0, (tx) => scheduleWork(tx, { kind, workKey: `own ${n}` }));
        const began = performance.now();
        await claimOne(tenant, 0);
        times.push(performance.now() - began);
      }
      return Math.min(...times);
    };
    const [alone, busy] = [freshTenant(), freshTenant()];
    await withTenant(db, busy, (tx) =>
      tx.execute(sql`
        insert into tenant_work (kind, work_key, due_at, attempts)
        select ${kind}, n::text, ${later(1_000).toISOString()}::text::timestamptz, 1 from generate_series(1, 200000) n`),
    );
    // 2 ms each; 250 ms with a claim that hashes the tenant's rows.
    expect((await fastest(busy)) / (await fastest(alone))).toBeLessThan(30);
  });
});
