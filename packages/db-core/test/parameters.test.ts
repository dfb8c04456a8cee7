import { failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { type SQL, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  booleanArray,
  connect,
  type Database,
  float8Array,
  int8Array,
  isDomainError,
  jsonArray,
  jsonParameter,
  newId,
  readOne,
  textArray,
  timeParameter,
  timestampArray,
  uuidArray,
} from '../src/index.ts';
import { canonicalJson } from '../src/value/strict-json.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
});
afterAll(() => db.close());

const tenant = freshTenant();

/** What the server holds, element by element, as its own text. */
async function elements(array: SQL): Promise<readonly (string | null)[]> {
  const rows = await readOne(db, tenant, (tx) =>
    tx.execute<{ element: string | null }>(
      sql`select element::text from unnest(${array}) with ordinality as u (element, n) order by n`,
    ),
  );
  return rows.map((row) => row.element);
}

async function failure(make: () => SQL): Promise<unknown> {
  return await failureOf((async () => elements(make()))());
}

describe('array parameters', () => {
  it('bring every text back as it was, null and the empty text among them', async () => {
    const values = ['', 'NULL', 'null', '"', '\\', '\\"', "it's", '{a,b}', ' a ', 'ü 😀 \u2028', 'a\nb\t', '$1', null];
    expect(await elements(textArray(values))).toEqual(values);
    const anyText = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(anyText)), async (texts) => {
        expect(await elements(textArray(texts))).toEqual(texts);
      }),
      { numRuns: 60 },
    );
  });

  it('may be empty', async () => {
    for (const make of [textArray, uuidArray, float8Array, int8Array, booleanArray, timestampArray, jsonArray]) {
      expect(await elements(make([]))).toEqual([]);
    }
  });

  it('keep every bit of a float, with NaN, both infinities and -0', async () => {
    const special = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -0,
      0,
      5e-324,
      1.797e308,
      0.1,
      null,
    ];
    const bits = (values: readonly (number | null)[]) =>
      elements(sql`(select array_agg(encode(float8send(x), 'hex') order by n)
                      from unnest(${float8Array(values)}) with ordinality as u (x, n))`);
    const hex = (value: number | null) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value ?? 0);
      return value === null ? null : bytes.toString('hex');
    };
    expect(await bits(special)).toEqual(special.map(hex));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double()), async (values) => {
        expect(await bits(values)).toEqual(values.map(hex));
      }),
      { numRuns: 60 },
    );
  });

  it('keep integers to the limits of int8, and refuse numbers that have lost theirs', async () => {
    const values = [0, -1, Number.MAX_SAFE_INTEGER, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n, null];
    expect(await elements(int8Array(values))).toEqual(values.map((value) => (value === null ? null : String(value))));
    for (const value of [0.5, Number.NaN, 2 ** 53]) {
      expect(await failure(() => int8Array([value]))).toMatchObject({ code: 'invalid_input' });
    }
    expect(await failure(() => int8Array([2n ** 63n]))).toMatchObject({ code: 'invalid_input' });
  });

  it('carry uuids, booleans, times and JSON', async () => {
    const id = newId();
    expect(await elements(uuidArray([id, null]))).toEqual([id, null]);
    expect(await elements(booleanArray([true, false, null]))).toEqual(['true', 'false', null]);
    const time = new Date('2001-01-31T23:59:59.999Z');
    const read = await elements(timestampArray([time, null]));
    expect(read.map((text) => (text === null ? null : Date.parse(text)))).toEqual([time.getTime(), null]);
    const json = { a: `it's "q" \\ ü 😀`, n: [1, null] };
    expect((await elements(jsonArray([json, null]))).map((text) => text && JSON.parse(text))).toEqual([json, null]);
    expect(await failure(() => uuidArray(['secret-value']))).toSatisfy(
      (error) => isDomainError(error, 'invalid_input') && !error.message.includes('secret'),
    );
  });

  it('unnest 10,000 floats in well under a second', async () => {
    const values = Array.from({ length: 10_000 }, (_, n) => Math.sin(n));
    await elements(float8Array([1]));
    const began = performance.now();
    const [row] = await readOne(db, tenant, (tx) =>
      tx.execute<{ n: number; sum: number }>(
        sql`select count(*)::int as n, sum(x) as sum from unnest(${float8Array(values)}) x`,
      ),
    );
    const ms = performance.now() - began;
    expect(row?.n).toBe(10_000);
    expect(ms).toBeLessThan(1_000);
  });
});

describe('single parameters', () => {
  const one = async (value: SQL): Promise<unknown> => {
    const [row] = await readOne(db, tenant, (tx) => tx.execute<{ value: unknown }>(sql`select ${value} as value`));
    return row?.value;
  };

  it('carry a time to the millisecond', async () => {
    const time = new Date('2026-03-01T12:00:00.123Z');
    expect(await one(sql`extract(epoch from ${timeParameter(time)})::text`)).toBe('1772366400.123000');
  });

  it('refuse a time that PostgreSQL cannot read', async () => {
    for (const time of [new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)]) {
      expect(() => timeParameter(time)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    }
  });

  it('carry JSON of any form, and refuse what JSON loses', async () => {
    const value = { text: `it's "q" \\ ü`, list: [1, 2.5, null, true], empty: {} };
    expect(JSON.parse(String(await one(sql`${jsonParameter(value)}::text`)))).toEqual(value);
    expect(await one(sql`jsonb_typeof(${jsonParameter(null)})`)).toBe('null');
    expect(await one(sql`jsonb_typeof(${jsonParameter('a string')})`)).toBe('string');
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const lost of [Number.NaN, { deep: [Number.POSITIVE_INFINITY] }, undefined, () => 1, 1n, cycle, new Map()]) {
      expect(() => jsonParameter(lost)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    }
    expect(() => jsonParameter('12345', 'payload', 6)).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { field: 'payload', limit: 6 } }),
    );
  });
});

describe('canonicalJson', () => {
  it('writes what RFC 8785 shows', () => {
    const numbers = [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001];
    const string = '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\u002f';
    expect(canonicalJson({ numbers, string, literals: [null, true, false] }, 'value')).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.keys(JSON.parse(canonicalJson(keys, 'value')))).toHaveLength(7);
    expect([...canonicalJson(keys, 'value').matchAll(/:(\d)/g)].map(([, n]) => n).join('')).toBe('2467153');
  });

  it('does not depend on the order of members, and means what the value means', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, inner]) => [key, reversed(inner)]),
            )
          : value;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value, 'value');
        expect(canonicalJson(reversed(value), 'value')).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
