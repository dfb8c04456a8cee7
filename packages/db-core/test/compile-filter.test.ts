import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { and, eq } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFilter } from '../src/filter/check-filter.ts';
import { compileFilter } from '../src/filter/compile-filter.ts';
import type { FilterComparison, FilterNode, FilterValue } from '../src/filter/filter-node.ts';
import { parseFilter } from '../src/filter/parse-filter.ts';
import {
  createFilterTables,
  type ExampleRun,
  type FilterDatabase,
  openFilterDatabase,
  writeRuns,
} from './filter-database.ts';
import { runFields, runs } from './filter-example.ts';

const database = useTestDatabase({ migrated: false });
let db: FilterDatabase;
beforeAll(async () => {
  db = openFilterDatabase(database.ownerUrl);
  await db.$client.unsafe(createFilterTables);
});
afterAll(() => db.$client.end());

async function namesOf(tenant: string, filter: FilterNode | string): Promise<readonly string[]> {
  const checked = typeof filter === 'string' ? parseFilter(runFields, filter) : checkFilter(runFields, filter);
  const rows = await db
    .select({ name: runs.name })
    .from(runs)
    .where(and(eq(runs.tenantId, tenant), compileFilter(runFields, checked)))
    .orderBy(runs.id);
  return rows.map(({ name }) => name);
}

describe('what a filter finds', () => {
  const tenant = freshTenant();
  beforeAll(async () => {
    await writeRuns(db, tenant, [
      { name: 'a', note: 'x', score: 1, steps: 1, tags: { owner: 'b' }, params: { p: 'x' }, metrics: { m_b: 4 } },
      { name: 'b', note: 'y', score: Number.NaN, steps: 2, params: { p: 'y' }, metrics: { m_b: Number.NaN } },
      { name: 'c', note: null, score: null, steps: 3, metrics: { m_b: 8, 'avg model score': 0.9 } },
      { name: 'd', note: '100% Other_1', score: -Infinity, steps: 4, tags: { 'a.b c': "it's" } },
      {
        name: 'e',
        note: '100 other\\',
        score: Infinity,
        steps: 5,
        stage: 'production',
        createdAt: '2001-02-03 04:05:06.123456Z',
      },
    ]);
    await writeRuns(db, freshTenant(), [{ name: 'foreign', tags: { owner: 'b' } }]);
  });

  it.each([
    ['', 'abcde'],
    ["name = 'a' OR name = 'e' AND NOT steps = 5", 'a'],
    ["name IN ('a', 'e', 'A')", 'ae'],
    ["name NOT IN ('a', 'e')", 'bcd'],
    ["run_id IN ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000009')", 'b'],
    ["run_id != '00000000-0000-7000-8000-000000000002'", 'acde'],
    // Missing attributes are unknown.
    ["note != 'x'", 'bde'],
    ["NOT note = 'x'", 'bde'],
    ["note NOT IN ('x')", 'bde'],
    ['note IS NULL', 'c'],
    ['note IS NOT NULL', 'abde'],
    // Missing keys are not.
    ["params.p != 'x'", 'b'],
    ["NOT params.p = 'x'", 'bcde'],
    ["params.p NOT IN ('x')", 'b'],
    ["params.p NOT LIKE 'x'", 'b'],
    ['params.p IS NULL', 'cde'],
    ['params.p IS NOT NULL', 'ab'],
    ["tags.`a.b c` = 'it''s'", 'd'],
    ["tags.owner = 'b'", 'a'],
    ['metrics.`avg model score` > 0.5', 'c'],
    // A filter sees the latest value only, and NaN is greater than nothing.
    ['metrics.m_b > 5', 'c'],
    ['metrics.m_b = 4', 'a'],
    ['metrics.m_b != 4', 'bc'],
    ['metrics.m_b = NaN', 'b'],
    ['metrics.m_b IN (NaN, 8)', 'bc'],
    ['score > 0', 'ae'],
    ['score >= Infinity', 'e'],
    ['score < 0', 'd'],
    ['score <= 1', 'ad'],
    ['score = -Infinity', 'd'],
    ['NOT score > 0', 'bd'],
    ['steps > 1.5 AND steps < 4.5', 'bcd'],
    ['steps < Infinity', 'abcde'],
    ['steps IN (1, 2.5, 5)', 'ae'],
    // A pattern is standard SQL.
    ["note LIKE '%Other%'", 'd'],
    ["note ILIKE '%OTHER%'", 'de'],
    ["note LIKE '100\\% %'", 'd'],
    ["note LIKE '%r_1'", 'd'],
    ["note LIKE '%r\\_1'", 'd'],
    ["note LIKE '%\\\\'", 'e'],
    ["note NOT ILIKE '100%'", 'ab'],
    ["stage = 'PRODUCTION'", 'e'],
    ["stage IN ('staging', 'production')", 'e'],
    ["created_at = '2001-02-03T05:05:06.123456+01:00'", 'e'],
    ["created_at > '2001-02-03T04:05:06.123455Z'", 'e'],
    ["created_at > '2001-02-03T04:05:06.123456Z'", ''],
    ["created_at IN ('2001-01-01')", 'abcd'],
  ])('%s', async (filter, names) => {
    expect((await namesOf(tenant, filter)).join('')).toBe(names);
  });
});

describe('the SQL of a filter', () => {
  it('holds no value and no key: all are bound', () => {
    const text = `name = 'secret1' AND tags.\`secret2\` LIKE 'secret3' AND run_id IN ('00000000-0000-7000-8000-000000000002')
      AND steps > 424242 AND created_at < '2042-01-01' AND metrics.secret4 IN (434343)`;
    const { sql, params } = new PgDialect().sqlToQuery(compileFilter(runFields, parseFilter(runFields, text)));
    expect(sql).not.toMatch(/secret|00000000|4242|2042|4343/);
    expect(params).toHaveLength(8);
  });

  it('binds a list as one parameter, so that the largest filter is far from the limit of the protocol', async () => {
    const list = Array.from({ length: 1_000 }, (_, index) => index).join(',');
    const filter = Array.from({ length: 100 }, () => `steps IN (${list})`).join(' OR ');
    const compiled = compileFilter(
      runFields,
      parseFilter(runFields, filter.slice(0, 60_000).replace(/ OR [^)]*$/, '')),
    );
    expect(new PgDialect().sqlToQuery(compiled).params.length).toBeLessThan(20);
    await db.select().from(runs).where(compiled);
  });

  it('survives hostile values', async () => {
    const tenant = freshTenant();
    const hostile: readonly string[] = [
      `'; drop table filter_runs; --`,
      '{"a",b}',
      'NULL',
      '\\',
      '"',
      '',
      '${1}',
      '$1',
      "\\'",
    ];
    await writeRuns(
      db,
      tenant,
      hostile.map((name) => ({ name, tags: { [name]: name } })),
    );
    for (const name of hostile) {
      const filter = {
        and: [
          { field: 'name', op: 'in', value: [name, 'other'] },
          ...(name === '' ? [] : [{ field: 'tags', key: name, op: '=', value: name } as const]),
        ],
      } as const satisfies FilterNode;
      expect(await namesOf(tenant, filter)).toEqual([name]);
    }
  });
});

describe('property', () => {
  const words = ['x', 'X', 'y', '%', 'x%', '_', ''];
  const numbers = [0, 1, -1, 0.5, Infinity, -Infinity, Number.NaN];
  const some = <Value>(values: readonly Value[]) => fc.constantFrom(...values);
  const record = <Value>(values: readonly Value[]) => fc.dictionary(some(['k', 'k 2']), some(values), { maxKeys: 2 });

  const example: fc.Arbitrary<ExampleRun> = fc.record({
    name: some(words),
    note: fc.option<string, null>(some(words), { nil: null }),
    stage: some(['staging', 'production']),
    steps: some([0, 1, 2]),
    score: fc.option<number, null>(some(numbers), { nil: null }),
    tags: record(words),
    metrics: record(numbers),
  });
  const op = {
    text: some([
      '=',
      '!=',
      'like',
      'ilike',
      'not like',
      'not ilike',
      'in',
      'not in',
      'is null',
      'is not null',
    ] as const),
    number: some(['=', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'is null', 'is not null'] as const),
  };
  const valued = (
    node: Omit<FilterComparison, 'value'>,
    one: FilterValue,
    list: readonly FilterValue[],
  ): FilterComparison => (node.op.startsWith('is') ? node : { ...node, value: node.op.endsWith('in') ? list : one });
  const patterns = words.filter((word) => word !== '\\');
  const leaf: fc.Arbitrary<FilterComparison> = fc.oneof(
    fc
      .tuple(
        some([{ field: 'name' }, { field: 'note' }, { field: 'tags', key: 'k' }, { field: 'tags', key: 'k 2' }]),
        op.text,
      )
      .chain(([left, operator]) =>
        fc
          .tuple(some(patterns), fc.array(some(words), { minLength: 1, maxLength: 2 }))
          .map(([one, list]) => valued({ ...left, op: operator }, one, list)),
      ),
    fc
      .tuple(some([{ field: 'steps' }, { field: 'score' }, { field: 'metrics', key: 'k' }]), op.number)
      .chain(([left, operator]) =>
        fc
          .tuple(
            some(/[<>]/.test(operator) ? numbers.slice(0, -1) : numbers),
            fc.array(some(numbers), { minLength: 1, maxLength: 2 }),
          )
          .map(([one, list]) => valued({ ...left, op: operator }, one, list)),
      ),
  );
  const { node } = fc.letrec<{ node: FilterNode }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      leaf,
      tie('node').map((not) => ({ not })),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((parts) => ({ and: parts })),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((parts) => ({ or: parts })),
    ),
  }));

  it('a filter finds what the same filter finds in memory', async () => {
    for (const examples of fc.sample(fc.array(example, { minLength: 12, maxLength: 12 }), { numRuns: 3, seed: 5 })) {
      const tenant = freshTenant();
      const named = examples.map((run, index) => ({ ...run, steps: index % 3 }));
      await writeRuns(db, tenant, named);
      await fc.assert(
        fc.asyncProperty(node, async (filter) => {
          const expected = named.filter((run) => holds(run, filter) === true).map((run) => run.name);
          expect(await namesOf(tenant, filter)).toEqual(expected);
        }),
        { numRuns: 150 },
      );
    }
  });
});

/** The meaning of a filter as documented: null is unknown. */
function holds(run: ExampleRun, node: FilterNode): boolean | null {
  if ('and' in node) return every(node.and.map((part) => holds(run, part)));
  if ('or' in node) return negate(every(node.or.map((part) => negate(holds(run, part)))));
  if ('not' in node) return negate(holds(run, node.not));
  const left = run[node.field as keyof ExampleRun] ?? null;
  if (node.key === undefined) return compares(left as FilterValue | null, node);
  const value = (left as Readonly<Record<string, FilterValue>> | null)?.[node.key] ?? null;
  return node.op.startsWith('is') ? compares(value, node) : value !== null && compares(value, node) === true;
}

const every = (parts: readonly (boolean | null)[]): boolean | null =>
  parts.includes(false) ? false : parts.includes(null) ? null : true;
const negate = (truth: boolean | null): boolean | null => (truth === null ? null : !truth);

function compares(left: FilterValue | null, { op, value }: FilterComparison): boolean | null {
  if (op === 'is null') return left === null;
  if (op === 'is not null') return left !== null;
  if (left === null) return null;
  const same = (right: unknown) => left === right || (Number.isNaN(left) && Number.isNaN(right));
  if (typeof value === 'object') return value.some(same) === (op === 'in');
  const like = (flags: string) =>
    new RegExp(`^${String(value).replaceAll('%', '.*').replaceAll('_', '.')}$`, `s${flags}`).test(String(left));
  switch (op) {
    case '=':
      return same(value);
    case '!=':
      return !same(value);
    case 'like':
    case 'not like':
      return like('') === (op === 'like');
    case 'ilike':
    case 'not ilike':
      return like('i') === (op === 'ilike');
    default: {
      const right = value as number;
      if (op === '<') return (left as number) < right;
      if (op === '<=') return (left as number) <= right;
      return op === '>' ? (left as number) > right : (left as number) >= right;
    }
  }
}
