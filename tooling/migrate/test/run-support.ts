import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScratchDatabase } from '@mcp-hub/postgres';
import postgres from 'postgres';
import { inject, onTestFinished } from 'vitest';
import { MigrateError } from '../src/errors.ts';
import type { MigrateOptions, MigrateReport } from '../src/migrate.ts';
import { migrate } from '../src/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    mcpHubTestServer: {
      readonly ownerUrl: string;
      readonly serviceUrl: string | undefined;
      readonly adminUrl: string | undefined;
      readonly template: string | undefined;
      readonly noTemplate: string;
    };
  }
}

/** The server that the global setup of the test run started. */
export function testServer(): {
  readonly ownerUrl: string;
  readonly serviceUrl: string | undefined;
  readonly adminUrl: string | undefined;
} {
  return inject('mcpHubTestServer');
}

/** An empty database of the owner's, dropped when the test ends. */
export async function freshDatabase(): Promise<string> {
  const scratch = await createScratchDatabase(testServer().ownerUrl);
  onTestFinished(scratch.drop);
  return scratch.url;
}

export type Rows = readonly Readonly<Record<string, unknown>>[];

/** Runs SQL as the URL's login, as psql would. */
export async function query(url: string, text: string): Promise<Rows> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false });
  try {
    return await sql.unsafe<Record<string, unknown>[]>(text);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** One value of one row. */
export async function value(url: string, text: string): Promise<unknown> {
  const [row] = await query(url, text);
  return row === undefined ? undefined : Object.values(row)[0];
}

export const historyTable = `create table if not exists migration_history (
  migration_name  text           not null,
  executed_at     timestamptz(3) not null default now(),
  checksum        text,
  duration_ms     integer,
  statements_done integer,
  constraint migration_history_pk primary key (migration_name)
);
`;

/** A tenant table as composed files make it, by hand. */
export function tableSql(name: string): string {
  return `create table ${name} (
  tenant_id text not null default current_setting('app.tenant') constraint ${name}_tenant_check check (tenant_id <> ''),
  id bigint not null,
  note text,
  constraint ${name}_pk primary key (tenant_id, id)
);
alter table ${name} enable row level security;
alter table ${name} force row level security;
create policy ${name}_tenant_policy on ${name}
  using (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
`;
}

/** A small chain of three files. */
export const smallChain = {
  '001_initial.sql': historyTable,
  '002_models.sql': tableSql('models'),
  '003_runs.sql': tableSql('runs'),
} as const;

/** The folder `migrations` of a project of its own, removed when the test ends. */
export function migrationsFolder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mcp-hub-project-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'migrations');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export async function run(
  url: string,
  directory: string,
  options: Partial<MigrateOptions> = {},
): Promise<MigrateReport> {
  return await migrate({ url, directory, ...options });
}

export function appliedFiles(report: MigrateReport): readonly string[] {
  return report.applied.map((entry) => entry.file);
}

/** The error that `work` fails with. */
export async function refusal(work: Promise<unknown>): Promise<MigrateError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MigrateError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

export async function historyNames(url: string): Promise<readonly unknown[]> {
  const rows = await query(url, 'select migration_name from migration_history order by migration_name');
  return rows.map((row) => row['migration_name']);
}
