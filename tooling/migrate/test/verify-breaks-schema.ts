import { type Break, ownRows, table } from './verify-break.ts';

const check = `constraint odd_tenant_id_check check (tenant_id <> '')`;
const byDefault = `default current_setting('app.tenant')`;

/** A leak that a row has to be there to be seen. */
const withRow = `
set local app.tenant = 'somebody';
insert into model_stage_transitions (model_id) values (app_uuid_v7());
set local app.tenant = '';`;

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
    sql: 'create table odd (other_id uuid not null)',
    object: 'odd',
    also: ['readonly-grants', 'row-security-enabled', 'row-security-forced', 'tenant-grants', 'tenant-policy'],
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
    sql: table({ columns: `tenant_id text ${byDefault} ${check}` }),
    object: 'odd',
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
    also: ['readonly-grants', 'row-security-enabled', 'row-security-forced', 'tenant-grants', 'tenant-policy'],
  },
  {
    rule: 'tables-in-public',
    what: 'the owner has a table in another schema',
    sql: 'create schema aside; create table aside.copies (tenant_id text)',
    object: 'aside.copies',
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

const keyBreaks: readonly Break[] = [
  {
    rule: 'tenant-first-in-keys',
    what: 'a primary key leaves out the tenant',
    sql: table({ keys: 'constraint odd_pk primary key (id)' }),
    object: 'odd_pk',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'a unique constraint names the tenant last',
    sql: 'alter table model_tags add constraint model_tags_value_key unique (value, tenant_id)',
    object: 'model_tags_value_key',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'a unique index is on an expression alone',
    sql: 'create unique index model_tags_lower_idx on model_tags (lower(value))',
    object: 'model_tags_lower_idx',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'an exclusion holds across tenants',
    sql: table({
      columns: `tenant_id text not null ${byDefault} ${check}, span int4range, constraint odd_span_key exclude using gist (span with &&)`,
    }),
    object: 'odd_span_key',
  },
  {
    rule: 'indexes-valid',
    what: 'an index was left half built',
    adminSql: `update pg_index set indisvalid = false where indexrelid = 'public.tenant_work_due_idx'::regclass`,
    object: 'tenant_work_due_idx',
  },
  {
    rule: 'constraints-validated',
    what: 'a check was added without looking at the rows',
    sql: `alter table model_tags add constraint model_tags_value_check check (value <> '') not valid`,
    object: 'model_tags_value_check',
  },
  {
    rule: 'constraints-enforced',
    what: 'the triggers of a foreign key are disabled',
    adminSql: 'alter table model_tags disable trigger all',
    object: 'model_tags_model_fk',
  },
  {
    rule: 'constraints-enforced',
    what: 'a check is not enforced',
    sql: `alter table model_tags add constraint model_tags_value_check check (value <> '') not enforced`,
    object: 'model_tags_value_check',
    since: 18,
  },
  {
    rule: 'constraint-names',
    what: 'an index does not say its table',
    sql: 'create index by_value on model_tags (tenant_id, value)',
    object: 'by_value',
  },
  {
    rule: 'constraint-names',
    what: 'a constraint has a name of its own',
    sql: `alter table model_tags add constraint value_is_there check (value <> '')`,
    object: 'value_is_there',
  },
];

const toRegistry = (rest: string) =>
  table({
    keys: `constraint odd_model_fk foreign key (tenant_id, other_id) references model_registry (tenant_id, id) ${rest}`,
  });

const foreignKeyBreaks: readonly Break[] = [
  {
    rule: 'tenant-paired-in-foreign-keys',
    what: 'a foreign key leaves out the tenant',
    sql: `alter table model_registry add constraint model_registry_id_key unique (id);
          ${table({ keys: 'constraint odd_model_fk foreign key (other_id) references model_registry (id)' })}`,
    object: 'odd_model_fk',
    also: ['tenant-first-in-keys'],
  },
  {
    rule: 'foreign-key-actions',
    what: 'a foreign key sets null',
    sql: toRegistry('on delete set null (other_id)'),
    object: 'odd_model_fk',
  },
  {
    rule: 'foreign-key-actions',
    what: 'a foreign key sets a default on update',
    sql: toRegistry('on update set default'),
    object: 'odd_model_fk',
  },
  {
    rule: 'foreign-key-match',
    what: 'a foreign key is MATCH FULL',
    sql: toRegistry('match full'),
    object: 'odd_model_fk',
  },
  {
    rule: 'foreign-key-match',
    what: 'two columns of a foreign key may be null apart',
    sql: `alter table model_registry add constraint model_registry_all_key unique (tenant_id, name, version, id);
          alter table model_registry no force row level security;
          alter table model_registry add constraint model_registry_parent_fk
            foreign key (tenant_id, name, parent_version, parent_id) references model_registry (tenant_id, name, version, id);
          alter table model_registry force row level security`,
    object: 'model_registry_parent_fk',
  },
  {
    rule: 'no-cascade-across-packages',
    what: 'rows of db-core go with a row of the registry',
    sql: `create unique index model_registry_only_key on model_registry (tenant_id, name);
          alter table model_registry no force row level security;
          alter table tenant_work no force row level security;
          alter table tenant_work add constraint tenant_work_model_fk
            foreign key (tenant_id, kind) references model_registry (tenant_id, name) on delete cascade;
          alter table model_registry force row level security;
          alter table tenant_work force row level security`,
    object: 'tenant_work_model_fk',
  },
  {
    rule: 'tenants-unreferenced',
    what: 'a table refers to tenants',
    sql: table({ keys: 'constraint odd_tenant_fk foreign key (tenant_id) references tenants (tenant_id)' }),
    object: 'odd_tenant_fk',
  },
  {
    rule: 'partitioned-unreferenced',
    what: 'a table refers to one whose partitions are dropped',
    sql: table({
      keys: 'constraint odd_prediction_fk foreign key (tenant_id, other_id) references predictions (tenant_id, id)',
    }),
    object: 'odd_prediction_fk',
  },
];

const partitionBreaks: readonly Break[] = [
  {
    rule: 'partition-without-grants',
    what: 'a partition may be read directly',
    sql: 'grant select on predictions_default to app_tenant',
    object: 'predictions_default',
  },
  {
    rule: 'partition-key',
    what: 'a table is partitioned by hash',
    sql: table().replace('other_id uuid)', 'other_id uuid) partition by hash (id)'),
    object: 'odd',
    also: ['default-partition'],
  },
  {
    rule: 'partition-time-check',
    what: 'nothing ties the time of a row to its id',
    sql: 'alter table predictions drop constraint predictions_time_check',
    object: 'predictions',
  },
  {
    rule: 'default-partition',
    what: 'the default partition is gone',
    sql: 'drop table predictions_default',
    object: 'predictions',
  },
  {
    rule: 'default-partition-empty',
    what: 'the default partition holds a row',
    sql: `set local app.tenant = 'somebody'; insert into predictions default values; set local app.tenant = ''`,
    object: 'predictions_default',
  },
];

const probeBreaks: readonly Break[] = [
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

export const schemaBreaks: readonly Break[] = [
  ...tableBreaks,
  ...columnBreaks,
  ...policyBreaks,
  ...keyBreaks,
  ...foreignKeyBreaks,
  ...partitionBreaks,
  ...probeBreaks,
];
