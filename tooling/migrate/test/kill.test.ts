import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { readListing } from '../src/listing.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import {
  freshDatabase,
  historyNames,
  migrationsFolder,
  query,
  run,
  smallChain,
  tableSql,
  value,
} from './run-support.ts';

const chain = {
  '001_initial.sql': smallChain['001_initial.sql'],
  '002_models.sql': `${tableSql('models')}
alter table models no force row level security;
insert into models select 'a', n, 'note' from generate_series(1, 50) n;
alter table models force row level security;
`,
  '003_index.sql': `-- no-transaction
create index concurrently models_note_idx on models (tenant_id, note);
create unique index concurrently if not exists models_note_id_idx on public.models (tenant_id, note, id);
alter table models no force row level security;
update models set id = id + 1000;
alter table models force row level security;
drop index concurrently models_note_id_idx;
reindex index concurrently models_note_idx;
vacuum models;
`,
  '004_runs.sql': tableSql('runs'),
} as const;

// The root and this package do not depend on tsx, tooling/workspace does.
const tsx = pathToFileURL(createRequire(new URL('../../workspace/package.json', import.meta.url)).resolve('tsx')).href;

async function listing(url: string): Promise<readonly string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await readListing(sql);
  } finally {
    await sql.end();
  }
}

async function expectWhole(url: string, expected: readonly string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false });
  try {
    expect(await readListing(sql)).toEqual(expected);
    await sql.unsafe('alter table models no force row level security');
    const models = await sql.unsafe('select min(id)::int as first, max(id)::int as last, count(*)::int from models');
    await sql.unsafe('alter table models force row level security');
    expect([...models]).toEqual([{ first: 1001, last: 1050, count: 50 }]);
    const history = await sql.unsafe<{ name: string; whole: boolean }[]>(
      'select migration_name as name, statements_done is null and checksum is not null as whole from migration_history order by 1',
    );
    expect([...history]).toEqual(Object.keys(chain).map((name) => ({ name, whole: true })));
    expect([...(await sql.unsafe('select from pg_index where not indisvalid'))]).toEqual([]);
  } finally {
    await sql.end();
  }
}

describe('a run that is killed at any statement', () => {
  test.each([false, true])(
    'is taken up by the next one and leaves the same database (answer lost: %s)',
    { timeout: 120_000 },
    async (afterwards) => {
      const folder = migrationsFolder(chain);
      const reference = await freshDatabase();
      const counting = await startCuttingProxy(reference);
      await run(counting.url, folder);
      const statements = counting.count;
      await counting.close();
      const expected = await listing(reference);
      await expectWhole(reference, expected);
      expect(statements).toBeGreaterThan(40);

      const cutAt = Array.from({ length: statements }, (_, index) => index + 1);
      const next = cutAt.values();
      const worker = async (): Promise<void> => {
        // One database for all turns of a worker: making and dropping one costs more than the runs.
        const url = await freshDatabase();
        for (const at of next) {
          await query(url, 'drop table if exists models, runs, migration_history');
          const proxy = await startCuttingProxy(url, { at, afterwards });
          // The last statements only give the lock back: a run that loses those has done its work.
          await run(proxy.url, folder).catch((error: unknown) =>
            expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 }),
          );
          await proxy.close();
          await run(url, folder);
          await expectWhole(url, expected);
        }
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
    },
  );
});

function startRunner(url: string, root: string): ChildProcess {
  const program = fileURLToPath(new URL('../src/repository/bin.ts', import.meta.url));
  const parameters = ['--conditions=@mcp-hub/source', '--import', tsx, program, 'migrate', '--directory', root];
  return spawn(process.execPath, parameters, { env: { ...process.env, POSTGRES_URL: url }, stdio: 'ignore' });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come to that');
}

const waitingStatement = (url: string): Promise<boolean> =>
  query(
    url,
    `select from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and state = 'active' and datname = current_database()`,
  ).then((rows) => rows.length > 0);

describe('a runner that dies in a long statement', () => {
  const slow = { ...smallChain, '004_slow.sql': `${tableSql('slow')}select pg_sleep(60);` };

  test('by SIGKILL gives its lock up within seconds', async () => {
    const url = await freshDatabase();
    const migrations = migrationsFolder(slow);
    const child = startRunner(url, dirname(migrations));
    await until(() => waitingStatement(url));
    child.kill('SIGKILL');
    writeFileSync(join(migrations, '004_slow.sql'), tableSql('slow'));
    const started = Date.now();
    const report = await run(url, migrations);
    expect(report.applied.map((entry) => entry.file)).toEqual(['004_slow.sql']);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test('because its server session is ended says so, and sends nothing more', async () => {
    const url = await freshDatabase();
    const folder = migrationsFolder(slow);
    const running = run(url, folder).then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(() => waitingStatement(url));
    await query(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and datname = current_database()`,
    );
    expect(await running).toMatchObject({
      code: 'unreachable',
      exitCode: 4,
      message: expect.stringContaining('was lost'),
    });
    expect(await value(url, `select to_regclass('slow')`)).toBeNull();
    expect(await historyNames(url)).toHaveLength(3);
  });
});
