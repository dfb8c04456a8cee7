import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrate } from '../src/migrate.ts';
import { check } from '../src/repository/check.ts';
import { release } from '../src/repository/release.ts';
import {
  type Edits,
  evolve,
  generateIn,
  listDatabase,
  makeReleasedZoo,
  migrationFiles,
  readMigration,
} from './compose-support.ts';
import { freshDatabase, query, testServer, value } from './run-support.ts';

const animals = 'packages/animals/src/schema.ts';
const visits = 'packages/visits/src/schema.ts';

/** A zoo whose three files are released and applied, and then edited. */
async function releasedThen(edits: Edits): Promise<{ readonly root: string; readonly url: string }> {
  const before = await makeReleasedZoo();
  const url = await freshDatabase();
  await migrate({ url, directory: join(before, 'migrations') });
  return { root: evolve(before, edits), url };
}

/** The chain in the root applies to the database of before, and everything agrees. */
async function expectSound(root: string, url: string): Promise<void> {
  await migrate({ url, directory: join(root, 'migrations') });
  const report = await check({ root, serverUrl: testServer().ownerUrl, liveUrl: url });
  expect(report.problems).toEqual([]);
}

const nickname = { "motherId: uuid('mother_id'),": "motherId: uuid('mother_id'),\n    nickname: text('nickname')," };

describe('a change of a released package', () => {
  it('gets the next number, its package and what it does as its name', async () => {
    const { root, url } = await releasedThen({ [animals]: nickname });
    await generateIn(root);
    expect(migrationFiles(root).at(-1)).toBe('005_animals_add_animals_nickname.sql');
    expect(readMigration(root, '005_animals_add_animals_nickname.sql')).toContain(
      'ALTER TABLE "animals" ADD COLUMN "nickname" text;',
    );
    await expectSound(root, url);
  });

  it('is composed again in its place until it is released, and not rewritten then', async () => {
    const { root } = await releasedThen({ [animals]: nickname });
    await generateIn(root, { what: 'nicknames' });
    expect(migrationFiles(root).at(-1)).toBe('005_animals_nicknames.sql');
    const more = evolve(root, {
      [animals]: { "nickname: text('nickname')": "nickname: text('nickname').notNull().default('')" },
    });
    await generateIn(more);
    expect(migrationFiles(more)).toHaveLength(4);
    expect(readMigration(more, '005_animals_nicknames.sql')).toContain("DEFAULT '' NOT NULL");
    await release({ root: more });
    const later = evolve(more, {
      [animals]: { "nickname: text('nickname').notNull().default('')": "nickname: text('nickname')" },
    });
    await generateIn(later);
    expect(migrationFiles(later)).toHaveLength(5);
    expect(readMigration(later, '005_animals_nicknames.sql')).toBe(readMigration(more, '005_animals_nicknames.sql'));
  });

  it('takes a check, a unique key and an index at once', async () => {
    const { root, url } = await releasedThen({
      [animals]: {
        "index('animals_name_idx').on(t.tenantId, t.name),":
          "index('animals_name_idx').on(t.tenantId, t.name),\n    index('animals_born_idx').on(t.tenantId, t.bornAt),\n    unique('animals_name_key').on(t.tenantId, t.speciesId, t.name),\n    check('animals_born_check', sql`${t.bornAt} > '2000-01-01Z'`),",
      },
    });
    await generateIn(root);
    expect(migrationFiles(root).at(-1)).toBe('005_animals_change_animals.sql');
    await expectSound(root, url);
  });

  it('finds orphans under a new foreign key, and leaves both tables forced', async () => {
    const { root, url } = await releasedThen({
      [animals]: {
        '{ appendOnly: true },': '{ appendOnly: true },',
        "(t) => [primaryKey({ name: 'sightings_pk', columns: [t.tenantId, t.id] })]":
          "(t) => [primaryKey({ name: 'sightings_pk', columns: [t.tenantId, t.id] }), foreignKey({ name: 'sightings_animal_fk', columns: [t.tenantId, t.animalId], foreignColumns: [animals.tenantId, animals.id] })]",
      },
    });
    await generateIn(root);
    const sql = readMigration(root, '005_animals_add_sightings_animal_fk.sql');
    expect(sql).toMatch(
      /"sightings" NO FORCE[^]*"animals" NO FORCE[^]*ADD CONSTRAINT[^]*"sightings" FORCE[^]*"animals" FORCE/,
    );
    await query(
      url,
      "begin; set local app.tenant = 'a'; insert into sightings (id, animal_id) values (gen_random_uuid(), gen_random_uuid()); commit",
    );
    await expect(migrate({ url, directory: join(root, 'migrations') })).rejects.toThrow(/sightings_animal_fk/);
    await query(url, "begin; set local app.tenant = 'a'; delete from sightings; commit");
    await expectSound(root, url);
    expect(
      await value(url, "select bool_and(relforcerowsecurity) from pg_class where relname in ('sightings', 'animals')"),
    ).toBe(true);
  });

  it('adds a foreign key to a partitioned table, lifting FORCE on every partition', async () => {
    const { root, url } = await releasedThen({
      [visits]: {
        "index('visits_animal_idx')":
          "foreignKey({ name: 'visits_species_fk', columns: [t.tenantId, t.id], foreignColumns: [animals.tenantId, animals.id] }),\n    index('visits_animal_idx')",
      },
    });
    await query(
      url,
      "create table visits_1 partition of visits for values from ('10000000-0000-0000-0000-000000000000') to ('20000000-0000-0000-0000-000000000000'); alter table visits_1 enable row level security; alter table visits_1 force row level security",
    );
    await generateIn(root);
    await expectSound(root, url);
    expect(
      await value(
        url,
        "select bool_and(relforcerowsecurity) from pg_class where relname like 'visits%' and relkind in ('r', 'p')",
      ),
    ).toBe(true);
  });

  it('builds a concurrent index in a file without transaction', async () => {
    const { root, url } = await releasedThen({
      [animals]: {
        ...nickname,
        "index('animals_name_idx').on(t.tenantId, t.name),":
          "index('animals_name_idx').on(t.tenantId, t.name),\n    index('animals_born_idx').on(t.tenantId, t.bornAt).concurrently(),",
      },
    });
    await generateIn(root, { what: 'births' });
    expect(migrationFiles(root).slice(-2)).toEqual(['005_animals_births.sql', '006_animals_births_concurrently.sql']);
    const sql = readMigration(root, '006_animals_births_concurrently.sql');
    expect(sql).toContain('-- no-transaction\n');
    expect(sql).toContain('CREATE INDEX CONCURRENTLY "animals_born_idx"');
    expect(readMigration(root, '005_animals_births.sql')).not.toContain('CONCURRENTLY');
    await expectSound(root, url);
  });

  it('keeps a concurrent index where it is: composed again, released, and on a database that starts from nothing', async () => {
    const { root, url } = await releasedThen({
      [animals]: {
        "index('animals_name_idx').on(t.tenantId, t.name),":
          "index('animals_name_idx').on(t.tenantId, t.name),\n    index('animals_born_idx').on(t.tenantId, t.bornAt).concurrently(),",
      },
    });
    expect(await generateIn(root)).toMatchObject({
      written: expect.arrayContaining(['005_animals_add_animals_born_idx.sql']),
    });
    expect(await generateIn(root)).toMatchObject({ written: [], removed: [] });
    await release({ root });
    expect(await generateIn(root)).toMatchObject({ written: [], removed: [] });
    await expectSound(root, url);
    await expectSound(root, await freshDatabase());
    expect(await value(url, "select indisvalid from pg_index where indexrelid = 'animals_born_idx'::regclass")).toBe(
      true,
    );
  });

  it('drops and adds in one diff without asking a terminal', async () => {
    const { root, url } = await releasedThen({
      [animals]: { "mascotId: uuid('mascot_id')": "emblem: text('emblem')" },
    });
    expect((await generateIn(root)).losses).toEqual([
      { file: '005_animals_change_species.sql', table: 'species', column: 'mascot_id', added: ['emblem'] },
    ]);
    const sql = readMigration(root, migrationFiles(root).at(-1) ?? '');
    expect(sql.indexOf('ADD COLUMN "emblem"')).toBeLessThan(sql.indexOf('DROP COLUMN "mascot_id"'));
    await expectSound(root, url);
  });

  it('drops tables, children first and without CASCADE', async () => {
    const { root, url } = await releasedThen({
      [visits]: {
        'export const visits': "export const gates = zooTable('gates', { id: uuid('id').notNull() });\nconst visits",
      },
    });
    await generateIn(root);
    const sql = readMigration(root, migrationFiles(root).at(-1) ?? '');
    expect(sql).toContain('DROP TABLE "visits";');
    expect(sql).not.toContain('CASCADE');
    await expectSound(root, url);
  });

  it('renames a declared column with its rows, and what is named after it', async () => {
    const { root, url } = await releasedThen({
      [animals]: {
        "name: text('name').notNull(),\n    bornAt": "title: text('title').notNull(),\n    bornAt",
        "check('animals_name_check', sql`${t.name} <> ''`)": "check('animals_title_check', sql`${t.title} <> ''`)",
        "index('animals_name_idx').on(t.tenantId, t.name)": "index('animals_title_idx').on(t.tenantId, t.title)",
      },
    });
    await query(
      url,
      "begin; set local app.tenant = 'a'; with s as (insert into species (name) values ('cat') returning id) insert into animals (species_id, name) select id, 'Tom' from s; commit",
    );
    await generateIn(root, { renames: ['animals.name:title'] });
    const sql = readMigration(root, migrationFiles(root).at(-1) ?? '');
    expect(sql).toContain('RENAME COLUMN "name" TO "title"');
    expect(sql).toContain('RENAME CONSTRAINT "animals_name_check" TO "animals_title_check"');
    expect(sql).toContain('ALTER INDEX "animals_name_idx" RENAME TO "animals_title_idx"');
    expect(sql).not.toContain('DROP ');
    await expectSound(root, url);
    expect(await value(url, "select set_config('app.tenant', 'a', false); select title from animals")).toBeDefined();
  });

  it('renames a declared table with its policy and what refers to it', async () => {
    const { root, url } = await releasedThen({
      [animals]: {
        "'species',": "'kinds',",
        species_pk: 'kinds_pk',
        species_name_key: 'kinds_name_key',
      },
    });
    await generateIn(root, { renames: ['species:kinds'], what: 'kinds' });
    const sql = readMigration(root, '005_animals_kinds.sql');
    expect(sql).toContain('ALTER TABLE "species" RENAME TO "kinds"');
    expect(sql).toContain('ALTER POLICY "species_tenant_policy" ON "kinds" RENAME TO "kinds_tenant_policy"');
    expect(sql).not.toContain('DROP ');
    await expectSound(root, url);
    // Declared once, in the file's header, for as long as it is composed again.
    expect(await generateIn(root)).toMatchObject({ written: [], removed: [] });
  });

  it('brings grants and comment to a changed mark', async () => {
    const { root, url } = await releasedThen({ [animals]: { '{ appendOnly: true }': '{ dispatcherMayLook: false }' } });
    await generateIn(root);
    expect(migrationFiles(root).at(-1)).toBe('005_animals_rights.sql');
    await expectSound(root, url);
    const listing = await listDatabase(url);
    expect(listing).toContain('grant delete on table sightings to app_tenant');
    expect(listing.filter((line) => line.includes('append-only'))).toEqual([]);
  });

  it('may change a policy, and may not drop one', async () => {
    const base = 'packages/base/src/zoo-table.ts';
    const changed = await releasedThen({
      [base]: { "current_user = 'app_dispatcher'": "current_user in ('app_dispatcher')" },
    });
    await generateIn(changed.root);
    expect(readMigration(changed.root, migrationFiles(changed.root).at(-1) ?? '')).toContain('ALTER POLICY');
    await expectSound(changed.root, changed.url);
    const dropped = await releasedThen({ 'packages/base/src/schema.ts': { '{ dispatcherMayLook: true }': '{}' } });
    await expect(generateIn(dropped.root)).rejects.toMatchObject({ code: 'policy_dropped' });
  });

  it('may not disable row level security', async () => {
    const { root } = await releasedThen({
      'packages/base/src/schema.ts': { '{ dispatcherMayLook: true }': '{}' },
      'packages/base/src/zoo-table.ts': {
        "pgPolicy(`${name}_tenant_policy`, { for: 'all', to: 'public', using: condition, withCheck: condition }),":
          'void condition as never,',
      },
    });
    await expect(generateIn(root)).rejects.toMatchObject({ code: 'row_security_disabled' });
    expect(migrationFiles(root)).toHaveLength(3);
  });

  it('carries changed and new functions of sql/, with who may execute them', async () => {
    const { root, url } = await releasedThen({
      'packages/animals/sql/after.sql': {
        'count(*)': 'count(id)',
        'from animals where species_id = of_species $$;':
          "from animals where species_id = of_species $$;\ncreate function name_of(animal uuid) returns text language plpgsql stable\nas $$ begin return (select name || '\\' from animals where id = animal); end $$;\nrevoke execute on function name_of from public;\ngrant execute on function name_of to app_tenant;",
      },
    });
    await generateIn(root, { what: 'functions' });
    expect(migrationFiles(root).at(-1)).toBe('005_animals_functions.sql');
    await expectSound(root, url);
    const listing = await listDatabase(url);
    expect(listing.filter((line) => line.startsWith('grant execute on function name_of'))).toEqual([
      'grant execute on function name_of(animal uuid) to app_tenant',
    ]);
    expect(await generateIn(root)).toMatchObject({ written: [], removed: [] });
  });

  it('may be taken back before its release, which leaves a gap below later files', async () => {
    const { root, url } = await releasedThen({ [animals]: nickname });
    await generateIn(root);
    await generateIn(root, { custom: 'backfill' });
    expect(migrationFiles(root).slice(-2)).toEqual(['005_animals_add_animals_nickname.sql', '006_backfill.sql']);
    const back = evolve(root, { [animals]: { "\n    nickname: text('nickname'),": '' } });
    expect((await generateIn(back)).removed).toContain('005_animals_add_animals_nickname.sql');
    expect(JSON.parse(readMigration(back, 'gaps.json'))).toEqual({
      '002': 'Never written.',
      '005': 'Taken back before it was released.',
    });
    await expectSound(back, url);
  });
});

describe('a file written by hand', () => {
  it('gets the next number and a record, which follows what its author writes', async () => {
    const { root, url } = await releasedThen({});
    await query(url, "begin; set local app.tenant = 'a'; insert into species (name) values ('cat'), ('dog'); commit");
    await generateIn(root, { custom: 'shout' });
    const written = evolve(root, {
      'migrations/005_shout.sql': {
        '--> statement-breakpoint':
          'alter table species no force row level security;\nupdate species set name = upper(name);\nalter table species force row level security;\ncreate index species_shout_idx on species (tenant_id, upper(name));\n--> statement-breakpoint',
      },
    });
    await generateIn(written);
    expect(readMigration(written, '005_shout.sql').match(/species_shout_idx/g)).toHaveLength(2);
    expect(await generateIn(written)).toMatchObject({ written: [], removed: [] });
    await migrate({ url, directory: join(written, 'migrations') });
    await query(url, 'alter table species no force row level security');
    expect(await value(url, 'select min(name) from species')).toBe('CAT');
  });

  it('may stand between changes, on what the lower one makes', async () => {
    const { root, url } = await releasedThen({ [animals]: nickname });
    await generateIn(root);
    await generateIn(root, { custom: 'fill_nicknames' });
    const written = evolve(root, {
      'migrations/006_fill_nicknames.sql': {
        '--> statement-breakpoint':
          'create index animals_nickname_idx on animals (tenant_id, nickname);\n--> statement-breakpoint',
      },
      'packages/visits/src/schema.ts': {
        "animalId: uuid('animal_id').notNull()": "animalId: uuid('animal_id').notNull(),\n    gateId: uuid('gate_id')",
      },
    });
    await generateIn(written);
    expect(migrationFiles(written).slice(-3)).toEqual([
      '005_animals_add_animals_nickname.sql',
      '006_fill_nicknames.sql',
      '007_visits_add_visits_gate_id.sql',
    ]);
    await migrate({ url, directory: join(written, 'migrations') });
    // What a hand made beyond the schemas is what db:check calls undeclared.
    const report = await check({ root: written, serverUrl: testServer().ownerUrl, liveUrl: url });
    expect(report.problems.map(({ code }) => code)).toEqual(['declaration_differs']);
  });
});
