import postgres from 'postgres';
import { errorCodeOf } from '../connection-error.ts';
import { MigrateError } from '../errors.ts';
import { quoteIdentifier } from '../quote.ts';

export interface TableRows {
  readonly table: string;
  readonly rows: number;
}

/**
 * How many rows of all tenants the tables hold; a partitioned table with its partitions. The owner sees none of them while
 * FORCE is on, so it is lifted in a transaction that is rolled back, and the tables are locked for that moment.
 */
export async function countRows(url: string, tables: readonly string[]): Promise<readonly TableRows[]> {
  if (tables.length === 0) return [];
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} });
  const counted: TableRows[] = [];
  try {
    await sql.begin(async (tx) => {
      await tx`set local lock_timeout = '3s'`;
      await tx`set local row_security = off`;
      const found = await tx<{ name: string }[]>`
        select relname as name from pg_catalog.pg_class
         where relnamespace = 'public'::regnamespace and relname in ${tx(tables)} and not relispartition
         order by relname`;
      for (const { name } of found) {
        const table = `public.${quoteIdentifier(name)}`;
        await tx.unsafe(`alter table ${table} no force row level security`);
        const [row] = await tx.unsafe<{ rows: string }[]>(`select count(*) as rows from ${table}`);
        counted.push({ table: name, rows: Number(row?.rows ?? 0) });
      }
      throw new Counted();
    });
  } catch (error) {
    if (error instanceof Counted) return counted;
    if (errorCodeOf(error) === '55P03') {
      throw new MigrateError(
        'locked',
        'The rows of the tables that go cannot be counted: another transaction holds a lock on one of them. End it, then run the rollback again.',
      );
    }
    throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
  return counted;
}

class Counted extends Error {}
