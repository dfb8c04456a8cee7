import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checksumOf, readMigrationsFolder, toMigrationFile } from '../src/migrations-folder.ts';

function folderOf(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'migrations-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

describe('the migrations folder', () => {
  it('has its files by number, and declared gaps', async () => {
    const folder = await readMigrationsFolder(
      folderOf({ '003_b.sql': 'select 3', '001_a.sql': 'select 1', 'gaps.json': '{ "002": "never" }', 'notes.md': '' }),
    );
    expect(folder.files.map(({ file, number }) => [file, number])).toEqual([
      ['001_a.sql', 1],
      ['003_b.sql', 3],
    ]);
    expect(folder.gaps.get(2)).toBe('never');
  });

  it('is empty where there is none', async () => {
    expect((await readMigrationsFolder('/nowhere/at/all')).files).toEqual([]);
  });

  it.each([
    ['a gap that nobody declared', { '001_a.sql': '', '003_b.sql': '' }, 'undeclared_gap'],
    ['a declared gap that is none', { '001_a.sql': '', 'gaps.json': '{ "001": "never" }' }, 'filled_gap'],
    ['two files of one number', { '001_a.sql': '', '001_b.sql': '' }, 'duplicate_number'],
    ['a released file that is gone', { 'released.json': `{ "001_a.sql": "${checksumOf('')}" }` }, 'missing_file'],
    [
      'a released file that was edited',
      { '001_a.sql': 'x', 'released.json': `{ "001_a.sql": "${checksumOf('')}" }` },
      'edited_file',
    ],
    ['a name of another form', { '1_a.sql': '' }, 'invalid_file_name'],
    ['JSON that is none', { 'gaps.json': '{' }, 'invalid_json'],
    ['JSON of another form', { 'gaps.json': '["002"]' }, 'invalid_json'],
  ])('is refused with %s', async (_what, files, code) => {
    await expect(readMigrationsFolder(folderOf(files))).rejects.toMatchObject({ code });
  });
});

describe('a migration', () => {
  it('has the same checksum with either line end', () => {
    expect(checksumOf('a\r\nb\r\n')).toBe(checksumOf('a\nb\n'));
  });

  it('says in its header what it is', () => {
    const text =
      '-- about\n-- no-transaction\n-- rolls-back: 004_a.sql\n-- rolls-back: 003_b.sql\n-- changes: @x/y\nselect 1;\n-- composed-from: @x/z\n';
    expect(toMigrationFile('', '005_x.sql', text)).toMatchObject({
      transactional: false,
      rollsBack: ['004_a.sql', '003_b.sql'],
      changes: '@x/y',
      composedFrom: undefined,
    });
  });

  it('is cut at its breakpoints, leaving out parts without a statement', () => {
    const text = 'select 1;\n--> statement-breakpoint\n-- only words\n--> statement-breakpoint\nselect 2;\n';
    expect(toMigrationFile('', '005_x.sql', text).statements).toEqual(['select 1;', 'select 2;']);
  });
});
