import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { dryRun } from '../src/dry-run.ts';
import {
  freshDatabase,
  historyNames,
  migrationsFolder,
  query,
  refusal,
  run,
  smallChain,
  tableSql,
  value,
} from './run-support.ts';

describe('a dry run', () => {
  test('executes everything and leaves nothing', async () => {
    const [url, directory] = [await freshDatabase(), migrationsFolder(smallChain)];
    const report = await dryRun({ url, directory });
    expect(report.files.map(({ file, executed }) => [file, executed])).toEqual(
      Object.keys(smallChain).map((file) => [file, true]),
    );
    expect(report.files.map(({ sql }) => sql)).toEqual(Object.values(smallChain));
    expect(await value(url, `select count(*)::int from pg_class where relnamespace = 'public'::regnamespace`)).toBe(0);
  });

  test('reports locks, rewritten tables and rows of what existed before, file by file', async () => {
    const [url, directory] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, directory);
    await query(url, `set app.tenant = 'a'; insert into models (id) select generate_series(1, 500)`);
    writeFileSync(
      join(directory, '005_links.sql'),
      `create table links (tenant_id text, id bigint, foreign key (tenant_id, id) references runs);`,
    );
    writeFileSync(
      join(directory, '004_rewrite.sql'),
      `alter table models alter column id type int;
alter table models no force row level security;
update models set note = 'x' where id <= 10;
delete from models where id > 490;
alter table models force row level security;`,
    );
    writeFileSync(join(directory, '006_nothing.sql'), tableSql('more'));
    const report = await dryRun({ url, directory });
    const [rewrite, links, nothing] = report.files;
    expect(links).toMatchObject({
      locks: expect.arrayContaining([{ relation: 'runs', mode: 'ShareRowExclusiveLock', blocks: 'writes' }]),
      rewritten: [],
      rows: [],
    });
    expect(rewrite).toMatchObject({
      locks: expect.arrayContaining([{ relation: 'models', mode: 'AccessExclusiveLock', blocks: 'reads and writes' }]),
      rewritten: expect.arrayContaining([{ relation: 'models', bytes: expect.any(Number) }]),
      rows: [{ relation: 'models', inserted: 0, updated: 10, deleted: 10 }],
    });
    expect(rewrite?.rewritten.find(({ relation }) => relation === 'models')?.bytes).toBeGreaterThan(8_000);
    expect(nothing).toMatchObject({ locks: [], rewritten: [], rows: [], durationMs: expect.any(Number) });
    expect(await historyNames(url)).toHaveLength(3);
    expect(await value(url, `set app.tenant = 'a'; select 1`)).toBeUndefined();
  });

  test('prints a file without a transaction and does not execute it', async () => {
    const file = '-- no-transaction\ncreate index concurrently models_note_idx on models (tenant_id, note);\n';
    const report = await dryRun({
      url: await freshDatabase(),
      directory: migrationsFolder({ ...smallChain, '004_index.sql': file }),
    });
    expect(report.files.at(-1)).toMatchObject({
      file: '004_index.sql',
      sql: file,
      executed: false,
      durationMs: undefined,
    });
  });

  test('fails as the run would, and leaves nothing', async () => {
    const [url, directory] = [
      await freshDatabase(),
      migrationsFolder({ ...smallChain, '004_bad.sql': 'select 1;\nselect nothing;' }),
    ];
    expect(await refusal(dryRun({ url, directory }))).toMatchObject({
      code: 'statement_failed',
      file: '004_bad.sql',
      line: 2,
    });
    expect(await value(url, `select to_regclass('models')`)).toBeNull();
    expect(await refusal(dryRun({ url, directory, from: '003' }))).toMatchObject({ code: 'missing_below' });
  });

  test('fails at a deferred constraint as COMMIT would', async () => {
    const file = `create table pairs (id int primary key, other int references pairs deferrable initially deferred);
insert into pairs values (1, 2);`;
    const directory = migrationsFolder({ ...smallChain, '004_pairs.sql': file });
    await expect(dryRun({ url: await freshDatabase(), directory })).rejects.toMatchObject({
      code: 'statement_failed',
      sqlstate: '23503',
    });
  });

  test('does not wait for a lock longer than it is told', async () => {
    const [url, directory] = [await freshDatabase(), migrationsFolder(smallChain)];
    await run(url, directory);
    writeFileSync(join(directory, '004_more.sql'), 'alter table models add column extra text;');
    const sql = postgres(url, { max: 1 });
    await sql.unsafe('begin; lock table models in access share mode');
    expect(await refusal(dryRun({ url, directory, lockTimeoutMs: 100, attempts: 2 }))).toMatchObject({
      code: 'lock_not_available',
    });
    await sql.end();
  });
});
