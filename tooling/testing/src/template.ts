import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, dropDatabase, sealTemplate } from '@mcp-hub/postgres';
import postgres from 'postgres';

const PREFIX = 'mcp_hub_template_';
const UNUSED_AFTER_DAYS = 1;

/** The SQL files of the migrations folder, in their order; none where there is no folder yet. */
export function migrationFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.sql'))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * The database with all migrations applied, made once a server and content: its name is the hash of the files, and it
 * is finished when it is closed to connections. Runs that want the same one wait for each other.
 */
export async function buildTemplate(o: {
  readonly ownerUrl: string;
  readonly directory: string;
  readonly files: readonly string[];
}): Promise<string> {
  const name = `${PREFIX}${hashOf(o)}`;
  const sql = postgres(o.ownerUrl, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} });
  try {
    await sql`select pg_advisory_lock(hashtextextended(${name}, 0))`;
    await dropUnusedTemplates(sql, o.ownerUrl, name);
    if (!(await isFinished(sql, name))) {
      await dropDatabase(o.ownerUrl, name);
      const { migrate } = await import('@mcp-hub/migrate');
      await migrate({ url: await createDatabase(o.ownerUrl, name), directory: o.directory });
      await sealTemplate(o.ownerUrl, name);
    }
    await sql`comment on database ${sql(name)} is ${sql.unsafe(`'used ${new Date().toISOString()}'`)}`;
    return name;
  } finally {
    await sql.end({ timeout: 5 }); // which lets go of the lock
  }
}

/** With the owner, because only the owner of a template may copy it. */
function hashOf(o: {
  readonly ownerUrl: string;
  readonly directory: string;
  readonly files: readonly string[];
}): string {
  const hash = createHash('sha256').update(`${new URL(o.ownerUrl).username}\0`);
  for (const file of o.files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(o.directory, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 20);
}

async function isFinished(sql: postgres.Sql, name: string): Promise<boolean> {
  const rows = await sql`select from pg_database where datname = ${name} and not datallowconn`;
  return rows.length > 0;
}

/** On a server that stays, each change of the migrations would leave a template behind. */
async function dropUnusedTemplates(sql: postgres.Sql, ownerUrl: string, current: string): Promise<void> {
  const rows = await sql<{ name: string; used: string | null }[]>`
    select datname as name, substring(shobj_description(oid, 'pg_database') from '^used (.*)$') as used
      from pg_database
     where starts_with(datname, ${PREFIX}) and datname <> ${current} and pg_has_role(datdba, 'usage')`;
  const limit = Date.now() - UNUSED_AFTER_DAYS * 86_400_000;
  for (const { name, used } of rows) {
    if (used !== null && Date.parse(used) < limit) await dropDatabase(ownerUrl, name);
  }
}
