import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { type MaintainPartitionsOptions, maintainPartitions } from '../src/partitions/maintain-partitions.ts';
import { freshDatabase, query, value } from './run-support.ts';

const now = new Date('2026-05-20T12:00:00Z');

const partitioned = (table: string) => `
create table ${table} (
  tenant_id text not null default current_setting('app.tenant'),
  id uuid not null, value int not null, doubled int generated always as (value * 2) stored,
  constraint ${table}_pk primary key (tenant_id, id)) partition by range (id);
create table ${table}_default partition of ${table} default;
alter table ${table} enable row level security;
alter table ${table} force row level security;
alter table ${table}_default enable row level security;
alter table ${table}_default force row level security;
create policy ${table}_tenant_policy on ${table} for all to public
  using (tenant_id = (select nullif(current_setting('app.tenant', true), '')))
  with check (tenant_id = (select nullif(current_setting('app.tenant', true), '')));`;

async function databaseWith(...tables: string[]): Promise<string> {
  const url = await freshDatabase();
  await query(url, tables.map(partitioned).join(''));
  return url;
}

const idAt = (time: string) => {
  const hex = new Date(time).getTime().toString(16).padStart(12, '0');
  const random = randomBytes(8).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(4)}`;
};

const insert = (tenant: string, table: string, times: readonly string[]) =>
  `select set_config('app.tenant', '${tenant}', false); ${times.map((time, n) => `insert into ${table} (id, value) values ('${idAt(time)}', ${n});`).join('')}`;

const maintain = (url: string, options: Partial<MaintainPartitionsOptions> = {}) =>
  maintainPartitions({ url, now, monthsAhead: 1, ...options });

/** Name, enabled, forced, and whether anyone has rights, of all partitions. */
const partitions = async (url: string, table: string) =>
  (
    await query(
      url,
      `select c.relname || case when c.relrowsecurity and c.relforcerowsecurity and c.relacl is null then '' else ' open' end as name
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = '${table}'::regclass order by c.relname`,
    )
  ).map(({ name }) => name);

const rowsOf = (url: string, tenant: string, table: string) =>
  query(
    url,
    `select set_config('app.tenant', '${tenant}', false); select tableoid::regclass::text as part, value, doubled from ${table} order by id`,
  ).then((results) => results[1]);

test('makes the months ahead of every table, each forced and without grants, and nothing the second time', async () => {
  const url = await databaseWith('events', 'predictions');
  const report = await maintain(url, { monthsAhead: 2 });
  expect(report.made).toEqual([
    ...['events_2026_05', 'events_2026_06', 'events_2026_07'],
    ...['predictions_2026_05', 'predictions_2026_06', 'predictions_2026_07'],
  ]);
  expect(await partitions(url, 'events')).toEqual([
    'events_2026_05',
    'events_2026_06',
    'events_2026_07',
    'events_default',
  ]);
  expect(await maintain(url, { monthsAhead: 2 })).toMatchObject({ made: [], movedRows: 0, dropped: [], busy: [] });
  expect((await maintain(url, { now: new Date('2026-12-31T23:59:59Z') })).made).toContain('events_2027_01');
});

test('is safe from several schedulers at once: each partition is made by one of them', async () => {
  const url = await databaseWith('events');
  await query(url, insert('a', 'events', ['2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z']));
  const reports = await Promise.all(Array.from({ length: 4 }, () => maintain(url)));
  expect(reports.flatMap(({ made }) => made)).toEqual([
    'events_2024_02',
    'events_2024_03',
    'events_2026_05',
    'events_2026_06',
  ]);
});

test('empties the default partition into months of their own, for all tenants, and no row is lost', async () => {
  const url = await databaseWith('events');
  const times = ['2026-05-31T23:59:59.999Z', '2026-06-01T00:00:00Z', '2031-01-15T00:00:00Z', '2001-01-01T00:00:00Z'];
  await query(url, insert('a', 'events', times));
  await query(url, insert('b', 'events', times.slice(0, 1)));
  expect(await maintain(url)).toMatchObject({
    made: ['events_2001_01', 'events_2026_05', 'events_2026_06', 'events_2031_01'],
    movedRows: 5,
  });
  expect(await rowsOf(url, 'a', 'events')).toEqual([
    { part: 'events_2001_01', value: 3, doubled: 6 },
    { part: 'events_2026_05', value: 0, doubled: 0 },
    { part: 'events_2026_06', value: 1, doubled: 2 },
    { part: 'events_2031_01', value: 2, doubled: 4 },
  ]);
  expect(await rowsOf(url, 'b', 'events')).toHaveLength(1);
  expect(await rowsOf(url, '', 'events')).toEqual([]);
  expect(await partitions(url, 'events')).not.toContainEqual(expect.stringContaining('open'));
  expect(await value(url, `select pg_relation_size('events_default')::int`)).toBe(0);
});

test('waits for a transaction that holds the table, tries again, and finds the row that came meanwhile', async () => {
  const url = await databaseWith('events');
  const other = postgres(url, { max: 1, onnotice: () => {} });
  onTestFinished(() => other.end());
  await other.unsafe(`begin; ${insert('a', 'events', ['2026-06-10T00:00:00Z'])}`);
  let retries = 0;
  const report = await maintain(url, {
    lockTimeoutMs: 50,
    onRetry: () => {
      retries += 1;
      if (retries === 2) void other.unsafe('commit').execute();
    },
  });
  expect(report).toMatchObject({ made: ['events_2026_06', 'events_2026_05'], movedRows: 1, busy: [] });
  expect(retries).toBeGreaterThanOrEqual(2);
});

test('takes a row that comes while it waits for the lock of a default partition that was empty', async () => {
  const url = await databaseWith('events');
  const other = postgres(url, { max: 1, onnotice: () => {} });
  onTestFinished(() => other.end());
  // With the locks of an insert already, so that it and the creation do not wait for each other.
  await other.unsafe('begin; lock table events, events_default in row exclusive mode');
  const running = maintain(url, { lockTimeoutMs: 30_000 });
  const isWaiting = `select exists (select from pg_locks where relation in ('events'::regclass, 'events_default'::regclass) and not granted)`;
  while ((await value(url, isWaiting)) !== true);
  await other.unsafe(`${insert('a', 'events', ['2026-05-10T00:00:00Z'])} commit`);
  expect(await running).toMatchObject({ made: ['events_2026_05', 'events_2026_06'], movedRows: 1 });
});

test('names a table that stays busy, serves the others, and leaves it as it was', async () => {
  const url = await databaseWith('busy', 'events');
  const other = postgres(url, { max: 1, onnotice: () => {} });
  onTestFinished(() => other.end());
  await other.unsafe(`begin; ${insert('a', 'busy', ['2026-06-10T00:00:00Z'])}`);
  const report = await maintain(url, { lockTimeoutMs: 20, attempts: 2 });
  expect(report.busy).toMatchObject([{ table: 'busy', reason: expect.stringContaining('did not get its locks') }]);
  expect(report.made).toEqual(['events_2026_05', 'events_2026_06']);
  await other.unsafe('rollback');
  expect(await partitions(url, 'busy')).toEqual(['busy_default']);
});

test('puts FORCE back where it fails in the middle', async () => {
  const url = await databaseWith('events');
  await query(url, insert('a', 'events', ['2026-05-10T00:00:00Z']));
  await query(url, 'create table events_2026_05 ()');
  await expect(maintain(url)).rejects.toMatchObject({ code: '42P07' });
  expect(await partitions(url, 'events')).toEqual(['events_default']);
  expect(await value(url, `select relforcerowsecurity from pg_class where relname = 'events'`)).toBe(true);
  expect(await rowsOf(url, 'a', 'events')).toHaveLength(1);
});

test('drops the months that ended so many days ago, and takes what comes late until the next run', async () => {
  const url = await databaseWith('events');
  const times = ['2026-01-10T00:00:00Z', '2026-03-10T00:00:00Z', '2026-04-10T00:00:00Z'];
  await query(url, insert('a', 'events', times));
  await maintain(url);
  const rule = { dropAfterDays: { events: 30 } };
  // 30 days before 20 May is in April: March is the last month that ended before.
  expect(await maintain(url, rule)).toMatchObject({ dropped: ['events_2026_01', 'events_2026_03'], deletedRows: 0 });
  expect(await rowsOf(url, 'a', 'events')).toMatchObject([{ part: 'events_2026_04' }]);
  expect(await value(url, `select pg_get_expr(relpartbound, oid) from pg_class where relname = 'events_past'`)).toBe(
    `FOR VALUES FROM (MINVALUE) TO ('019d4657-0000-0000-0000-000000000000')`,
  );
  expect(await partitions(url, 'events')).not.toContainEqual(expect.stringContaining('open'));

  await query(url, insert('a', 'events', ['2026-02-10T00:00:00Z']));
  expect(await rowsOf(url, 'a', 'events')).toMatchObject([{ part: 'events_past' }, { part: 'events_2026_04' }]);
  expect(await maintain(url, rule)).toMatchObject({ made: [], dropped: [] });
  expect(await rowsOf(url, 'a', 'events')).toMatchObject([{ part: 'events_2026_04' }]);

  // A longer time brings nothing back, and a shorter one goes on.
  await maintain(url, { dropAfterDays: { events: 90 } });
  await query(url, insert('a', 'events', ['2026-03-20T00:00:00Z']));
  expect(await rowsOf(url, 'a', 'events')).toMatchObject([{ part: 'events_past' }, { part: 'events_2026_04' }]);
  expect(await maintain(url, { dropAfterDays: { events: 0 } })).toMatchObject({ dropped: ['events_2026_04'] });
  expect(await rowsOf(url, 'a', 'events')).toEqual([]);
});

test('deletes what the default partition holds beyond retention, and moves the rest', async () => {
  const url = await databaseWith('events');
  await query(url, insert('a', 'events', ['2019-01-10T00:00:00Z', '2026-05-10T00:00:00Z']));
  expect(await maintain(url, { dropAfterDays: { events: 365 } })).toEqual({
    made: ['events_2026_05', 'events_2026_06'],
    dropped: [],
    movedRows: 1,
    deletedRows: 1,
    busy: [],
  });
  await expect(maintain(url, { dropAfterDays: { nothing: 1 } })).rejects.toMatchObject({ code: 'no_such_table' });
});
