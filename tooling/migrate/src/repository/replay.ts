import { createScratchDatabase } from '@mcp-hub/postgres';
import postgres from 'postgres';
import { exitCodes, MigrateError } from '../errors.ts';
import { readListing } from '../listing.ts';
import type { MigrationFile } from '../migrations-folder.ts';

/** An empty database, gone when `work` is done. The login of `serverUrl` needs CREATEDB. */
export async function withScratchDatabase<T>(
  serverUrl: string,
  work: (sql: postgres.Sql, url: string) => Promise<T>,
): Promise<T> {
  const scratch = await createScratchDatabase(serverUrl);
  const sql = postgres(scratch.url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql, scratch.url);
  } finally {
    await sql.end({ timeout: 5 });
    await scratch.drop();
  }
}

export type ApplicableFile = Pick<MigrationFile, 'file' | 'sql' | 'statements' | 'transactional'>;

/** Runs a file as the runner does, without history: one transaction, or statement by statement. */
export async function applyFile(sql: postgres.Sql, file: ApplicableFile): Promise<void> {
  try {
    if (file.transactional) {
      await sql.begin(async (tx) => {
        await tx.unsafe('set local row_security = off');
        await tx.unsafe(file.sql);
      });
    } else {
      for (const statement of file.statements) await sql.unsafe(statement);
    }
  } catch (cause) {
    if (!(cause instanceof postgres.PostgresError)) throw cause;
    const line = cause.position === undefined ? '' : ` (line ${lineAt(file.sql, Number(cause.position))})`;
    const hint =
      cause.code === '42501' && cause.where?.startsWith('SQL function') === true
        ? ' A body in SQL is checked when the function is made; over tables of another migration, write it in plpgsql.'
        : '';
    throw new MigrateError(
      'file_fails',
      `${file.file}${line} does not run on an empty database: ${cause.message} [${cause.code}].${hint}`,
      exitCodes.refused,
      { cause },
    );
  }
}

/** The listing after each file, from an empty database on. */
export async function replayFiles(
  serverUrl: string,
  files: readonly ApplicableFile[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  return withScratchDatabase(serverUrl, async (sql) => {
    const listings = new Map<string, readonly string[]>();
    for (const file of files) {
      await applyFile(sql, file);
      listings.set(file.file, await readListing(sql));
    }
    return listings;
  });
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
