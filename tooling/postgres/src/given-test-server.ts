import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { PostgresToolError } from './errors.ts';
import { isLeftover, makeRunName, RUN_PREFIX } from './run-name.ts';
import type { TestServer } from './test-server.ts';

interface GivenLogin {
  readonly superuser: boolean;
  readonly mayMakeDatabases: boolean;
  readonly mayMakeRoles: boolean;
}

/**
 * Uses a server that is there, which others may be using too: every name is this run's own, and what killed runs have
 * left is dropped. A given superuser makes an owner that is none; otherwise the given login is the owner.
 */
export async function useGivenServer(url: string): Promise<TestServer> {
  return onServer(url, async (sql) => {
    const given = await readLogin(sql);
    if (!given.mayMakeDatabases) {
      throw new PostgresToolError(
        'bad_option',
        'The login of TEST_POSTGRES_URL may not make databases: as a superuser run `alter role … createdb createrole`.',
      );
    }
    await dropLeftovers(sql);
    const owner = given.superuser ? await makeLogin(sql, url, 'owner') : undefined;
    if (owner !== undefined) await handOverRoles(sql, owner.name);
    const service = given.mayMakeRoles ? await makeLogin(sql, url, 'service') : undefined;
    return {
      kind: 'given',
      ownerUrl: owner?.url ?? url,
      serviceUrl: service?.url,
      adminUrl: given.superuser ? url : undefined,
      stop: () =>
        onServer(url, async (again) => {
          if (service !== undefined) await dropLogin(again, service.name);
          if (owner !== undefined) await dropLogin(again, owner.name);
        }),
    };
  });
}

async function readLogin(sql: postgres.Sql): Promise<GivenLogin> {
  const [row] = await sql<GivenLogin[]>`
    select rolsuper                  as superuser,
           rolsuper or rolcreatedb   as "mayMakeDatabases",
           rolsuper or rolcreaterole as "mayMakeRoles"
      from pg_roles
     where rolname = current_user`;
  return row ?? { superuser: false, mayMakeDatabases: false, mayMakeRoles: false };
}

async function makeLogin(
  sql: postgres.Sql,
  url: string,
  use: 'owner' | 'service',
): Promise<{ readonly name: string; readonly url: string }> {
  const name = `${makeRunName()}_${use}`;
  const password = randomBytes(24).toString('base64url');
  const rights = use === 'owner' ? 'createdb createrole' : '';
  await sql.unsafe(`create role ${name} login ${rights} password '${password}'`);
  const changed = new URL(url);
  changed.username = name;
  changed.password = password;
  return { name, url: changed.toString() };
}

/** Roles that the migrations make stay in the cluster, and only who has the admin option may grant them to logins. */
async function handOverRoles(sql: postgres.Sql, owner: string): Promise<void> {
  const roles = await sql<{ name: string }[]>`
    select rolname as name from pg_roles
     where starts_with(rolname, 'app_') and not rolcanlogin and not rolsuper and not rolbypassrls`;
  for (const { name } of roles) await sql`grant ${sql(name)} to ${sql(owner)} with admin option`;
}

/** The databases first, because their owner cannot go before them. */
async function dropLeftovers(sql: postgres.Sql): Promise<void> {
  const databases = await sql<{ name: string }[]>`
    select datname as name from pg_database
     where starts_with(datname, ${RUN_PREFIX}) and pg_has_role(datdba, 'usage')`;
  for (const { name } of databases) if (isLeftover(name)) await attempt(() => dropDatabaseOn(sql, name));
  const roles = await sql<
    { name: string }[]
  >`select rolname as name from pg_roles where starts_with(rolname, ${RUN_PREFIX})`;
  // An owner cannot go before the service login that it has granted roles to.
  const ordered = roles
    .map(({ name }) => name)
    .sort((a, b) => Number(a.endsWith('_owner')) - Number(b.endsWith('_owner')));
  for (const name of ordered) if (isLeftover(name)) await attempt(() => dropLogin(sql, name));
}

async function dropLogin(sql: postgres.Sql, name: string): Promise<void> {
  const owned = await sql<{ name: string }[]>`
    select datname as name from pg_database d join pg_roles r on r.oid = d.datdba where rolname = ${name}`;
  for (const database of owned) await dropDatabaseOn(sql, database.name);
  await sql`drop role if exists ${sql(name)}`;
}

async function dropDatabaseOn(sql: postgres.Sql, name: string): Promise<void> {
  await sql`drop database if exists ${sql(name)} with (force)`;
}

/** Another run drops the same leftovers at the same time, and some may be another login's: neither is our trouble. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error;
  }
}

async function onServer<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, prepare: false, fetch_types: false, onnotice: () => {} });
  try {
    return await work(sql);
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      /^(ECONN|ENOTFOUND|EAI_|CONNECT_TIMEOUT)/.test(String(error.code))
    ) {
      throw new PostgresToolError(
        'unreachable',
        `The server of TEST_POSTGRES_URL does not answer (${String(error.code)}): start it, or unset the variable.`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
