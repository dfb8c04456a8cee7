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
