import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, makeRunName, startTestServer, type TestServer } from '@mcp-hub/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerAnswers } from '../src/docker-probe.ts';
import { SHARED_CACHE } from '../src/installation.ts';
import { chooseTestServer } from '../src/test-server.ts';
import { AS_ROOT, answers, query, runProgram, until } from './support.ts';

const FOLDER = AS_ROOT ? join(SHARED_CACHE, 'test') : tmpdir();

function dataDirectoriesOf(pid: number | undefined): readonly string[] {
  return readdirSync(FOLDER).filter(
    (name) => name.startsWith('mcp_hub_test_') && name.includes(`_${pid?.toString(36)}_`),
  );
}

describe('an embedded test server', () => {
  it.each([15, 16, 17, 18] as const)('runs PostgreSQL %i with an owner that is no superuser', async (major) => {
    const server = await startTestServer({ kind: 'embedded', major });
    const settings = `select current_setting('server_version_num')::int / 10000 as major, rolsuper, rolcreatedb,
                             rolcreaterole, current_setting('fsync') as fsync, current_setting('max_connections') as connections,
                             'É' ilike 'é' as knows_letters
                        from pg_roles where rolname = current_user`;
    expect(await query(server.ownerUrl, settings)).toEqual([
      {
        major,
        rolsuper: false,
        rolcreatedb: true,
        rolcreaterole: true,
        fsync: 'off',
        connections: '200',
        knows_letters: true,
      },
    ]);
    const [place] = await query(server.adminUrl ?? '', 'show data_directory');
    await server.stop();
    expect(await answers(server.ownerUrl)).toBe(false);
    expect(existsSync(String(place?.['data_directory']))).toBe(false);
  });

  it('ends with its data when the process that started it is killed with -9', async () => {
    const program = runProgram('start-test-server.ts', []);
    const server = await program.line;
    const [place] = await query(String(server['adminUrl']), 'show data_directory');
    expect(existsSync(String(place?.['data_directory']))).toBe(true);
    program.process.kill('SIGKILL');
    expect(await until(async () => !(await answers(String(server['ownerUrl']))), 10_000)).toBe(true);
    expect(await until(() => !existsSync(String(place?.['data_directory'])), 10_000)).toBe(true);
  });

  it('ends, too, when that process is killed with all its children', async () => {
    const program = runProgram('start-test-server.ts', []);
    const server = await program.line;
    const pid = String(program.process.pid);
    const children = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .stdout.split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, parent]) => parent === pid);
    for (const [child] of children) process.kill(Number(child), 'SIGKILL');
    program.process.kill('SIGKILL');
    expect(await until(async () => !(await answers(String(server['ownerUrl']))), 10_000)).toBe(true);
  });

  it('is removed by the next run when its watchdog was killed, too', async () => {
    const program = runProgram('start-test-server.ts', []);
    const server = await program.line;
    const data = dataDirectoriesOf(program.process.pid)[0] ?? '';
    const watchdog = spawnSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
      .stdout.split('\n')
      .find((line) => line.includes('mcp-hub-watchdog') && line.includes(data));
    process.kill(Number.parseInt(watchdog ?? '', 10), 'SIGKILL');
    program.process.kill('SIGKILL');
    await program.closed;
    await sleep(500);
    expect(await answers(String(server['ownerUrl']))).toBe(true);
    const next = await startTestServer({ kind: 'embedded' });
    await next.stop();
    expect(await answers(String(server['ownerUrl']))).toBe(false);
    expect(dataDirectoriesOf(program.process.pid)).toEqual([]);
  });

  it('ends when that process ends without stopping it', async () => {
    const program = runProgram('start-test-server.ts', ['end']);
    const server = await program.line;
    expect(await until(async () => !(await answers(String(server['ownerUrl']))), 10_000)).toBe(true);
  });

  it('leaves nothing when that process is killed at any moment of the start', async () => {
    const killed = await Promise.all(
      [100, 350, 600, 850].map(async (afterMs) => {
        const program = runProgram('start-test-server.ts', []);
        program.line.catch(() => {});
        const { pid } = program.process;
        // Counted from when its data directory appears; loading the program takes a different time each run.
        await until(() => dataDirectoriesOf(pid).length > 0, 10_000);
        await sleep(afterMs);
        program.process.kill('SIGKILL');
        return pid;
      }),
    );
    expect(await until(() => killed.every((pid) => dataDirectoriesOf(pid).length === 0), 10_000)).toBe(true);
    await sleep(2000);
    expect(killed.flatMap(dataDirectoriesOf)).toEqual([]);
    if (AS_ROOT) {
      const strange = readdirSync(SHARED_CACHE).filter((name) => !/^(bin-|checkout-|test$)/.test(name));
      expect(strange).toEqual([]);
    }
  });
});

describe('the route', () => {
  const never = () => Promise.reject(new Error('asked for Docker'));

  it('is the given server, without a look at Docker', async () => {
    expect(await chooseTestServer({ givenUrl: 'postgres://x@y/z' }, never)).toBe('given');
  });

  it('is Docker when its engine answers, else embedded; an empty URL is none', async () => {
    expect(await chooseTestServer({ givenUrl: '' }, async () => true)).toBe('container');
    expect(await chooseTestServer({}, async () => false)).toBe('embedded');
  });

  it('is the one that was asked for', async () => {
    expect(await chooseTestServer({ kind: 'embedded', givenUrl: 'postgres://x@y/z' }, never)).toBe('embedded');
  });
});

describe('the look for Docker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-docker-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function timed(host: string): Promise<{ readonly answer: boolean; readonly ms: number }> {
    const begin = performance.now();
    const answer = await dockerAnswers(host);
    return { answer, ms: performance.now() - begin };
  }

  it('sees an engine that answers its ping', async () => {
    const path = join(folder, 'good.sock');
    const engine = createServer((asked, answer) => {
      answer.statusCode = asked.url === '/_ping' ? 200 : 404;
      answer.end('OK');
    });
    await new Promise<void>((resolve) => engine.listen(path, resolve));
    expect(await dockerAnswers(`unix://${path}`)).toBe(true);
    engine.close();
  });

  it('leads to the embedded server, with a word about it, when the engine then gives no container', async () => {
    const path = join(folder, 'empty.sock');
    const engine = createServer((asked, answer) => {
      answer.statusCode = asked.url === '/_ping' ? 200 : 500;
      answer.end('{}');
    });
    await new Promise<void>((resolve) => engine.listen(path, resolve));
    const before = process.env['DOCKER_HOST'];
    process.env['DOCKER_HOST'] = `unix://${path}`;
    const notices: string[] = [];
    try {
      const server = await startTestServer({ onNotice: (notice) => notices.push(notice) });
      expect(server.kind).toBe('embedded');
      expect(await answers(server.ownerUrl)).toBe(true);
      await server.stop();
    } finally {
      if (before === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = before;
      engine.close();
    }
    expect(notices).toEqual([expect.stringContaining('Docker answers but gave no PostgreSQL')]);
  });

  it('finds within two seconds that there is none: no socket, nobody behind it, or no answer', async () => {
    expect(await timed(`unix://${join(folder, 'none.sock')}`)).toMatchObject({ answer: false });
    const path = join(folder, 'mute.sock');
    const mute = createSocketServer(() => {});
    await new Promise<void>((resolve) => mute.listen(path, resolve));
    const asked = await timed(`unix://${path}`);
    expect(asked.answer).toBe(false);
    expect(asked.ms).toBeLessThan(2000);
    mute.close();
    const refused = await timed('tcp://127.0.0.1:1');
    expect(refused.answer).toBe(false);
    expect(refused.ms).toBeLessThan(2000);
  });
});

describe('a given server', () => {
  let host: TestServer;
  beforeAll(async () => {
    host = await startTestServer({ kind: 'embedded' });
  });
  afterAll(() => host.stop());

  const names = `select datname as name from pg_database where datname like 'mcp\\_hub\\_test%'
                 union all select rolname from pg_roles where rolname like 'mcp\\_hub\\_test%' order by 1`;

  it('is used with its own login as the owner; a service login is made and dropped again', async () => {
    const server = await startTestServer({ givenUrl: host.ownerUrl });
    expect(server).toMatchObject({ kind: 'given', ownerUrl: host.ownerUrl, adminUrl: undefined });
    expect(
      await query(server.serviceUrl ?? '', 'select rolsuper, rolcreatedb from pg_roles where rolname = current_user'),
    ).toEqual([{ rolsuper: false, rolcreatedb: false }]);
    await server.stop();
    expect(await query(host.ownerUrl, names)).toEqual([]);
    expect(await answers(host.ownerUrl)).toBe(true);
  });

  it('gets an owner that is no superuser when the given login is one, and keeps nothing of it', async () => {
    const server = await startTestServer({ givenUrl: host.adminUrl ?? '' });
    expect(server.adminUrl).toBe(host.adminUrl);
    expect(
      await query(
        server.ownerUrl,
        'select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user',
      ),
    ).toEqual([{ rolsuper: false, rolcreatedb: true, rolcreaterole: true }]);
    await createDatabase(server.ownerUrl, makeRunName());
    await query(server.ownerUrl, 'create role app_of_a_test nologin');
    await query(server.ownerUrl, `grant app_of_a_test to ${new URL(server.serviceUrl ?? '').username}`);
    await server.stop();
    expect(await query(host.ownerUrl, names)).toEqual([]);
  });

  it('lets the next owner grant the roles that an earlier one has made', async () => {
    const server = await startTestServer({ givenUrl: host.adminUrl ?? '' });
    await query(server.ownerUrl, `grant app_of_a_test to ${new URL(server.serviceUrl ?? '').username}`);
    await query(server.serviceUrl ?? '', 'set role app_of_a_test');
    await server.stop();
    expect(await query(host.ownerUrl, names)).toEqual([]);
  });

  it('is rid of what killed runs have left there, and keeps what live and unknown ones have', async () => {
    const mine = makeRunName();
    const [, , , where = '', , started = ''] = mine.split('_');
    const ofGoneProcess = `mcp_hub_test_${where}_${(4_194_305).toString(36)}_${started}_00000001`;
    const ofAnotherMachine = `mcp_hub_test_00000000_1_${started}_00000002`;
    const ofLongAgo = `mcp_hub_test_00000000_1_${Math.floor(Date.now() / 1000 - 90_000).toString(36)}_00000003`;
    const unknown = 'mcp_hub_test_by_hand';
    for (const name of [mine, ofGoneProcess, ofAnotherMachine, ofLongAgo, unknown])
      await createDatabase(host.ownerUrl, name);
    await query(host.ownerUrl, `create role ${ofGoneProcess}_service`);
    const server = await startTestServer({ givenUrl: host.ownerUrl });
    const left = (await query(host.ownerUrl, names)).map((row) => row['name']);
    await server.stop();
    expect(new Set(left.filter((name) => !String(name).endsWith('_service')))).toEqual(
      new Set([mine, ofAnotherMachine, unknown]),
    );
    expect(left).not.toContain(`${ofGoneProcess}_service`);
  });

  it('says that it does not answer, or that its login may not make databases', async () => {
    await expect(startTestServer({ givenUrl: 'postgres://x:y@127.0.0.1:1/z' })).rejects.toMatchObject({
      code: 'unreachable',
    });
    await expect(startTestServer({ givenUrl: host.serviceUrl ?? '' })).rejects.toMatchObject({ code: 'bad_option' });
  });
});
