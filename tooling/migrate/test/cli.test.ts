import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runRepositoryCli } from '../src/repository/repository-cli.ts';
import { freshDatabase, migrationsFolder, query, run, smallChain, testServer } from './run-support.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function cli(...parameters: readonly string[]): Promise<Outcome> {
  let [out, error] = ['', ''];
  const code = await runRepositoryCli(parameters, {
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
  });
  return { code, out, error };
}

/** A project with migrations and `.env.test` and `.env.production` that name an empty database. */
async function project(
  files: Readonly<Record<string, string>> = smallChain,
): Promise<{ readonly root: string; readonly url: string; readonly on: readonly string[] }> {
  const root = dirname(migrationsFolder(files));
  const url = await freshDatabase();
  for (const name of ['test', 'production'])
    writeFileSync(join(root, `.env.${name}`), `POSTGRES_URL=${url}\nDEFAULT_TENANT=t1\n`);
  return { root, url, on: ['--directory', root, '--env', 'test'] };
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const password = (): string => new URL(testServer().ownerUrl).password;

describe('db:migrate', () => {
  test('prints one line a migration with its time, and then that there is nothing to do', async () => {
    const { on } = await project();
    const first = await cli('migrate', ...on);
    expect(first).toMatchObject({ code: 0, error: '' });
    expect(first.out.split('\n').slice(0, 3)).toEqual(
      Object.keys(smallChain).map((file) => expect.stringMatching(new RegExp(`^applied {2}${file} {2}[\\d.]+ m?s$`))),
    );
    expect((await cli('migrate', ...on)).out).toMatch(/^Nothing to apply in \w+: 3 migrations applied\.\n$/);
  });

  test('prints one JSON document with --json, of a refusal too', async () => {
    const { root, on } = await project();
    const done = await cli('migrate', ...on, '--json');
    expect(JSON.parse(done.out)).toMatchObject({
      applied: [{ file: '001_initial.sql' }, {}, {}],
      adopted: [],
      alreadyApplied: 0,
    });
    writeFileSync(join(root, 'migrations', '002_models.sql'), 'select 1;');
    const refused = await cli('migrate', ...on, '--json');
    expect(refused).toMatchObject({ code: 3, error: '' });
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'edited_file' } });
    writeFileSync(join(root, 'migrations', '002_models.sql'), smallChain['002_models.sql']);
    writeFileSync(join(root, 'migrations', '004_bad.sql'), '\nselect nothing;');
    const failed = await cli('migrate', ...on, '--json');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.out)).toMatchObject({
      error: { code: 'statement_failed', file: '004_bad.sql', line: 2, sqlstate: '42703' },
    });
  });

  test('takes --from=005 --to=010 as the first version did, and what pnpm makes of -- --to', async () => {
    const { on } = await project();
    expect(await cli('migrate', '--', '--to=1', ...on)).toMatchObject({ code: 0 });
    expect(await cli('migrate', '--from=003', '--to=010', ...on)).toMatchObject({
      code: 3,
      error: expect.stringContaining('002_models.sql'),
    });
    expect((await cli('migrate', '--from=002', '--to=010', ...on)).out).toContain('applied  003_runs.sql');
  });

  test('rehearses with --dry-run, and what it prints is SQL', async () => {
    const { on, url } = await project();
    const { code, out } = await cli('migrate', '--dry-run', ...on);
    expect(code).toBe(0);
    for (const sql of Object.values(smallChain)) expect(out).toContain(sql.trimEnd());
    expect(out).toMatch(/^-- 002_models\.sql: \d+ ms$/m);
    expect(JSON.parse((await cli('migrate', '--dry-run', '--json', ...on)).out)).toMatchObject({
      files: [{ executed: true }, {}, {}],
    });
    await query(url, out);
  });

  test('asks for --yes on production, but not for a dry run', async () => {
    const { root } = await project();
    const on = ['--directory', root, '--env', 'production'];
    expect(await cli('migrate', ...on)).toMatchObject({ code: 2, error: expect.stringContaining('--yes') });
    expect(await cli('migrate', '--dry-run', ...on)).toMatchObject({ code: 0 });
    expect(await cli('migrate', '--yes', ...on)).toMatchObject({ code: 0 });
  });
});

describe('other commands', () => {
  test.each(['rollback 003', 'reset', 'down'])('db:%s is not there for production', async (command) => {
    const { root } = await project();
    const outcome = await cli(...command.split(' '), '--directory', root, '--env', 'production', '--yes');
    expect(outcome).toMatchObject({ code: 3, error: expect.stringContaining('for production') });
  });

  test('db:status lists the states, and ends with 3 when db:migrate would refuse', async () => {
    const { root, url, on } = await project();
    await run(url, join(root, 'migrations'), { to: '2' });
    const good = await cli('status', ...on);
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/002_models\.sql +applied +\d{4}-.*\n003_runs\.sql +pending\n2 applied, 1 pending in/);
    writeFileSync(join(root, 'migrations', '002_models.sql'), 'select 1;');
    expect(await cli('status', ...on)).toMatchObject({
      code: 3,
      out: expect.stringContaining('002_models.sql was edited'),
    });
    expect(JSON.parse((await cli('status', '--json', ...on)).out)).toMatchObject({
      entries: [{ state: 'applied' }, {}, {}],
      problems: [{ code: 'edited_file' }],
    });
  });

  test('db:sql prints a table, sets the tenant, and ends with 1 when a statement fails', async () => {
    const { on } = await project();
    const good = await cli('sql', `select current_setting('app.tenant') as tenant, null as nothing`, ...on);
    expect(good).toEqual({ code: 0, error: '', out: ' tenant | nothing\n--------+---------\n t1     |\n(1 row)\n\n' });
    expect((await cli('sql', `select current_setting('app.tenant')`, '--tenant', 'other one', ...on)).out).toContain(
      'other one',
    );
    expect(await cli('sql', 'select 1/0', ...on)).toMatchObject({ code: 1, error: expect.stringContaining('22012') });
    expect(JSON.parse((await cli('sql', 'select 1 as one', '--json', ...on)).out)).toMatchObject({
      outcomes: [{ command: 'SELECT', rows: [{ one: '1' }] }],
    });
  });

  test('db:sql on production runs what only reads, and the rest with --yes', async () => {
    const { root } = await project();
    const on = ['--directory', root, '--env', 'production'];
    expect(await cli('sql', 'select 1', ...on)).toMatchObject({ code: 0 });
    expect(await cli('sql', 'create table x (id int)', ...on)).toMatchObject({ code: 2 });
    expect(await cli('sql', 'create table x (id int)', '--yes', ...on)).toMatchObject({ code: 0 });
    expect(await cli('sql', 'select 1; drop table x', ...on)).toMatchObject({ code: 2 });
  });

  test('db:reset empties a local database that POSTGRES_URL names with --yes only, and never a remote one', async () => {
    const { root, url, on } = await project();
    await run(url, join(root, 'migrations'));
    await query(url, 'create table stray (id int)');
    expect(await cli('reset', ...on)).toMatchObject({ code: 2, error: expect.stringContaining('--yes') });
    expect(await cli('reset', '--yes', ...on)).toMatchObject({ code: 0 });
    expect(
      await query(url, `select to_regclass('stray') as stray, to_regclass('models') is not null as models`),
    ).toEqual([{ stray: null, models: true }]);
    writeFileSync(join(root, '.env.far'), 'POSTGRES_URL=postgresql://a:b@db.example.org/x\n');
    expect(await cli('reset', '--yes', '--directory', root, '--env', 'far')).toMatchObject({
      code: 3,
      error: expect.stringContaining('db.example.org'),
    });
  });

  test('db:url and db:up print passwords, nothing else does', async () => {
    const { root, on } = await project();
    expect((await cli('url', ...on)).out).toContain(password());
    expect((await cli('up', ...on)).out).toContain(password());
    for (const command of [
      ['migrate'],
      ['status'],
      ['status', '--json'],
      ['migrate', '--dry-run'],
      ['sql', 'selec'],
      ['grant-runtime', 'nobody'],
    ]) {
      const { out, error } = await cli(...command, ...on);
      expect(out + error).not.toContain(password());
    }
    const wrong = testServer().ownerUrl.replace(password(), 'wrong-secret');
    writeFileSync(join(root, '.env.wrong'), `POSTGRES_URL=${wrong}\n`);
    const refused = await cli('migrate', '--directory', root, '--env', 'wrong');
    expect(refused.code).toBe(4);
    expect(refused.out + refused.error).not.toContain('wrong-secret');
  });
});

describe('what can be mended is said in words', () => {
  test('db:sql without a tenant says on stderr that tables look empty', async () => {
    const { root, url } = await project();
    writeFileSync(join(root, '.env.bare'), `POSTGRES_URL=${url}\n`);
    expect(await cli('sql', 'select 1 as one', '--directory', root, '--env', 'bare')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ one\n/),
      error: expect.stringMatching(/^warning: No tenant is set.*\n$/),
    });
  });

  test('a refusal on production ends with what is possible without --yes', async () => {
    const { root } = await project();
    const refused = async (...parameters: readonly string[]) =>
      (await cli(...parameters, '--directory', root, '--env', 'production')).error;
    expect(await refused('migrate')).toContain('say so with --yes. --dry-run shows what would happen');
    expect(await refused('sql', 'drop table x')).toContain('say so with --yes. A single SELECT needs none.');
    expect(await refused('psql')).toContain('db:sql takes a single SELECT without it');
    expect(await refused('grant-runtime', 'x')).toMatch(/say so with --yes\.\n$/);
  });

  test("db:status with a service's URL names the URL that it needs", async () => {
    const { root, url } = await project();
    await run(url, join(root, 'migrations'));
    const service = testServer().serviceUrl;
    if (service === undefined) throw new Error('the test server has no service login');
    const address = new URL(service);
    address.pathname = new URL(url).pathname;
    writeFileSync(join(root, '.env.service'), `POSTGRES_URL=${address.href}\n`);
    const outcome = await cli('status', '--directory', root, '--env', 'service');
    expect(outcome).toMatchObject({ code: 3, error: expect.stringContaining('may not read migration_history') });
    expect(outcome.error).not.toContain('    at ');
  });

  test('db:check and db:generate outside of a checkout say so', async () => {
    const { on } = await project();
    for (const command of ['check', 'generate']) {
      expect(await cli(command, ...on)).toMatchObject({
        code: 2,
        error: expect.stringMatching(/^error: .*packages does not exist\. This command works on the sources/),
      });
    }
  });

  test('a dry run that fails says nothing of a transaction', async () => {
    const { root, on } = await project();
    writeFileSync(join(root, 'migrations', '004_bad.sql'), 'select nothing;');
    const { code, error, out } = await cli('migrate', '--dry-run', ...on);
    expect(code).toBe(1);
    expect(error + out).not.toContain('no transaction in progress');
    const good = await cli('migrate', '--dry-run', '--to=3', ...on);
    expect(good).toMatchObject({ code: 0, error: '' });
  });

  test('db:studio on a port that is taken says so', async () => {
    const { on } = await project();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await cli('studio', '--port', String(port), ...on)).toMatchObject({
      code: 3,
      error: expect.stringContaining(`Port ${port} cannot be used (EADDRINUSE)`),
    });
    expect(await cli('studio', '--port', 'x', ...on)).toMatchObject({ code: 2 });
  });

  test('a server that does not listen is one sentence', async () => {
    const { root } = await project();
    writeFileSync(join(root, '.env.away'), 'POSTGRES_URL=postgresql://a:b@127.0.0.1:1/x\n');
    const { code, error } = await cli('status', '--directory', root, '--env', 'away');
    expect(code).toBe(4);
    expect(error).toMatch(/nothing listens there; start the server \(npm run db:up starts a local one\)\.\n$/);
  });
});

test.skipIf(process.env['POSTGRES_URL'] !== undefined)(
  'db:reset makes the local server new on its port and prints its URLs; db:up --brief says nothing of what is next',
  { timeout: 120_000 },
  async () => {
    const { root } = await project();
    rmSync(join(root, 'migrations'), { recursive: true });
    cpSync(join(repository, 'migrations'), join(root, 'migrations'), { recursive: true });
    const on = ['--directory', root];
    onTestFinished(async () => void (await cli('down', ...on)));
    const up = await cli('up', '--brief', ...on);
    expect(up.out).not.toContain('Next:');
    const reset = await cli('reset', ...on);
    expect(reset).toMatchObject({ code: 0 });
    const urls = (text: string) => [...text.matchAll(/^POSTGRES_\w+=(.+)$/gm)].map(([, url]) => new URL(url ?? ''));
    const [before, after] = [urls(up.out), urls(reset.out)];
    expect(after.map(({ port }) => port)).toEqual(before.map(({ port }) => port));
    expect(after).toHaveLength(2);
    expect((await cli('url', ...on)).out.trim()).toBe(after[0]?.toString());
  },
);

describe('the command line', () => {
  test('says how npm is to be told, and --yes where it means something', async () => {
    expect((await cli('up', '--help')).out).toMatch(/^Usage: npm run db:up -- \[options\]/);
    expect((await cli('rollback', '--help')).out).toMatch(
      /^Usage: npm run db:rollback -- \[options\] <number>[^]*--yes/,
    );
    expect((await cli('verify', '--help')).out).not.toContain('--yes');
    expect((await cli('release', '--help')).out).not.toContain('--env');
    expect((await cli('studio', '--help')).out).not.toContain('--json');
  });

  test.each([
    [['migrate', '--bogus'], '--bogus'],
    [['bogus'], 'bogus'],
    [['baseline'], 'number'],
    [['grant-runtime'], 'login'],
    [['migrate', '--from=abc'], 'abc'],
    [['migrate', 'superfluous'], 'argument'],
  ])('%s ends with 2', async (parameters, text) => {
    expect(await cli(...parameters)).toMatchObject({ code: 2, error: expect.stringContaining(text) });
  });

  test('explains itself and its exit codes', async () => {
    for (const parameters of [['--help'], ['migrate', '--help']]) {
      expect(await cli(...parameters)).toMatchObject({
        code: 0,
        out: expect.stringMatching(/Exit codes:.*3 refused/s),
      });
    }
  });
});

test('a tenant id that no transaction could enter is refused by the database, where there is one', async () => {
  const { root, on } = await project();
  const url = await freshDatabase();
  await run(url, join(repository, 'migrations'));
  writeFileSync(join(root, '.env.real'), `POSTGRES_URL=${url}\n`);
  for (const tenant of [' x ', 'x\n', 'x\u2028', 'x\ufffd', 'x'.repeat(129), '']) {
    expect(await cli('sql', 'select 1', '--tenant', tenant, '--directory', root, '--env', 'real')).toMatchObject({
      code: 2,
      error: expect.stringContaining('A tenant id has 1 to 128 characters'),
    });
  }
  expect(await cli('sql', 'select 1', '--tenant', 'x y', '--directory', root, '--env', 'real')).toMatchObject({
    code: 0,
  });
  expect(await cli('sql', 'select 1', '--tenant', ' x ', ...on)).toMatchObject({ code: 0 });
});

/** As a process of its own: the packages' schemas are imported by tsx, not by vitest. */
async function program(...parameters: readonly string[]): Promise<Outcome> {
  const child = start(parameters);
  const [out, error, code] = await Promise.all([readText(child.stdout), readText(child.stderr), exitOf(child)]);
  return { code, out, error };
}

function start(parameters: readonly string[]) {
  const tsx = createRequire(join(repository, 'tooling', 'workspace', 'package.json')).resolve('tsx');
  const bin = join(repository, 'tooling', 'migrate', 'src', 'repository', 'bin.ts');
  const flags = ['--conditions=@mcp-hub/source', '--import', pathToFileURL(tsx).href];
  return spawn(process.execPath, [...flags, bin, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function exitOf(child: ChildProcess): Promise<number> {
  return await new Promise((resolve) => child.on('exit', (exitCode) => resolve(exitCode ?? -1)));
}

test('a reader that goes away ends the printing, not the work, and not the exit code', async () => {
  const { url, on } = await project();
  for (const [parameters, expected] of [
    [['migrate', ...on], 0],
    [['check', ...on, '--bogus'], 2],
    [['status', ...on], 0],
  ] as const) {
    const child = start(parameters);
    child.stdout.destroy();
    const [error, code] = await Promise.all([readText(child.stderr), exitOf(child)]);
    expect({ code, stack: error.includes('EPIPE') }).toEqual({ code: expected, stack: false });
  }
  expect(await query(url, `select count(*)::int as n from migration_history`)).toEqual([{ n: 3 }]);
});

test('db:generate, db:check, db:verify, db:release and db:rollback work on the packages of the repository', {
  timeout: 120_000,
}, async () => {
  const { root, url } = await project();
  rmSync(join(root, 'migrations'), { recursive: true });
  cpSync(join(repository, 'migrations'), join(root, 'migrations'), { recursive: true });
  symlinkSync(join(repository, 'packages'), join(root, 'packages'));
  const on = ['--directory', root, '--env', 'test'];
  expect(await program('migrate', ...on)).toMatchObject({ code: 0 });
  expect(await program('check', ...on)).toMatchObject({ code: 0, out: expect.stringContaining('They agree') });
  expect(await program('verify', ...on)).toMatchObject({ code: 0, out: expect.stringContaining('0 broken') });
  expect(await program('generate', ...on)).toMatchObject({
    code: 0,
    out: expect.stringContaining('No schema changes'),
  });
  expect(await program('release', ...on)).toMatchObject({ code: 0 });
  await query(url, 'alter table tenants no force row level security');
  expect(await program('check', ...on)).toMatchObject({ code: 5, out: expect.stringContaining('tenants') });
  expect(await program('verify', ...on)).toMatchObject({ code: 5, out: expect.stringContaining('BROKEN') });
  await query(url, 'alter table tenants force row level security');
  // Others stand on the registry, and nothing on what came last.
  expect(await program('rollback', '005', '--dry-run', ...on)).toMatchObject({ code: 3 });
  const last = readdirSync(join(repository, 'migrations'))
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .at(-1);
  const [, number = '', name = ''] = /^(\d{3})_(\w+)\.sql$/.exec(last ?? '') ?? [];
  expect(await program('rollback', number, '--dry-run', ...on)).toMatchObject({ code: 0 });
  expect(await program('rollback', number, ...on)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`applied  011_rollback_${name}.sql`),
  });
  expect((await program('status', ...on)).out).toMatch(new RegExp(`${number}_${name}\\.sql +rolled back`));
  expect(await program('migrate', ...on)).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to apply') });
});
