import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { and, eq, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  type Database,
  type DomainError,
  idempotencyKeys,
  readOne,
  type TenantTx,
  tenantOf,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
const expiresAt = new Date('2030-01-01T00:00:00.000Z');
let db: Database;

beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 4, acquireTimeoutMs: 2_000 });
});
afterAll(async () => {
  await db.close();
});

const put = (tx: TenantTx, key: string, requestDigest = 'digest') =>
  tx.insert(idempotencyKeys).values({ scope: 'test', key, requestDigest, expiresAt });

const keysOf = async (tx: TenantTx): Promise<readonly string[]> => {
  const rows = await tx
    .select({ key: idempotencyKeys.key })
    .from(idempotencyKeys)
    .where(eq(idempotencyKeys.tenantId, tenantOf(tx)))
    .orderBy(idempotencyKeys.key);
  return rows.map((row) => row.key);
};

const keysSeenBy = (tenant: string) => withTenant(db, tenant, keysOf);

describe('a tenant transaction', () => {
  it('commits what the work did and gives its result', async () => {
    const tenant = freshTenant();
    expect(await withTenant(db, tenant, async (tx) => (await put(tx, 'a'), 'done'))).toBe('done');
    expect(await keysSeenBy(tenant)).toEqual(['a']);
  });

  it('sees and touches its own rows only, even where a statement names no tenant', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    await withTenant(db, mine, (tx) => put(tx, 'a'));
    await withTenant(db, other, async (tx) => {
      expect(await tx.select().from(idempotencyKeys)).toEqual([]);
      expect(await tx.update(idempotencyKeys).set({ requestDigest: 'taken' }).returning()).toEqual([]);
      expect(await tx.delete(idempotencyKeys).returning()).toEqual([]);
    });
    expect(await withTenant(db, mine, (tx) => tx.select().from(idempotencyKeys))).toMatchObject([
      { key: 'a', requestDigest: 'digest' },
    ]);
  });

  it('cannot plant a row in another tenant', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    const planted = withTenant(db, mine, (tx) =>
      tx.execute(sql`insert into idempotency_keys (tenant_id, scope, key, request_digest, expires_at)
                     values (${other}, 'test', 'planted', 'x', now())`),
    );
    expect(await failureOf(planted)).toMatchObject({ code: 'permission_denied' });
    expect(await keysSeenBy(other)).toEqual([]);
  });

  it('rolls back and lets the error of the work through unchanged', async () => {
    const tenant = freshTenant();
    const own = new TypeError('of the service');
    const failed = withTenant(db, tenant, async (tx) => {
      await put(tx, 'a');
      throw own;
    });
    expect(await failureOf(failed)).toBe(own);
    expect(await keysSeenBy(tenant)).toEqual([]);
  });

  it('leaves the context of no tenant on the connection it gives back', async () => {
    const single = await connect({ url: database.serviceUrl, max: 1 });
    await withTenant(single, freshTenant(), (tx) => put(tx, 'a'), { actor: 'somebody', now: new Date(0) });
    const [row] = await withTenant(single, freshTenant(), (tx) =>
      tx.execute(
        sql`select current_setting('app.actor') as actor, abs(extract(epoch from app_now() - now())) < 1 as "now"`,
      ),
    );
    expect(row).toEqual({ actor: '', now: true });
    await single.close();
  });

  it('keeps a hundred concurrent transactions of many tenants apart on four connections', async () => {
    const tenants = Array.from({ length: 20 }, () => freshTenant());
    const seen = await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const tenant = tenants[index % tenants.length] ?? '';
        return withTenant(db, tenant, async (tx) => {
          await put(tx, `k${index}`);
          const [row] = await tx.execute(sql`select current_setting('app.tenant') as tenant`);
          return [tenant, row?.['tenant'], tenantOf(tx)];
        });
      }),
    );
    for (const [asked, inDatabase, inHandle] of seen) expect([inDatabase, inHandle]).toEqual([asked, asked]);
    for (const tenant of tenants) expect(await keysSeenBy(tenant)).toHaveLength(5);
  });

  it('carries ids with quotes, backslashes, emoji and format characters exactly', async () => {
    for (const tenant of [`o'brien "x" \\n %L $1`, '日本語-🦜', 'x'.repeat(128), `'; drop table tenants; --`]) {
      await withTenant(db, tenant, (tx) => put(tx, tenant.slice(0, 20)));
      expect(await keysSeenBy(tenant)).toEqual([tenant.slice(0, 20)]);
    }
  });

  it.each([
    ['empty', ''],
    ['over-long', 'x'.repeat(129)],
    ['with a control character', 'a\u0000b'],
    ['with a line break', 'a\nb'],
    ['with an unpaired surrogate', 'a\ud800'],
    ['not a string', 7 as unknown as string],
    ['missing', undefined as unknown as string],
    ['white space', '  '],
  ])('refuses a tenant id that is %s', async (_what, tenant) => {
    expect(await failureOf(withTenant(db, tenant, async () => 1))).toMatchObject({ code: 'invalid_input' });
    expect(await failureOf(readOne(db, tenant, keysOf))).toMatchObject({ code: 'invalid_input' });
  });

  it('takes actor, clock, time-outs, isolation level and read-only from the options', async () => {
    const now = new Date('2001-02-03T04:05:06.789Z');
    const [row] = await withTenant(
      db,
      freshTenant(),
      (tx) =>
        tx.execute(sql`select current_setting('app.actor') as actor, app_now()::text as now,
          current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
          current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as readonly,
          current_user::text as role`),
      {
        ...{ actor: "ci's bot", now, statementTimeoutMs: 1234, lockTimeoutMs: 567 },
        ...{ isolationLevel: 'repeatable read', readOnly: true },
      },
    );
    expect(row).toMatchObject({
      ...{ actor: "ci's bot", statement: '1234ms', lock: '567ms', level: 'repeatable read', readonly: 'on' },
      ...{ role: 'app_tenant', now: expect.stringContaining('2001-02-03 04:05:06.789') },
    });
    const write = withTenant(db, freshTenant(), (tx) => put(tx, 'a'), { readOnly: true });
    expect(await failureOf(write)).toMatchObject({ code: 'failed_precondition' });
    const slow = withTenant(db, freshTenant(), (tx) => tx.execute(sql`select pg_sleep(5)`), { statementTimeoutMs: 20 });
    expect(await failureOf(slow)).toMatchObject({ code: 'unavailable', details: { sqlState: '57014' } });
  });

  it.each([
    ['actor', { actor: '' }],
    ['actor', { actor: 'a\u0007' }],
    ['now', { now: new Date(Number.NaN) }],
    ['time-out', { statementTimeoutMs: -1 }],
    ['level', { isolationLevel: 'serializable; drop table tenants' as 'serializable' }],
    ['attempts', { retry: { attempts: 0 } }],
  ])('refuses a bad %s', async (_what, options) => {
    expect(await failureOf(withTenant(db, freshTenant(), async () => 1, options))).toMatchObject({
      code: 'invalid_input',
    });
  });
});

describe('a handle', () => {
  it('is dead once its callback has returned, while another tenant uses the connection', async () => {
    const single = await connect({ url: database.serviceUrl, max: 1 });
    const escaped = await withTenant(single, freshTenant(), async (tx) => ({ tx, query: keysOf }));
    await withTenant(single, freshTenant(), async () => {
      expect(await failureOf(escaped.query(escaped.tx))).toMatchObject({ code: 'failed_precondition' });
    });
    await single.close();
  });

  it('kills queries that were built inside and awaited outside', async () => {
    const built = await withTenant(db, freshTenant(), async (tx) => ({ query: tx.select().from(idempotencyKeys) }));
    expect(await failureOf(built.query)).toMatchObject({ code: 'failed_precondition' });
  });

  it('is dead after its savepoint, too', async () => {
    await withTenant(db, freshTenant(), async (tx) => {
      const inner = await tx.transaction(async (nested) => ({ nested }));
      expect(await failureOf(keysOf(inner.nested))).toMatchObject({ code: 'failed_precondition' });
      expect(await keysOf(tx)).toEqual([]);
    });
  });

  it('fails the transaction when a query still runs at the end', async () => {
    const tenant = freshTenant();
    const failed = withTenant(db, tenant, async (tx) => {
      await put(tx, 'a');
      void tx.execute(sql`select pg_sleep(0.05)`).catch(() => {});
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'failed_precondition' });
    expect(await keysSeenBy(tenant)).toEqual([]);
  });

  it('fails the transaction when an error was swallowed before the commit', async () => {
    const tenant = freshTenant();
    const failed = withTenant(db, tenant, async (tx) => {
      await put(tx, 'a');
      await put(tx, 'a').catch(() => {});
    });
    const error = (await failureOf(failed)) as DomainError;
    expect(error).toMatchObject({ code: 'failed_precondition', cause: { code: 'already_exists' } });
    expect(await keysSeenBy(tenant)).toEqual([]);
  });

  it('names the first error where later statements ran in the failed transaction', async () => {
    const failed = withTenant(db, freshTenant(), async (tx) => {
      await put(tx, 'a');
      await put(tx, 'a').catch(() => {});
      await put(tx, 'b');
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'already_exists' });
  });

  it.each([
    'commit',
    'rollback',
    '  /* x */ -- y\n begin',
    'savepoint s',
    "set app.tenant = 'b'",
    "set local app.tenant = 'b'",
    'set local role postgres',
    'set local session authorization postgres',
    'set local search_path = pg_temp',
    'reset role',
    'discard all',
    "do $$ begin perform set_config('app.tenant', 'b', true); end $$",
    "select set_config('app.tenant', 'b', true)",
    "select pg_catalog.set_config ('app.tenant', 'b', true)",
    "select app_set_tenant('b')",
    'select pg_advisory_lock(1)',
    'create temporary table t (a int)',
    'declare c cursor with hold for select 1',
    'listen x',
    "prepare transaction 'x'",
    'copy idempotency_keys to stdout',
    'truncate idempotency_keys',
  ])('refuses the statement: %s', async (statement) => {
    await withTenant(db, freshTenant(), async (tx) => {
      expect(await failureOf(tx.execute(sql.raw(statement)))).toMatchObject({ code: 'failed_precondition' });
    });
  });

  it('refuses several statements in one, and lets tuning through', async () => {
    const two = withTenant(db, freshTenant(), (tx) => tx.execute(sql.raw('select 1; select 2')));
    expect(await failureOf(two)).toMatchObject({ code: 'internal', details: { sqlState: '42601' } });
    await withTenant(db, freshTenant(), async (tx) => {
      await tx.execute(sql.raw("set local work_mem = '8MB'"));
      expect(await tx.execute(sql`select current_setting('work_mem') as memory`)).toMatchObject([{ memory: '8MB' }]);
    });
  });
});

describe('the pool in the place of a transaction', () => {
  it('is refused by its first query, whatever that is', async () => {
    const given = db as unknown as TenantTx;
    const queries: readonly ((tx: TenantTx) => unknown)[] = [
      (tx) => tx.select().from(idempotencyKeys),
      (tx) => tx.selectDistinct(),
      (tx) => tx.insert(idempotencyKeys),
      (tx) => tx.update(idempotencyKeys),
      (tx) => tx.delete(idempotencyKeys),
      (tx) => tx.$count(idempotencyKeys),
      (tx) => tx.execute(sql`select 1`),
      (tx) => tx.transaction(async () => {}),
      (tx) => (tx.query as Readonly<Record<string, unknown>>)['idempotencyKeys'],
      keysOf,
    ];
    for (const query of queries) {
      expect(await failureOf((async () => query(given))())).toMatchObject({
        name: 'DomainError',
        code: 'invalid_input',
        message: 'The first argument must be the transaction that withTenant or readOne gave.',
      });
    }
  });
});

describe('a transaction that is left open', () => {
  it('is ended by the server after its time, so that what it held is free', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, (tx) => put(tx, 'a'));
    const held = async (tx: TenantTx) => {
      await tx.select().from(idempotencyKeys).for('update');
      // Waits for what the stopped one holds.
      await withTenant(db, tenant, (other) => other.select().from(idempotencyKeys).for('update'));
      await put(tx, 'b');
    };
    const failure = await failureOf(withTenant(db, tenant, held, { idleInTransactionTimeoutMs: 50 }));
    expect(failure).toMatchObject({ code: 'unavailable' });
    expect(await keysSeenBy(tenant)).toEqual(['a']);
  });

  it('has five minutes, or what connect or withTenant is told', async () => {
    const timeout = async (from: Database, options: Parameters<typeof withTenant>[3] = {}) => {
      const show = (tx: TenantTx) =>
        tx.execute<{ idle: string }>(sql`select current_setting('idle_in_transaction_session_timeout') as idle`);
      return (await withTenant(from, freshTenant(), show, options))[0]?.idle;
    };
    const own = await connect({ url: database.serviceUrl, max: 1, idleInTransactionTimeoutMs: 7_000 });
    expect(await timeout(db)).toBe('5min');
    expect([await timeout(own), await timeout(own, { idleInTransactionTimeoutMs: 0 })]).toEqual(['7s', '0']);
    await own.close();
    for (const idleInTransactionTimeoutMs of [-1, 1.5, Number.NaN]) {
      const options = { idleInTransactionTimeoutMs };
      expect(await failureOf(timeout(db, options))).toMatchObject({ code: 'invalid_input' });
      expect(await failureOf(connect({ url: database.serviceUrl, ...options }))).toMatchObject({
        code: 'invalid_input',
      });
    }
  });
});

describe('savepoints', () => {
  it('undo their own part only', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      await put(tx, 'kept');
      const undone = tx.transaction(async (nested) => {
        await put(nested, 'undone');
        await nested.transaction((deeper) => put(deeper, 'undone too'));
        await put(nested, 'undone');
      });
      expect(await failureOf(undone)).toMatchObject({ code: 'already_exists' });
      await tx.transaction((nested) => put(nested, 'kept too'));
    });
    expect(await keysSeenBy(tenant)).toEqual(['kept', 'kept too']);
  });

  it('refuse a second one at the same time, and the transaction survives', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      const [first, second] = await Promise.allSettled([
        tx.transaction((nested) => put(nested, 'a')),
        tx.transaction((nested) => put(nested, 'b')),
      ]);
      expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
    });
    expect(await keysSeenBy(tenant)).toEqual(['a']);
  });
});

describe('nesting', () => {
  it('refuses another tenant inside a tenant, and another of the same is a transaction of its own', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    await withTenant(db, mine, async (tx) => {
      await put(tx, 'outer');
      expect(await failureOf(withTenant(db, other, keysOf))).toMatchObject({ code: 'failed_precondition' });
      expect(await failureOf(readOne(db, other, keysOf))).toMatchObject({ code: 'failed_precondition' });
      expect(await withTenant(db, mine, keysOf)).toEqual([]);
    });
    expect(await keysSeenBy(mine)).toEqual(['outer']);
  });

  it('allows another tenant once the first has ended, even in work that it started', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    const ended = barrier();
    let late: Promise<readonly string[]> | undefined;
    await withTenant(db, mine, async () => {
      late = ended.passed.then(() => keysSeenBy(other));
    });
    ended.open();
    expect(await late).toEqual([]);
  });
});

describe('the pool', () => {
  it('says that it is exhausted instead of hanging, and is whole afterwards', async () => {
    const small = await connect({ url: database.serviceUrl, max: 2, acquireTimeoutMs: 700 });
    const tenant = freshTenant();
    const deep = withTenant(small, tenant, () => withTenant(small, tenant, () => withTenant(small, tenant, keysOf)));
    expect(await failureOf(deep)).toMatchObject({ code: 'unavailable', details: { max: 2 } });
    expect(await Promise.all([1, 2, 3, 4].map(() => withTenant(small, tenant, keysOf)))).toHaveLength(4);
    await small.close();
  });

  it('survives connections that die in the middle, at any point, without a row written', async () => {
    const small = await connect({ url: database.serviceUrl, max: 2 });
    const killer = postgres(database.adminUrl ?? database.ownerUrl, { max: 1 });
    const tenant = freshTenant();
    const pidOf = async (tx: TenantTx) => Number((await tx.execute(sql`select pg_backend_pid() as pid`))[0]?.['pid']);
    const kill = async (pid: number) => {
      await killer`select pg_terminate_backend(${pid}, 5000)`;
    };
    const deaths: readonly ((tx: TenantTx) => Promise<unknown>)[] = [
      async (tx) => {
        await put(tx, 'before');
        await kill(await pidOf(tx));
      },
      async (tx) => {
        await kill(await pidOf(tx));
        await put(tx, 'after');
      },
      async (tx) => {
        const pid = await pidOf(tx);
        await Promise.all([tx.execute(sql`select pg_sleep(20)`), kill(pid)]);
      },
      async (tx) => {
        const pid = await pidOf(tx);
        // The second waits behind the first in the driver and must not wait for ever.
        await Promise.all([
          tx.execute(sql`select pg_sleep(20), ${1}::int`),
          tx.execute(sql`select ${2}::int + 1`),
          kill(pid),
        ]);
      },
      async (tx) => {
        await kill(await pidOf(tx));
        await put(tx, 'a').catch(() => {});
        await put(tx, 'b').catch(() => {});
      },
      (tx) =>
        tx.transaction(async (nested) => {
          await kill(await pidOf(nested));
        }),
    ];
    for (const die of deaths) {
      expect(await failureOf(withTenant(small, tenant, die))).toMatchObject({ code: 'unavailable' });
      expect(await Promise.all([1, 2, 3].map(() => withTenant(small, tenant, keysOf)))).toEqual([[], [], []]);
    }
    await killer.end();
    await small.close();
  });

  it('survives a storm of deaths: what was acknowledged is there, and all connections come back', async () => {
    const max = 4;
    const small = await connect({ url: database.serviceUrl, max, applicationName: 'storm' });
    const killer = postgres(database.adminUrl ?? database.ownerUrl, { max: 1 });
    const tenant = freshTenant();
    let left = 200;
    const acknowledged: string[] = [];
    const worker = async () => {
      for (let turn = (left -= 1); turn >= 0; turn = left -= 1) {
        const key = String(turn).padStart(4, '0');
        try {
          await withTenant(small, tenant, (tx) => put(tx, key));
          acknowledged.push(key);
        } catch (error) {
          expect(error).toMatchObject({ code: 'unavailable' });
        }
      }
    };
    const storm = async () => {
      for (let wanted = 3; left > 0; wanted += 3) {
        // Some get through between two deaths.
        while (acknowledged.length < wanted && left > 0) await new Promise((resolve) => setImmediate(resolve));
        await killer`select pg_terminate_backend(pid) from pg_stat_activity
                      where application_name = 'storm' and datname = current_database() order by random() limit 1`;
      }
    };
    await Promise.all([storm(), ...Array.from({ length: 12 }, worker)]);
    const written = await withTenant(small, tenant, keysOf, { retry: { attempts: 1 } });
    expect(written).toEqual(expect.arrayContaining(acknowledged));
    expect(acknowledged.length).toBeGreaterThan(0);
    // All connections are open at the same time again.
    const together = barrier(max);
    await Promise.all(
      Array.from({ length: max }, () =>
        withTenant(small, tenant, async (tx) => {
          await keysOf(tx);
          together.arrive();
          await together.passed;
        }),
      ),
    );
    await killer.end();
    await small.close();
  });

  it('gives unavailable where no server answers, and to late callers after close', async () => {
    expect(await failureOf(connect({ url: 'postgresql://u:p@127.0.0.1:1/x' }))).toMatchObject({ code: 'unavailable' });
    const closed = await connect({ url: database.serviceUrl, max: 1 });
    await closed.close();
    expect(await failureOf(withTenant(closed, freshTenant(), keysOf))).toMatchObject({ code: 'unavailable' });
  });
});

describe('retry', () => {
  it('repeats the work after a deadlock and gives the result of the run that succeeds', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      await put(tx, 'a');
      await put(tx, 'b');
    });
    const both = barrier(2);
    let runs = 0;
    const lock = (first: string, second: string) =>
      withTenant(
        db,
        tenant,
        async (tx) => {
          runs += 1;
          const touch = (key: string) =>
            tx
              .update(idempotencyKeys)
              .set({ requestDigest: key })
              .where(and(eq(idempotencyKeys.tenantId, tenantOf(tx)), eq(idempotencyKeys.key, key)));
          await touch(first);
          both.arrive();
          await both.passed;
          await touch(second);
          return 'done';
        },
        { retry: { attempts: 5, delayMs: () => 0 } },
      );
    expect(await Promise.all([lock('a', 'b'), lock('b', 'a')])).toEqual(['done', 'done']);
    // Three where the second deadlock does not come about again.
    expect(runs).toBeGreaterThanOrEqual(3);
  });

  it('does not repeat other failures', async () => {
    let runs = 0;
    const failed = withTenant(
      db,
      freshTenant(),
      async (tx) => {
        runs += 1;
        await put(tx, 'a');
        await put(tx, 'a');
      },
      { retry: { attempts: 3 } },
    );
    expect(await failureOf(failed)).toMatchObject({ code: 'already_exists' });
    expect(runs).toBe(1);
  });
});

describe('errors', () => {
  it('hold no value of a tenant anywhere, whichever way the statement fails', async () => {
    const canary = 'canary-4711';
    const statements = [
      sql`select ${canary}::uuid`,
      sql`select ${canary}::int`,
      sql`insert into idempotency_keys (scope, key, request_digest, expires_at) values (${canary}, ${canary}, ${canary}, null)`,
      sql`insert into idempotency_keys (tenant_id, scope, key, request_digest, expires_at) values (${canary}, 'x', 'y', 'z', now())`,
      sql`select ${canary}, 1 / (case when ${canary} = ${canary} then 0 end)`,
      sql`selec ${canary}`,
      sql`select nonsense_column, ${canary}`,
      sql`select * from nonsense_table where x = ${canary}`,
      sql`select ${undefined}, ${canary}`,
    ];
    for (const statement of statements) {
      const error = (await failureOf(withTenant(db, freshTenant(), (tx) => tx.execute(statement)))) as Error;
      const all = [error, error.cause]
        .flatMap((e) => [String(e), (e as Error | undefined)?.stack, JSON.stringify(e)])
        .join('\n');
      expect(error).toMatchObject({ name: 'DomainError' });
      expect(all).not.toContain(canary);
    }
  });

  it('are ones of their code whether the row is missing or another tenant has it', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    await withTenant(db, mine, (tx) => put(tx, 'a'));
    await withTenant(db, other, (tx) => put(tx, 'a'));
    expect(await keysSeenBy(other)).toEqual(['a']);
  });
});

describe('readOne', () => {
  it('gives what the one statement gives', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, (tx) => put(tx, 'a'));
    expect(await readOne(db, tenant, keysOf)).toEqual(['a']);
    expect(await readOne(db, freshTenant(), keysOf)).toEqual([]);
  });

  it('refuses a second statement, a savepoint and a write, and leaves the pool whole', async () => {
    const single = await connect({ url: database.serviceUrl, max: 1 });
    const tenant = freshTenant();
    const twice = readOne(single, tenant, async (tx) => [await keysOf(tx), await keysOf(tx)]);
    expect(await failureOf(twice)).toMatchObject({ code: 'failed_precondition' });
    const savepoint = readOne(single, tenant, (tx) => tx.transaction(keysOf));
    expect(await failureOf(savepoint)).toMatchObject({ code: 'failed_precondition' });
    const write = readOne(single, tenant, (tx) => put(tx, 'a'));
    expect(await failureOf(write)).toMatchObject({ code: 'failed_precondition', details: { sqlState: '25006' } });
    const wrong = readOne(single, tenant, (tx) => tx.execute(sql`select ${'x'}::int`));
    expect(await failureOf(wrong)).toMatchObject({ code: 'invalid_input' });
    expect(await readOne(single, tenant, keysOf)).toEqual([]);
    await single.close();
  });
});
