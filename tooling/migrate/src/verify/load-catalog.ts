import type { ISql } from 'postgres';
import { quoteIdentifier } from '../quote.ts';
import type { Catalog } from './catalog.ts';
import { catalogQueries } from './catalog-queries.ts';

/** What `verifyWith` needs of a postgres.js transaction, or of a session that has a transaction open. */
export type VerifyClient = Pick<ISql, 'unsafe'>;

/**
 * Reads the catalog, all queries in one go. Needs an open transaction and leaves search_path empty, so that the
 * deparsers qualify whatever is not the server's: a `public.current_setting` in a policy would otherwise look like the real one.
 */
export async function loadCatalog(client: VerifyClient): Promise<Catalog> {
  await client.unsafe(`set local search_path = ''`);
  const names = Object.keys(catalogQueries) as (keyof typeof catalogQueries)[];
  const entries = await Promise.all(
    names.map(async (name) => [name, await readRows(client, catalogQueries[name])] as const),
  );
  const { server, ...rows } = Object.fromEntries(entries);
  // The one place where rows get their types: the queries name their columns as catalog.ts does.
  const catalog = { ...rows, server: server?.[0] } as unknown as Omit<Catalog, 'defaultPartitions'>;
  return { ...catalog, defaultPartitions: await readDefaultPartitions(client, catalog) };
}

async function readRows(client: VerifyClient, query: string): Promise<readonly unknown[]> {
  // As JSON, so that arrays and booleans arrive the same whatever types the client knows.
  const [result] = await client.unsafe<{ rows: string }[]>(
    `select coalesce(pg_catalog.json_agg(found), '[]')::text as rows from (${query}) found`,
  );
  return JSON.parse(result?.rows ?? '[]') as readonly unknown[];
}

/**
 * A default partition without pages is empty. One with pages may be: under FORCE without a policy its owner sees no row
 * either way, so FORCE is lifted for the look and rolled back, which also gives back the lock.
 */
async function readDefaultPartitions(
  client: VerifyClient,
  catalog: Pick<Catalog, 'relations' | 'server'>,
): Promise<Catalog['defaultPartitions']> {
  const found: { name: string; state: 'filled' | 'busy' }[] = [];
  const defaults = catalog.relations.filter(
    ({ isDefault, kind, owner }) => isDefault && kind === 'r' && owner === catalog.server.login,
  );
  for (const { name } of defaults) {
    const table = `public.${quoteIdentifier(name)}`;
    const [size] = await client.unsafe<{ bytes: string }[]>(
      `select pg_catalog.pg_relation_size('${table.replaceAll("'", "''")}')::text as bytes`,
    );
    if (size?.bytes === '0') continue;
    await client.unsafe('savepoint verify_default_partition');
    try {
      await client.unsafe(`set local lock_timeout = '1s'`);
      await client.unsafe(`alter table ${table} no force row level security`);
      const [row] = await client.unsafe<{ filled: boolean }[]>(`select exists (select from ${table}) as filled`);
      if (row?.filled === true) found.push({ name, state: 'filled' });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === '55P03')) throw error;
      found.push({ name, state: 'busy' });
    } finally {
      await client.unsafe('rollback to savepoint verify_default_partition');
    }
  }
  return found;
}
