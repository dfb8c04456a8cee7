import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { parseListing } from '../src/listing.ts';
import { migrate } from '../src/migrate.ts';
import { check } from '../src/repository/check.ts';
import { type RollbackOptions, type RollbackReport, rollback } from '../src/repository/rollback.ts';
import {
  evolve,
  generateIn,
  listDatabase,
  makeGeneratedZoo,
  makeReleasedZoo,
  migrationFiles,
  readMigration,
} from './compose-support.ts';
import { freshDatabase, query, testServer } from './run-support.ts';

/** A released zoo and a database with all of it, and what that was before each of the files. */
async function migratedZoo(): Promise<{
  readonly root: string;
  readonly url: string;
  readonly before: ReadonlyMap<string, readonly string[]>;
}> {
  const root = await makeReleasedZoo();
  const url = await freshDatabase();
  const before = new Map<string, readonly string[]>();
  for (const file of migrationFiles(root)) {
    before.set(file, await listDatabase(url));
    await migrate({ url, directory: join(root, 'migrations'), to: file.slice(0, 3) });
  }
  return { root, url, before };
}

function rollBack(root: string, migration: string, options: Partial<RollbackOptions> = {}): Promise<RollbackReport> {
  return rollback({ root, migration, serverUrl: testServer().ownerUrl, ...options });
}

async function historyOf(url: string): Promise<readonly unknown[]> {
  const rows = await query(url, 'select migration_name from migration_history order by 1');
  return rows.map((row) => row['migration_name']);
}

describe('db:rollback', () => {
  it('writes the next number, drops what the migration made, and leaves what was before it', async () => {
    const { root, url, before } = await migratedZoo();
    const report = await rollBack(root, '004', { liveUrl: url });
    expect(report).toMatchObject({
      file: '005_rollback_visits.sql',
      rollsBack: ['004_visits.sql'],
      droppedTables: ['visits', 'visits_default'],
    });
    expect(report.sql.toLowerCase()).not.toContain('cascade');
    expect(await listDatabase(url)).toEqual(before.get('004_visits.sql'));
    expect(await historyOf(url)).toEqual([
      '001_initial_schema.sql',
      '003_animals.sql',
      '004_visits.sql_rolled_back',
      '005_rollback_visits.sql',
    ]);
    expect(parseListing(readMigration(root, 'schema.txt'))).toEqual(before.get('004_visits.sql'));
  });

  it('takes partitions along that were made later', async () => {
    const { root, url, before } = await migratedZoo();
    await query(
      url,
      "create table visits_1 partition of visits for values from ('10000000-0000-0000-0000-000000000000') to ('20000000-0000-0000-0000-000000000000')",
    );
    await rollBack(root, '004', { liveUrl: url });
    expect(await listDatabase(url)).toEqual(before.get('004_visits.sql'));
  });

  it('refuses while a later migration depends on it, naming it', async () => {
    const { root, url } = await migratedZoo();
    await expect(rollBack(root, '003', { liveUrl: url })).rejects.toThrow(
      /004_visits\.sql depends on 003_animals\.sql/,
    );
    expect(migrationFiles(root)).toHaveLength(3);
  });

  it('takes back the dependents, too, when asked to; functions included', async () => {
    const { root, url, before } = await migratedZoo();
    const report = await rollBack(root, '003_animals', { liveUrl: url, withDependents: true });
    expect(report.rollsBack).toEqual(['004_visits.sql', '003_animals.sql']);
    expect(await listDatabase(url)).toEqual(before.get('003_animals.sql'));
    expect(await historyOf(url)).toEqual([
      '001_initial_schema.sql',
      '003_animals.sql_rolled_back',
      '004_visits.sql_rolled_back',
      '005_rollback_animals.sql',
    ]);
  });

  it('refuses while something that no migration made hangs on it', async () => {
    const { root, url } = await migratedZoo();
    await query(url, 'create view busy with (security_invoker) as select animal_id from visits');
    await expect(rollBack(root, '004', { liveUrl: url })).rejects.toThrow(/Made by no migration.*view busy/);
    expect(migrationFiles(root)).toHaveLength(3);
  });

  it('writes and applies nothing in a dry run', async () => {
    const { root, url } = await migratedZoo();
    const listing = await listDatabase(url);
    const report = await rollBack(root, '004', { liveUrl: url, dryRun: true });
    expect(report).toMatchObject({ written: false, applied: undefined });
    expect(report.sql).toContain('drop table public.visits;');
    expect(migrationFiles(root)).toHaveLength(3);
    expect(await listDatabase(url)).toEqual(listing);
  });

  it('lets a database that starts from nothing pass through both files', async () => {
    const { root, url } = await migratedZoo();
    await rollBack(root, '004', { liveUrl: url });
    const fresh = await freshDatabase();
    await migrate({ url: fresh, directory: join(root, 'migrations') });
    expect(await listDatabase(fresh)).toEqual(await listDatabase(url));
    expect(await historyOf(fresh)).toEqual(await historyOf(url));
  });

  it('makes db:check say that the schema has no migration, until db:generate gives it a new number', async () => {
    const { root, url } = await migratedZoo();
    const whole = await listDatabase(url);
    await rollBack(root, '004', { liveUrl: url });
    const report = await check({ root, serverUrl: testServer().ownerUrl, liveUrl: url });
    expect(report.problems.map(({ code }) => code)).toEqual(['schema_without_migration']);
    expect(report.problems[0]?.message).toContain('004_visits.sql was rolled back by 005_rollback_visits.sql');
    const back = evolve(root, {});
    await generateIn(back);
    expect(migrationFiles(back).at(-1)).toBe('006_visits.sql');
    await generateIn(back);
    await migrate({ url, directory: join(back, 'migrations') });
    expect(await listDatabase(url)).toEqual(whole);
    expect(await check({ root: back, serverUrl: testServer().ownerUrl, liveUrl: url })).toMatchObject({ ok: true });
  });

  it('takes back a change: a column goes, a dropped constraint and a changed default come back', async () => {
    const { root, url } = await migratedZoo();
    const whole = await listDatabase(url);
    const changed = evolve(root, {
      'packages/animals/src/schema.ts': {
        "motherId: uuid('mother_id'),": "motherId: uuid('mother_id'),\n    nickname: text('nickname'),",
        '.default(sql`app_now()`)': '.default(sql`now()`)',
        "name: text('name').notNull(), mascotId": "name: text('name'), mascotId",
        "unique('species_name_key').on(t.tenantId, t.name),": '',
        "check('animals_name_check', sql`${t.name} <> ''`)": "check('animals_name_check', sql`${t.name} <> 'x'`)",
      },
    });
    await generateIn(changed, { what: 'loose' });
    await migrate({ url, directory: join(changed, 'migrations') });
    expect(await listDatabase(url)).not.toEqual(whole);
    await rollBack(changed, '005', { liveUrl: url });
    expect(migrationFiles(changed).at(-1)).toBe('006_rollback_animals_loose.sql');
    expect(await listDatabase(url)).toEqual(whole);
    const report = await check({ root: changed, serverUrl: testServer().ownerUrl, liveUrl: url });
    expect(report.problems.map(({ code }) => code)).toEqual(['schema_differs', 'declaration_differs']);
  });

  it('takes back a changed function', async () => {
    const { root, url } = await migratedZoo();
    const whole = await listDatabase(url);
    const changed = evolve(root, { 'packages/animals/sql/after.sql': { 'count(*)': 'count(id)' } });
    await generateIn(changed, { what: 'count' });
    await migrate({ url, directory: join(changed, 'migrations') });
    await rollBack(changed, '005', { liveUrl: url });
    expect(await listDatabase(url)).toEqual(whole);
  });

  it('refuses to drop tables that hold rows of any tenant, unless told to, and counts them', async () => {
    const { root, url, before } = await migratedZoo();
    await query(url, "set app.tenant = 'a'; insert into species (id, name) values (gen_random_uuid(), 'owl')");
    await query(url, "set app.tenant = 'b'; insert into species (id, name) values (gen_random_uuid(), 'owl')");
    const all = { liveUrl: url, withDependents: true };
    const whole = await listDatabase(url);
    await expect(rollBack(root, '003', all)).rejects.toMatchObject({
      code: 'needs_yes',
      exitCode: 2,
      message: expect.stringContaining('drops species (2 rows)'),
    });
    expect(await rollBack(root, '003', { ...all, dryRun: true })).toMatchObject({
      lostRows: [{ table: 'species', rows: 2 }],
    });
    expect(migrationFiles(root)).toHaveLength(3);
    expect(await listDatabase(url)).toEqual(whole);
    expect(await rollBack(root, '003', { ...all, loseRows: true })).toMatchObject({
      wayBack: expect.stringMatching(/^The way back: npm run db:generate, then npm run db:migrate;/),
    });
    expect(await listDatabase(url)).toEqual(before.get('003_animals.sql'));
  });

  it('says so where a lock keeps the rows from being counted', async () => {
    const { root, url } = await migratedZoo();
    const holder = postgres(url, { max: 1, onnotice: () => undefined });
    await holder.begin(async (tx) => {
      await tx`lock table visits in access share mode`;
      await expect(rollBack(root, '004', { liveUrl: url })).rejects.toMatchObject({ code: 'locked' });
    });
    await holder.end();
  });

  it('refuses a file that changed rows alone, and says that rows stay where it changed them too', async () => {
    const { root, url } = await migratedZoo();
    const lift = (sql: string) =>
      `alter table species no force row level security;\n${sql};\nalter table species force row level security;\n`;
    const withFiles = evolve(root, {
      'migrations/005_fill.sql': { '': lift("update species set name = 'x'") },
      'migrations/006_more.sql': {
        '': lift("create index species_x on species (name);\nupdate species set name = 'y'"),
      },
    });
    await generateIn(withFiles);
    await migrate({ url, directory: join(withFiles, 'migrations') });
    await expect(rollBack(withFiles, '005', { liveUrl: url })).rejects.toMatchObject({
      code: 'nothing_to_take_back',
      message: expect.stringContaining('rows at most'),
    });
    expect(await rollBack(withFiles, '006', { liveUrl: url, dryRun: true })).toMatchObject({
      warnings: ['006_more.sql changes rows, too: they stay as they are now.'],
      wayBack: expect.stringContaining('with the statements of 006_more.sql'),
    });
  });

  it('refuses while a later migration has changed what it made, or made anew what it took away', async () => {
    const { root, url } = await migratedZoo();
    const withFiles = evolve(root, {
      'migrations/005_one.sql': { '': 'create index species_x on species (name);\n' },
      'migrations/006_two.sql': { '': 'drop index species_x;\n' },
      'migrations/007_three.sql': { '': 'create index species_x on species (id);\n' },
    });
    await generateIn(withFiles);
    await migrate({ url, directory: join(withFiles, 'migrations') });
    const changed = /007_three\.sql.* on 00[56].*changed later: index species\.species_x/;
    await expect(rollBack(withFiles, '005', { liveUrl: url })).rejects.toThrow(changed);
    await expect(rollBack(withFiles, '006', { liveUrl: url })).rejects.toThrow(changed);
  });

  it('takes the number after those that gaps.json keeps', async () => {
    const { root } = await migratedZoo();
    const kept = evolve(root, { 'migrations/gaps.json': { '{': '{ "005": "Kept for a.", "007": "Kept for b.",' } });
    expect(await rollBack(kept, '004')).toMatchObject({ file: '008_rollback_visits.sql' });
    expect(await check({ root: kept })).toMatchObject({
      problems: [{ code: 'undeclared_gap' }, { code: 'schema_without_migration' }],
    });
  });

  it('refuses what cannot come back', async () => {
    const { root, url } = await migratedZoo();
    const changed = evolve(root, { 'packages/animals/src/schema.ts': { ", mascotId: uuid('mascot_id')": '' } });
    await generateIn(changed);
    await migrate({ url, directory: join(changed, 'migrations') });
    await expect(rollBack(changed, '005', { liveUrl: url })).rejects.toMatchObject({ code: 'irreversible' });
  });

  it.each([
    ['an unknown number', '9', 'unknown_migration'],
    ['the base', '1', 'is_the_base'],
  ])('refuses %s', async (_what, migration, code) => {
    const root = await makeGeneratedZoo();
    await expect(rollBack(root, migration)).rejects.toMatchObject({ code });
  });

  it('refuses a database that does not hold the migration, and a second rollback', async () => {
    const { root, url } = await migratedZoo();
    await expect(rollBack(root, '004', { liveUrl: await freshDatabase() })).rejects.toMatchObject({
      code: 'not_applied',
    });
    await rollBack(root, '004', { liveUrl: url });
    await expect(rollBack(root, '004', { liveUrl: url })).rejects.toMatchObject({ code: 'already_rolled_back' });
    await expect(rollBack(root, '005', { liveUrl: url })).rejects.toMatchObject({ code: 'is_a_rollback' });
  });
});
