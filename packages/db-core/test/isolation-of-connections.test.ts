import { barrier, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  type Database,
  idempotencyKeys,
  readOne,
  stageRows,
  type TenantTx,
  tenantOf,
  withTenant,
} from '../src/index.ts';

// One connection, so that each tenant gets what the one before has left on it.
const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 1, acquireTimeoutMs: 5_000 });
});
afterAll(async () => {
  await db.close();
});

const columns = ['scope', 'key', 'requestDigest', 'expiresAt'] as const;
const row = ['s', 'secret', 'd', new Date(0)] as const;
const keysOf = async (tx: TenantTx) => (await tx.select().from(idempotencyKeys)).map(({ key }) => key);

/** What the next transaction on the connection finds of others. */
async function traces(): Promise<unknown> {
  const [found] = await withTenant(db, freshTenant('next'), (tx) =>
    tx.execute(sql`
      select current_setting('app.actor', true) as actor, now() - app_now() < interval '1 s' as clock,
             (select count(*)::int from pg_class where relpersistence = 't' and relkind = 'r') as tables,
             (select count(*)::int from pg_cursors where name <> '') as cursors,
             (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
             (select count(*)::int from idempotency_keys) as rows`),
  );
  return found;
}
const none = { actor: '', clock: true, tables: 0, cursors: 0, locks: 0, rows: 0 };

describe('what a tenant leaves on a connection', () => {
  it('is nothing when the other side of a Promise.all throws while rows are staged', async () => {
    const staging = barrier();
    const never = barrier();
    async function* slow() {
      yield row;
      staging.open();
      await never.passed;
      yield row;
    }
    const failed = withTenant(
      db,
      freshTenant(),
      (tx) =>
        Promise.all([
          stageRows(tx, idempotencyKeys, columns, slow()),
          staging.passed.then(() => {
            throw new RangeError('other side');
          }),
        ]),
      { actor: 'alice', now: new Date(0) },
    );
    expect(await failureOf(failed)).toMatchObject({ message: 'other side' });
    expect(await traces()).toMatchObject({ ...none, actor: expect.toBeOneOf(['', null]) });
    never.open();
  });

  it('is nothing when the await of stageRows was forgotten', async () => {
    const never = barrier();
    async function* slow() {
      yield row;
      await never.passed;
    }
    const failed = withTenant(db, freshTenant(), async (tx) => {
      stageRows(tx, idempotencyKeys, columns, slow()).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'failed_precondition' });
    expect(await traces()).toMatchObject({ ...none, actor: expect.toBeOneOf(['', null]) });
    never.open();
  });

  it('is not committed by whoever catches the error of a savepoint with a copy under way', async () => {
    const tenant = freshTenant();
    const [staging, never] = [barrier(), barrier()];
    async function* slow() {
      yield row;
      staging.open();
      await never.passed;
    }
    const failed = withTenant(db, tenant, async (tx) => {
      await tx
        .transaction((nested) =>
          Promise.all([
            nested.execute(
              sql`insert into idempotency_keys (scope, key, request_digest, expires_at) values ('s', 'inner', 'd', now())`,
            ),
            stageRows(nested, idempotencyKeys, columns, slow()),
            staging.passed.then(() => {
              throw new RangeError('other side');
            }),
          ]),
        )
        .catch(() => {});
      await keysOf(tx);
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'failed_precondition' });
    expect(await withTenant(db, tenant, keysOf)).toEqual([]);
    never.open();
  });

  it('is nothing after a refused row that is longer than what the server takes as a reason', async () => {
    const long = 'x'.repeat(40_000);
    const rows = Array.from({ length: 200 }, () => ['s', long, long, 'no time']);
    const failed = withTenant(db, freshTenant(), (tx) => stageRows(tx, idempotencyKeys, columns, rows));
    expect(await failureOf(failed)).toMatchObject({ code: 'invalid_input' });
    expect(await traces()).toMatchObject({ rows: 0 });
  });

  it.each([
    'select * into temp scratch from idempotency_keys',
    'select * into temporary table idempotency_keys from public.idempotency_keys',
    'select 1 as a into scratch',
    'with a as (select 1) select * into unlogged scratch from a',
    'explain analyze create temp table scratch as select 1',
    'create temp table scratch (a int) -- on commit drop',
    "create temp table scratch (a text default 'on commit drop')",
    'declare c cursor with/**/hold for select 1',
    '/*/**/select*/ commit',
    '--\rcommit /*\nselect*/',
    "/*/**/select*/ set app.tenant = 'a'",
    "select set_config/**/('app.tenant', 'a', true)",
    "select \"set_config\"('app.tenant', 'a', true)",
    `select U&"set\\005fconfig"('app.tenant', 'a', true)`,
    "select app_set_tenant /* */ ('a')",
    "select query_to_xml('select ' || 'set_config(1)', true, true, '')",
    "update pg_settings set setting = '1' where name = 'statement_timeout'",
    'update pg_catalog . "pg_settings" set setting = 1',
    'select pg_advisory_lock/**/(77)',
    'select pg_try_advisory_lock_shared(77)',
    "select lo_from_bytea(0, 'x')",
    'lock table idempotency_keys',
    "set local app.tenant = 'a'",
    'set local "app.tenant" = \'a\'',
    'set local"role" = postgres',
    "select 'unfinished",
    'select 1 /* unfinished',
  ])('is nothing by the statement: %s', async (statement) => {
    await withTenant(db, freshTenant(), async (tx) => {
      expect(await failureOf(tx.execute(sql.raw(statement)))).toMatchObject({ code: 'failed_precondition' });
    });
    expect(await traces()).toMatchObject({ tables: 0, cursors: 0, locks: 0, rows: 0 });
  });

  it.each([
    "select 'set_config(', 'into temp', '--', '/*'",
    "select E'it\\'s', $tag$ commit $tag$, $$ set $$",
    'select 1 -- commit',
    'insert into idempotency_keys (scope, key, request_digest, expires_at) select $$s$$, $$k$$, $$d$$, now()',
    'explain (costs off) select 1',
    'explain analyze verbose select 1',
    'with a as (select 1) select * from a',
    "set local work_mem = '8MB'",
    'set local enable_seqscan to off',
  ])('and what only looks like it runs: %s', async (statement) => {
    await withTenant(db, freshTenant(), (tx) => tx.execute(sql.raw(statement)));
  });
});

describe('a parameter that the driver cannot send', () => {
  it.each([
    ['a Date', new Date(0)],
    ['an object', { a: 1 }],
    ['an array', ['a']],
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
    ['undefined', undefined],
  ])(
    'is refused by its place when it is %s, time and again, and no statement gets the rows of another',
    async (_what, value) => {
      for (let turn = 0; turn < 3; turn += 1) {
        const bad = withTenant(db, freshTenant(), (tx) => tx.execute(sql`select ${sql.param(value)}::text`));
        expect(await failureOf(bad)).toMatchObject({ code: 'invalid_input', details: { parameter: 1 } });
        const badRead = readOne(db, freshTenant(), (tx) =>
          tx.execute(sql`select ${1}::int, ${sql.param(value)}::text`),
        );
        expect(await failureOf(badRead)).toMatchObject({ code: 'invalid_input', details: { parameter: 2 } });
      }
      await withTenant(db, freshTenant(), async (tx) => {
        const [bad, good] = await Promise.allSettled([
          tx.execute(sql`select ${sql.param(value)}::text as bad`),
          tx.execute(sql`select ${'mine'}::text as good`),
        ]);
        expect(bad.status).toBe('rejected');
        expect(good).toMatchObject({ status: 'fulfilled', value: [{ good: 'mine' }] });
      });
    },
  );

  it('is none when it is text, a number of any kind, a boolean, bytes or null', async () => {
    const [found] = await withTenant(db, freshTenant(), (tx) =>
      tx.execute(sql`select ${'a'}::text as text, ${12.5}::float8 as float, ${-0}::float8::text as zero, ${Number.NaN}::float8 as nan,
        ${7}::int as int, ${12345}::jsonb as json, ${9007199254740993n}::int8 as big, ${true} as yes, ${Buffer.from('é')} as bytes, ${null}::text as nothing`),
    );
    expect(found).toMatchObject({
      ...{ text: 'a', float: 12.5, zero: '-0', nan: Number.NaN, int: 7, json: 12345, big: '9007199254740993' },
      ...{ yes: true, bytes: Buffer.from('é'), nothing: null },
    });
  });
});

describe('a handle in a shared place', () => {
  it('does not answer inside the request of another tenant', async () => {
    const pool = await connect({ url: database.serviceUrl, max: 2 });
    const [mine, other] = [freshTenant(), freshTenant()];
    const [shared, done] = [barrier(), barrier()];
    let kept: TenantTx | undefined;
    const first = withTenant(pool, mine, async (tx) => {
      kept = tx;
      shared.open();
      await done.passed;
    });
    await shared.passed;
    await withTenant(pool, other, async (tx) => {
      expect(tenantOf(tx)).toBe(other);
      if (kept === undefined) throw new Error('no handle');
      expect(await failureOf(keysOf(kept))).toMatchObject({ code: 'failed_precondition' });
      const staged = stageRows(kept, idempotencyKeys, columns, [row]);
      expect(await failureOf(staged)).toMatchObject({ code: 'failed_precondition' });
      expect(await failureOf(kept.transaction(async () => 1))).toMatchObject({ code: 'failed_precondition' });
    });
    done.open();
    await first;
    await pool.close();
  });
});

describe('a connection', () => {
  it('is replaced when it keeps too many prepared statements', async () => {
    const pidOf = async () => {
      const [found] = await withTenant(db, freshTenant(), (tx) => tx.execute(sql`select pg_backend_pid() as pid`));
      return found?.['pid'];
    };
    const before = await pidOf();
    expect(await pidOf()).toBe(before);
    await withTenant(db, freshTenant(), async (tx) => {
      for (let shape = 0; shape < 600; shape += 1) await tx.execute(sql.raw(`select ${shape}`));
    });
    expect(await pidOf()).not.toBe(before);
  });
});

describe('an error', () => {
  it('names a missing table of the statement, and no name that came as a value', async () => {
    const named = withTenant(db, freshTenant(), (tx) => tx.execute(sql`select * from no_such_table`));
    expect(await failureOf(named)).toMatchObject({ message: expect.stringContaining('no_such_table') });
    for (const type of ['regclass', 'regtype', 'regproc']) {
      const valued = withTenant(db, freshTenant(), (tx) => tx.execute(sql`select ${'canary078'}::${sql.raw(type)}`));
      expect(String((await failureOf(valued)) as Error)).not.toContain('canary078');
    }
  });
});
