import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Break } from './verify-break.ts';

/** The service login of every test server. */
const service = 'mcp_hub_service';

const grantBreaks: readonly Break[] = [
  {
    rule: 'tenant-grants',
    what: 'app_tenant may TRUNCATE',
    sql: 'grant truncate on model_tags to app_tenant',
    object: 'model_tags',
  },
  {
    rule: 'tenant-grants',
    what: 'app_tenant may MAINTAIN',
    sql: 'grant maintain on model_tags to app_tenant',
    object: 'model_tags',
    since: 17,
  },
  {
    rule: 'tenant-grants',
    what: 'app_tenant may grant what it has',
    sql: 'grant select on model_tags to app_tenant with grant option',
    object: 'model_tags',
  },
  {
    rule: 'tenant-grants',
    what: 'history may be updated',
    sql: 'grant update on model_stage_transitions to app_tenant',
    object: 'model_stage_transitions',
  },
  {
    rule: 'tenant-grants',
    what: 'app_tenant lacks a grant',
    sql: 'revoke delete on model_tags from app_tenant',
    object: 'model_tags',
  },
  {
    rule: 'readonly-grants',
    what: 'app_readonly may write',
    sql: 'grant insert on model_tags to app_readonly',
    object: 'model_tags',
  },
  {
    rule: 'dispatcher-grants',
    what: 'the dispatcher reads a table with user data',
    sql: 'grant select on model_tags to app_dispatcher',
    object: 'model_tags',
  },
  {
    rule: 'dispatcher-grants',
    what: 'the dispatcher writes work itself',
    sql: 'grant update on tenant_work to app_dispatcher',
    object: 'tenant_work',
  },
  {
    rule: 'view-grants',
    what: 'a view may be written through',
    sql: 'grant update on current_models to app_tenant',
    object: 'current_models',
  },
  {
    rule: 'no-public-grants',
    what: 'a table is granted to PUBLIC',
    sql: 'grant select on model_tags to public',
    object: 'model_tags',
  },
  {
    rule: 'no-other-grants',
    what: 'a login has a grant of its own',
    sql: `grant select on model_tags to ${service}`,
    object: 'model_tags',
  },
  {
    rule: 'no-column-grants',
    what: 'one column is granted',
    sql: 'grant select (value) on model_tags to app_dispatcher',
    object: 'model_tags.value',
  },
  {
    rule: 'history-ungranted',
    what: 'app_tenant reads the history',
    sql: 'grant select on migration_history to app_tenant',
    object: 'migration_history',
  },
  {
    rule: 'history-ungranted',
    what: 'a login writes the history',
    sql: `grant insert on migration_history to ${service}`,
    object: 'migration_history',
  },
  {
    rule: 'default-privileges',
    what: 'new tables are open',
    sql: 'alter default privileges in schema public grant select on tables to app_tenant',
    object: 'mcp_hub',
  },
  {
    rule: 'no-create-for-others',
    what: 'everybody may create in schema public',
    adminSql: 'grant create on schema public to public',
    object: 'schema public',
  },
  {
    rule: 'no-create-for-others',
    what: 'app_tenant may create schemas',
    sql: `do $$ begin execute format('grant create on database %I to app_tenant', current_database()); end $$`,
    object: 'database',
  },
];

const roleBreaks: readonly Break[] = [
  {
    rule: 'runtime-roles',
    what: 'app_tenant bypasses row level security',
    adminSql: 'alter role app_tenant bypassrls',
    object: 'app_tenant',
    also: [
      'owner-unprivileged',
      'probe-cross-tenant',
      'probe-two-tenants',
      'probe-without-tenant',
      'services-unprivileged',
    ],
  },
  {
    rule: 'runtime-roles',
    what: 'app_readonly may log in',
    adminSql: 'alter role app_readonly login',
    object: 'app_readonly',
  },
  {
    rule: 'runtime-roles',
    what: 'the dispatcher’s role has another name',
    adminSql: 'alter role app_dispatcher rename to app_dispatcher_before',
    object: 'app_dispatcher',
    also: ['dispatcher-grants', 'no-other-grants'],
  },
  {
    rule: 'runtime-roles-unrelated',
    what: 'app_readonly is a member of another role',
    adminSql: 'grant pg_monitor to app_readonly',
    object: 'app_readonly',
  },
  {
    rule: 'runtime-roles-own-nothing',
    what: 'app_tenant owns a schema',
    adminSql: 'create schema aside authorization app_tenant',
    object: 'app_tenant',
  },
  {
    rule: 'one-owner',
    what: 'a table belongs to another login',
    adminSql: 'create role bystander; alter table model_tags owner to bystander',
    object: 'model_tags',
  },
  {
    rule: 'one-owner',
    what: 'the database belongs to another login',
    adminSql: `create role bystander; do $$ begin execute format('alter database %I owner to bystander', current_database()); end $$`,
    object: 'database',
  },
  {
    rule: 'owner-unprivileged',
    what: 'a function belongs to a superuser',
    adminSql: 'alter function app_now() owner to postgres',
    object: 'postgres',
    also: ['one-owner'],
  },
  {
    rule: 'owner-unprivileged',
    what: 'the owner may become a role that bypasses',
    adminSql: 'create role backups bypassrls; grant backups to mcp_hub',
    object: 'mcp_hub',
  },
  {
    rule: 'services-unprivileged',
    what: 'the service login bypasses row level security',
    adminSql: `alter role ${service} bypassrls`,
    object: service,
  },
  {
    rule: 'services-unprivileged',
    what: 'the service login may become a role that bypasses',
    adminSql: `create role backups bypassrls; grant backups to ${service}`,
    object: service,
  },
  {
    rule: 'services-reach-no-more',
    what: 'the service login is a member of the owner',
    adminSql: `grant mcp_hub to ${service}`,
    object: service,
  },
  {
    rule: 'services-reach-no-more',
    what: 'a member of a group of services reads all data',
    adminSql: `create role workers; grant ${service} to workers; create role worker login; grant workers to worker; grant pg_read_all_data to worker`,
    object: 'worker',
  },
  {
    rule: 'services-own-nothing',
    what: 'the service login owns a schema',
    adminSql: `create schema aside authorization ${service}`,
    object: service,
  },
  {
    rule: 'no-standing-context',
    what: 'a login has a tenant by default',
    adminSql: `alter role ${service} set app.tenant = 'somebody'`,
    object: service,
  },
  {
    rule: 'no-standing-context',
    what: 'the database has a tenant by default',
    adminSql: `do $$ begin execute format('alter database %I set app.tenant = %L', current_database(), 'somebody'); end $$`,
    object: 'database',
  },
  {
    rule: 'no-parameter-grants',
    what: 'app_tenant may switch foreign keys off',
    adminSql: 'grant set on parameter session_replication_role to app_tenant',
    object: 'session_replication_role',
  },
];

const returnsTrigger = `create function react() returns trigger language plpgsql as $$ begin return new; end $$;`;

const objectBreaks: readonly Break[] = [
  {
    rule: 'views-invoker',
    what: 'a view reads with the rights of its owner',
    sql: 'alter view current_models reset (security_invoker)',
    object: 'current_models',
  },
  {
    rule: 'no-materialised-views',
    what: 'there is a materialised view',
    sql: 'create materialized view model_counts as select tenant_id, count(*) from model_registry group by tenant_id',
    object: 'model_counts',
  },
  {
    rule: 'no-foreign-tables',
    what: 'there is a foreign table',
    adminSql: `create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
               create foreign table far_models (tenant_id text) server elsewhere; alter foreign table far_models owner to mcp_hub`,
    object: 'far_models',
  },
  {
    rule: 'no-foreign-tables',
    what: 'dblink is installed',
    adminSql: 'create extension dblink',
    object: 'extension dblink',
  },
  { rule: 'no-sequences', what: 'there is a sequence', sql: 'create sequence odd_seq', object: 'odd_seq' },
  {
    rule: 'no-sequences',
    what: 'a column is an identity',
    sql: 'alter table model_tags add column nr integer generated always as identity',
    object: 'model_tags.nr',
  },
  {
    rule: 'no-triggers',
    what: 'a table has a trigger',
    sql: `${returnsTrigger} create trigger model_tags_react before insert on model_tags for each row execute function react()`,
    object: 'model_tags_react',
  },
  {
    rule: 'no-event-triggers',
    what: 'an event trigger calls a function of ours',
    adminSql: `create function react() returns event_trigger language plpgsql as $$ begin end $$; alter function react() owner to mcp_hub;
               create event trigger react on ddl_command_end execute function react()`,
    object: 'react',
  },
  {
    rule: 'no-rewrite-rules',
    what: 'a rule swallows deletes',
    sql: 'create rule model_tags_keep as on delete to model_tags do instead nothing',
    object: 'model_tags_keep',
  },
  {
    rule: 'no-security-definer',
    what: 'a function runs with the rights of its owner',
    sql: 'create function all_models() returns bigint language sql security definer as $$ select count(*) from public.model_registry $$',
    object: 'all_models()',
  },
  {
    rule: 'no-leakproof-functions',
    what: 'a function runs before the policies',
    adminSql: `create function peek(value text) returns boolean language sql leakproof as $$ select true $$; alter function peek(text) owner to mcp_hub`,
    object: 'peek(value text)',
  },
  {
    rule: 'no-immutable-context',
    what: 'a function folds the tenant into its plan',
    sql: `create function tenant_now() returns text language sql immutable as $$ select current_setting('app.tenant', true) $$`,
    object: 'tenant_now()',
  },
  {
    rule: 'no-immutable-context',
    what: 'so does one with a body that the server parsed',
    sql: `create function tenant_now() returns text language sql immutable return current_setting('app.tenant', true)`,
    object: 'tenant_now()',
  },
  {
    rule: 'functions-keep-context',
    what: 'a function sets the tenant by SET',
    sql: `create function leave() returns void language plpgsql as $$ begin set local app.tenant = 'somebody'; end $$`,
    object: 'leave()',
  },
  {
    rule: 'functions-keep-context',
    what: 'a function sets the tenant by set_config',
    sql: `create function leave(tenant text) returns text language sql as $$ select pg_catalog.set_config('app.tenant', tenant, true) $$`,
    object: 'leave(tenant text)',
  },
  {
    rule: 'functions-keep-context',
    what: 'a function has a tenant of its own',
    adminSql: `create function leave() returns bigint language sql set app.tenant = 'somebody' as $$ select count(*) from public.model_registry $$;
               alter function leave() owner to mcp_hub`,
    object: 'leave()',
  },
  { rule: 'no-enums', what: 'there is an enum', sql: `create type stage as enum ('new', 'old')`, object: 'stage' },
  {
    rule: 'publications-filtered',
    what: 'a table is published whole',
    sql: 'create publication outward for table model_tags',
    object: 'publication outward',
  },
  {
    rule: 'publications-filtered',
    what: 'a row filter lets all tenants through',
    sql: `create publication outward for table model_tags where (key <> '')`,
    object: 'publication outward',
  },
  {
    rule: 'publications-filtered',
    what: 'everything is published',
    adminSql: 'create publication outward for all tables',
    object: 'publication outward',
  },
];

const historyBreaks: readonly Break[] = [
  {
    rule: 'migrations-folder',
    what: 'a number is missing from the folder',
    folder: (directory) => rm(join(directory, 'gaps.json')),
    object: 'migrations',
  },
  {
    rule: 'history-complete',
    what: 'a file is pending',
    folder: (directory) => writeFile(join(directory, '006_training_runs.sql'), 'select 1;\n'),
    object: '006_training_runs.sql',
  },
  {
    rule: 'history-complete',
    what: 'an applied file is gone from the folder',
    folder: (directory) => rm(join(directory, '005_model_registry.sql')),
    object: '005_model_registry.sql',
  },
  {
    rule: 'history-complete',
    what: 'a file is half applied',
    sql: `update migration_history set statements_done = 1 where migration_name = '005_model_registry.sql'`,
    object: '005_model_registry.sql',
  },
  {
    rule: 'history-checksums',
    what: 'a file was edited after it ran',
    folder: (directory) => writeFile(join(directory, '005_model_registry.sql'), 'select 2;\n'),
    object: '005_model_registry.sql',
  },
  {
    rule: 'history-checksums',
    what: 'a file was applied by hand and not adopted',
    sql: `update migration_history set checksum = null where migration_name = '005_model_registry.sql'`,
    object: '005_model_registry.sql',
  },
  {
    rule: 'schema-listing',
    what: 'a hand added a column',
    sql: 'alter table model_tags add column note text',
    object: 'column model_tags.note',
  },
  {
    rule: 'schema-listing',
    what: 'a hand dropped an index',
    sql: 'drop index tenant_work_due_idx',
    object: 'index tenant_work.tenant_work_due_idx',
  },
];

export const rightsBreaks: readonly Break[] = [...grantBreaks, ...roleBreaks, ...objectBreaks, ...historyBreaks];
