import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dryRun as rehearse } from '../src/dry-run.ts';
import { grantRuntime } from '../src/grant-runtime.ts';
import {
  freshDatabase,
  historyTable,
  migrationsFolder,
  query,
  refusal,
  run,
  testServer,
  value,
} from './run-support.ts';

const rolesSql = `do $$
declare wanted text;
begin
  foreach wanted in array array['app_tenant', 'app_readonly', 'app_dispatcher'] loop
    begin
      if not exists (select from pg_roles where rolname = wanted) then execute format('create role %I nologin', wanted); end if;
    exception when duplicate_object or unique_violation then null; end;
    if not pg_has_role(current_user, wanted, case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
      execute format('grant %I to %I', wanted, current_user);
    end if;
  end loop;
end $$;
`;

/** A login of the cluster, dropped when the test ends. */
async function login(attributes: string): Promise<{ readonly name: string; readonly password: string }> {
  const { adminUrl } = testServer();
  if (adminUrl === undefined) throw new Error('the given server has no superuser URL');
  const name = `mcp_hub_login_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await query(adminUrl, `create role ${name} ${attributes} password '${password}'`);
  onTestFinished(async () => {
    await query(adminUrl, `drop role ${name}`);
  });
  return { name, password };
}

function urlOf(url: string, user: { readonly name: string; readonly password: string }): string {
  const changed = new URL(url);
  changed.username = user.name;
  changed.password = user.password;
  return changed.toString();
}

describe.skipIf(testServer().adminUrl === undefined)('roles', () => {
  test('make a login a member of the three that services run as, once', async () => {
    const url = await freshDatabase();
    await run(url, migrationsFolder({ '001_initial.sql': rolesSql + historyTable }));
    const service = await login('login');
    expect(await grantRuntime({ url, login: service.name })).toEqual({
      login: service.name,
      granted: ['app_tenant', 'app_readonly', 'app_dispatcher'],
      alreadyMember: [],
    });
    expect(await grantRuntime({ url, login: service.name })).toMatchObject({ granted: [] });
    const sql = postgres(urlOf(url, service), { max: 1 });
    onTestFinished(() => sql.end());
    for (const role of ['app_tenant', 'app_readonly', 'app_dispatcher']) {
      await sql.unsafe(`set role ${role}`);
      expect(await sql.unsafe('select current_user::text as name')).toEqual([{ name: role }]);
      await sql.unsafe('reset role');
    }
  });

  test('are asked for by db:migrate, with the statements, where a restored database has an owner that may not become them', async () => {
    const url = await freshDatabase();
    const owner = await login('login');
    onTestFinished(async () => {
      await query(url, `revoke create on schema public from ${owner.name}`);
    });
    const directory = migrationsFolder({ '001_initial.sql': historyTable });
    await query(
      url,
      `grant create on schema public to ${owner.name};
       create function app_set_tenant(text, text, timestamptz) returns void language sql as '';`,
    );
    for (const dryRun of [false, true]) {
      const refused = await refusal(
        dryRun ? rehearse({ url: urlOf(url, owner), directory }) : run(urlOf(url, owner), directory),
      );
      expect(refused).toMatchObject({ code: 'roles_missing', exitCode: 3 });
      expect(refused.message).toContain('may not become the roles');
      for (const role of ['app_tenant', 'app_readonly', 'app_dispatcher'])
        expect(refused.message).toContain(`grant ${role} to "${owner.name}";`);
    }
  });

  test('are granted by many calls at once without an error', async () => {
    const url = await freshDatabase();
    await run(url, migrationsFolder({ '001_initial.sql': rolesSql + historyTable }));
    const service = await login('login');
    await Promise.all(Array.from({ length: 6 }, () => grantRuntime({ url, login: service.name })));
  });

  test.each([
    ['login superuser', /superuser/],
    ['login bypassrls', /BYPASSRLS/],
    ['nologin', /may not log in/],
  ])('are refused to a role that is %s', async (attributes, reason) => {
    const url = await freshDatabase();
    const service = await login(attributes);
    const error = await refusal(grantRuntime({ url, login: service.name }));
    expect(error).toMatchObject({ code: 'login_unfit', exitCode: 3 });
    expect(error.message).toMatch(reason);
  });

  test('are refused to an owner of tables and to a login that does not exist', async () => {
    const url = await freshDatabase();
    await query(url, 'create table mine (id int)');
    expect(await refusal(grantRuntime({ url, login: new URL(url).username }))).toMatchObject({ code: 'login_unfit' });
    expect((await refusal(grantRuntime({ url, login: 'no "one"' }))).message).toContain(
      'create role "no ""one""" login',
    );
  });

  test('are reported with the statements of an administrator when the owner may not make or grant them, and after those it goes', async () => {
    const { adminUrl, ownerUrl } = testServer();
    if (adminUrl === undefined) return;
    // The roles exist in this cluster by now; this owner may neither make nor grant any.
    await run(await freshDatabase(), migrationsFolder({ '001_initial.sql': rolesSql + historyTable }));
    const owner = await login('login');
    const database = `mcp_hub_roles_${randomBytes(6).toString('hex')}`;
    await query(adminUrl, `create database ${database} owner ${owner.name}`);
    onTestFinished(async () => {
      await query(adminUrl, `drop database ${database} with (force)`);
    });
    const url = new URL(urlOf(ownerUrl, owner));
    url.pathname = `/${database}`;
    const folder = migrationsFolder({ '001_initial.sql': rolesSql + historyTable });
    const error = await refusal(run(url.toString(), folder));
    expect(error).toMatchObject({ code: 'roles_missing', exitCode: 3 });
    const statements = error.message.match(/^ {2}(grant .*;)$/gm) ?? [];
    expect(statements).toHaveLength(3);
    await query(adminUrl, statements.join('\n'));
    expect((await run(url.toString(), folder)).applied).toHaveLength(1);
    const service = await login('login');
    const grants = await refusal(grantRuntime({ url: url.toString(), login: service.name }));
    expect(grants).toMatchObject({ code: 'roles_missing', exitCode: 3 });
    expect(grants.message).toContain(`grant app_tenant to "${service.name}";`);
    expect(
      await value(adminUrl, `select count(*)::int from pg_auth_members where member = '${service.name}'::regrole`),
    ).toBe(0);
  });
});
