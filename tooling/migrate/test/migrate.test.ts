import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase, parsePostgresMajor, startTestServer } from '@mcp-hub/postgres';
import postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MigrateEvent } from '../src/migrate.ts';
import { checksumOf } from '../src/migrations-folder.ts';
import { StatementError } from '../src/statement-error.ts';
import { startFakePooler } from './cutting-proxy.ts';
import {
  appliedFiles,
  freshDatabase,
  historyNames,
  historyTable,
  migrationsFolder,
  query,
  refusal,
  run,
  smallChain,
  tableSql,
  testServer,
  value,
} from './run-support.ts';

describe('a run', () => {
  test('applies what is pending, in order, and records name, checksum and time', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    const report = await run(url, folder);
    expect(appliedFiles(report)).toEqual(Object.keys(smallChain));
    const rows = await query(url, 'select * from migration_history order by migration_name');
    expect(rows.map((row) => row['checksum'])).toEqual(Object.values(smallChain).map(checksumOf));
    expect(rows.every((row) => typeof row['duration_ms'] === 'number' && row['statements_done'] === null)).toBe(true);
  });

  test('finds nothing to do the second time', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, folder);
    const report = await run(url, folder);
    expect(report).toMatchObject({ applied: [], adopted: [], alreadyApplied: 3 });
  });

  test('applies a range, and then the rest', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    expect(appliedFiles(await run(url, folder, { to: '002' }))).toEqual(['001_initial.sql', '002_models.sql']);
    expect(appliedFiles(await run(url, folder, { from: '003', to: '010' }))).toEqual(['003_runs.sql']);
  });

  test('takes a checkout with other line ends for the same', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, folder);
    writeFileSync(join(folder, '002_models.sql'), smallChain['002_models.sql'].replaceAll('\n', '\r\n'));
    expect(await run(url, folder)).toMatchObject({ applied: [] });
  });

  test('applies a file and the rollback of it in turn on a fresh database', async () => {
    const url = await freshDatabase();
    const rollback = `-- rolls-back: 003_runs.sql
drop table runs;
update migration_history set migration_name = migration_name || '_rolled_back' where migration_name = '003_runs.sql';
`;
    const folder = migrationsFolder({ ...smallChain, '004_rollback_runs.sql': rollback });
    await run(url, folder);
    expect(await historyNames(url)).toEqual([
      '001_initial.sql',
      '002_models.sql',
      '003_runs.sql_rolled_back',
      '004_rollback_runs.sql',
    ]);
    expect(await run(url, folder)).toMatchObject({ applied: [] });
    writeFileSync(join(folder, '003_runs.sql'), `${smallChain['003_runs.sql']}-- edited\n`);
    expect(await refusal(run(url, folder))).toMatchObject({ code: 'edited_file', exitCode: 3 });
  });

  test('beside another one: both end well, and each file ran once', async () => {
    const slow = { ...smallChain, '004_slow.sql': `select pg_sleep(0.3);\n${tableSql('slow')}` };
    const [url, folder] = [await freshDatabase(), migrationsFolder(slow)];
    const events: MigrateEvent[] = [];
    const reports = await Promise.all(
      Array.from({ length: 4 }, () => run(url, folder, { onEvent: (event) => events.push(event) })),
    );
    expect(reports.map((report) => report.applied.length).sort((a, b) => a - b)).toEqual([0, 0, 0, 4]);
    expect(events.find((event) => event.kind === 'waiting')).toMatchObject({
      holder: { applicationName: expect.stringContaining('mcp-hub-migrate') },
    });
  });

  test('gives up waiting for another one after the given time, and says who holds the lock', async () => {
    const [url, folder] = [
      await freshDatabase(),
      migrationsFolder({ ...smallChain, '004_slow.sql': 'select pg_sleep(1.5);' }),
    ];
    const first = run(url, folder);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const error = await refusal(run(url, folder, { lockWaitMs: 200 }));
    expect(error).toMatchObject({ code: 'locked', exitCode: 3 });
    expect(error.message).toMatch(/process id \d+ \(mcp-hub-migrate/);
    await first;
  });

  test('tries a file again as a whole while another session holds its lock', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, folder);
    writeFileSync(join(folder, '004_more.sql'), `${tableSql('more')}alter table models add column extra text;\n`);
    const sql = postgres(url, { max: 1 });
    const held = sql.begin(async (tx) => {
      await tx`lock table models in access share mode`;
      await new Promise((resolve) => setTimeout(resolve, 700));
    });
    const events: MigrateEvent[] = [];
    const report = await run(url, folder, { lockTimeoutMs: 150, onEvent: (event) => events.push(event) });
    await held;
    await sql.end();
    expect(report.applied[0]?.attempts).toBeGreaterThan(1);
    expect(events.some((event) => event.kind === 'retrying' && event.blockers.length > 0)).toBe(true);
  });

  test('ends with the long transactions named when a lock is never to be had, and nothing of the file stays', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, folder);
    writeFileSync(join(folder, '004_more.sql'), `${tableSql('more')}alter table models add column extra text;\n`);
    const sql = postgres(url, { max: 1, connection: { application_name: 'a report' } });
    await sql.unsafe('begin; lock table models in access share mode');
    const error = await refusal(run(url, folder, { lockTimeoutMs: 100, attempts: 2 }));
    await sql.end();
    expect(error).toMatchObject({ code: 'lock_not_available', exitCode: 3 });
    expect(error.message).toMatch(/004_more\.sql.*2 attempts.*a report/s);
    expect(await value(url, `select to_regclass('more')`)).toBeNull();
  });
});

describe('a statement that fails', () => {
  test('is named with file, line and SQLSTATE, and nothing of its file stays, but what earlier files did', async () => {
    const url = await freshDatabase();
    const folder = migrationsFolder({
      ...smallChain,
      '004_bad.sql': `${tableSql('bad')}\nselect 1,\n  2 frm nowhere;\n`,
    });
    const error = await refusal(run(url, folder));
    expect(error).toBeInstanceOf(StatementError);
    expect(error).toMatchObject({
      code: 'statement_failed',
      file: '004_bad.sql',
      line: 13,
      sqlstate: '42601',
      exitCode: 1,
    });
    expect(error.message).toContain('004_bad.sql:13:');
    expect(await value(url, `select to_regclass('bad')`)).toBeNull();
    expect(await historyNames(url)).toHaveLength(3);
  });

  test('has the line on which it begins when the server names no position', async () => {
    const folder = migrationsFolder({ ...smallChain, '004_bad.sql': '-- note\n\ndrop table\n  nowhere;\n' });
    expect(await refusal(run(await freshDatabase(), folder))).toMatchObject({ line: 3, sqlstate: '42P01' });
  });

  test('shows no value of a row', async () => {
    const insert = `alter table models no force row level security;
insert into models values ('secret-tenant', 1), ('secret-tenant', 1);`;
    const folder = migrationsFolder({ ...smallChain, '004_bad.sql': insert });
    const error = await refusal(run(await freshDatabase(), folder));
    expect(error).toMatchObject({ sqlstate: '23505' });
    expect(error.message.split('\n')[0]).not.toContain('secret');
    expect(error.message).not.toContain('Key (');
    const cast = migrationsFolder({
      ...smallChain,
      '004_bad.sql': `do $$ declare v text := 'secret'; begin perform v::int; end $$`,
    });
    const other = await refusal(run(await freshDatabase(), cast));
    expect(other.message.split('\n')[0]).not.toContain('secret');
  });

  test('that would change rows behind FORCE is an error and not a silent UPDATE 0', async () => {
    const folder = migrationsFolder({ ...smallChain, '004_backfill.sql': `update models set note = 'x';` });
    expect(await refusal(run(await freshDatabase(), folder))).toMatchObject({
      sqlstate: '42501',
      file: '004_backfill.sql',
    });
  });

  test.each([
    ['transaction_control', 'create table a (id int); commit; create table b (id int);'],
    ['transaction_control', 'begin; create table a (id int);'],
    ['copy_from_stdin', 'copy models from stdin;'],
  ])('or that the runner cannot keep its promises with (%s) is refused before anything runs', async (code, text) => {
    const url = await freshDatabase();
    expect(await refusal(run(url, migrationsFolder({ ...smallChain, '004_bad.sql': text })))).toMatchObject({
      code,
      exitCode: 3,
    });
    expect(await value(url, `select to_regclass('a')`)).toBeNull();
  });

  test('in the first file, which makes no migration_history, is refused', async () => {
    const folder = migrationsFolder({ '001_initial.sql': tableSql('models') });
    expect(await refusal(run(await freshDatabase(), folder))).toMatchObject({ code: 'history_table_missing' });
  });
});

describe('a folder or a history that does not fit is refused and nothing runs', () => {
  test('an edited file', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, folder, { to: '2' });
    writeFileSync(join(folder, '002_models.sql'), `${smallChain['002_models.sql']}select 1;`);
    const error = await refusal(run(url, folder));
    expect(error).toMatchObject({ code: 'edited_file', exitCode: 3 });
    expect(error.message).toContain('db:reset');
    expect(await value(url, `select to_regclass('runs')`)).toBeNull();
  });

  test('a file that is gone', async () => {
    const url = await freshDatabase();
    await run(url, migrationsFolder(smallChain));
    const { '003_runs.sql': _, ...rest } = smallChain;
    expect(await refusal(run(url, migrationsFolder(rest)))).toMatchObject({ code: 'missing_file', exitCode: 3 });
  });

  test('a file below the last one', async () => {
    const url = await freshDatabase();
    const gaps = { 'gaps.json': '{"002": "not yet"}' };
    const { '002_models.sql': _, ...rest } = smallChain;
    await run(url, migrationsFolder({ ...rest, ...gaps }));
    const error = await refusal(run(url, migrationsFolder(smallChain)));
    expect(error).toMatchObject({ code: 'out_of_order', exitCode: 3 });
    expect(error.message).toContain('002_models.sql is not applied, and 003_runs.sql after it is');
  });

  test('a number that nothing declares a gap', async () => {
    const { '002_models.sql': _, ...rest } = smallChain;
    expect(await refusal(run(await freshDatabase(), migrationsFolder(rest)))).toMatchObject({ code: 'undeclared_gap' });
  });

  test('--from above something that is missing, by name', async () => {
    const url = await freshDatabase();
    const error = await refusal(run(url, migrationsFolder(smallChain), { from: '003' }));
    expect(error).toMatchObject({ code: 'missing_below', exitCode: 3 });
    expect(error.message).toContain('001_initial.sql, 002_models.sql');
    expect(await value(url, `select to_regclass('runs')`)).toBeNull();
  });
});

describe('a server that cannot be worked with', () => {
  test('because nothing listens, or the database or the password is wrong, ends with 4 and shows no password', async () => {
    const folder = migrationsFolder(smallChain);
    const good = new URL(testServer().ownerUrl);
    const wrongPassword = new URL(good);
    wrongPassword.password = 'wrong-secret';
    const wrongDatabase = new URL(good);
    wrongDatabase.pathname = '/nowhere';
    for (const url of [
      'postgresql://me:very-secret@127.0.0.1:1/x',
      wrongPassword.toString(),
      wrongDatabase.toString(),
    ]) {
      const error = await refusal(run(url, folder));
      expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 });
      expect(error.message).not.toContain('secret');
      expect(error.message).not.toContain(good.password);
    }
  });

  test('because the login is a superuser is refused, with the statement that makes an owner', async ({ skip }) => {
    const { adminUrl } = testServer();
    if (adminUrl === undefined) return skip('the given server has no superuser URL');
    const error = await refusal(run(adminUrl, migrationsFolder(smallChain)));
    expect(error).toMatchObject({ code: 'privileged_login', exitCode: 3 });
    expect(error.message).toMatch(/superuser.*create role/s);
  });

  test('because the login may create nothing is refused, with what an administrator grants', async ({ skip }) => {
    const { serviceUrl } = testServer();
    if (serviceUrl === undefined) return skip('the given server has no service login');
    const url = new URL(serviceUrl);
    url.pathname = new URL(await freshDatabase()).pathname;
    const error = await refusal(run(url.toString(), migrationsFolder(smallChain)));
    expect(error).toMatchObject({ code: 'may_not_create', exitCode: 3 });
    expect(error.message).toContain('grant create on schema public');
  });

  test('or a URL that is none ends with 2', async () => {
    expect(await refusal(run('mysql://x', migrationsFolder(smallChain)))).toMatchObject({
      code: 'invalid_url',
      exitCode: 2,
    });
  });
});

test('settings of the role do not reach the run', async () => {
  const url = await freshDatabase();
  const database = new URL(url).pathname.slice(1);
  await query(url, `alter database ${database} set statement_timeout = '100ms'`);
  await query(url, `alter database ${database} set search_path = 'elsewhere'`);
  await query(url, `alter database ${database} set default_transaction_read_only = on`);
  await run(url, migrationsFolder({ '001_initial.sql': `${historyTable}select pg_sleep(0.3);` }));
  await query(url, `begin read write; alter database ${database} reset all; commit`);
  expect(await historyNames(url)).toEqual(['001_initial.sql']);
});

test('a pooler between the run and the server is warned of', async () => {
  const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
  const pooler = await startFakePooler(url);
  onTestFinished(() => pooler.close());
  const report = await run(pooler.url, folder);
  expect(report.warnings).toEqual([expect.stringContaining('pooler')]);
  expect((await run(url, folder)).warnings).toEqual([]);
});

test('eight databases of one new cluster, whose roles are not there yet, are migrated at once', async () => {
  const server = await startTestServer({ kind: 'embedded', major: parsePostgresMajor(process.env['PG_MAJOR']) });
  onTestFinished(server.stop);
  const directory = fileURLToPath(new URL('../../../migrations', import.meta.url));
  const urls = await Promise.all(
    Array.from({ length: 8 }, (_, index) => createDatabase(server.ownerUrl, `parallel_${index}`)),
  );
  const reports = await Promise.all(urls.map((url) => run(url, directory)));
  expect(reports.map((report) => report.applied.length)).toEqual(urls.map(() => reports[0]?.applied.length));
});
