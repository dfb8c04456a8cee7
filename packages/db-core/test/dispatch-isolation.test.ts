import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { and, eq } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  claimWork,
  completeWork,
  connect,
  type Database,
  dispatchWork,
  type Logger,
  runDispatcher,
  scheduleWork,
  type TenantTx,
  tenantOf,
  tenantWork,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
const logged: { readonly level: string; readonly facts: object }[] = [];
const note = (level: string) => (facts: object) => void logged.push({ level, facts });
const logger: Logger = { debug() {}, info() {}, warn: note('warn'), error: note('error') };
let db: Database;
let sql: postgres.Sql;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, logger });
  sql = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
});
afterAll(() => Promise.all([db.close(), sql.end()]));

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
      .where(and(eq(tenantWork.tenantId, tenantOf(tx)), eq(tenantWork.kind, kind)))
      .orderBy(tenantWork.workKey),
  );
const nothing = { completed: 0, failed: 0, dead: 0, released: 0, lost: 0 };

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });

/** Does something in a transaction of the tenant that stays open until `end`. */
async function holding(tenant: string, act: (tx: TenantTx) => Promise<unknown>) {
  const [done, mayEnd] = [barrier(), barrier()];
  const transaction = withTenant(db, tenant, async (tx) => {
    await act(tx);
    done.arrive();
    await mayEnd.passed;
  });
  await Promise.race([done.passed, transaction]);
  return {
    end: async () => {
      mayEnd.open();
      await transaction;
    },
  };
}

/** Holds the rows of a piece of work as no function of the package does: what a tenant may do by hand. */
const lockWork = (kind: string, workKey: string) => (tx: TenantTx) =>
  tx
    .select()
    .from(tenantWork)
    .where(and(eq(tenantWork.tenantId, tenantOf(tx)), eq(tenantWork.kind, kind), eq(tenantWork.workKey, workKey)))
    .for('share');

/** Resolves when a transaction of this database waits for a lock. */
async function someoneWaits(until: AbortSignal): Promise<string> {
  while (!until.aborted) {
    const rows = await sql`
      select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`;
    if (rows.length > 0) break;
  }
  return 'waits for a lock';
}

/** What `work` gives, or the news that it waits for a lock. */
async function unlessBlocked<Result>(work: Promise<Result>): Promise<Result | string> {
  const ended = new AbortController();
  try {
    return await Promise.race([work, someoneWaits(ended.signal)]);
  } finally {
    ended.abort();
  }
}

describe("a tenant's open transaction", () => {
  for (const inOrder of [true, false]) {
    it(`that holds work which is due stops no other tenant, ${inOrder ? 'in order' : 'in any order'}`, async () => {
      const kind = freshKind();
      const [slow, fine] = [freshTenant('a-slow'), freshTenant('b-fine')];
      await schedule(slow, kind, 'k', past(60_000));
      await schedule(fine, kind);
      const open = await holding(slow, lockWork(kind, 'k'));
      const served: string[] = [];
      const handler = {
        kind,
        inOrder,
        handle: async (_: unknown, { tenant }: { tenant: string }) => void served.push(tenant),
      };
      const run = dispatchWork(db, handler);
      try {
        expect(await unlessBlocked(run)).toEqual({ ...nothing, completed: 1 });
        expect(served).toEqual([fine]);
      } finally {
        await open.end();
        await run;
      }
      await dispatchWork(db, handler);
      expect(served).toEqual([fine, slow]);
    });
  }

  it('keeps the order: with the head locked, nothing behind it is taken', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    for (const key of ['a', 'b']) await schedule(tenant, kind, key);
    const claim = () => withTenant(db, tenant, (tx) => claimWork(tx, { kind, leaseMs: 60_000, inOrder: true }));
    const open = await holding(tenant, lockWork(kind, 'a'));
    const blocked = claim();
    try {
      expect(await unlessBlocked(blocked)).toEqual([]);
    } finally {
      await open.end();
      await blocked;
    }
    const [head] = await claim();
    expect(head).toMatchObject({ workKey: 'a' });
    // Its holder is about to complete it: neither it nor the next is free.
    const completing = await holding(tenant, (tx) => completeWork(tx, head ?? { kind, workKey: '', fencingToken: 0 }));
    expect(await claim()).toEqual([]);
    await completing.end();
    expect(await claim()).toMatchObject([{ workKey: 'b' }]);
  });

  it('keeps a completion waiting, and meanwhile the others are served', async () => {
    const kind = freshKind();
    const [slow, fine] = [freshTenant('a-slow'), freshTenant('b-fine')];
    await schedule(slow, kind, '', past(60_000));
    const stop = new AbortController();
    const [began, mayEnd, served] = [barrier(), barrier(), barrier()];
    const running = runDispatcher(db, {
      signal: stop.signal,
      idleMs: 10,
      handlers: [
        {
          kind,
          concurrency: 2,
          handle: async (_, { tenant }) => {
            if (tenant === fine) return served.arrive();
            began.arrive();
            await mayEnd.passed;
          },
        },
      ],
    });
    await began.passed;
    const open = await holding(slow, async (tx) => {
      await scheduleWork(tx, { kind });
      await lockWork(kind, '')(tx);
    });
    mayEnd.open();
    const ended = new AbortController();
    await someoneWaits(ended.signal);
    await schedule(fine, kind);
    await served.passed;
    stop.abort();
    await open.end();
    expect(await running).toEqual({ [kind]: { ...nothing, completed: 2 } });
    expect(await rowsOf(slow, kind)).toMatchObject([{ attempts: 0, leasedUntil: null }]);
  });

  it('is waited for by what a handler returns for 10 seconds at the most', async () => {
    const kind = freshKind();
    await schedule(freshTenant(), kind);
    let settings: unknown;
    const handle = async () => async (tx: TenantTx) => {
      settings = await tx.execute(
        `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`,
      );
    };
    await dispatchWork(db, { kind, handle, handlerTimeoutMs: 20_000 });
    expect(settings).toEqual([{ lock: '10s', statement: '20s' }]);
  });
});

describe('a row that a tenant writes by hand', () => {
  const insert = (tenant: string, kind: string, column: string, value: string) =>
    withTenant(db, tenant, (tx) =>
      tx.execute(`insert into tenant_work (kind, work_key, ${column === 'due_at' ? '' : 'due_at, '}${column})
                  values ('${kind}', 'by hand', ${column === 'due_at' ? '' : `now() - interval '1 hour', `}${value})`),
    );

  it('is refused where the dispatcher could not claim or read it', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    for (const [column, value, check] of [
      ['fencing_token', '9223372036854775807', 'fencing_token'],
      ['fencing_token', '9007199254740992', 'fencing_token'],
      ['fencing_token', '-1', 'fencing_token'],
      ['attempts', '-1', 'attempts'],
      ['due_at', `'infinity'`, 'times'],
      ['due_at', `'-infinity'`, 'times'],
      ['leased_until', `'infinity'`, 'times'],
      ['leased_until', `'-infinity'`, 'times'],
      ['dead_at', `'-infinity'`, 'times'],
      ['last_error_code', `repeat('x', 65)`, 'last_error_code'],
    ] as const) {
      expect(await failureOf(insert(tenant, kind, column, value))).toMatchObject({
        code: 'invalid_input',
        details: { constraint: `tenant_work_${check}_check` },
      });
    }
    for (const [odd, key, check] of [
      [`''`, `'k'`, 'kind'],
      [`repeat('k', 65)`, `'k'`, 'kind'],
      [`'k'`, `repeat('k', 257)`, 'work_key'],
    ] as const) {
      const written = withTenant(db, tenant, (tx) =>
        tx.execute(`insert into tenant_work (kind, work_key) values (${odd}, ${key})`),
      );
      expect(await failureOf(written)).toMatchObject({ details: { constraint: `tenant_work_${check}_check` } });
    }
  });

  it('is served where it is accepted, up to the ends of what each column takes', async () => {
    const kind = freshKind();
    const fine = freshTenant('fine');
    await schedule(fine, kind);
    for (const [column, value] of [
      ['fencing_token', '9007199254740991'],
      ['attempts', '2147483647'],
      ['due_at', `'4713-01-01 BC'`],
      ['leased_until', `'294276-12-31'`],
      ['last_error_code', `chr(1)`],
    ] as const) {
      await insert(freshTenant('odd'), kind, column, value);
    }
    for (const inOrder of [false, true]) {
      const odd = freshTenant('odd-key');
      await withTenant(db, odd, (tx) =>
        tx.execute(`insert into tenant_work (kind, work_key, due_at) values
          ('${kind}', chr(1) || ' %00 ''"', now() - interval '1 hour')`),
      );
      const handle = async () => {};
      expect(await dispatchWork(db, { kind, inOrder, handle })).toEqual({ ...nothing, completed: inOrder ? 1 : 7 });
    }
    await insert(fine, kind, 'attempts', '2147483647');
    expect(
      await dispatchWork(db, {
        kind,
        handle: async () => {
          throw new Error('again');
        },
      }),
    ).toEqual({ ...nothing, failed: 1 });
  });
});

describe('an error of one tenant', () => {
  /** Makes the statements of one kind on one tenant's work fail, as a row would that nobody thought of. */
  async function failing(tenant: string, when: string, act: () => Promise<void>): Promise<void> {
    await sql.unsafe(`
      create or replace function public.refuse() returns trigger language plpgsql as
        $$begin raise exception 'holds a secret' using errcode = '22003'; end$$;
      create trigger refuse before update or delete on public.tenant_work for each row
        when (old.tenant_id = '${tenant}' and ${when}) execute function public.refuse()`);
    try {
      await act();
    } finally {
      await sql.unsafe('drop function public.refuse cascade');
    }
  }

  for (const [what, when, lost] of [
    ['claim', 'true', 0] as const,
    ['completion', 'old.leased_until > app_now()', 4] as const,
  ]) {
    it(`in its ${what} is logged by its code, pauses that tenant for longer and longer, and no other`, async () => {
      const [first, second] = [freshKind(), freshKind()];
      const [broken, fine] = [freshTenant('a-broken'), freshTenant('b-fine')];
      await schedule(broken, first, '', past(60_000));
      await schedule(broken, second, '', past(60_000));
      await schedule(fine, first);
      await schedule(fine, second);
      const began = Date.now();
      let clock = began;
      const stop = new AbortController();
      const served: string[] = [];
      logged.length = 0;
      const handler = (kind: string) => ({
        kind,
        leaseMs: 1_000,
        handle: async (_: unknown, { tenant }: { tenant: string }) => {
          if (tenant === fine) served.push(kind);
        },
      });
      let later = false;
      let active = 0;
      let idle = 0;
      await failing(broken, when, async () => {
        const reports = await runDispatcher(db, {
          signal: stop.signal,
          idleMs: 7,
          now: () => new Date(clock),
          // Time passes while both kinds idle, and not while one of them looks, claims or runs.
          wait: async (ms, signal) => {
            if (ms !== 7) {
              active += 1;
              await aborted(signal);
              active -= 1;
              return;
            }
            idle += 1;
            do await new Promise((resolve) => setImmediate(resolve));
            while (idle < 2 && !signal.aborted);
            if (active === 0) clock += 50;
            // Leaves together with the other, which must not be held here until this one comes again.
            await new Promise((resolve) => setImmediate(resolve));
            idle -= 1;
            if (clock > began + 3_000 && !later) {
              later = true;
              await schedule(fine, first, 'later', new Date(began));
            }
            if (clock > began + 9_000) stop.abort();
          },
          handlers: [handler(first), handler(second)],
        });
        expect(reports).toEqual({
          [first]: { ...nothing, completed: 2, lost },
          [second]: { ...nothing, completed: 1, lost },
        });
      });
      expect(served.toSorted()).toEqual([first, first, second].toSorted());
      const heard = logged.flatMap(({ level, facts }) => (level === 'error' ? [facts] : []));
      for (const facts of heard) {
        expect(facts).toEqual({
          kind: expect.any(String),
          tenant: broken,
          code: 'invalid_input',
          failures: expect.any(Number),
          pauseMs: expect.any(Number),
        });
      }
      for (const kind of [first, second]) {
        const pauses = heard.flatMap((facts) =>
          'kind' in facts && facts.kind === kind && 'pauseMs' in facts ? [facts.pauseMs] : [],
        );
        expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
      }
      // When it is mended, the work is done.
      const mended = await dispatchWork(db, { ...handler(first), now: () => new Date(clock + 60_000) });
      expect(mended).toEqual({ ...nothing, completed: 1 });
    });
  }

  it('does not make dispatchWork fail', async () => {
    const kind = freshKind();
    const [broken, fine] = [freshTenant('a-broken'), freshTenant('b-fine')];
    await schedule(broken, kind, '', past(60_000));
    await schedule(fine, kind);
    await failing(broken, 'true', async () => {
      expect(await dispatchWork(db, { kind, handle: async () => {} })).toEqual({ ...nothing, completed: 1 });
    });
  });
});

describe('a look that fails', () => {
  it('does not end the dispatcher: it looks again after a growing pause, and serves when it may', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await schedule(tenant, kind);
    const url = new URL(database.ownerUrl);
    url.username = `plain_${freshTenant().replaceAll('-', '_')}`;
    url.password = 'plain';
    await sql.unsafe(`create role ${url.username} login password 'plain'; grant app_tenant to ${url.username}`);
    const plain = await connect({ url: url.toString(), logger });
    const stop = new AbortController();
    const pauses: number[] = [];
    logged.length = 0;
    try {
      const report = await runDispatcher(plain, {
        signal: stop.signal,
        idleMs: 1_000,
        wait: async (ms, signal) => {
          if (ms === 900_000 || ms === 20_000) {
            return await aborted(signal);
          }
          pauses.push(ms);
          if (pauses.length === 8) await sql.unsafe(`grant app_dispatcher to ${url.username}`);
        },
        handlers: [{ kind, handle: async () => stop.abort() }],
      });
      expect(report).toEqual({ [kind]: { ...nothing, completed: 1 } });
      expect(pauses.slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
      expect(logged[0]).toMatchObject({ level: 'error', facts: { kind, code: 'permission_denied' } });
    } finally {
      await plain.close();
      await sql.unsafe(`drop role ${url.username}`);
    }
  });
});

describe("a tenant's share", () => {
  it('leaves room for the others while all that its handlers do is hang', async () => {
    const kind = freshKind();
    const [hog, fine] = [freshTenant('a-hog'), freshTenant('b-fine')];
    for (let n = 0; n < 6; n += 1) await schedule(hog, kind, `k${n}`, past(60_000));
    const stop = new AbortController();
    const [two, served] = [barrier(2), barrier(3)];
    let active = 0;
    let most = 0;
    const running = dispatchWork(db, {
      kind,
      signal: stop.signal,
      concurrency: 4,
      handle: async (_, { tenant, signal }) => {
        if (tenant === fine) return served.arrive();
        most = Math.max(most, (active += 1));
        two.arrive();
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    await two.passed;
    // It comes when nothing else happens any more.
    for (let n = 0; n < 3; n += 1) await schedule(fine, kind, `k${n}`);
    await served.passed;
    stop.abort();
    expect(await running).toMatchObject({ released: 2, failed: 0 });
    expect(most).toBe(2);
  });

  it('can be set, and is at least one', async () => {
    for (const [concurrency, tenantConcurrency, expected] of [[1, undefined, 1] as const, [3, 3, 3] as const]) {
      const kind = freshKind();
      const tenant = freshTenant();
      for (let n = 0; n < 6; n += 1) await schedule(tenant, kind, `k${n}`);
      const full = barrier(expected);
      let active = 0;
      let most = 0;
      const report = await dispatchWork(db, {
        kind,
        concurrency,
        ...(tenantConcurrency === undefined ? {} : { tenantConcurrency }),
        handle: async () => {
          most = Math.max(most, (active += 1));
          full.arrive();
          await full.passed;
          active -= 1;
        },
      });
      expect(report).toEqual({ ...nothing, completed: 6 });
      expect(most).toBe(expected);
    }
    for (const wrong of [{ tenantConcurrency: 0 }, { handlerTimeoutMs: 0 }, { handlerTimeoutMs: Number.NaN }]) {
      const failure = await failureOf(dispatchWork(db, { kind: 'k', handle: async () => {}, ...wrong }));
      expect(failure).toMatchObject({ code: 'invalid_input' });
    }
  });
});

describe('the time of a run', () => {
  it('ends a handler that hangs: a failed attempt, no more renewals, and its place for the next', async () => {
    const kind = freshKind();
    const [hog, fine] = [freshTenant('a-hog'), freshTenant('b-fine')];
    await schedule(hog, kind, '', past(60_000));
    await schedule(fine, kind);
    const [hanging, timeIsOver, wakeUp, woke] = [barrier(), barrier(), barrier(), barrier()];
    let reason: unknown;
    let wrote = false;
    let limits = 0;
    let renewals = 0;
    const running = dispatchWork(db, {
      kind,
      concurrency: 1,
      leaseMs: 30_000,
      backoff: { baseMs: 3_600_000, maxMs: 3_600_000 },
      wait: async (ms, signal) => {
        // The limit of the first run passes when the test says so.
        if (ms === 900_000 && (limits += 1) === 1) return await timeIsOver.passed;
        if (ms === 10_000) renewals += 1;
        await aborted(signal);
      },
      handle: async (_, { tenant, signal }) => {
        if (tenant === fine) return;
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        hanging.arrive();
        await wakeUp.passed;
        woke.arrive();
        return async () => {
          wrote = true;
        };
      },
    });
    await hanging.passed;
    expect(await rowsOf(hog, kind)).toMatchObject([{ leasedUntil: expect.any(Date) }]);
    timeIsOver.open();
    expect(await running).toEqual({ ...nothing, completed: 1, failed: 1 });
    expect(reason).toMatchObject({ code: 'unavailable', details: { reason: 'handler_timeout' } });
    const [row] = await rowsOf(hog, kind);
    expect(row).toMatchObject({ attempts: 1, leasedUntil: null, lastErrorCode: 'handler_timeout' });
    expect(renewals).toBe(2);
    // It goes on behind the dispatcher's back, and can no longer complete or write.
    wakeUp.open();
    await woke.passed;
    await withTenant(db, hog, (tx) => tx.execute('select pg_sleep(0.05)'));
    expect(wrote).toBe(false);
    expect(await rowsOf(hog, kind)).toEqual([row]);
  });

  it('is real time by default, and serves the others when it has ended', async () => {
    const kind = freshKind();
    const [hog, fine] = [freshTenant('a-hog'), freshTenant('b-fine')];
    await schedule(hog, kind, '', past(60_000));
    await schedule(fine, kind);
    const report = await dispatchWork(db, {
      kind,
      concurrency: 1,
      handlerTimeoutMs: 100,
      backoff: { baseMs: 3_600_000, maxMs: 3_600_000 },
      maxAttempts: 1,
      handle: async (_, { tenant }) => (tenant === fine ? undefined : await new Promise<undefined>(() => {})),
    });
    expect(report).toEqual({ ...nothing, completed: 1, dead: 1 });
  });

  it('holds when the dispatcher stops, so that a handler which hears nothing cannot keep it', async () => {
    const kind = freshKind();
    const hog = freshTenant();
    await schedule(hog, kind);
    const stop = new AbortController();
    const running = runDispatcher(db, {
      signal: stop.signal,
      handlers: [
        {
          kind,
          handlerTimeoutMs: 100,
          handle: async () => {
            stop.abort();
            await new Promise(() => {});
          },
        },
      ],
    });
    expect(await running).toEqual({ [kind]: { ...nothing, failed: 1 } });
    expect(await rowsOf(hog, kind)).toMatchObject([{ attempts: 1, lastErrorCode: 'handler_timeout' }]);
  });

  it('includes the completion', async () => {
    const kind = freshKind();
    const hog = freshTenant();
    await schedule(hog, kind);
    const entered = barrier();
    const mayEnd = barrier();
    const running = dispatchWork(db, {
      kind,
      handlerTimeoutMs: 300,
      handle: async () => async () => {
        entered.arrive();
        await mayEnd.passed;
      },
    });
    await entered.passed;
    const ended = new AbortController();
    // The failure cannot be written while the completion holds the row; when that has ended, the work is done.
    await someoneWaits(ended.signal);
    mayEnd.open();
    expect(await running).toEqual({ ...nothing, lost: 1 });
    expect(await rowsOf(hog, kind)).toEqual([]);
  });
});

describe("masses of a tenant's dead work", () => {
  it('do not slow down the look for the head of work in order', async () => {
    const kind = freshKind();
    const tenant = freshTenant();
    await withTenant(db, tenant, (tx) =>
      tx.execute(`insert into tenant_work (kind, work_key, dead_at)
        select '${kind}', lpad(n::text, 9, '0'), now() from generate_series(1, 50000) n`),
    );
    await schedule(tenant, kind, 'live');
    const plan = await sql.begin(async (tx) => {
      await tx`set local role app_dispatcher`;
      return tx.unsafe(
        `explain (analyze, format json) select due_at from tenant_work
          where tenant_id = $1 and kind = $2 and dead_at is null order by work_key limit 1`,
        [tenant, kind],
      );
    });
    expect(JSON.stringify(plan)).toContain('"Index Name":"tenant_work_head_idx"');
    const handle = async () => {};
    expect(await dispatchWork(db, { kind, inOrder: true, handle })).toEqual({ ...nothing, completed: 1 });
  });
});
