import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertMayWrite, assertNotProduction, findTarget, loadEnvironment } from '../src/environment.ts';
import { startupOptions, tenantOf, urlWithSettings } from '../src/tenant-url.ts';
import { query, testServer } from './run-support.ts';

function project(files: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'mcp-hub-project-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ 'pnpm-workspace.yaml': '', ...files }))
    writeFileSync(join(root, name), text);
  return root;
}

describe('the environment', () => {
  test('is .env of the nearest folder above with pnpm-workspace.yaml', () => {
    const root = project({ '.env': 'POSTGRES_URL="postgresql://a:b@localhost/c" # note\nDEFAULT_TENANT=t1\n' });
    const folder = join(root, 'packages', 'one');
    mkdirSync(folder, { recursive: true });
    const environment = loadEnvironment({ cwd: folder, processEnvironment: {} });
    expect(environment).toMatchObject({ root, directory: join(root, 'migrations'), production: false });
    expect(environment.variables).toMatchObject({ POSTGRES_URL: 'postgresql://a:b@localhost/c', DEFAULT_TENANT: 't1' });
  });

  test('without a name is the process environment over .env', () => {
    const root = project({ '.env': 'DEFAULT_TENANT=file\n' });
    const environment = loadEnvironment({ cwd: root, processEnvironment: { DEFAULT_TENANT: 'shell' } });
    expect(environment.variables['DEFAULT_TENANT']).toBe('shell');
  });

  test('with a name is what its file says, whatever the shell says', async () => {
    const root = project({ '.env.staging': 'POSTGRES_URL=postgresql://staging/x\n' });
    const environment = loadEnvironment({
      cwd: root,
      name: 'staging',
      processEnvironment: { POSTGRES_URL: 'postgresql://other/x' },
    });
    expect(await findTarget(environment)).toMatchObject({ ownerUrl: 'postgresql://staging/x' });
  });

  test('with a name whose file is not there, or that names no database, is refused', async () => {
    const root = project({ '.env.empty': 'POSTGRES_URL=\n' });
    expect(() => loadEnvironment({ cwd: root, name: 'staging' })).toThrow('.env.staging, which does not exist');
    expect(() => loadEnvironment({ cwd: root, name: '../x' })).toThrow('--env takes a name');
    await expect(
      findTarget(loadEnvironment({ cwd: root, name: 'empty', processEnvironment: {} })),
    ).rejects.toMatchObject({ code: 'missing_url', exitCode: 2 });
  });

  test('that is production asks for --yes and has no reset', () => {
    const root = project({ '.env.production': '' });
    const environment = loadEnvironment({ cwd: root, name: 'production', processEnvironment: {} });
    expect(() => assertMayWrite(environment, 'migrate', false)).toThrow('--yes');
    assertMayWrite(environment, 'migrate', true);
    expect(() => assertNotProduction(environment, 'reset')).toThrow('no db:reset for production');
  });
});

describe('a tenant', () => {
  test('is --tenant, else DEFAULT_TENANT, else none', () => {
    const root = project({ '.env': 'DEFAULT_TENANT=t1\n' });
    const environment = loadEnvironment({ cwd: root, processEnvironment: {} });
    expect(tenantOf(environment, 'given')).toBe('given');
    expect(tenantOf(environment, undefined)).toBe('t1');
    expect(tenantOf(loadEnvironment({ cwd: project(), processEnvironment: {} }), undefined)).toBeUndefined();
  });

  test.each(['t1', 'with blank', "quote'", 'back\\slash', 'plus+percent%20&x=1', '-c role=postgres', 'ünïcode €'])(
    '"%s" reaches the session by the URL exactly',
    async (tenant) => {
      const url = urlWithSettings(testServer().ownerUrl, { 'app.tenant': tenant });
      expect(await query(url, `select current_setting('app.tenant') as tenant`)).toEqual([{ tenant }]);
    },
  );

  test('leaves other options of the URL as they are', async () => {
    const url = new URL(testServer().ownerUrl);
    url.search = `options=${encodeURIComponent('-c work_mem=5MB')}&application_name=mine`;
    const [row] = await query(
      urlWithSettings(url.toString(), { 'app.tenant': 't1' }),
      `select current_setting('work_mem') as memory, current_setting('app.tenant') as tenant, current_setting('application_name') as name`,
    );
    expect(row).toEqual({ memory: '5MB', tenant: 't1', name: 'mine' });
    expect(startupOptions({ a: undefined })).toBe('');
  });
});
