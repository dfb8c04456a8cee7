import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Break, ownRows } from './verify-break.ts';

/** A leak that a row has to be there to be seen. */
const withRow = `
set local app.tenant = 'somebody';
insert into model_stage_transitions (model_id) values (app_uuid_v7());
set local app.tenant = '';`;

export const historyBreaks: readonly Break[] = [
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

export const probeBreaks: readonly Break[] = [
  {
    rule: 'probe-two-tenants',
    what: 'the registry shows all tenants’ rows',
    sql: 'alter policy model_registry_tenant_policy on model_registry using (true)',
    object: 'model_registry',
    also: ['no-other-policy', 'probe-cross-tenant', 'probe-without-tenant', 'tenant-policy'],
  },
  {
    rule: 'probe-two-tenants',
    what: 'a trigger hides what a tenant wrote',
    sql: `create function swallow() returns trigger language plpgsql as $$ begin return null; end $$;
          create trigger swallow before insert on model_registry for each row execute function swallow()`,
    object: 'model_registry',
    also: ['no-triggers'],
  },
  {
    rule: 'probe-without-tenant',
    what: 'a session without a tenant may do all',
    sql: `alter policy tenants_tenant_policy on tenants
            using (${ownRows} or coalesce(current_setting('app.tenant', true), '') = '')
            with check (${ownRows} or coalesce(current_setting('app.tenant', true), '') = '')`,
    object: 'tenants',
    also: ['no-other-policy', 'tenant-policy'],
  },
  {
    rule: 'probe-cross-tenant',
    what: 'a tenant may plant rows in another',
    sql: 'alter policy tenants_tenant_policy on tenants with check (true)',
    object: 'tenants',
    also: ['no-other-policy', 'probe-without-tenant', 'tenant-policy'],
  },
  {
    rule: 'probe-every-table',
    what: 'a table shows its rows to everybody',
    sql: `${withRow} alter table model_stage_transitions disable row level security`,
    object: 'model_stage_transitions',
    also: ['row-security-enabled'],
  },
  {
    rule: 'probe-every-table',
    what: 'the owner reads a table that does not force it',
    sql: `${withRow} alter table model_stage_transitions no force row level security`,
    object: 'model_stage_transitions',
    also: ['row-security-forced'],
  },
  {
    rule: 'probe-context-function',
    what: 'app_set_tenant takes whatever it is given',
    sql: `create or replace function app_set_tenant(tenant text, actor text default null, at timestamptz default null) returns void
          language plpgsql as $$ begin execute pg_catalog.format('set local app.tenant = %L', tenant); set local role app_tenant; end $$`,
    object: 'app_set_tenant',
  },
  {
    rule: 'probe-context-function',
    what: 'app_set_tenant stays the owner',
    sql: `create or replace function app_set_tenant(tenant text, actor text default null, at timestamptz default null) returns void
          language plpgsql as $$ begin
            if tenant is null or tenant = '' or length(tenant) > 128 or tenant ~ '[[:cntrl:]]' then raise exception using errcode = '22023'; end if;
            execute pg_catalog.format('set local app.tenant = %L', tenant); end $$`,
    object: 'app_set_tenant',
  },
];
