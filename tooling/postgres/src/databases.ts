import postgres from 'postgres';
import { makeRunName } from './run-name.ts';

/** The same server and login, another database. */
export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(name)}`;
  return changed.toString();
}

/** The database that a URL names. */
export function databaseName(url: string): string {
  const parsed = new URL(url);
  return decodeURIComponent(parsed.pathname.slice(1)) || decodeURIComponent(parsed.username);
}

/**
 * Makes a database (a copy of `template` where one is named) and returns its URL. The login of `url` owns it and needs
 * CREATEDB. A template that has any open session is refused by the server after 5 s: seal it.
 */
export async function createDatabase(
  url: string,
  name: string,
  o: { readonly template?: string } = {},
): Promise<string> {
  await onServer(url, (sql) =>
    o.template === undefined
      ? sql`create database ${sql(name)}`
      : sql`create database ${sql(name)} template ${sql(o.template)}`,
  );
  return databaseUrl(url, name);
}

/** Drops a database if it exists, ending its sessions. Works with the URL of that database, too. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  const from = databaseName(url) === name ? databaseUrl(url, 'postgres') : url;
  await onServer(from, (sql) => sql`drop database if exists ${sql(name)} with (force)`);
}

/**
 * Closes a database to connections, so that it can be copied at any time, by several at once (90 to 275 ms each on
 * PostgreSQL 18). End your own pool on it first.
 */
export async function sealTemplate(url: string, name: string): Promise<void> {
  await onServer(url, (sql) => sql`alter database ${sql(name)} allow_connections false`);
}

/** An empty database with a name of its own, for a piece of work that ends with `drop()`. */
export async function createScratchDatabase(
  url: string,
): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const name = makeRunName();
  const scratch = await createDatabase(url, name);
  return { url: scratch, drop: () => dropDatabase(url, name) };
}

async function onServer(url: string, work: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, prepare: false, fetch_types: false, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
