import type { Break } from './verify-break.ts';

const returnsTrigger = `create function react() returns trigger language plpgsql as $$ begin return new; end $$;`;

export const objectBreaks: readonly Break[] = [
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
  {
    rule: 'no-foreign-tables',
    what: 'postgres_fdw is installed',
    adminSql: 'create extension postgres_fdw',
    object: 'extension postgres_fdw',
  },
  {
    rule: 'no-foreign-tables',
    what: 'there is a server of a wrapper',
    adminSql:
      'create foreign data wrapper outward; create server far foreign data wrapper outward; grant usage on foreign server far to app_tenant',
    object: 'server far',
  },
  {
    rule: 'no-opening-extensions',
    what: 'tenants read each other’s statements',
    adminSql: 'create extension pg_stat_statements',
    object: 'extension pg_stat_statements',
  },
  {
    rule: 'no-opening-extensions',
    what: 'they read them by the function, past the view',
    adminSql: 'create extension pg_stat_statements; revoke all on pg_stat_statements from public',
    object: 'extension pg_stat_statements',
  },
  {
    rule: 'no-hidden-members',
    what: 'a table without policies counts as part of an extension',
    sql: `create extension pg_trgm; create table aside (tenant_id text, value text);
          grant select, insert on aside to app_tenant; alter extension pg_trgm add table aside`,
    object: 'table public.aside',
  },
  {
    rule: 'no-hidden-members',
    what: 'a function that sets the tenant counts as part of an extension',
    sql: `create extension pg_trgm;
          create function leave() returns text language sql as $$ select set_config('app.tenant', 'somebody', true) $$;
          alter extension pg_trgm add function leave()`,
    object: 'function public.leave()',
  },
  {
    rule: 'no-large-objects',
    what: 'a tenant transaction made a large object',
    adminSql: `do $$ begin perform app_set_tenant('somebody'); perform lo_from_bytea(0, 'somebody'); end $$; reset role; set local app.tenant = ''`,
    object: 'large objects of app_tenant',
    also: ['runtime-roles-own-nothing'],
  },
  {
    rule: 'no-large-objects',
    what: 'a large object of somebody else may be read',
    adminSql: `do $$ begin execute format('grant select on large object %s to app_readonly', lo_from_bytea(0, 'somebody')); end $$`,
    object: 'large objects of postgres',
  },
  { rule: 'no-sequences', what: 'there is a sequence', sql: 'create sequence odd_seq', object: 'odd_seq' },
  {
    rule: 'no-sequences',
    what: 'a column counts by a sequence in another schema',
    sql: `create schema aside; create sequence aside.numbers; alter table model_tags add column nr bigint default nextval('aside.numbers')`,
    object: 'model_tags.nr',
    also: ['tables-in-public'],
  },
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
    what: 'a row filter names the tenant and lets all through',
    sql: `create publication outward for table model_tags where (tenant_id <> '')`,
    object: 'publication outward',
  },
  {
    rule: 'publications-filtered',
    what: 'a row filter on one tenant has an alternative',
    sql: `create publication outward for table model_tags where ((tenant_id = 'somebody' and key = 'k') or key <> '')`,
    object: 'publication outward',
  },
  {
    rule: 'publications-filtered',
    what: 'everything is published',
    adminSql: 'create publication outward for all tables',
    object: 'publication outward',
  },
];
