import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import postgres from 'postgres';
import { PostgresToolError } from './errors.ts';

/** The passwords of one cluster, by login. */
export interface Logins {
  readonly postgres: string;
  readonly mcp_hub: string;
  readonly mcp_hub_service: string;
}

export interface LoginUrls {
  /** `mcp_hub`: owns the database of the same name, may make databases and roles, is no superuser. */
  readonly ownerUrl: string;
  /** `mcp_hub_service`: may log in and nothing else, until `grantRuntime` makes it a member of the roles it needs. */
  readonly serviceUrl: string;
  /** The superuser, for what only it can do (another login's passwords, broken catalogs). */
  readonly adminUrl: string;
}

export function makeLogins(): Logins {
  return { postgres: makePassword(), mcp_hub: makePassword(), mcp_hub_service: makePassword() };
}

/** 192 bits in an alphabet that needs no escape in a URL or in SQL. */
function makePassword(): string {
  return randomBytes(24).toString('base64url');
}

export function loginUrls(logins: Logins, port: number, host = '127.0.0.1'): LoginUrls {
  const url = (login: keyof Logins, database: string) =>
    `postgres://${login}:${logins[login]}@${host}:${port}/${database}`;
  return {
    ownerUrl: url('mcp_hub', 'mcp_hub'),
    serviceUrl: url('mcp_hub_service', 'mcp_hub'),
    adminUrl: url('postgres', 'postgres'),
  };
}

export function readLogins(file: string): Logins {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isLogins(found)) return found;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') throw error;
  }
  throw new PostgresToolError(
    'logins_lost',
    `The passwords of this server are not in ${file} any more. ` +
      'Put the file back, or make the server new with `npm run db:reset` (its data is lost).',
  );
}

function isLogins(found: unknown): found is Logins {
  return (
    typeof found === 'object' &&
    found !== null &&
    ['postgres', 'mcp_hub', 'mcp_hub_service'].every((login) => typeof Reflect.get(found, login) === 'string')
  );
}

/** Returns the kept passwords or makes them; on disk before the cluster is, so that no cluster is without. */
export function keepLogins(file: string): Logins {
  if (existsSync(file)) return readLogins(file);
  const logins = makeLogins();
  const partial = `${file}.${randomUUID()}`;
  try {
    writeFileSync(partial, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(partial, file);
  } finally {
    rmSync(partial, { force: true });
  }
  return logins;
}

/** Makes the logins and the database that are not there yet, so that a start that was cut off here is completed. */
export async function ensureLogins(logins: Logins, adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, connect_timeout: 10, fetch_types: false, onnotice: () => {} });
  try {
    const rows = await sql<{ name: string }[]>`
      select rolname as name from pg_roles where rolname in ('mcp_hub', 'mcp_hub_service')
      union all
      select 'database' from pg_database where datname = 'mcp_hub'`;
    const there = new Set(rows.map((row) => row.name));
    // A password is a literal in these statements, which take no parameters: it is base64url, so it holds no quote.
    if (!there.has('mcp_hub'))
      await sql.unsafe(`create role mcp_hub login createdb createrole nosuperuser password '${logins.mcp_hub}'`);
    if (!there.has('mcp_hub_service'))
      await sql.unsafe(`create role mcp_hub_service login nosuperuser password '${logins.mcp_hub_service}'`);
    if (!there.has('database')) await sql.unsafe('create database mcp_hub owner mcp_hub');
  } finally {
    await sql.end({ timeout: 5 });
  }
}
