import type { Break } from './verify-break.ts';

/** The service login of every test server. */
const service = 'mcp_hub_service';

export const rightsBreaks: readonly Break[] = [
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
  {
    rule: 'schemas-closed',
    what: 'app_tenant may create in another schema',
    sql: 'create schema aside; grant create on schema aside to app_tenant',
    object: 'schema aside',
  },
  {
    rule: 'schemas-closed',
    what: 'everybody may use another schema',
    sql: 'create schema aside; grant usage on schema aside to public',
    object: 'schema aside',
  },
  {
    rule: 'schemas-closed',
    what: 'a group of services may use another schema',
    adminSql: `create role workers; grant workers to ${service}; create schema aside; grant usage on schema aside to workers`,
    object: 'schema aside',
  },
  {
    rule: 'schemas-closed',
    what: 'app_tenant may put functions among the server’s',
    adminSql: 'grant create on schema pg_catalog to app_tenant',
    object: 'schema pg_catalog',
  },
  {
    rule: 'system-as-delivered',
    what: 'app_tenant reads samples of all values',
    adminSql: 'grant select on pg_catalog.pg_statistic to app_tenant',
    object: 'pg_catalog.pg_statistic',
  },
  {
    rule: 'system-as-delivered',
    what: 'app_tenant reads one column of them',
    adminSql: 'grant select (stavalues1) on pg_catalog.pg_statistic to app_tenant',
    object: 'pg_catalog.pg_statistic (stavalues1)',
  },
  {
    rule: 'system-as-delivered',
    what: 'a service reads files of the server',
    adminSql: `grant execute on function pg_read_file(text), pg_ls_dir(text) to ${service}`,
    object: 'pg_catalog.pg_read_file(text)',
  },
  {
    rule: 'system-as-delivered',
    what: 'everybody may write files of the server',
    adminSql: 'grant execute on function lo_export(oid, text) to public',
    object: 'pg_catalog.lo_export(oid, text)',
  },
  {
    rule: 'system-as-delivered',
    what: 'app_tenant may call what an extension keeps closed',
    adminSql: 'create extension pgstattuple; grant execute on function pgstattuple(text) to app_tenant',
    object: 'pgstattuple(relname text',
  },
];
