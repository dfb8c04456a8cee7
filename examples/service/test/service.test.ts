import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { connect, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const database = useTestDatabase();
const tenants = { acme: freshTenant('acme'), globex: freshTenant('globex') };
const tokenOf = { acme: 'acme-token-0123456789', globex: 'globex-token-0123456789' } as const;
type Name = keyof typeof tokenOf;
const tokens = JSON.stringify({
  [tokenOf.acme]: { tenant: tenants.acme, actor: 'acme-bot' },
  [tokenOf.globex]: { tenant: tenants.globex, actor: 'globex-bot' },
});

/** The service as a process of its own, on a port that the system chooses. */
function start(given: string, stderr: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
  return spawn(
    process.execPath,
    [
      '--conditions=@mcp-hub/source',
      '--import',
      import.meta.resolve('tsx'),
      fileURLToPath(new URL('../src/main.ts', import.meta.url)),
    ],
    {
      env: { ...process.env, POSTGRES_SERVICE_URL: database.serviceUrl, SERVICE_TOKENS: given, PORT: '0' },
      stdio: ['ignore', 'pipe', stderr],
    },
  );
}

async function baseOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('The program was started without its output.');
  const [line] = (await once(stdout, 'data')) as [Buffer];
  return `http://127.0.0.1:${/"port":(\d+)/.exec(line.toString())?.[1]}`;
}

let service: ChildProcess;
let base: string;

beforeAll(async () => {
  service = start(tokens);
  base = await baseOf(service);
}, 30_000);
afterAll(async () => {
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

async function send(who: string | undefined, method: string, path: string, body?: unknown) {
  const token = who === undefined ? undefined : who in tokenOf ? `Bearer ${tokenOf[who as Name]}` : who;
  const response = await fetch(base + path, {
    method,
    ...(token === undefined ? {} : { headers: { authorization: token } }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('the service', () => {
  it('does for many requests of two tenants at once what it does for one, each in the tenant of its token', async () => {
    const perTenant = 20;
    const register = (who: Name) =>
      send(who, 'POST', '/models/churn/versions', { artifactUri: `s3://${who}`, tags: { of: who } });
    const names = ['acme', 'globex'] as const;
    const made = await Promise.all(names.flatMap((who) => Array.from({ length: perTenant }, () => register(who))));
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 200));
    const stages = names.flatMap((who) =>
      Array.from({ length: perTenant }, (_, index) =>
        send(who, 'PUT', `/models/churn/versions/${index + 1}/stage`, { stage: 'production' }),
      ),
    );
    expect((await Promise.all(stages)).map(({ status }) => status)).toEqual(stages.map(() => 200));
    for (const who of names) {
      const { body } = await send(who, 'GET', "/versions?limit=100&filter=name = 'churn'");
      const numbers = body.items.map(({ version }: { version: string }) => Number(version));
      expect(numbers.sort((one: number, other: number) => one - other)).toEqual(
        Array.from({ length: perTenant }, (_, index) => index + 1),
      );
      for (const { tenantId, artifactUri, actor } of body.items) {
        expect([tenantId, artifactUri, actor]).toEqual([tenants[who], `s3://${who}`, `${who}-bot`]);
      }
      const serving = body.items.filter(({ stage }: { stage: string }) => stage === 'production');
      const resolved = await send(who, 'GET', '/resolve/churn:production');
      expect(serving.map(({ id }: { id: string }) => id)).toEqual([resolved.body.id]);
    }
  });

  it.each([undefined, 'Bearer', 'Bearer wrong-token-0123456789', `Basic ${tokenOf.acme}`, `Bearer ${tokenOf.acme}x`])(
    'refuses a request with the authorization %j',
    async (authorization) => {
      expect(await send(authorization, 'GET', '/versions')).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      });
    },
  );

  it("answers for another tenant's model as for one that nobody has", async () => {
    await send('acme', 'POST', '/models/secret/versions', {});
    const theirs = await send('globex', 'GET', '/resolve/secret%2F1');
    expect(theirs).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await send('globex', 'GET', '/resolve/nobody%2F1')).toEqual(theirs);
    // Nor can a body choose the tenant.
    const body = { tenantId: tenants.acme };
    expect((await send('globex', 'POST', '/models/mine/versions', body)).status).toBe(400);
  });

  it('answers errors with their status, and with no value that was sent', async () => {
    const sent = 'confidential';
    const calls = [
      [400, 'GET', `/versions?filter=${sent}`],
      [400, 'GET', `/versions?cursor=${sent}`],
      [400, 'GET', `/versions?limit=${sent}`],
      [400, 'GET', '/resolve/%E0%A4%A'],
      [400, 'POST', '/models/m/versions', `{"description": "${sent}`],
      [400, 'POST', '/models/m/versions', `"${sent}"`],
      [400, 'POST', '/models/m/versions', { version: `${sent}/1` }],
      [400, 'POST', '/models/m/versions', sent.repeat(100_000)],
      [404, 'PUT', `/models/${sent}/versions/1/stage`, { stage: 'production' }],
      [404, 'GET', `/${sent}`],
      [404, 'DELETE', '/versions'],
      [404, 'GET', '/constructor'],
      [200, 'POST', '/models/m/versions', { version: sent }],
      [409, 'POST', '/models/m/versions', { version: sent }],
      [200, 'PUT', `/models/m/versions/${sent}/stage`, { stage: 'archived' }],
      [409, 'PUT', `/models/m/versions/${sent}/stage`, { stage: 'staging', expectedStage: 'production' }],
      [422, 'PUT', `/models/m/versions/${sent}/stage`, { stage: 'production' }],
    ] as const;
    for (const [status, method, path, body] of calls) {
      const answer = await send('acme', method, path, body);
      expect([answer.status, method, path]).toEqual([status, method, path]);
      if (status !== 200) expect(JSON.stringify(answer.body)).not.toContain(sent);
    }
  });
});

describe('the program', () => {
  it('ends at once where a token is short, and does not print it', async () => {
    const program = start('{"short": {"tenant": "acme", "actor": "bot"}}', 'pipe');
    const [printed, [code]] = await Promise.all([
      text(program.stderr as NonNullable<ChildProcess['stderr']>),
      once(program, 'exit'),
    ]);
    expect(code).toBe(1);
    expect(printed).toContain('A token has at least 16 characters.');
    expect(printed).not.toContain('"short"');
  });

  it('answers what is under way when it is told to stop, takes nothing more, and ends', async () => {
    const program = start(tokens);
    const ended = once(program, 'exit');
    const url = `${await baseOf(program)}/models/held/versions`;
    const headers = { authorization: `Bearer ${tokenOf.acme}` };
    let held: Promise<number> | undefined;
    const db = await connect({ url: database.serviceUrl });
    await withTenant(db, tenants.acme, async (tx) => {
      await registerVersion(tx, { name: 'held' });
      // Waits for the lock of the model.
      held = fetch(url, { method: 'POST', headers }).then((response) => response.status);
      await new Promise((resolve) => setTimeout(resolve, 300));
      program.kill('SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 100));
      await expect(fetch(url, { method: 'POST', headers })).rejects.toThrow('fetch failed');
      expect(program.exitCode).toBeNull();
    });
    await db.close();
    expect(await held).toBe(200);
    const answered = performance.now();
    expect(await ended).toEqual([0, null]);
    // The client's connection, which would stay open for five more seconds, does not hold it up.
    expect(performance.now() - answered).toBeLessThan(3_000);
  });
});
