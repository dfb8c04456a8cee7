import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  type Database,
  deleteExpiredIdempotencyKeys,
  idempotencyKeys,
  isDomainError,
  recordEvent,
  type TenantTx,
  withIdempotencyKey,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
});
afterAll(() => db.close());

const request = { name: 'm', tags: { a: '1', b: '2' } };
const scope = 'test.write';

/** Does a write under the key and counts how often it is done. */
function writer(tenant: string) {
  let runs = 0;
  return {
    runs: () => runs,
    call: (key: string, given: unknown = request, o: { now?: Date; ttlMs?: number; scope?: string } = {}) =>
      withTenant(
        db,
        tenant,
        (tx) =>
          withIdempotencyKey(
            tx,
            { scope: o.scope ?? scope, key, request: given, ...(o.ttlMs === undefined ? {} : { ttlMs: o.ttlMs }) },
            async () => {
              runs += 1;
              return { run: runs };
            },
          ),
        o.now === undefined ? {} : { now: o.now },
      ),
  };
}

/** Resolves when a backend of this database waits for a lock. */
async function someoneWaits(tenant: string): Promise<void> {
  for (;;) {
    const [row] = await withTenant(db, tenant, (tx) =>
      tx.execute<{ n: number }>(
        // pg_stat_activity shows app_tenant no waits of others, pg_locks does.
        sql`select count(*)::int as n from pg_locks join pg_stat_activity using (pid)
             where datname = current_database() and not granted`,
      ),
    );
    if ((row?.n ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('withIdempotencyKey', () => {
  it('gives the first result again, without running the work', async () => {
    const { call, runs } = writer(freshTenant());
    expect(await call('k')).toEqual({ run: 1 });
    expect(await call('k')).toEqual({ run: 1 });
    expect(await call('k', { tags: { b: '2', a: '1' }, name: 'm' })).toEqual({ run: 1 });
    expect(runs()).toBe(1);
  });

  it('runs for another key, and for the same key in another scope', async () => {
    const { call } = writer(freshTenant());
    expect(await call('k')).toEqual({ run: 1 });
    expect(await call('other')).toEqual({ run: 2 });
    expect(await call('k', request, { scope: 'test.other' })).toEqual({ run: 3 });
  });

  it('refuses a key that was used with another request', async () => {
    const { call, runs } = writer(freshTenant());
    await call('k');
    expect(await failureOf(call('k', { ...request, name: 'secret' }))).toSatisfy(
      (error) =>
        isDomainError(error, 'conflict') &&
        error.details['reason'] === 'idempotency_key_reused' &&
        !JSON.stringify([error.message, error.details]).includes('secret'),
    );
    expect(runs()).toBe(1);
  });

  it('lets a second call with the key wait for the first and gives it the same result', async () => {
    const tenant = freshTenant();
    const [began, mayEnd] = [barrier(), barrier()];
    const runs: string[] = [];
    const first = withTenant(db, tenant, (tx) =>
      withIdempotencyKey(tx, { scope, key: 'k', request }, async () => {
        runs.push('first');
        began.arrive();
        await mayEnd.passed;
        return 'of the first';
      }),
    );
    await began.passed;
    const second = withTenant(db, tenant, (tx) =>
      withIdempotencyKey(tx, { scope, key: 'k', request }, async () => {
        runs.push('second');
        return 'of the second';
      }),
    );
    await someoneWaits(tenant);
    mayEnd.open();
    expect(await Promise.all([first, second])).toEqual(['of the first', 'of the first']);
    expect(runs).toEqual(['first']);
  });

  it('runs the second call when the first one rolls back', async () => {
    const tenant = freshTenant();
    const [began, mayEnd] = [barrier(), barrier()];
    const first = failureOf(
      withTenant(db, tenant, (tx) =>
        withIdempotencyKey(tx, { scope, key: 'k', request }, async (): Promise<string> => {
          began.arrive();
          await mayEnd.passed;
          throw new Error('no');
        }),
      ),
    );
    await began.passed;
    const second = withTenant(db, tenant, (tx) =>
      withIdempotencyKey(tx, { scope, key: 'k', request }, async () => 'of the second'),
    );
    await someoneWaits(tenant);
    mayEnd.open();
    await first;
    expect(await second).toBe('of the second');
  });

  it('stands or falls with what the work wrote', async () => {
    const tenant = freshTenant();
    const write = (tx: TenantTx, key: string) =>
      withIdempotencyKey(tx, { scope, key, request }, () => recordEvent(tx, { topic: 't', subjectId: 's' }));
    const failure = await failureOf(
      withTenant(db, tenant, async (tx) => {
        await write(tx, 'k');
        throw new Error('later');
      }),
    );
    expect(failure).toMatchObject({ message: 'later' });
    expect(await withTenant(db, tenant, (tx) => tx.$count(idempotencyKeys))).toBe(0);
    const id = await withTenant(db, tenant, (tx) => write(tx, 'k'));
    expect(await withTenant(db, tenant, (tx) => write(tx, 'k'))).toBe(id);
  });

  it('runs again when the work failed and its caller committed nevertheless', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      await failureOf(withIdempotencyKey(tx, { scope, key: 'k', request }, () => Promise.reject(new Error('no'))));
    });
    const again = withTenant(db, tenant, (tx) => withIdempotencyKey(tx, { scope, key: 'k', request }, async () => 1));
    expect(await again).toBe(1);
  });

  it('refuses its own key inside the work and beside it', async () => {
    const tenant = freshTenant();
    const failure = await failureOf(
      withTenant(db, tenant, (tx) => {
        const call = (work: () => Promise<number>) => withIdempotencyKey(tx, { scope, key: 'k', request }, work);
        return call(() => call(async () => 1));
      }),
    );
    expect(failure).toMatchObject({ code: 'failed_precondition' });
  });

  it('gives every JSON value back, null and undefined as null', async () => {
    const tenant = freshTenant();
    const values = [null, true, 0, -1.5, '', `it's "q" \\ ü 😀`, [], [1, [null]], {}, { a: { b: [] } }];
    for (const [n, value] of values.entries()) {
      const call = () =>
        withTenant(db, tenant, (tx) => withIdempotencyKey(tx, { scope, key: `k${n}`, request }, async () => value));
      expect(await call()).toEqual(value);
      expect(await call()).toEqual(value);
    }
    const nothing = () =>
      withTenant(db, tenant, (tx) => withIdempotencyKey(tx, { scope, key: 'none', request }, async () => undefined));
    expect([await nothing(), await nothing()]).toEqual([null, null]);
  });

  it('refuses results and requests that JSON would change, and keys outside the limits', async () => {
    const tenant = freshTenant();
    const { call, runs } = writer(tenant);
    for (const bad of [
      () => call('k', Number.NaN),
      () => call(''),
      () => call('k'.repeat(256)),
      () => call('a\nb'),
      () => call('k', request, { ttlMs: 1 }),
    ]) {
      expect(await failureOf(bad())).toMatchObject({ code: 'invalid_input' });
    }
    expect(runs()).toBe(0);
    const results = [Number.NaN, { deep: Number.POSITIVE_INFINITY }, 'x'.repeat(300_000)];
    for (const result of results) {
      const failure = failureOf(
        withTenant(db, tenant, (tx) => withIdempotencyKey(tx, { scope, key: 'k', request }, async () => result)),
      );
      expect(await failure).toMatchObject({ code: 'invalid_input', details: { field: 'result' } });
    }
    // @ts-expect-error A Date does not come back from JSON as a Date.
    void ((tx: TenantTx) => withIdempotencyKey(tx, { scope, key: 'k', request }, async () => ({ at: new Date() })));
  });

  it('forgets when its time is over', async () => {
    const { call } = writer(freshTenant());
    const now = new Date('2026-01-01T00:00:00.000Z');
    const at = (ms: number) => ({ now: new Date(now.getTime() + ms), ttlMs: 5_000 });
    expect(await call('k', request, at(0))).toEqual({ run: 1 });
    expect(await call('k', request, at(4_999))).toEqual({ run: 1 });
    expect(await call('k', 'another request', at(5_000))).toEqual({ run: 2 });
    expect(await call('k', 'another request', at(9_999))).toEqual({ run: 2 });
  });

  it("does not meet another tenant's keys, not even to wait for them", async () => {
    const [mine, other] = [writer(freshTenant()), freshTenant()];
    const [began, mayEnd] = [barrier(), barrier()];
    const held = withTenant(db, other, (tx) =>
      withIdempotencyKey(tx, { scope, key: 'k', request: 'other' }, async () => {
        began.arrive();
        await mayEnd.passed;
        return 'of the other';
      }),
    );
    await began.passed;
    expect(await mine.call('k')).toEqual({ run: 1 });
    mayEnd.open();
    expect(await held).toBe('of the other');
    expect(await mine.call('k')).toEqual({ run: 1 });
  });
});

describe('deleteExpiredIdempotencyKeys', () => {
  it("deletes expired keys in batches, and no other tenant's", async () => {
    const [tenant, other] = [freshTenant(), freshTenant()];
    const now = new Date('2026-01-01T00:00:00.000Z');
    for (const owner of [tenant, other]) {
      const { call } = writer(owner);
      for (const key of ['a', 'b', 'c']) await call(key, request, { now, ttlMs: 1_000 });
      await call('kept', request, { now, ttlMs: 60_000 });
    }
    const prune = () =>
      withTenant(db, tenant, (tx) => deleteExpiredIdempotencyKeys(tx, { limit: 2 }), {
        now: new Date(now.getTime() + 1_000),
      });
    expect([await prune(), await prune(), await prune()]).toEqual([2, 1, 0]);
    const keys = (owner: string) => withTenant(db, owner, (tx) => tx.$count(idempotencyKeys));
    expect([await keys(tenant), await keys(other)]).toEqual([1, 4]);
  });
});
