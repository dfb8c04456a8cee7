import { type Break, table } from './verify-break.ts';

const check = `constraint odd_tenant_id_check check (tenant_id <> '')`;
const byDefault = `default current_setting('app.tenant')`;

const anycase = `create collation anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`;

const keyBreaks: readonly Break[] = [
  {
    rule: 'tenant-first-in-keys',
    what: 'a primary key leaves out the tenant',
    sql: table({ primaryKey: 'id' }),
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
    rule: 'tenant-first-in-keys',
    what: 'a unique index compares tenants without regard to case',
    sql: `${anycase} create unique index model_tags_value_key on model_tags (tenant_id collate anycase, value)`,
    object: 'model_tags_value_key',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'a unique index has another collation for the tenant',
    sql: 'create unique index model_tags_value_key on model_tags (tenant_id collate "C", value)',
    object: 'model_tags_value_key',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'a unique index has another operator class for the tenant',
    sql: 'create unique index model_tags_value_key on model_tags (tenant_id text_pattern_ops, value)',
    object: 'model_tags_value_key',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'an exclusion compares tenants without regard to case',
    sql: `${anycase} alter table model_tags add constraint model_tags_value_key
            exclude using btree (tenant_id collate anycase with =, value with =)`,
    object: 'model_tags_value_key',
  },
  {
    rule: 'tenant-first-in-keys',
    what: 'a unique index folds the tenant',
    sql: 'create unique index model_tags_value_key on model_tags (lower(tenant_id), value)',
    object: 'model_tags_value_key',
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
    sql: table().replace('(tenant_id, id));', '(tenant_id, id)) partition by hash (id);'),
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

export const keysBreaks: readonly Break[] = [...keyBreaks, ...foreignKeyBreaks, ...partitionBreaks];
