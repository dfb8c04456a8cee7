import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createScratchDatabase,
  databaseName,
  databaseUrl,
  type PostgresMajor,
  parsePostgresMajor,
  startTestServer,
} from '@mcp-hub/postgres';
import postgres, { type Sql } from 'postgres';
import { grantRuntime } from '../src/grant-runtime.ts';
import { readListing } from '../src/listing.ts';
import { diffListings, formatListingChange } from '../src/listing-change.ts';
import { migrate } from '../src/migrate.ts';

/** A migrated database that keeps all rules, and the folder that it was migrated from. */
export interface VerifyDatabase {
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  readonly adminUrl: string;
  /** The superuser, in this database: breaks what an owner cannot break. */
  readonly admin: Sql;
  readonly ownerLogin: string;
  readonly serviceLogin: string;
  readonly directory: string;
  stop(): Promise<void>;
}

const policy = (table: string) => `
create policy ${table}_tenant_policy on ${table} for all to public
  using (tenant_id = (select nullif(current_setting('app.tenant', true), '')))
  with check (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
alter table ${table} enable row level security;
alter table ${table} force row level security;
grant select on ${table} to app_readonly;`;

const tenantColumn = (table: string) => `
  tenant_id text not null default current_setting('app.tenant')
    constraint ${table}_tenant_id_check check (tenant_id <> '')`;

const mayWrite = (table: string) => `grant select, insert, update, delete on ${table} to app_tenant;`;

const dispatcherLooks = (table: string) => `
create policy ${table}_dispatcher_policy on ${table} for select to public using (current_user = 'app_dispatcher');
grant select on ${table} to app_dispatcher;`;

const core = `
create table tenants (${tenantColumn('tenants')},
  status text not null default 'active' constraint tenants_status_check check (status in ('active', 'archived')),
  constraint tenants_pk primary key (tenant_id));
${policy('tenants')}${mayWrite('tenants')}${dispatcherLooks('tenants')}
create table tenant_work (${tenantColumn('tenant_work')},
  kind text not null, due_at timestamptz(3) not null default app_now(),
  constraint tenant_work_pk primary key (tenant_id, kind));
create index tenant_work_due_idx on tenant_work (kind, due_at);
${policy('tenant_work')}${mayWrite('tenant_work')}${dispatcherLooks('tenant_work')}`;

const registry = `
create table model_registry (${tenantColumn('model_registry')},
  id uuid not null default app_uuid_v7(), name text not null, version text not null, parent_id uuid, parent_version text,
  constraint model_registry_pk primary key (tenant_id, id),
  constraint model_registry_name_key unique (tenant_id, name, version));
create table model_tags (${tenantColumn('model_tags')},
  model_id uuid not null, key text not null, value text not null,
  constraint model_tags_pk primary key (tenant_id, model_id, key),
  constraint model_tags_model_fk foreign key (tenant_id, model_id) references model_registry (tenant_id, id) on delete cascade);
create table model_stage_transitions (${tenantColumn('model_stage_transitions')},
  id uuid not null default app_uuid_v7(), model_id uuid not null,
  constraint model_stage_transitions_pk primary key (tenant_id, id));
comment on table model_stage_transitions is 'append-only';
create table predictions (${tenantColumn('predictions')},
  id uuid not null default app_uuid_v7(), predicted_at timestamptz(3) not null default app_now(),
  constraint predictions_pk primary key (tenant_id, id),
  constraint predictions_time_check check (id is not null and predicted_at is not null)) partition by range (id);
create table predictions_default partition of predictions default;
alter table predictions_default enable row level security;
alter table predictions_default force row level security;
${policy('model_registry')}${mayWrite('model_registry')}
${policy('model_tags')}${mayWrite('model_tags')}
${policy('model_stage_transitions')}grant select, insert on model_stage_transitions to app_tenant;
${policy('predictions')}${mayWrite('predictions')}
create view current_models with (security_invoker = true) as select tenant_id, name from model_registry;
grant select on current_models to app_tenant, app_readonly;`;

/** The roles and functions are the real ones of db-core; this package may not import that one. */
const beforeSql = fileURLToPath(new URL('../../../packages/db-core/sql/before.sql', import.meta.url));

export async function startVerifyDatabase(majorText = process.env['PG_MAJOR']): Promise<VerifyDatabase> {
  const major: PostgresMajor | undefined = majorText === undefined ? undefined : parsePostgresMajor(majorText);
  const server = await startTestServer(major === undefined ? {} : { major });
  const { adminUrl, serviceUrl } = server;
  if (adminUrl === undefined || serviceUrl === undefined) {
    await server.stop();
    throw new Error('These tests break what only a superuser can break: they need a server of their own.');
  }
  const directory = await mkdtemp(join(tmpdir(), 'verify-'));
  await mkdir(join(directory, 'listing'));
  const files = {
    '001_initial_schema': `-- composed-from: @mcp-hub/db-core\n${await readFile(beforeSql, 'utf8')}\n--> statement-breakpoint\n${core}`,
    '005_model_registry': `-- composed-from: @mcp-hub/registry\n${registry}`,
  };
  await writeFile(join(directory, 'gaps.json'), JSON.stringify({ '002': 'a test', '003': 'a test', '004': 'a test' }));
  const scratch = await createScratchDatabase(server.ownerUrl);
  const reader = postgres(scratch.url, { max: 1, onnotice: () => {} });
  let before = await readListing(reader);
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, `${name}.sql`), text);
    await migrate({ url: scratch.url, directory });
    const after = await readListing(reader);
    await writeFile(join(directory, 'listing', `${name}.txt`), formatListingChange(diffListings(before, after)));
    before = after;
  }
  await reader.end();
  const serviceLogin = new URL(serviceUrl).username;
  await grantRuntime({ url: scratch.url, login: serviceLogin });
  const admin = postgres(databaseUrl(adminUrl, databaseName(scratch.url)), { max: 1, onnotice: () => {} });
  return {
    ownerUrl: scratch.url,
    serviceUrl: serviceUrl,
    adminUrl: adminUrl,
    admin,
    ownerLogin: new URL(server.ownerUrl).username,
    serviceLogin,
    directory,
    stop: async () => {
      await admin.end();
      await scratch.drop();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
