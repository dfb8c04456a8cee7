import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseline } from '../src/baseline.ts';
import {
  freshDatabase,
  historyNames,
  migrationsFolder,
  query,
  refusal,
  run,
  smallChain,
  value,
} from './run-support.ts';
import { writeListings } from './write-listings.ts';

/** As composed files end: by hand, the row has neither checksum nor duration. */
function recorded(name: string, sql: string): string {
  return `${sql}do $$ begin insert into migration_history (migration_name) values ('${name}') on conflict (migration_name) do nothing; end $$;\n`;
}

const chain = Object.fromEntries(Object.entries(smallChain).map(([name, sql]) => [name, recorded(name, sql)]));

async function folderWithListings(): Promise<string> {
  const folder = migrationsFolder(chain);
  await writeListings(folder);
  return folder;
}

async function applyByHand(url: string, folder: string, file: string): Promise<void> {
  await query(url, readFileSync(join(folder, file), 'utf8'));
}

describe('a file that was applied by hand', () => {
  test('is adopted when the database is what the files make: its checksum is filled in', async () => {
    const [url, folder] = [await freshDatabase(), await folderWithListings()];
    await run(url, folder, { to: '001' });
    await applyByHand(url, folder, '002_models.sql');
    const report = await run(url, folder);
    expect(report.adopted).toEqual(['002_models.sql']);
    expect(report.applied.map((entry) => entry.file)).toEqual(['003_runs.sql']);
    expect(await value(url, 'select count(*)::int from migration_history where checksum is null')).toBe(0);
    expect(await run(url, folder)).toMatchObject({ adopted: [], applied: [] });
  });

  test('is adopted when all were, on a database that no run has seen', async () => {
    const [url, folder] = [await freshDatabase(), await folderWithListings()];
    for (const file of Object.keys(chain)) await applyByHand(url, folder, file);
    expect(await run(url, folder)).toMatchObject({ adopted: Object.keys(chain), applied: [] });
  });

  test('is refused when the database differs, and the lines that differ are named', async () => {
    const [url, folder] = [await freshDatabase(), await folderWithListings()];
    await run(url, folder, { to: '001' });
    await applyByHand(url, folder, '002_models.sql');
    await query(url, 'alter table models no force row level security; alter table models add column extra text');
    const error = await refusal(run(url, folder));
    expect(error).toMatchObject({ code: 'listing_differs', exitCode: 3 });
    expect(error.message).toMatch(/002_models\.sql.*- .*models.*\+ .*extra/s);
    expect(await value(url, `select to_regclass('runs')`)).toBeNull();
  });

  test('is refused when its listing is not in the folder', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(chain)];
    await applyByHand(url, folder, '001_initial.sql');
    expect(await refusal(run(url, folder))).toMatchObject({ code: 'missing_listing' });
  });
});

describe('db:baseline', () => {
  const bare = smallChain;

  test('records the files whose work is there, and the next run goes on after them', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(bare)];
    await writeListings(folder);
    await query(url, bare['002_models.sql']);
    const report = await baseline({ url, directory: folder, upTo: '002' });
    expect(report.recorded).toEqual(['001_initial.sql', '002_models.sql']);
    expect((await run(url, folder)).applied.map((entry) => entry.file)).toEqual(['003_runs.sql']);
    expect(await baseline({ url, directory: folder, upTo: '003' })).toMatchObject({
      recorded: [],
      alreadyApplied: { length: 3 },
    });
  });

  test('refuses a database that does not hold their work, and leaves no table behind', async () => {
    const [url, folder] = [await freshDatabase(), migrationsFolder(bare)];
    await writeListings(folder);
    const error = await refusal(baseline({ url, directory: folder, upTo: '002' }));
    expect(error).toMatchObject({ code: 'listing_differs', exitCode: 3 });
    expect(error.message).toContain('models');
    expect(await value(url, `select to_regclass('migration_history')`)).toBeNull();
  });

  test('records a file that was rolled back as that', async () => {
    const rollback = `-- rolls-back: 003_runs.sql
drop table runs;
update migration_history set migration_name = '003_runs.sql_rolled_back' where migration_name = '003_runs.sql';
`;
    const [url, folder] = [await freshDatabase(), migrationsFolder({ ...bare, '004_rollback_runs.sql': rollback })];
    await writeListings(folder);
    await query(url, bare['002_models.sql']);
    await baseline({ url, directory: folder, upTo: '004' });
    expect(await historyNames(url)).toEqual([
      '001_initial.sql',
      '002_models.sql',
      '003_runs.sql_rolled_back',
      '004_rollback_runs.sql',
    ]);
    expect(await run(url, folder)).toMatchObject({ applied: [] });
  });

  test('refuses a number that no file has', async () => {
    expect(
      await refusal(baseline({ url: await freshDatabase(), directory: migrationsFolder(bare), upTo: '009' })),
    ).toMatchObject({ exitCode: 2 });
  });
});
