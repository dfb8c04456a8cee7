import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase, dropDatabase, startTestServer, type TestServer } from '@mcp-hub/postgres';
import { useTestDatabase } from '@mcp-hub/testing';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTemplate, migrationFiles } from '../src/template.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

async function query(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

describe('a migrated test database', () => {
  const database = useTestDatabase();

  it('has all migrations in its history', async () => {
    const rows = await query(database.ownerUrl, 'select migration_name from migration_history order by 1');
    expect(rows.map((row) => row['migration_name'])).toEqual(migrationFiles(MIGRATIONS));
  });

  it('lets the service login become app_tenant, and keeps the history from it', async () => {
    const rights = `select pg_has_role('app_tenant', 'member') as member,
                           has_table_privilege('migration_history', 'select') as history`;
    expect(await query(database.serviceUrl, rights)).toEqual([{ member: true, history: false }]);
    await expect(query(database.serviceUrl, 'set role app_tenant')).resolves.toBeDefined();
  });
});

describe('the template', () => {
  let server: TestServer;
  let folder = '';
  beforeAll(async () => {
    server = await startTestServer({ kind: 'embedded' });
    folder = mkdtempSync(join(tmpdir(), 'mcp-hub-migrations-'));
    cpSync(MIGRATIONS, folder, { recursive: true });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const build = (directory: string) =>
    buildTemplate({ ownerUrl: server.ownerUrl, directory, files: migrationFiles(directory) });
  const templates = `select oid, datname as name, datallowconn as open from pg_database where datname like 'mcp\\_hub\\_template%'`;

  it('is made once by runs that come at the same time, and closed to connections', async () => {
    const names = await Promise.all([build(MIGRATIONS), build(MIGRATIONS), build(MIGRATIONS)]);
    expect(new Set(names).size).toBe(1);
    expect(await query(server.ownerUrl, templates)).toMatchObject([{ name: names[0], open: false }]);
  });

  it('is used again while the migrations are the same', async () => {
    const [before] = await query(server.ownerUrl, templates);
    await build(folder);
    expect(await query(server.ownerUrl, templates)).toEqual([before]);
  });

  it('is another one when a migration has changed', async () => {
    const first = await build(MIGRATIONS);
    appendFileSync(join(folder, migrationFiles(folder)[0] ?? ''), '-- another line\n');
    const second = await build(folder);
    expect(second).not.toBe(first);
    expect(await query(server.ownerUrl, templates)).toHaveLength(2);
  });

  it('is made again when its making was cut off', async () => {
    const name = await build(MIGRATIONS);
    await dropDatabase(server.ownerUrl, name);
    await createDatabase(server.ownerUrl, name);
    expect(await build(MIGRATIONS)).toBe(name);
    const copy = await createDatabase(server.ownerUrl, 'copy_of_it', { template: name });
    expect(await query(copy, 'select from migration_history')).toHaveLength(migrationFiles(MIGRATIONS).length);
  });

  it('is dropped when nothing has used it for a day', async () => {
    const old = await build(folder);
    await query(server.ownerUrl, `comment on database ${old} is 'used 2020-01-01T00:00:00.000Z'`);
    const name = await build(MIGRATIONS);
    expect(await query(server.ownerUrl, templates)).toMatchObject([{ name }]);
  });

  it('has no files to be made of where there is no folder yet', () => {
    expect(migrationFiles('/no/such/folder')).toEqual([]);
  });
});
