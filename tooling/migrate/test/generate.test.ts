import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseListing } from '../src/listing.ts';
import { migrate } from '../src/migrate.ts';
import { readMigrationsFolder } from '../src/migrations-folder.ts';
import {
  evolve,
  generateIn,
  listDatabase,
  makeGeneratedZoo,
  makeReleasedZoo,
  makeZoo,
  migrationFiles,
  readMigration,
} from './compose-support.ts';
import { freshDatabase, query, value } from './run-support.ts';

const animalsSchema = 'packages/animals/src/schema.ts';

describe('the first file of a package', () => {
  it('folds foreign keys into CREATE TABLE, parents first', async () => {
    const root = makeZoo();
    const report = await generateIn(root);
    expect(report.migrations).toEqual(['001_initial_schema', '003_animals', '004_visits']);
    const sql = readMigration(root, '003_animals.sql');
    expect(sql.indexOf('CREATE TABLE "species"')).toBeLessThan(sql.indexOf('CREATE TABLE "animals"'));
    expect(sql).not.toContain('ADD CONSTRAINT');
    expect(sql).toMatch(/CREATE TABLE "animals" \([^;]*CONSTRAINT "animals_species_fk" FOREIGN KEY[^;]*\);/);
  });

  it('partitions a marked table, with a forced default partition without policy and grants', async () => {
    const root = await makeGeneratedZoo();
    const listing = parseListing(readMigration(root, 'schema.txt'));
    expect(listing).toContain('table visits: owner $owner, row security, forced, partition by RANGE (id)');
    expect(listing).toContain(
      'table visits_default: owner $owner, row security, forced, partition DEFAULT, of public.visits',
    );
    expect(listing.filter((line) => /^(grant|policy).*visits_default/.test(line))).toEqual([]);
  });

  it('grants by the marks of the tables', async () => {
    const root = await makeGeneratedZoo();
    const listing = parseListing(readMigration(root, 'schema.txt'));
    const granted = (table: string) =>
      listing.flatMap(
        (line) => new RegExp(`^grant (\\w+) on table ${table} to app_(\\w+)$`).exec(line)?.slice(1).join(' ') ?? [],
      );
    expect(granted('sightings')).toEqual(['insert tenant', 'select readonly', 'select tenant']);
    expect(granted('animals')).toEqual([
      'delete tenant',
      'insert tenant',
      'select readonly',
      'select tenant',
      'update tenant',
    ]);
    expect(granted('keepers')).toContain('select dispatcher');
    expect(granted('migration_history')).toEqual([]);
    expect(listing).toContain('comment on table sightings: append-only');
  });

  it('leaves the same database by psql, which goes on after errors, and by the runner', async () => {
    const root = await makeGeneratedZoo();
    const [byPsql, byRunner] = [await freshDatabase(), await freshDatabase()];
    const { files } = await readMigrationsFolder(join(root, 'migrations'));
    for (const { path } of files) {
      const run = spawnSync('psql', ['-q', '-X', byPsql, '-c', `\\i ${path}`], { encoding: 'utf8' });
      // Without psql on PATH, statement by statement in autocommit is what it does.
      if (run.error !== undefined)
        for (const statement of files.find((file) => file.path === path)?.statements ?? [])
          await query(byPsql, statement);
      else expect(run.stderr).toBe('');
    }
    await migrate({ url: byRunner, directory: join(root, 'migrations') });
    const committed = parseListing(readMigration(root, 'schema.txt'));
    expect(await listDatabase(byPsql)).toEqual(committed);
    expect(await listDatabase(byRunner)).toEqual(committed);
    expect(
      (await query(byPsql, 'select migration_name from migration_history order by 1')).map(
        (row) => row['migration_name'],
      ),
    ).toEqual(files.map(({ file }) => file));
    // The runner takes over what psql did.
    expect((await migrate({ url: byPsql, directory: join(root, 'migrations') })).adopted).toHaveLength(3);
  });

  it.each([
    ['a table', 'drop table sightings', 'no forced row level security: table sightings'],
    [
      'a constraint',
      'alter table animals drop constraint animals_species_fk',
      'missing: constraint animals.animals_species_fk',
    ],
    ['an index', 'drop index animals_name_idx', 'missing: index animals.animals_name_idx'],
    ['a policy', 'drop policy animals_tenant_policy on animals', 'missing: policy animals.animals_tenant_policy'],
    ['a function', 'drop function count_animals', 'missing: function count_animals(of_species uuid)'],
    ['FORCE', 'alter table animals no force row level security', 'no forced row level security: table animals'],
    ['a grant', 'revoke select on animals from app_tenant', 'not granted: select on animals to app_tenant'],
  ])('is not recorded while %s is missing', async (_what, breakage, message) => {
    const root = await makeGeneratedZoo();
    const url = await freshDatabase();
    const { files } = await readMigrationsFolder(join(root, 'migrations'));
    const [base, animals] = files;
    await query(url, base?.sql ?? '');
    const statements = animals?.statements ?? [];
    for (const statement of statements.slice(0, -1)) await query(url, statement);
    await query(url, breakage);
    await expect(query(url, statements.at(-1) ?? '')).rejects.toThrow(message);
    expect(
      await value(url, "select count(*)::int from migration_history where migration_name = '003_animals.sql'"),
    ).toBe(0);
  });
});

describe('db:generate', () => {
  it('writes nothing the second time', async () => {
    const root = await makeGeneratedZoo();
    const again = await generateIn(root);
    expect(again).toMatchObject({ written: [], removed: [] });
  });

  it('agrees with drizzle-kit check and generate', async () => {
    const root = makeZoo({
      'drizzle.config.ts': {
        '': "export default { dialect: 'postgresql', schema: './packages/*/src/schema.ts', out: './migrations' };\n",
      },
    });
    await generateIn(root);
    const kit = (command: string) =>
      spawnSync(process.execPath, [join(root, 'node_modules/drizzle-kit/bin.cjs'), command], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '--conditions=@mcp-hub/source' },
      }).stdout;
    expect(kit('check')).toContain("Everything's fine");
    expect(kit('generate')).toContain('No schema changes');
    expect(migrationFiles(root)).toHaveLength(3);
  });

  it('composes unreleased files again, and lets a lower number come in, which ends its gap', async () => {
    const root = await makeGeneratedZoo();
    const changed = evolve(root, {
      [animalsSchema]: {
        "name: text('name').notNull(),\n    bornAt":
          "name: text('name').notNull(),\n    nickname: text('nickname'),\n    bornAt",
      },
      'packages/tickets/package.json': {
        '': '{ "name": "@zoo/tickets", "type": "module", "mcpHub": { "migration": "002_tickets" } }',
      },
      'packages/tickets/src/schema.ts': {
        '': "import { zooTable, text } from '../../base/src/zoo-table.ts';\nexport const tickets = zooTable('tickets', { code: text('code') });\n",
      },
    });
    const report = await generateIn(changed);
    expect(report.migrations).toEqual(['001_initial_schema', '002_tickets', '003_animals', '004_visits']);
    expect(readMigration(changed, '003_animals.sql')).toContain('"nickname" text');
    expect(JSON.parse(readMigration(changed, 'gaps.json'))).toEqual({});
  });

  it('refuses a table without the mark, by its name', async () => {
    const root = makeZoo({
      [animalsSchema]: {
        'export const species':
          "import { pgTable } from 'drizzle-orm/pg-core';\nexport const stray = pgTable('stray', { id: uuid('id') });\nexport const species",
      },
    });
    await expect(generateIn(root)).rejects.toThrow(/Table stray of @zoo\/animals was not made by tenantTable/);
    expect(migrationFiles(root)).toEqual([]);
  });

  it('refuses a foreign key to a later migration', async () => {
    const root = makeZoo({ 'packages/visits/package.json': { '004_visits': '002_visits' } });
    await expect(generateIn(root)).rejects.toThrow(/visits_animal_fk of @zoo\/visits refers to animals/);
  });

  it('refuses a released file that was edited', async () => {
    const root = await makeReleasedZoo();
    const edited = evolve(root, { 'migrations/003_animals.sql': { "<> ''": "<> 'x'" } });
    await expect(generateIn(edited)).rejects.toMatchObject({ code: 'edited_file' });
  });

  it('refuses a package whose number lies below a released file', async () => {
    const root = await makeReleasedZoo();
    const late = evolve(root, {
      'packages/tickets/package.json': {
        '': '{ "name": "@zoo/tickets", "type": "module", "mcpHub": { "migration": "002_tickets" } }',
      },
      'packages/tickets/src/schema.ts': {
        '': "import { zooTable, text } from '../../base/src/zoo-table.ts';\nexport const tickets = zooTable('tickets', { code: text('code') });\n",
      },
    });
    await expect(generateIn(late)).rejects.toMatchObject({ code: 'number_too_low' });
  });

  it('refuses a name that no file can have', async () => {
    await expect(generateIn(makeZoo(), { custom: '../x' })).rejects.toMatchObject({ code: 'invalid_name' });
  });

  it('names the file and line of sql that does not run', async () => {
    const root = makeZoo({
      'packages/animals/sql/after.sql': { 'create or replace function': 'create or replase function' },
    });
    await expect(generateIn(root)).rejects.toThrow(/003_animals\.sql \(line \d+\) does not run/);
    expect(readFileSync(join(root, 'migrations/gaps.json'), 'utf8')).toContain('002');
  });
});
