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

export const rightsBreaks: readonly Break[] = [...grantBreaks, ...roleBreaks];
