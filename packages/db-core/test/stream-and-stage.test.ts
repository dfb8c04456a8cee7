import { failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { asc, eq, gte, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CopyValue,
  connect,
  type Database,
  idempotencyKeys,
  stageRows,
  streamRows,
  type TenantTx,
  tenantOf,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 3 });
});
afterAll(async () => {
  await db.close();
});

const columns = ['scope', 'key', 'requestDigest', 'response', 'expiresAt'] as const;
const expiresAt = new Date('2030-01-01T00:00:00.000Z');
const row = (key: string, digest = 'd', response: CopyValue = null): readonly CopyValue[] => [
  's',
  key,
  digest,
  response,
  expiresAt,
];

function* rows(count: number) {
  for (let index = 0; index < count; index += 1) yield row(String(index).padStart(6, '0'));
}

async function load(tx: TenantTx, source: Iterable<readonly CopyValue[]> | AsyncIterable<readonly CopyValue[]>) {
  const staged = await stageRows(tx, idempotencyKeys, columns, source);
  await tx.execute(sql`insert into idempotency_keys (${staged.columns}) select ${staged.columns} from ${staged.table}`);
  return staged.count;
}

const ordered = (tx: TenantTx) =>
  tx
    .select()
    .from(idempotencyKeys)
    .where(eq(idempotencyKeys.tenantId, tenantOf(tx)))
    .orderBy(asc(idempotencyKeys.key));

describe('staged rows', () => {
  it('arrive by the thousand, from an async source, twice in one transaction', async () => {
    const tenant = freshTenant();
    async function* later() {
      yield row('z');
    }
    const counts = await withTenant(db, tenant, async (tx) => [await load(tx, rows(20_000)), await load(tx, later())]);
    expect(counts).toEqual([20_000, 1]);
    const [found] = await withTenant(db, tenant, (tx) =>
      tx.execute(sql`select count(*)::int as n from idempotency_keys`),
    );
    expect(found).toEqual({ n: 20_001 });
  });

  it('keep every character, null and JSON exactly', async () => {
    const tenant = freshTenant();
    const texts = ['tab\there', 'line\nbreak\r', 'back\\slash \\N', '', 'quote \' " ,{}', '日本🦜', '\\.'];
    await withTenant(db, tenant, (tx) =>
      load(
        tx,
        texts.map((text, index) => row(String(index), text, { text, n: [1, null] })),
      ),
    );
    const read = await withTenant(db, tenant, ordered);
    expect(read.map((r) => r.requestDigest)).toEqual(texts);
    expect(read.map((r) => r.response)).toEqual(texts.map((text) => ({ text, n: [1, null] })));
    expect(read[0]?.expiresAt).toEqual(expiresAt);
  });

  it.each([
    ['too few values', ['s', 'k']],
    ['a NUL character', row('a\0b')],
    ['an invalid date', ['s', 'k', 'd', null, new Date(Number.NaN)]],
    ['undefined', ['s', 'k', 'd', undefined as unknown as null, expiresAt]],
  ])('name the index of a row with %s, and nothing is written', async (_what, bad) => {
    const tenant = freshTenant();
    const failed = withTenant(db, tenant, (tx) => load(tx, [row('a'), row('b'), bad]));
    expect(await failureOf(failed)).toMatchObject({ code: 'invalid_input', details: { index: 2 } });
    expect(await withTenant(db, tenant, ordered)).toEqual([]);
  });

  it.each([
    ['a document with NaN', row('a', 'd', { a: Number.NaN })],
    ['a document with a bigint', row('a', 'd', { a: 1n })],
    ['a document with NUL', row('a', 'd', { a: 'x\0' })],
    ['an unpaired surrogate', row('a\ud800')],
    ['a year beyond four digits', ['s', 'k', 'd', null, new Date(Date.UTC(12_000, 1))]],
  ])('refuse %s before it is sent', async (_what, bad) => {
    const failed = withTenant(db, freshTenant(), (tx) => load(tx, [row('x'), bad]));
    expect(await failureOf(failed)).toMatchObject({ code: 'invalid_input', details: { index: 1 } });
  });

  it('give the error of the server, wherever the row that it refuses stands, and the connection is whole', async () => {
    const single = await connect({ url: database.serviceUrl, max: 1 });
    const noTime = ['s', 'k', 'd', null, 'no time'];
    const many = Array.from({ length: 50_000 }, (_, index) => row(String(index)));
    for (const source of [[noTime], [noTime, ...many], [...many, noTime, ...many], [...many, noTime]]) {
      const tenant = freshTenant();
      const failed = withTenant(single, tenant, (tx) => load(tx, source));
      expect(await failureOf(failed)).toMatchObject({ code: 'invalid_input', details: { sqlState: '22007' } });
      expect(await withTenant(single, tenant, ordered)).toEqual([]);
      expect(await withTenant(single, tenant, (tx) => load(tx, rows(10)))).toBe(10);
    }
    await single.close();
  });

  it('let the error of their source through, and the connection is whole', async () => {
    const own = new RangeError('of the source');
    async function* broken() {
      yield row('a');
      throw own;
    }
    expect(await failureOf(withTenant(db, freshTenant(), (tx) => load(tx, broken())))).toBe(own);
    const all = Array.from({ length: 6 }, () => withTenant(db, freshTenant(), ordered));
    expect(await Promise.all(all)).toEqual([[], [], [], [], [], []]);
  });

  it('cannot be read by the next tenant of the connection', async () => {
    const single = await connect({ url: database.serviceUrl, max: 1 });
    await withTenant(single, freshTenant(), (tx) => stageRows(tx, idempotencyKeys, columns, rows(3)));
    const peek = withTenant(single, freshTenant(), (tx) => tx.execute(sql.raw('select * from stage_1')));
    expect(await failureOf(peek)).toMatchObject({ code: 'internal', details: { sqlState: '42P01' } });
    await single.close();
  });
});

describe('streamed rows', () => {
  it('come in order, mapped as Drizzle maps them, over any number of batches', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      await load(tx, rows(2_500));
      for (const batchRows of [1_000, 2_500, 10_000]) {
        const keys: string[] = [];
        for await (const read of streamRows(tx, ordered, { batchRows })) {
          expect(read.expiresAt).toEqual(expiresAt);
          keys.push(read.key);
        }
        expect(keys).toEqual([...rows(2_500)].map((r) => r[1]));
      }
    });
  });

  it('take bound values, allow other statements meanwhile, and may be left early', async () => {
    const tenant = freshTenant();
    await withTenant(db, tenant, async (tx) => {
      await load(tx, rows(50));
      const from = (handle: TenantTx) =>
        handle
          .select()
          .from(idempotencyKeys)
          .where(gte(idempotencyKeys.key, '000010'))
          .orderBy(asc(idempotencyKeys.key));
      const keys: string[] = [];
      for await (const read of streamRows(tx, from, { batchRows: 5 })) {
        const [other] = await tx.execute(sql`select count(*)::int as n from idempotency_keys where key < ${read.key}`);
        keys.push(`${read.key}:${String(other?.['n'])}`);
        if (keys.length === 7) break;
      }
      expect(keys).toEqual([10, 11, 12, 13, 14, 15, 16].map((n) => `0000${n}:${n}`));
      expect(await ordered(tx)).toHaveLength(50);
    });
  });

  it('hold no other tenant', async () => {
    await withTenant(db, freshTenant(), (tx) => load(tx, rows(5)));
    await withTenant(db, freshTenant(), async (tx) => {
      for await (const read of streamRows(tx, (handle) => handle.select().from(idempotencyKeys)))
        expect(read).toBeUndefined();
    });
  });

  it('end with the transaction', async () => {
    const stream = await withTenant(db, freshTenant(), async (tx) => {
      await load(tx, rows(5));
      const iterator = streamRows(tx, ordered, { batchRows: 2 });
      await iterator.next();
      return { iterator };
    });
    const rest = (async () => {
      for await (const _ of stream.iterator);
    })();
    expect(await failureOf(rest)).toMatchObject({ code: 'failed_precondition' });
  });

  it.each([0, -1, 1.5, 10_001])('refuse a batch of %s rows', async (batchRows) => {
    const failed = withTenant(db, freshTenant(), async (tx) => {
      for await (const _ of streamRows(tx, ordered, { batchRows }));
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'invalid_input' });
  });
});
