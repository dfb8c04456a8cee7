import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { and, eq } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClaimedWork,
  claimWork,
  connect,
  createTenant,
  type Database,
  dispatchWork,
  idempotencyKeys,
  isLeaseLost,
  runDispatcher,
  scheduleWork,
  setTenantStatus,
  tenantOf,
  tenantWork,
  withTenant,
} from '../src/index.ts';
import { type Look, lookForWork } from '../src/work/look-for-work.ts';

const database = useTestDatabase();
let db: Database;
let other: Database;
let sql: postgres.Sql;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
  other = await connect({ url: database.serviceUrl });
  sql = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
});
afterAll(() => Promise.all([db.close(), other.close(), sql.end()]));

// Tests share the database, so each has a kind of its own.
let kinds = 0;
const freshKind = () => `kind${(kinds += 1)}`;
const past = (ms: number) => new Date(Date.now() - ms);
const schedule = (tenant: string, kind: string, workKey = '', dueAt = past(1_000)) =>
  withTenant(db, tenant, (tx) => scheduleWork(tx, { kind, workKey, dueAt }));
const rowsOf = (tenant: string, kind: string) =>
  withTenant(db, tenant, (tx) =>
    tx
      .select()
      .from(tenantWork)
      .where(and(eq(tenantWork.tenantId, tenantOf(tx)), eq(tenantWork.kind, kind))),
  );
const nothing = { completed: 0, failed: 0, dead: 0, released: 0, lost: 0 };

describe('dispatchWork', () => {
  it('runs what is due of every tenant inside that tenant, and leaves what is not', async () => {
    const kind = freshKind();
    const tenants = [freshTenant('a'), freshTenant('b'), freshTenant('never-created')];
    for (const tenant of tenants) await schedule(tenant, kind, 'now');
    await schedule(tenants[0] ?? '', kind, 'future', new Date(Date.now() + 3_600_000));
    const seen: string[] = [];
    const report = await dispatchWork(db, {
      kind,
      handle: async (work, { db: given, tenant }) => {
        seen.push(`${tenant} ${work.workKey}`);
        const rows = await withTenant(given, tenant, (tx) => tx.select().from(tenantWork));
        expect(new Set(rows.map((row) => row.tenantId))).toEqual(new Set([tenant]));
      },
    });
    expect(seen.sort()).toEqual(tenants.map((tenant) => `${tenant} now`).sort());
    expect(report).toEqual({ ...nothing, completed: 3 });
    expect(await rowsOf(tenants[0] ?? '', kind)).toMatchObject([{ workKey: 'future' }]);
  });

  it('serves whoever waited longest first, and each tenant once a round', async () => {
    const kind = freshKind();
    const [busy, small] = [freshTenant('a-busy'), freshTenant('z-small')];
    for (let n = 0; n < 5; n += 1) await schedule(busy, kind, `k${n}`, past(10_000 - n));
    await schedule(small, kind, 'k', past(60_000));
    const served: string[] = [];
    await dispatchWork(db, {
      kind,
      concurrency: 1,
      handle: async (work, { tenant }) => {
        served.push(`${tenant === busy ? 'busy' : 'small'} ${work.workKey}`);
      },
    });
    expect(served).toEqual(['small k', 'busy k0', 'busy k1', 'busy k2', 'busy k3', 'busy k4']);
  });

  it('serves a tenant with one row beside one with two hundred thousand, at the cost of one', async () => {
    const kind = freshKind();
    const [huge, small] = [freshTenant('a-huge'), freshTenant('z-small')];
    await withTenant(db, huge, async (tx) => {
      await tx.execute(`insert into tenant_work (kind, work_key, due_at)
        select '${kind}', n::text, now() - interval '1 day' from generate_series(1, 200000) n`);
    });
    await schedule(small, kind, 'one', past(1));
    const stop = new AbortController();
    const order: string[] = [];
    const began = performance.now();
    await dispatchWork(db, {
      kind,
      concurrency: 1,
      signal: stop.signal,
      handle: async (_, { tenant }) => {
        order.push(tenant);
        if (order.length === 4) stop.abort();
      },
    });
    // 25 ms; 1,950 ms with a claim that reads the tenant's rows.
    expect(performance.now() - began).toBeLessThan(800);
    expect(order.slice(0, 2)).toEqual([huge, small]);
    const [plan] = await sql.begin(async (tx) => {
      await tx`set local role app_dispatcher`;
      return tx.unsafe(
        `explain (analyze, format json) select tenant_id, due_at from tenant_work
          where kind = $1 and dead_at is null and tenant_id > '' order by tenant_id, due_at limit 1`,
        [kind],
      );
    });
    expect(JSON.stringify(plan)).toContain('"Index Name":"tenant_work_due_idx"');
  });

  it('looks at all tenants, page by page', async () => {
    const kind = freshKind();
    const names = ['a', 'b', 'c', 'd', 'e'].map((label) => freshTenant(`page-${label}`));
    for (const tenant of names) await schedule(tenant, kind);
    await schedule(names[1] ?? '', kind, '', new Date(Date.now() + 3_600_000));
    const seen: string[][] = [];
    let after: string | undefined = '';
    while (after !== undefined) {
      const look: Look = await lookForWork(db, { kind, after, limit: 2, inOrder: false, now: undefined });
      seen.push([...look.tenants]);
      after = look.next;
    }
    expect(seen.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(seen.flat().toSorted()).toEqual(names);
  });

  it('runs no more handlers at a time than it is allowed', async () => {
    const kind = freshKind();
    for (let n = 0; n < 8; n += 1) await schedule(freshTenant(), kind);
    let active = 0;
    let most = 0;
    const handle = async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setTimeout(resolve, 30));
      active -= 1;
    };
    expect(await dispatchWork(db, { kind, concurrency: 3, handle })).toEqual({ ...nothing, completed: 8 });
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  });

  it('passes over suspended and archived tenants until they are active again', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await createTenant(db, { tenant });
    await schedule(tenant, kind);
    const handle = async () => {};
    for (const status of ['suspended', 'archived'] as const) {
      await setTenantStatus(db, { tenant, status });
      expect(await dispatchWork(db, { kind, handle })).toEqual(nothing);
    }
    await setTenantStatus(db, { tenant, status: 'active' });
    expect(await dispatchWork(db, { kind, handle })).toEqual({ ...nothing, completed: 1 });
  });

  it('writes what the handler returns in the transaction that completes the work, or neither', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const put = (fail: boolean) => async () => async (tx: Parameters<typeof tenantOf>[0]) => {
      await tx.insert(idempotencyKeys).values({ scope: 's', key: 'k', requestDigest: 'd', expiresAt: new Date() });
      if (fail) throw new Error('after the effect');
    };
    const effects = () => withTenant(db, tenant, (tx) => tx.$count(idempotencyKeys));
    expect(await dispatchWork(db, { kind, handle: put(true) })).toMatchObject({ failed: 1 });
    expect(await effects()).toBe(0);
    await sql.begin(async (tx) => {
      await tx`select app_set_tenant(${tenant})`;
      await tx`update tenant_work set due_at = now() where kind = ${kind}`;
    });
    expect(await dispatchWork(db, { kind, handle: put(false) })).toMatchObject({ completed: 1 });
    expect(await effects()).toBe(1);
  });

  it('keeps the code of an error and never its text, and tells the text to onError', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const heard: unknown[] = [];
    const error = new Error('holds a secret');
    const handle = async () => {
      throw error;
    };
    const report = await dispatchWork(db, { kind, handle, onError: (...args) => heard.push(args[0], args[2]) });
    expect(report).toEqual({ ...nothing, failed: 1 });
    expect(heard).toEqual([error, tenant]);
    expect(await rowsOf(tenant, kind)).toMatchObject([
      { attempts: 1, lastErrorCode: 'handler_failed', leasedUntil: null },
    ]);
  });

  it('gives up after maxAttempts', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    let clock = Date.now();
    const run = () =>
      dispatchWork(db, {
        kind,
        maxAttempts: 2,
        now: () => new Date(clock),
        handle: async () => {
          throw new Error('again');
        },
      });
    expect(await run()).toEqual({ ...nothing, failed: 1 });
    clock += 3_600_000;
    expect(await run()).toEqual({ ...nothing, dead: 1 });
    clock += 3_600_000;
    expect(await run()).toEqual(nothing);
  });

  it('never runs one piece twice at a time, with two processes at it', async () => {
    const kind = freshKind();
    const tenants = Array.from({ length: 5 }, () => freshTenant());
    for (const tenant of tenants) {
      for (let n = 0; n < 6; n += 1) await schedule(tenant, kind, `k${n}`);
    }
    const active = new Set<string>();
    const done: string[] = [];
    const handle = async (work: ClaimedWork, { tenant }: { tenant: string }) => {
      const name = `${tenant} ${work.workKey}`;
      expect(active.has(name)).toBe(false);
      active.add(name);
      await new Promise((resolve) => setTimeout(resolve, 5));
      active.delete(name);
      done.push(name);
    };
    const reports = await Promise.all([dispatchWork(db, { kind, handle }), dispatchWork(other, { kind, handle })]);
    expect(done).toHaveLength(30);
    expect(new Set(done).size).toBe(30);
    expect(reports.map((report) => report.completed).reduce((a, b) => a + b)).toBe(30);
  });

  it('runs the work of a process that died when its lease has ended', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    await withTenant(other, tenant, (tx) => claimWork(tx, { kind, leaseMs: 60_000 }));
    const handle = async () => {};
    expect(await dispatchWork(db, { kind, handle })).toEqual(nothing);
    const now = () => new Date(Date.now() + 61_000);
    expect(await dispatchWork(db, { kind, handle, now })).toEqual({ ...nothing, completed: 1 });
  });

  it('renews the lease while a handler runs', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const report = await dispatchWork(db, {
      kind,
      leaseMs: 300,
      handle: async () => {
        await new Promise((resolve) => setTimeout(resolve, 900));
        expect(await dispatchWork(other, { kind, handle: async () => {} })).toEqual(nothing);
      },
    });
    expect(report).toEqual({ ...nothing, completed: 1 });
  });

  it('tells a handler that its lease was lost, and does not let it complete', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const report = await dispatchWork(db, {
      kind,
      leaseMs: 300,
      handle: async (_, { signal }) => {
        // As if this process had been asleep beyond its lease.
        await withTenant(other, tenant, (tx) => claimWork(tx, { kind, leaseMs: 60_000 }), {
          now: new Date(Date.now() + 60_000),
        });
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        expect(isLeaseLost(signal.reason)).toBe(true);
        return async () => {
          throw new Error('must not run');
        };
      },
    });
    expect(report).toEqual({ ...nothing, lost: 1 });
    expect(await rowsOf(tenant, kind)).toMatchObject([{ attempts: 2, lastErrorCode: null }]);
  });

  it('says what is missing when the login may not look', async () => {
    const url = new URL(database.ownerUrl);
    url.username = `plain_${freshTenant().replaceAll('-', '_')}`;
    url.password = 'plain';
    await sql.unsafe(`create role ${url.username} login password 'plain'; grant app_tenant to ${url.username}`);
    const plain = await connect({ url: url.toString() });
    try {
      expect(await failureOf(dispatchWork(plain, { kind: 'x', handle: async () => {} }))).toMatchObject({
        code: 'permission_denied',
        message: expect.stringContaining('db:grant-runtime'),
      });
    } finally {
      await plain.close();
      await sql.unsafe(`drop role ${url.username}`);
    }
  });
});

describe('runDispatcher', () => {
  it('finds work that becomes due, of several kinds, and stops when told', async () => {
    const [first, second] = [freshKind(), freshKind()];
    const tenant = freshTenant();
    const stop = new AbortController();
    const both = barrier(2);
    const handler = (kind: string) => ({ kind, handle: async () => both.arrive() });
    const running = runDispatcher(db, { handlers: [handler(first), handler(second)], signal: stop.signal, idleMs: 20 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await schedule(tenant, first);
    await schedule(tenant, second);
    await both.passed;
    await new Promise((resolve) => setTimeout(resolve, 60));
    stop.abort();
    expect(await running).toEqual({ [first]: { ...nothing, completed: 1 }, [second]: { ...nothing, completed: 1 } });
  });

  it('waits for the handlers that run, and claims nothing more', async () => {
    const kind = freshKind();
    const names = ['a', 'b', 'c'].map((label) => freshTenant(label));
    for (const tenant of names) await schedule(tenant, kind);
    const stop = new AbortController();
    const [began, mayEnd] = [barrier(), barrier()];
    let ended = false;
    const handle = async () => {
      began.arrive();
      await mayEnd.passed;
      ended = true;
    };
    const running = runDispatcher(db, { handlers: [{ kind, handle, concurrency: 1 }], signal: stop.signal });
    await began.passed;
    stop.abort();
    setTimeout(() => mayEnd.open(), 50);
    expect(await running).toEqual({ [kind]: { ...nothing, completed: 1 } });
    expect(ended).toBe(true);
    const rows = await Promise.all(names.map((tenant) => rowsOf(tenant, kind)));
    expect(rows.flat()).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  });

  it('gives work back at once, without a failed attempt, when its handler stops with it', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const stop = new AbortController();
    const running = runDispatcher(db, {
      signal: stop.signal,
      handlers: [
        {
          kind,
          handle: async (_, { signal }) => {
            setTimeout(() => stop.abort(), 10);
            await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          },
        },
      ],
    });
    expect(await running).toEqual({ [kind]: { ...nothing, released: 1 } });
    expect(await rowsOf(tenant, kind)).toMatchObject([{ attempts: 0, leasedUntil: null, lastErrorCode: null }]);
  });

  it('uses the clock and the pauses that it is given', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    const dueAt = new Date('2030-01-01T00:00:00.000Z');
    await schedule(tenant, kind, '', dueAt);
    let now = new Date('2029-12-31T23:59:58.500Z');
    const stop = new AbortController();
    const at: string[] = [];
    await runDispatcher(db, {
      signal: stop.signal,
      idleMs: 1_000,
      now: () => now,
      wait: async (ms, signal) => {
        if (ms === 1_000) now = new Date(now.getTime() + ms);
        else await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      handlers: [
        {
          kind,
          handle: async () => {
            at.push(now.toISOString());
            stop.abort();
          },
        },
      ],
    });
    expect(at).toEqual(['2030-01-01T00:00:00.500Z']);
  });

  it('goes on when the database did not answer for a while', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const [refused, mayEnd, served] = [barrier(), barrier(), barrier()];
    const logger = { debug() {}, info() {}, error() {}, warn: () => refused.arrive() };
    const full = await connect({ url: database.serviceUrl, max: 1, acquireTimeoutMs: 30, logger });
    try {
      const holding = withTenant(full, tenant, () => mayEnd.passed);
      const stop = new AbortController();
      const running = runDispatcher(full, {
        signal: stop.signal,
        idleMs: 20,
        handlers: [{ kind, handle: async () => served.arrive() }],
      });
      await Promise.race([refused.passed, running]);
      mayEnd.open();
      await holding;
      await Promise.race([served.passed, running]);
      stop.abort();
      expect(await running).toMatchObject({ [kind]: { completed: 1 } });
    } finally {
      mayEnd.open();
      await full.close();
    }
  });
});
