import { type Break, ownRows, table } from './verify-break.ts';

const check = `constraint odd_tenant_id_check check (tenant_id <> '')`;
const byDefault = `default current_setting('app.tenant')`;

const tableBreaks: readonly Break[] = [
  {
    rule: 'row-security-enabled',
    what: 'a table has row level security disabled',
    sql: 'alter table model_tags disable row level security',
    object: 'model_tags',
  },
  {
    rule: 'row-security-enabled',
    what: 'a partition was made without row level security',
    sql: `create table predictions_2026 partition of predictions
            for values from ('01900000-0000-7000-8000-000000000000') to ('01a00000-0000-7000-8000-000000000000');
          alter table predictions_2026 force row level security`,
    object: 'predictions_2026',
  },
  {
    rule: 'row-security-forced',
    what: 'the owner is not forced',
    sql: 'alter table model_tags no force row level security',
    object: 'model_tags',
  },
  {
    rule: 'row-security-forced',
    what: 'the default partition lost its FORCE',
    sql: 'alter table predictions_default no force row level security',
    object: 'predictions_default',
  },
  {
    rule: 'tenant-column',
    what: 'a table has no tenant_id',
    sql: 'create table odd (other_id uuid not null constraint odd_pk primary key)',
    object: 'odd',
    also: [
      'readonly-grants',
      'row-security-enabled',
      'row-security-forced',
      'tenant-first-in-keys',
      'tenant-grants',
      'tenant-policy',
    ],
  },
  {
    rule: 'tenant-column',
    what: 'tenant_id stands second',
    sql: table({ columns: `id uuid default app_uuid_v7(), tenant_id text not null ${byDefault} ${check}` }),
    object: 'odd',
  },
  {
    rule: 'tenant-column',
    what: 'tenant_id may be null',
    sql: table({ columns: `tenant_id text ${byDefault} ${check}`, primaryKey: '' }),
    object: 'odd',
    also: ['primary-key'],
  },
  {
    rule: 'tenant-column',
    what: 'tenant_id is no text',
    sql: table({ columns: `tenant_id varchar(20) not null ${byDefault}` }),
    object: 'odd',
    also: ['no-other-policy', 'tenant-check', 'tenant-policy'],
  },
  {
    rule: 'tenant-column',
    what: 'tenant_id compares without regard to case',
    sql: `create collation anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
          ${table({ columns: `tenant_id text collate anycase not null ${byDefault} ${check}` })}`,
    object: 'odd',
  },
  {
    rule: 'tenant-default',
    what: 'tenant_id defaults to one tenant',
    sql: `alter table model_tags alter column tenant_id set default 'one of them'`,
    object: 'model_tags',
  },
  {
    rule: 'tenant-default',
    what: 'tenant_id has no default',
    sql: 'alter table model_registry alter column tenant_id drop default',
    object: 'model_registry',
  },
  {
    rule: 'tenant-check',
    what: 'tenant_id may be empty',
    sql: 'alter table model_tags drop constraint model_tags_tenant_id_check',
    object: 'model_tags',
  },
  {
    rule: 'no-legacy-inheritance',
    what: 'a table inherits from another',
    sql: 'create table odd () inherits (model_tags)',
    object: 'odd',
    also: [
      'primary-key',
      'readonly-grants',
      'row-security-enabled',
      'row-security-forced',
      'tenant-grants',
      'tenant-policy',
    ],
  },
  {
    rule: 'tables-in-public',
    what: 'the owner has a table in another schema',
    sql: 'create schema aside; create table aside.copies (tenant_id text)',
    object: 'aside.copies',
  },
  {
    rule: 'tables-in-public',
    what: 'there is a sequence in another schema',
    sql: 'create schema aside; create sequence aside.numbers',
    object: 'aside.numbers',
  },
  {
    rule: 'tables-in-public',
    what: 'a view of somebody else in another schema is open to a service',
    adminSql: `create schema aside; create view aside.copies as select tenant_id from model_tags;
               grant select on aside.copies to mcp_hub_service`,
    object: 'aside.copies',
  },
  {
    rule: 'primary-key',
    what: 'a table has no primary key',
    sql: table({ primaryKey: '' }),
    object: 'odd',
  },
  {
    rule: 'primary-key',
    what: 'the history lost its primary key',
    sql: 'alter table migration_history drop constraint migration_history_pk',
    object: 'migration_history',
  },
];

const columnBreaks: readonly Break[] = [
  {
    rule: 'id-column',
    what: 'an id has no default',
    sql: 'alter table model_registry alter column id drop default',
    object: 'model_registry.id',
    also: ['probe-two-tenants'],
  },
  {
    rule: 'id-column',
    what: 'an id is a number',
    sql: table({ columns: `tenant_id text not null ${byDefault} ${check}, id bigint not null` }),
    object: 'odd.id',
  },
  {
    rule: 'times-with-zone',
    what: 'a time has no zone',
    sql: 'alter table model_tags add column seen_at timestamp(3)',
    object: 'model_tags.seen_at',
  },
  {
    rule: 'times-with-zone',
    what: 'a time has microseconds',
    sql: 'alter table model_tags add column seen_at timestamptz',
    object: 'model_tags.seen_at',
  },
  {
    rule: 'defaults-by-app-now',
    what: 'a default reads the server’s clock',
    sql: 'alter table model_tags add column seen_at timestamptz(3) default current_timestamp',
    object: 'model_tags.seen_at',
  },
  {
    rule: 'defaults-by-app-now',
    what: 'a default reads the transaction’s clock past app_now()',
    sql: 'alter table tenant_work alter column due_at set default now()',
    object: 'tenant_work.due_at',
  },
];

const policyBreaks: readonly Break[] = [
  {
    rule: 'tenant-policy',
    what: 'a table lost its policy',
    sql: 'drop policy model_tags_tenant_policy on model_tags',
    object: 'model_tags',
  },
  {
    rule: 'tenant-policy',
    what: 'the policy reads the empty setting as a tenant',
    sql: `alter policy model_tags_tenant_policy on model_tags using (tenant_id = current_setting('app.tenant', true))`,
    object: 'model_tags',
    also: ['no-other-policy'],
  },
  {
    rule: 'tenant-policy',
    what: 'the policy holds for one role only',
    sql: 'alter policy model_tags_tenant_policy on model_tags to app_tenant',
    object: 'model_tags',
    also: ['no-other-policy'],
  },
  {
    rule: 'tenant-policy',
    what: 'the policy calls a function that is named as the server’s',
    sql: `create function public.current_setting(text, boolean) returns text language sql stable as $$ select 'somebody' $$;
          alter policy model_tags_tenant_policy on model_tags
            using (tenant_id = (select nullif(public.current_setting('app.tenant', true), '')))`,
    object: 'model_tags',
    also: ['no-other-policy'],
  },
  {
    rule: 'no-other-policy',
    what: 'a table has one more permissive policy',
    sql: 'create policy model_tags_share_policy on model_tags for select to public using (value is not null)',
    object: 'model_tags_share_policy',
  },
  {
    rule: 'no-other-policy',
    what: 'the dispatcher may look at a table with user data',
    sql: `create policy model_tags_dispatcher_policy on model_tags for select using (current_user = 'app_dispatcher')`,
    object: 'model_tags_dispatcher_policy',
  },
  {
    rule: 'no-other-policy',
    what: 'the dispatcher’s policy names it by TO',
    sql: `drop policy tenant_work_dispatcher_policy on tenant_work;
          create policy tenant_work_dispatcher_policy on tenant_work for select to app_dispatcher using (true)`,
    object: 'tenant_work_dispatcher_policy',
    also: ['dispatcher-policy'],
  },
  {
    rule: 'no-restrictive-policy',
    what: 'a policy is restrictive',
    sql: `create policy model_tags_guard_policy on model_tags as restrictive using (${ownRows})`,
    object: 'model_tags_guard_policy',
  },
  {
    rule: 'dispatcher-policy',
    what: 'the dispatcher cannot look at the work',
    sql: 'drop policy tenant_work_dispatcher_policy on tenant_work',
    object: 'tenant_work',
  },
  {
    rule: 'partition-without-policy',
    what: 'a partition has a policy',
    sql: `create policy predictions_default_policy on predictions_default using (${ownRows})`,
    object: 'predictions_default_policy',
  },
];

export const tablesBreaks: readonly Break[] = [...tableBreaks, ...columnBreaks, ...policyBreaks];
