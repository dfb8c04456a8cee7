import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { freshDatabase, migrationsFolder, query, refusal, run, smallChain, value } from './run-support.ts';

const indexFile = `-- no-transaction
create index concurrently models_note_idx on models (tenant_id, note);
`;

/** Holds a snapshot, so that CONCURRENTLY waits. */
async function holdSnapshot(url: string): Promise<Sql> {
  const sql = postgres(url, { max: 1 });
  await sql.unsafe('begin isolation level repeatable read; select count(*) from models');
  return sql;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come to that');
}

async function endStatement(url: string, pattern: string): Promise<void> {
  const where = `from pg_stat_activity where query ilike '${pattern}' and pid <> pg_backend_pid() and datname = current_database() and wait_event_type = 'Lock'`;
  await until(async () => (await query(url, `select ${where}`)).length > 0);
  await query(url, `select pg_terminate_backend(pid) ${where}`);
}

describe('a file without a transaction', () => {
  test('is recorded when all its statements are done', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder({ ...smallChain, '004_index.sql': indexFile })];
    await run(url, folder);
    expect(
      await query(
        url,
        `select statements_done, checksum is not null as known from migration_history where migration_name = '004_index.sql'`,
      ),
    ).toEqual([{ statements_done: null, known: true }]);
    expect(await value(url, `select indisvalid from pg_index where indexrelid = 'models_note_idx'::regclass`)).toBe(
      true,
    );
  });

  test('leaves an INVALID index when it is killed while it builds one, and the next run drops and builds it anew', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, folder);
    writeFileSync(join(folder, '004_index.sql'), indexFile);
    const other = await holdSnapshot(url);
    const killed = run(url, folder).catch((error: unknown) => error);
    await endStatement(url, 'create index concurrently%');
    expect(await killed).toMatchObject({ code: 'unreachable' });
    await other.end({ timeout: 0 });
    expect(await value(url, `select indisvalid from pg_index where indexrelid = 'models_note_idx'::regclass`)).toBe(
      false,
    );
    expect(
      await value(url, `select statements_done from migration_history where migration_name = '004_index.sql'`),
    ).toBe(0);
    const report = await run(url, folder);
    expect(report.applied).toMatchObject([{ file: '004_index.sql', resumedAfter: 0 }]);
    expect(await value(url, `select indisvalid from pg_index where indexrelid = 'models_note_idx'::regclass`)).toBe(
      true,
    );
    expect(await value(url, `select count(*)::int from pg_index where indrelid = 'models'::regclass`)).toBe(2);
  });

  test('finishes the detaching of a partition that a killed run began', async () => {
    const url = await freshDatabase();
    const parts = `create table parts (id int primary key) partition by range (id);
create table parts_1 partition of parts for values from (1) to (10);
create table models (id int);`;
    const folder = migrationsFolder({ '001_initial.sql': smallChain['001_initial.sql'], '002_parts.sql': parts });
    await run(url, folder);
    writeFileSync(
      join(folder, '003_detach.sql'),
      '-- no-transaction\nalter table parts detach partition parts_1 concurrently;\n',
    );
    const other = postgres(url, { max: 1 });
    await other.unsafe('begin; select count(*) from parts');
    const killed = run(url, folder).catch((error: unknown) => error);
    await endStatement(url, 'alter table parts detach%');
    expect(await killed).toMatchObject({ code: 'unreachable' });
    await other.end({ timeout: 0 });
    expect(await value(url, `select inhdetachpending from pg_inherits where inhrelid = 'parts_1'::regclass`)).toBe(
      true,
    );
    await run(url, folder);
    expect(await query(url, `select from pg_inherits where inhparent = 'parts'::regclass`)).toHaveLength(0);
  });

  test('says how many statements are done when one fails, and goes on there when the cause is gone', async () => {
    const url = await freshDatabase();
    const file = `-- no-transaction
create table first_one (id int);
create index concurrently other_idx on other_one (id);
create table last_one (id int);
`;
    const folder = migrationsFolder({ '001_initial.sql': smallChain['001_initial.sql'], '002_more.sql': file });
    const error = await refusal(run(url, folder));
    expect(error).toMatchObject({ code: 'statement_failed', line: 3, sqlstate: '42P01' });
    expect(error.message).toContain('its first 1 statements are done');
    await query(url, 'create table other_one (id int)');
    expect((await run(url, folder)).applied).toMatchObject([{ resumedAfter: 1 }]);
    expect(
      await value(url, `select count(*)::int from pg_class where relname in ('first_one', 'other_idx', 'last_one')`),
    ).toBe(3);
  });

  test('may be mended while none of its statements is done', async () => {
    const url = await freshDatabase();
    const folder = migrationsFolder({
      '001_initial.sql': smallChain['001_initial.sql'],
      '002_more.sql': '-- no-transaction\nvacuum nowhere;\n',
    });
    expect(await refusal(run(url, folder))).toMatchObject({ sqlstate: '42P01' });
    writeFileSync(join(folder, '002_more.sql'), '-- no-transaction\nvacuum migration_history;\n');
    expect((await run(url, folder)).applied).toHaveLength(1);
  });

  test('runs a procedure that commits', async () => {
    const url = await freshDatabase();
    const file = `-- no-transaction
create table batches (n int);
create procedure fill() language plpgsql as $$ begin for n in 1..3 loop insert into batches values (n); commit; end loop; end $$;
call fill();
drop procedure fill();
`;
    await run(url, migrationsFolder({ '001_initial.sql': smallChain['001_initial.sql'], '002_more.sql': file }));
    expect(await value(url, 'select count(*)::int from batches')).toBe(3);
  });
});
