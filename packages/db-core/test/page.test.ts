import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toTenantId } from '../src/context/tenant-id.ts';
import { DomainError } from '../src/errors.ts';
import { defineFilterFields, numberField, uuidField } from '../src/filter/filter-fields.ts';
import { connect, type Database, readOne } from '../src/index.ts';
import { PAGING_LIMITS } from '../src/limits.ts';
import { encodeCursor } from '../src/paging/cursor.ts';
import { type SortValues, stretchesAfter } from '../src/paging/keyset.ts';
import { defineList } from '../src/paging/list.ts';
import { defineOrder, type OrderInput, readOrder } from '../src/paging/order.ts';
import { type Page, planPage } from '../src/paging/plan-page.ts';
import { readPage } from '../src/paging/read-page.ts';
import {
  createFilterTables,
  type ExampleRun,
  type FilterDatabase,
  openFilterDatabase,
  runId,
  writeRuns,
} from './filter-database.ts';
import { metrics, runFields, runs } from './filter-example.ts';

const database = useTestDatabase();
let db: FilterDatabase;
let service: Database;
beforeAll(async () => {
  db = openFilterDatabase(database.ownerUrl);
  await db.$client.unsafe(createFilterTables);
  await db.execute(sql`grant select on filter_runs, filter_tags, filter_params, filter_latest_metrics to app_tenant`);
  service = await connect({ url: database.serviceUrl, max: 4 });
});
afterAll(async () => {
  await service.close();
  await db.$client.end();
});

const runOrder = defineOrder({
  fields: runFields,
  byDefault: [{ field: 'createdAt', direction: 'desc' }],
  tieBreaker: uuidField(runs.id),
});

interface Search {
  readonly filter?: string;
  readonly orderBy?: OrderInput<typeof runFields>;
  readonly limit?: number;
  readonly cursor?: string | undefined;
  readonly list?: string;
}

const runList = defineList({
  name: 'runs',
  from: runs,
  columns: { name: runs.name, id: runs.id, score: runs.score },
  order: runOrder,
});
const otherList = defineList({ name: 'others', from: runs, columns: getTableColumns(runs), order: runOrder });

/** A search function as a package writes it. */
function searchRuns(
  tenant: string,
  { list, ...input }: Search,
  client = service,
): Promise<Page<{ name: string; id: string }>> {
  return readOne(client, tenant, (tx) =>
    list === undefined ? readPage(tx, runList, input) : readPage(tx, otherList, input),
  );
}

async function walk(tenant: string, input: Search): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const got = await searchRuns(tenant, { ...input, cursor });
    expect(got.items.length).toBeGreaterThan(0);
    ids.push(...got.items.map(({ name }) => name));
    cursor = got.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

async function refusal(work: () => unknown): Promise<DomainError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const named = (runsToName: readonly Omit<ExampleRun, 'name'>[]): ExampleRun[] =>
  runsToName.map((run, index) => ({ ...run, name: `r${index}` }));

describe('the order of rows', () => {
  const numbers = [null, Number.NaN, Infinity, -Infinity, -1000, 0, 0, 1000];
  const tenant = freshTenant();
  beforeAll(() =>
    writeRuns(
      db,
      tenant,
      numbers.map((score) => ({ name: String(score), score, ...(score === null ? {} : { metrics: { x: score } }) })),
    ),
  );

  it.each(['score', 'metrics.x', 'metric.`x`'])(
    'by %s has NaN and then missing values last both ways',
    async (field) => {
      for (const limit of [1, 2, 3, 8, 100]) {
        expect(await walk(tenant, { orderBy: field, limit })).toEqual([
          '-Infinity',
          '-1000',
          '0',
          '0',
          '1000',
          'Infinity',
          'NaN',
          'null',
        ]);
        expect(await walk(tenant, { orderBy: `${field} DESC`, limit })).toEqual([
          'Infinity',
          '1000',
          '0',
          '0',
          '-1000',
          '-Infinity',
          'NaN',
          'null',
        ]);
      }
    },
  );

  it('is read from text in any case and from terms alike', () => {
    const canonical = (input: OrderInput<typeof runFields>) => readOrder(runOrder, input).canonical;
    expect(canonical('name asc, metrics.`avg score` Desc,created_at')).toEqual(
      canonical([
        { field: 'name' },
        { field: 'metrics', key: 'avg score', direction: 'desc' },
        { field: 'createdAt', direction: 'asc' },
      ]),
    );
    expect(canonical('')).toEqual([['createdAt', 'desc']]);
  });

  it.each([
    ['nome', 0],
    ['name,', 5],
    ['name DOWN', 5],
    ['name ASC DESC', 9],
    ['name created_at', 5],
    ['name, name DESC', 6],
    ['params.p', 0],
    ['name; drop table x', 4],
    ['name, note, stage, steps, score, created_at', 33],
    ['5', 0],
    ["'name'", 0],
  ])('%s is no order', async (orderBy, offset) => {
    const { code, details } = await refusal(() => readOrder(runOrder, orderBy));
    expect(code).toBe('invalid_input');
    expect(details).toMatchObject({ offset, line: 1 });
  });

  it('does not compile with a wrong field or direction, and is refused', async () => {
    // @ts-expect-error there is no such field
    expect((await refusal(() => readOrder(runOrder, [{ field: 'nome' }]))).details['path']).toBe('[0]');
    // @ts-expect-error a map needs a key
    expect((await refusal(() => readOrder(runOrder, [{ field: 'metrics' }]))).details['path']).toBe('[0]');
    // @ts-expect-error there is no such direction
    const down = await refusal(() => readOrder(runOrder, [{ field: 'name', direction: 'down' }]));
    expect(down.details['path']).toBe('[0].direction');
  });
});

describe('pages', () => {
  it('together are the whole list, in order, for any order, filter and limit', async () => {
    const tenant = freshTenant();
    const some = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
    const [examples = []] = fc.sample(
      fc.array(
        fc.record({
          note: some(null, 'a', 'B', 'ä'),
          steps: some(1, 2),
          score: some(null, 0.1 + 0.2, 0.3, 5e-324, 1.7976931348623157e308, Number.NaN, -Infinity),
          createdAt: some('2001-01-01 00:00:00.000001Z', '2001-01-01 00:00:00.000002Z', '1999-12-31 23:59:59.999999Z'),
        }),
        { minLength: 40, maxLength: 40 },
      ),
      { numRuns: 1, seed: 7 },
    );
    await writeRuns(db, tenant, named(examples));

    const field = some('note', 'steps', 'score', 'created_at', 'run_id', 'name');
    const terms = fc.uniqueArray(field, { minLength: 1, maxLength: 4 });
    const flags = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        terms,
        flags,
        fc.integer({ min: 1, max: 45 }),
        some('', 'steps = 1'),
        async (by, down, limit, filter) => {
          const orderBy = by.map((name, index) => `${name} ${down[index] === true ? 'DESC' : 'ASC'}`).join(', ');
          const all = await searchRuns(tenant, { orderBy, filter, limit: 1_000 });
          expect(all.items.length).toBeGreaterThan(10);
          expect(await walk(tenant, { orderBy, filter, limit })).toEqual(all.items.map(({ name }) => name));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('end without a cursor where the last one is exactly full, and where there is none', async () => {
    const tenant = freshTenant();
    await writeRuns(db, tenant, named(Array.from({ length: 5 }, () => ({}))));
    const first = await searchRuns(tenant, { limit: 3 });
    const second = await searchRuns(tenant, { limit: 3, cursor: first.nextCursor });
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([3, 2, undefined]);
    expect((await searchRuns(tenant, { limit: 5 })).nextCursor).toBeUndefined();
    expect(await searchRuns(freshTenant(), {})).toEqual({ items: [], nextCursor: undefined });
  });

  it('neither skip nor repeat a row while others are inserted before and after the cursor', async () => {
    const tenant = freshTenant();
    const at = (ms: number) => new Date(Date.UTC(2001, 0, 1) + ms).toISOString();
    await writeRuns(db, tenant, named(Array.from({ length: 60 }, (_, index) => ({ createdAt: at(index % 20) }))));
    const before = (await searchRuns(tenant, { limit: 1_000 })).items.map(({ id }) => id);

    const other = openFilterDatabase(database.ownerUrl);
    let number = 1_000;
    // Every millisecond of the list gets a new row: before the cursor, at it and after it.
    const insertEverywhere = () =>
      Promise.all(
        Array.from({ length: 20 }, (_, ms) => {
          number += 1;
          return other.$client`
            insert into filter_runs values (${tenant}, ${runId(number)}, 'new', null, 'staging', 0, null,
              ${at(ms)}::text::timestamptz)`;
        }),
      );
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages === 0 || cursor !== undefined; pages += 1) {
      const inserts = pages < 12 ? insertEverywhere() : undefined;
      const got = await searchRuns(tenant, { limit: 7, cursor });
      await inserts;
      seen.push(...got.items.map(({ id }) => id));
      cursor = got.nextCursor;
    }
    await other.$client.end();

    expect(seen.length).toBeGreaterThan(before.length);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.includes(id))).toEqual(before);
  });

  it('go on in a session of another time zone', async () => {
    const tenant = freshTenant();
    const micros = ['000001', '000002', '000003'].map((digits) => ({ createdAt: `2001-01-01T00:00:00.${digits}Z` }));
    await writeRuns(db, tenant, named(micros));
    const { nextCursor } = await searchRuns(tenant, { limit: 2 });
    const options = encodeURIComponent('-c timezone=Asia/Kathmandu');
    const elsewhere = await connect({ url: `${database.serviceUrl}?options=${options}` });
    const zones = await readOne(elsewhere, tenant, (tx) => tx.execute(sql`select current_setting('timezone') as zone`));
    expect(zones[0]).toEqual({ zone: 'Asia/Kathmandu' });
    const rest = await searchRuns(tenant, { limit: 2, cursor: nextCursor }, elsewhere);
    expect(rest.items.map(({ name }) => name)).toEqual(['r0']);
    await elsewhere.close();
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, PAGING_LIMITS.maxLimit + 1, '5', null])(
    'refuse the limit %s',
    async (limit) => {
      const { code, message, details } = await refusal(() => searchRuns('t', { limit: limit as number }));
      expect({ code, details }).toEqual({
        code: 'invalid_input',
        details: { field: 'limit', limit: PAGING_LIMITS.maxLimit },
      });
      expect(message).toContain(String(PAGING_LIMITS.maxLimit));
    },
  );

  it('are found by a range of the index, however far the cursor is', async () => {
    const tenant = freshTenant();
    // What other tests left would count in the statistics.
    await db.execute(sql`truncate filter_runs`);
    await db.execute(sql`
      insert into filter_runs select ${tenant}::text, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'x', null,
        'staging', 0, nullif(n % 100, 0) / 100.0, timestamptz '2001-01-01Z' + n * interval '1 second' from generate_series(1, 20000) n`);
    await db.execute(sql`analyze filter_runs`);
    const planOf = async (orderBy: string, values?: SortValues, part = 0) => {
      const stretch = stretchesAfter(readOrder(runOrder, orderBy).terms, values)[part];
      const statement = db
        .select({ id: runs.id })
        .from(runs)
        .where(and(eq(runs.tenantId, tenant), stretch?.condition))
        .orderBy(...(stretch?.orderBy ?? []))
        .limit(100);
      const plan = await db.transaction(async (tx) => {
        // 200 missing values among 20,000 rows would be sorted as cheaply as read in order.
        await tx.execute(sql`set local enable_bitmapscan = off`);
        return await tx.execute(sql`explain (format json) ${statement}`);
      });
      return JSON.stringify(plan);
    };
    const time = '2001-01-01 03:00:00+00';
    for (const orderBy of ['created_at', 'created_at DESC']) {
      const plan = await planOf(orderBy, [time, runId(10_800)]);
      expect(plan).toMatch(/"Index Cond":"[^"]*ROW\(created_at, id\) [<>] ROW\(/);
      expect(plan).not.toMatch(/"Sort"|"Filter"/);
    }
    // Values, then NaN, then missing values: each a range of the index, in both directions and from the first page on.
    for (const [orderBy, kinds] of [
      ['score', ['IS NOT NULL', 'IS NULL']],
      ['score DESC', ["< 'NaN'", "= 'NaN'", 'IS NULL']],
    ] as const) {
      for (const [part, kind] of kinds.entries()) {
        const plan = await planOf(orderBy, undefined, part);
        expect(plan).toMatch(new RegExp(`"Index Cond":"[^"]*score ${kind}`));
        expect(plan).not.toMatch(/"Sort"|"Filter"/);
      }
      const after = await planOf(orderBy, ['0.5', runId(10_800)]);
      expect(after).toMatch(/"Index Cond":"[^"]*ROW\(score, id\) [<>] ROW\(/);
      expect(after).not.toMatch(/"Sort"|"Filter"/);
      const missing = await planOf(orderBy, [null, runId(10_800)]);
      expect(missing).toMatch(/"Index Cond":"[^"]*score IS NULL/);
      expect(missing).not.toMatch(/"Sort"/);
    }
    // A map's value is read from the index of the child table, and the rows by their keys.
    await db.execute(sql`truncate filter_latest_metrics`);
    await db.execute(sql`
      insert into filter_latest_metrics select tenant_id, id, 'x', score from filter_runs where score is not null`);
    await db.execute(sql`
      create index if not exists filter_latest_metrics_value on filter_latest_metrics (tenant_id, key, value, run_id)`);
    await db.execute(sql`analyze filter_latest_metrics`);
    for (const direction of ['asc', 'desc']) {
      const orderBy = `metrics.x ${direction}`;
      const { nextCursor } = await searchRuns(tenant, { orderBy, limit: 1_000 });
      for (const cursor of [undefined, nextCursor]) {
        const { text, parameters } = planPage(runList, toTenantId(tenant), { orderBy, limit: 100, cursor });
        const plan = JSON.stringify(await db.$client.unsafe(`explain (format json) ${text}`, parameters as string[]));
        expect(plan).toMatch(/"Index Name":"filter_latest_metrics_value"/);
        if (cursor !== undefined) expect(plan).toMatch(/"Index Cond":"[^"]*ROW\(value, run_id\) [<>] ROW\(/);
      }
    }
    const mixed = await planOf('created_at DESC, name', [time, 'x', runId(10_800)]);
    expect(mixed).toMatch(/"Index Cond":"[^"]*created_at <= /);
  });
});

describe('a list', () => {
  const lossOrder = defineOrder({
    fields: defineFilterFields({ id: uuidField(runs.id), loss: numberField(sql`${metrics.value}`) }),
    byDefault: [{ field: 'loss', direction: 'desc' }],
    tieBreaker: uuidField(runs.id),
  });
  const lossList = defineList({
    name: 'losses',
    from: runs,
    joins: sql`left join ${metrics} on ${metrics.tenantId} = ${runs.tenantId} and ${metrics.runId} = ${runs.id}
                                   and ${metrics.key} = 'loss'`,
    columns: { id: runs.id, name: runs.name, stage: runs.stage },
    where: sql`${runs.stage} <> 'archived'`,
    order: lossOrder,
    toItem: ({ name, stage }) => `${name} in ${stage}`,
  });

  it('is ordered by what is joined, keeps its condition, and makes its items', async () => {
    const tenant = freshTenant();
    const losses = [0.5, Number.NaN, undefined, Infinity, -Infinity, 0.25, undefined, 0.5];
    await writeRuns(
      db,
      tenant,
      named([
        ...losses.map((loss) => (loss === undefined ? {} : { metrics: { loss, other: 7 } })),
        { stage: 'archived', metrics: { loss: 0.3 } },
      ]),
    );
    for (const limit of [1, 2, 3, 100]) {
      const read = (orderBy?: string) => {
        const names: string[] = [];
        const next = async (cursor?: string): Promise<readonly string[]> => {
          const page = await readOne(service, tenant, (tx) => readPage(tx, lossList, { orderBy, limit, cursor }));
          names.push(...page.items.map((item) => item.replace(' in development', '')));
          return page.nextCursor === undefined ? names : await next(page.nextCursor);
        };
        return next();
      };
      expect(await read()).toEqual(['r3', 'r7', 'r0', 'r5', 'r4', 'r1', 'r6', 'r2']);
      expect(await read('loss')).toEqual(['r4', 'r5', 'r0', 'r7', 'r3', 'r1', 'r2', 'r6']);
    }
  });

  it('is read within a part of it, to which the cursors are bound', async () => {
    const tenant = freshTenant();
    await writeRuns(db, tenant, named([{ steps: 1 }, { steps: 2 }, { steps: 1 }, { steps: 2 }]));
    const ofSteps = (steps: number, cursor?: string) =>
      readOne(service, tenant, (tx) =>
        readPage(tx, runList, { limit: 1, cursor, within: { condition: eq(runs.steps, steps), of: [steps] } }),
      );
    const first = await ofSteps(1);
    const second = await ofSteps(1, first.nextCursor);
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['r2', 'r0']);
    expect(second.nextCursor).toBeUndefined();
    expect((await refusal(() => ofSteps(2, first.nextCursor))).message).toContain('belongs to another query');
  });
});

describe('a cursor', () => {
  const tenant = freshTenant();
  let cursor = '';
  beforeAll(async () => {
    await writeRuns(db, tenant, named([{}, {}, {}]));
    cursor = (await searchRuns(tenant, { limit: 1, filter: 'steps < 5' })).nextCursor ?? '';
  });
  const useOf = (given: string, input: Search = {}, of = tenant) =>
    refusal(() => searchRuns(of, { limit: 1, filter: 'steps < 5', ...input, cursor: given }));

  it('is safe in a URL and names neither tenant nor filter', () => {
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(Buffer.from(cursor, 'base64url').toString()).not.toContain(tenant);
  });

  it('goes on with the same query written differently, and with another limit', async () => {
    const filter = ' ( attributes.`steps`<5.0 ) ';
    const got = await searchRuns(tenant, {
      limit: 2,
      filter,
      orderBy: [{ field: 'createdAt', direction: 'desc' }],
      cursor,
    });
    expect(got.items).toHaveLength(2);
  });

  it('of another tenant, list, filter or order is refused in the same words', async () => {
    const errors = [
      await useOf(cursor, {}, freshTenant()),
      await useOf(cursor, { filter: 'steps < 6' }),
      await useOf(cursor, { filter: '' }),
      await useOf(cursor, { orderBy: 'created_at' }),
      await useOf(cursor, { list: 'others' }),
    ];
    for (const { code, message, details } of errors) {
      expect({ code, details }).toEqual({ code: 'invalid_input', details: { field: 'cursor' } });
      expect(message).toBe('The cursor belongs to another query; keep filter, order and what is listed as they were.');
    }
  });

  it('tells filters apart that JSON would not', async () => {
    const first = await searchRuns(tenant, { limit: 1, filter: 'score != NaN OR score IS NULL' });
    expect(first.nextCursor).toBeDefined();
    const error = await useOf(first.nextCursor ?? '', { filter: 'score != Infinity OR score IS NULL' });
    expect(error.message).toContain('belongs to another query');
  });

  it('that is damaged in any way is refused', async () => {
    const damaged = [
      '',
      'x',
      '=',
      'é',
      `${cursor}=`,
      `${cursor} `,
      cursor.slice(0, -4),
      cursor.slice(4),
      cursor + cursor,
      Buffer.from('[]').toString('base64url'),
      Buffer.from('null').toString('base64url'),
      Buffer.from('[1]').toString('base64url'),
      Buffer.from('[1,"a","b",{}]').toString('base64url'),
      Buffer.from('[2,"a","b"]').toString('base64url'),
      'A'.repeat(PAGING_LIMITS.cursorLength + 1),
      Buffer.from('['.repeat(30_000)).toString('base64url'),
    ];
    for (const given of damaged) {
      const { code, details } = await useOf(given);
      expect({ code, details }).toEqual({ code: 'invalid_input', details: { field: 'cursor' } });
    }
    expect((await useOf(5 as unknown as string)).code).toBe('invalid_input');
    // Base64 leaves up to four bits of the last character unused: there two texts are one cursor.
    for (let at = 0; at < cursor.length - 1; at += 1) {
      const changed = cursor.slice(0, at) + (cursor.charAt(at) === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      expect((await useOf(changed)).code).toBe('invalid_input');
    }
  });

  it('that was forged with values of a wrong type never reaches the server', async () => {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const fingerprint = Array.isArray(parts) ? String(parts[1]) : '';
    const id = runId(1);
    const time = '2001-01-01 00:00:00+00';
    for (const values of [
      ['x', id],
      [time, 'x'],
      [null, id],
      [time],
      [time, id, id],
      ['2001-13-01 00:00:00+00', id],
      [],
    ]) {
      expect((await useOf(encodeCursor(fingerprint, values))).code).toBe('invalid_input');
    }
  });
});
