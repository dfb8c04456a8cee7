import { describe, expect, it } from 'vitest';
import { loadPackages } from '../src/packages.ts';
import { parseRename } from '../src/repository/kit-renames.ts';
import { parseKitStatement } from '../src/repository/kit-statement.ts';
import { makeZoo } from './compose-support.ts';

const manifest = 'packages/animals/package.json';
const schema = 'packages/animals/src/schema.ts';

describe('the packages of the workspace', () => {
  it('are those whose manifest names a migration, by its number', async () => {
    const root = makeZoo({ 'packages/plain/package.json': { '': '{ "name": "@zoo/plain" }' } });
    const packages = await loadPackages(root);
    expect(packages.map(({ name, migration, domain }) => [name, migration, domain])).toEqual([
      ['@zoo/base', '001_initial_schema', 'base'],
      ['@zoo/animals', '003_animals', 'animals'],
      ['@zoo/visits', '004_visits', 'visits'],
    ]);
    expect(packages[2]?.tables.map(({ name, mark }) => [name, mark.partitionBy])).toEqual([['visits', 'id']]);
  });

  it('own a table once: the lowest number that exports it', async () => {
    const root = makeZoo({
      'packages/visits/src/schema.ts': {
        'export const visits': "export { animals } from '../../animals/src/schema.ts';\nexport const visits",
      },
    });
    const packages = await loadPackages(root);
    expect(packages.map(({ tables }) => tables.map(({ name }) => name))).toEqual([
      ['keepers'],
      ['animals', 'sightings', 'species'],
      ['visits'],
    ]);
  });

  it.each([
    ['two packages of one number', { [manifest]: { '003_animals': '004_animals' } }, 'duplicate_number'],
    ['a migration of another form', { [manifest]: { '003_animals': '3-animals' } }, 'invalid_manifest'],
    [
      'a dependency on a higher number',
      { [manifest]: { '"type"': '"dependencies": { "@zoo/visits": "*" }, "type"' } },
      'dependency_upwards',
    ],
    [
      'an enum',
      {
        [schema]: {
          'export const species': "export const mood = pgEnum('mood', ['a']);\nexport const species",
          'import {': "import { pgEnum } from 'drizzle-orm/pg-core';\nimport {",
        },
      },
      'not_a_table',
    ],
    [
      'a view',
      {
        [schema]: {
          'export const species': "export const seen = pgView('seen', {}).as(sql`select 1`);\nexport const species",
          'import {': "import { pgView } from 'drizzle-orm/pg-core';\nimport {",
        },
      },
      'not_a_table',
    ],
    [
      'a table of another schema',
      {
        [schema]: {
          'export const species': "export const far = pgSchema('far').table('far', {});\nexport const species",
          'import {': "import { pgSchema } from 'drizzle-orm/pg-core';\nimport {",
        },
      },
      'not_in_public',
    ],
    [
      "text('name').notNull().unique()",
      {
        [schema]: {
          "text('name').notNull(), mascotId": "text('name').notNull().unique(), mascotId",
          'import {': "import { keepers } from '../../base/src/schema.ts';\nimport {",
        },
      },
      'constraint_without_tenant',
    ],
    [
      "text('name').notNull().references(() => keepers.name)",
      {
        [schema]: {
          "text('name').notNull(), mascotId": "text('name').notNull().references(() => keepers.name), mascotId",
          'import {': "import { keepers } from '../../base/src/schema.ts';\nimport {",
        },
      },
      'constraint_without_tenant',
    ],
    [
      'a package that is not installed',
      { [schema]: { 'import {': "import '@zoo/nowhere';\nimport {" } },
      'missing_package',
    ],
  ])('are refused with %s', async (_what, edits, code) => {
    await expect(loadPackages(makeZoo(edits))).rejects.toMatchObject({ code });
  });

  it('may declare a view that sql/after.sql makes', async () => {
    const root = makeZoo({
      [schema]: {
        'export const species': "export const seen = pgView('seen', {}).existing();\nexport const species",
        'import {': "import { pgView } from 'drizzle-orm/pg-core';\nimport {",
      },
    });
    expect(await loadPackages(root)).toHaveLength(3);
  });
});

describe('a declared rename', () => {
  it('is of a column or of a table', () => {
    expect(parseRename('tags.value:val')).toEqual({ kind: 'column', table: 'tags', from: 'value', to: 'val' });
    expect(parseRename('labels:tags')).toEqual({ kind: 'table', from: 'labels', to: 'tags' });
    expect(() => parseRename('labels to tags')).toThrow(/is no rename/);
  });
});

describe("drizzle-kit's statements", () => {
  it.each([
    ['CREATE TABLE "a" (\n\t"x" text\n);', { kind: 'create table', table: 'a' }],
    ['DROP TABLE "a" CASCADE;', { kind: 'drop table', table: 'a' }],
    [
      'ALTER TABLE "a" ADD CONSTRAINT "a_fk" FOREIGN KEY ("x") REFERENCES "public"."b"("y") ON DELETE no action ON UPDATE no action;',
      { kind: 'foreign key', table: 'a', parent: 'b', constraint: 'a_fk' },
    ],
    [
      'CREATE UNIQUE INDEX CONCURRENTLY "a_idx" ON "a" USING btree ("x");',
      { kind: 'index', table: 'a', index: 'a_idx', concurrently: true },
    ],
    ['ALTER TABLE "a" DISABLE ROW LEVEL SECURITY;', { kind: 'disable', table: 'a' }],
    ['ALTER POLICY "p" ON "a" TO public USING (true);', { kind: 'policy', table: 'a' }],
    ['DROP POLICY "p" ON "a" CASCADE;', { kind: 'drop policy', table: 'a', policy: 'p' }],
    ['ALTER TABLE "a" DROP COLUMN "x";', { kind: 'other', table: 'a' }],
  ])('%s is told apart', (sql, expected) => {
    expect(parseKitStatement(sql)).toMatchObject(expected);
  });
});
