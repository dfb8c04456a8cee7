import { createTestDatabase, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('a test file', () => {
  const database = useTestDatabase({ migrated: false });
  let sql: postgres.Sql;
  beforeAll(() => {
    sql = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  });
  afterAll(() => sql.end());

  it('has a database of its own, owned by a login that is no superuser', async () => {
    const [row] = await sql`
      select current_database() as name, rolsuper, rolbypassrls, pg_get_userbyid(datdba) = current_user as owns
        from pg_roles, pg_database
       where rolname = current_user and datname = current_database()`;
    expect(row).toMatchObject({ rolsuper: false, rolbypassrls: false, owns: true });
    expect(row?.['name']).toMatch(/^mcp_hub_test_/);
  });

  it('reaches the same database as the service login, which owns nothing', async () => {
    const service = postgres(database.serviceUrl, { max: 1 });
    try {
      const [row] = await service`select current_database() as name, current_user as login`;
      const [own] = await sql`select current_database() as name, current_user as login`;
      expect(row?.['name']).toBe(own?.['name']);
      expect(row?.['login']).not.toBe(own?.['login']);
    } finally {
      await service.end();
    }
  });

  it('asks for more databases, which see nothing of each other and are gone when dropped, open sessions or not', async () => {
    const [one, two] = await Promise.all([
      createTestDatabase({ migrated: false }),
      createTestDatabase({ migrated: false }),
    ]);
    const inOne = postgres(one.ownerUrl, { max: 1, onnotice: () => {} });
    await inOne`create table only_here (a int)`;
    const inTwo = postgres(two.ownerUrl, { max: 1 });
    expect((await inTwo`select to_regclass('only_here') as found`)[0]).toEqual({ found: null });
    await Promise.all([one.drop(), two.drop()]);
    const names = [one, two].map(({ ownerUrl }) => new URL(ownerUrl).pathname.slice(1));
    expect(await sql`select datname from pg_database where datname in ${sql(names)}`).toHaveLength(0);
    await Promise.allSettled([inOne.end(), inTwo.end()]);
  });
});

describe('a fresh tenant', () => {
  it('is another one each time and keeps its label', () => {
    const tenants = new Set(Array.from({ length: 1000 }, () => freshTenant('acme')));
    expect(tenants.size).toBe(1000);
    for (const tenant of tenants) expect(tenant).toMatch(/^acme-[0-9a-f]{12}$/);
  });
});

describe('a database that is read at the top of the file', () => {
  const database = useTestDatabase({ migrated: false });
  const read = () => database.ownerUrl;
  let early: unknown;
  try {
    read();
  } catch (error) {
    early = error;
  }

  it('is an error that says where it can be read', () => {
    expect(String(early)).toContain('inside tests and hooks only');
    expect(read()).toContain('mcp_hub_test_');
  });
});
