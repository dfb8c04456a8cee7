import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { describeLoss, findLosses, renameOf } from '../src/losses.ts';
import { runRepositoryCli } from '../src/repository/repository-cli.ts';
import { freshDatabase, migrationsFolder, smallChain } from './run-support.ts';

const texts = (sql: string) =>
  findLosses(sql).map((loss) => [describeLoss(loss), renameOf(loss)].filter((text) => text !== undefined).join('; '));

test('a file says what of the rows goes with it, and how a rename would be declared', () => {
  expect(
    texts(`-- drop table "no";
ALTER TABLE "model_notes" ADD COLUMN "body" text;
--> statement-breakpoint
alter table model_notes
  drop column if exists "note";
DROP TABLE public."old";
alter table runs drop column a, add column b text;
alter table runs drop constraint c;
do $record$ begin execute 'drop table x'; end $record$;`),
  ).toEqual([
    'drops model_notes.note with its values; --rename model_notes.note:body',
    'drops runs.a with its values',
    'drops old with its rows',
  ]);
  expect(texts('alter table a drop column x; alter table a add column y int; alter table a add column z int')).toEqual([
    'drops a.x with its values; --rename a.x:NEW',
  ]);
  expect(texts('drop table a; create table b (id int)')).toEqual(['drops a with its rows; --rename a:b']);
});

test('db:migrate and its dry run name what goes', async () => {
  const root = dirname(migrationsFolder({ ...smallChain, '004_less.sql': 'alter table runs drop column note;\n' }));
  writeFileSync(join(root, '.env.test'), `POSTGRES_URL=${await freshDatabase()}\n`);
  let out = '';
  const cli = (...parameters: readonly string[]) =>
    runRepositoryCli([...parameters, '--directory', root, '--env', 'test'], {
      out: (text) => {
        out += text;
      },
      error: () => {},
    });
  await cli('migrate', '--dry-run');
  expect(out).toContain('\n-- 004_less.sql drops runs.note with its values\n');
  out = '';
  await cli('migrate');
  expect(out).toContain('\n         004_less.sql  drops runs.note with its values\napplied  004_less.sql');
});
