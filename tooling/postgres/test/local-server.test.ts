import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import {
  findLocalServer,
  type LocalServer,
  PostgresToolError,
  removeLocalServer,
  startLocalServer,
  stopLocalServer,
} from '@mcp-hub/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningPostmaster } from '../src/cluster.ts';
import { isAlive } from '../src/process-identity.ts';
import { serverUser } from '../src/server-user.ts';
import { answers, type Checkout, makeCheckout, query, runProgram, until } from './support.ts';

function postmasterOf(server: LocalServer): number {
  return runningPostmaster(server.dataDirectory) ?? 0;
}

/** A process of the server's user that is no server. */
function bystander() {
  return spawn('sleep', ['60'], { ...serverUser(), cwd: '/', stdio: 'ignore' });
}

describe('a local server', () => {
  let checkout: Checkout;
  let server: LocalServer;
  beforeAll(async () => {
    checkout = makeCheckout();
    server = await startLocalServer({ root: checkout.root });
  });
  afterAll(() => checkout.remove());

  it('gives an owner that may make databases and roles and is no superuser', async () => {
    const [owner] = await query(
      server.ownerUrl,
      `select current_user as login, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, current_database() as name,
              pg_get_userbyid(datdba) as owner
         from pg_roles, pg_database where rolname = current_user and datname = current_database()`,
    );
    expect(owner).toEqual({
      login: 'mcp_hub',
      rolsuper: false,
      rolbypassrls: false,
      rolcreatedb: true,
      rolcreaterole: true,
      name: 'mcp_hub',
      owner: 'mcp_hub',
    });
  });

  it('gives a service login that may log in and nothing else, and a superuser', async () => {
    const rights =
      'select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user';
    expect(await query(server.serviceUrl, rights)).toEqual([
      { rolsuper: false, rolbypassrls: false, rolcreatedb: false, rolcreaterole: false },
    ]);
    expect(await query(server.adminUrl, rights)).toMatchObject([{ rolsuper: true }]);
    const memberships = `select from pg_auth_members where member = 'mcp_hub_service'::regrole`;
    expect(await query(server.adminUrl, memberships)).toHaveLength(0);
  });

  it('asks for passwords, which lie in a file that only its user can read', async () => {
    const wrong = server.ownerUrl.replace(/:[^:@]+@/, ':wrong@');
    await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const [kept] = await query(server.adminUrl, `select rolpassword from pg_authid where rolname = 'mcp_hub'`);
    expect(kept?.['rolpassword']).toMatch(/^SCRAM-SHA-256\$/);
    const file = join(dirname(server.dataDirectory), 'logins.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(new URL(server.ownerUrl).password);
  });

  it('listens on 127.0.0.1 and nowhere else', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter((address) => address.family === 'IPv4' && !address.internal);
    for (const { address } of others) expect(await answers(server.ownerUrl.replace('127.0.0.1', address))).toBe(false);
    const [row] = await query(
      server.adminUrl,
      `select current_setting('listen_addresses') as tcp, current_setting('unix_socket_directories') as sockets`,
    );
    expect(row).toEqual({ tcp: '127.0.0.1', sockets: '' });
  });

  it('is found by a second call, at the same URLs', async () => {
    const again = await startLocalServer({ root: checkout.root });
    expect(again).toEqual({ ...server, started: false });
    expect(await findLocalServer({ root: checkout.root })).toEqual({ ...server, started: false });
  });

  it('is found by a call that was asked for another port, which it does not have', async () => {
    expect((await startLocalServer({ root: checkout.root, port: 1 })).port).toBe(server.port);
  });

  it('stops, and comes back with its data at the same port', async () => {
    await query(server.ownerUrl, 'create table kept as select 42 as answer');
    expect(await stopLocalServer({ root: checkout.root })).toBe(true);
    expect(await answers(server.ownerUrl)).toBe(false);
    expect(await findLocalServer({ root: checkout.root })).toBeUndefined();
    expect(await stopLocalServer({ root: checkout.root })).toBe(false);
    expect(await startLocalServer({ root: checkout.root })).toEqual({ ...server, started: true });
    expect(await query(server.ownerUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('stops while sessions are open', async () => {
    const open = query(server.ownerUrl, 'select pg_sleep(30)').catch((error: unknown) => error);
    expect(
      await until(
        async () =>
          (await query(server.adminUrl, `select from pg_stat_activity where query like '%sleep%'`)).length > 1,
        5000,
      ),
    ).toBe(true);
    expect(await stopLocalServer({ root: checkout.root })).toBe(true);
    expect(await open).toBeInstanceOf(Error);
    await startLocalServer({ root: checkout.root });
  });

  it('starts after a kill -9 that left its pid file', async () => {
    process.kill(postmasterOf(server), 'SIGKILL');
    expect(await until(async () => !(await answers(server.ownerUrl)), 5000)).toBe(true);
    expect(statSync(join(server.dataDirectory, 'postmaster.pid')).isFile()).toBe(true);
    expect(await startLocalServer({ root: checkout.root })).toMatchObject({ started: true });
    expect(await query(server.ownerUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('starts when its pid file names a process of the same user that is no server, and lets that live', async () => {
    const pidFile = join(server.dataDirectory, 'postmaster.pid');
    const left = readFileSync(pidFile, 'utf8');
    await stopLocalServer({ root: checkout.root });
    const other = bystander();
    try {
      writeFileSync(pidFile, left.replace(/^\d+/, String(other.pid)));
      expect(await findLocalServer({ root: checkout.root })).toBeUndefined();
      expect(await stopLocalServer({ root: checkout.root })).toBe(false);
      expect(await startLocalServer({ root: checkout.root })).toMatchObject({ started: true });
      expect(isAlive(other.pid ?? 0)).toBe(true);
    } finally {
      other.kill();
    }
  });

  it('starts when a process that was starting it has died and left its lock', async () => {
    await stopLocalServer({ root: checkout.root });
    const gone = spawn('true');
    await once(gone, 'exit');
    writeFileSync(`${dirname(server.dataDirectory)}.lock`, `${gone.pid} left`);
    expect(await startLocalServer({ root: checkout.root })).toMatchObject({ started: true });
  });

  it('makes the logins that a start which was cut off has not made', async () => {
    await query(server.adminUrl, 'drop role mcp_hub_service');
    const again = await startLocalServer({ root: checkout.root });
    expect(await query(again.serviceUrl, 'select current_user as login')).toEqual([{ login: 'mcp_hub_service' }]);
  });

  it('says so when its passwords are lost, or not its own', async () => {
    const file = join(dirname(server.dataDirectory), 'logins.json');
    const kept = readFileSync(file);
    rmSync(file);
    await expect(startLocalServer({ root: checkout.root })).rejects.toMatchObject({ code: 'logins_lost' });
    writeFileSync(file, kept.toString().replace(/"postgres": "[^"]+"/, '"postgres": "not-it"'));
    await expect(startLocalServer({ root: checkout.root })).rejects.toMatchObject({ code: 'logins_lost' });
    writeFileSync(file, kept);
    expect((await startLocalServer({ root: checkout.root })).started).toBe(false);
  });

  it('tells with the words of its log why it did not start', async () => {
    await stopLocalServer({ root: checkout.root });
    const settings = join(server.dataDirectory, 'postgresql.conf');
    const good = readFileSync(settings);
    appendFileSync(settings, "\nno_such_setting = 'on'\n");
    const failure = await startLocalServer({ root: checkout.root }).catch((error: unknown) => error);
    writeFileSync(settings, good);
    expect(failure).toBeInstanceOf(PostgresToolError);
    expect(failure).toMatchObject({ code: 'start_failed' });
    expect(String(failure)).toContain('unrecognized configuration parameter "no_such_setting"');
    expect(await startLocalServer({ root: checkout.root })).toMatchObject({ started: true });
  });

  it('is gone with its data and passwords when removed', async () => {
    await removeLocalServer({ root: checkout.root });
    expect(await answers(server.ownerUrl)).toBe(false);
    expect(() => statSync(dirname(server.dataDirectory))).toThrow('ENOENT');
    const fresh = await startLocalServer({ root: checkout.root });
    expect(fresh.ownerUrl).not.toBe(server.ownerUrl);
    expect(await query(fresh.ownerUrl, `select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });
});

describe('a first start', () => {
  const checkouts: Checkout[] = [];
  const makeOne = () => {
    const checkout = makeCheckout();
    checkouts.push(checkout);
    return checkout;
  };
  afterAll(async () => {
    for (const checkout of checkouts) await checkout.remove();
  });

  it('is made once by three processes that come at the same time, and outlives them', async () => {
    const { root } = makeOne();
    const programs = [1, 2, 3].map(() => runProgram('start-local.ts', [root]));
    const found = await Promise.all(programs.map((program) => program.line));
    // `close` means that the server holds none of their descriptors: a shell that waits for the end of output goes on.
    await Promise.all(programs.map((program) => program.closed));
    expect(found.filter((server) => server['started'] === true)).toHaveLength(1);
    expect(new Set(found.map((server) => server['ownerUrl'])).size).toBe(1);
    expect(await answers(String(found[0]?.['ownerUrl']))).toBe(true);
  });

  it('works under umask 077, and has a session of its own, which the end of the terminal does not reach', async () => {
    const { root } = makeOne();
    const program = runProgram('start-local.ts', [root, '077']);
    const server = await program.line;
    const pid = runningPostmaster(String(server['dataDirectory'])) ?? 0;
    const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' });
    expect(Number(group)).toBe(pid);
    expect(await answers(String(server['ownerUrl']))).toBe(true);
  });

  it('takes another port when 5432 is taken, and refuses a taken port that was asked for', async () => {
    const { root } = makeOne();
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.once('error', () => resolve()); // someone else holds it already, which is as good
      holder.listen(5432, '127.0.0.1', resolve);
    });
    try {
      await expect(startLocalServer({ root, port: 5432 })).rejects.toMatchObject({
        code: 'start_failed',
        message: expect.stringContaining('Port 5432'),
      });
      const server = await startLocalServer({ root });
      expect(server.port).not.toBe(5432);
      expect(await answers(server.ownerUrl)).toBe(true);
    } finally {
      holder.close();
    }
  });

  it('goes on where an earlier one was killed in the middle of initdb', async () => {
    const { root } = makeOne();
    mkdirSync(join(root, '.mcp-hub', 'postgres-18', 'data.partial', 'base'), { recursive: true });
    expect(await startLocalServer({ root })).toMatchObject({ started: true });
  });

  it('refuses a checkout that is not there', async () => {
    await expect(startLocalServer({ root: '/no/such/checkout' })).rejects.toMatchObject({ code: 'bad_option' });
  });
});
