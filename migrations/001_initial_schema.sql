-- 001_initial_schema: what @mcp-hub/db-core keeps. Composed by db:generate: change packages/db-core, not this file.
-- composed-from: @mcp-hub/db-core

-- Roles are cluster-wide and an advisory lock is not: two databases that migrate at once both find a role missing. Both codes below occur.
do $roles$
declare
  wanted text;
  missing text[] := '{}';
  membership constant text := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
begin
  foreach wanted in array array['app_tenant', 'app_readonly', 'app_dispatcher'] loop
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
        execute format('create role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication', wanted);
      end if;
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        missing := missing || format('create role %I nologin nobypassrls; grant %I to %I;', wanted, wanted, current_user);
        continue;
    end;
    begin
      -- PostgreSQL 16 gives the creator of a role ADMIN but not SET.
      if not pg_has_role(current_user, wanted, membership) then
        execute format('grant %I to %I', wanted, current_user);
      end if;
    exception
      when unique_violation then null;
      when insufficient_privilege then
        missing := missing || format('grant %I to %I;', wanted, current_user);
    end;
  end loop;
  if missing <> '{}' then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'This login may not make the roles that the packages need. An administrator runs once: ' || array_to_string(missing, ' '),
      hint = 'Afterwards run the migrations again.';
  end if;
end
$roles$;
--> statement-breakpoint
grant usage on schema public to app_tenant, app_readonly, app_dispatcher;
--> statement-breakpoint
-- The one table without a tenant: nothing is granted on it.
create table if not exists migration_history (
  migration_name  text           not null,
  executed_at     timestamptz(3) not null default now(),
  checksum        text,
  duration_ms     integer,
  statements_done integer,
  constraint migration_history_pk primary key (migration_name)
);
--> statement-breakpoint
-- The clock of defaults, leases and windows: the context's `now` where one was given, else the transaction's. To the
-- millisecond, because a timestamptz(3) would round the rest up and lie up to half a millisecond in the future.
create or replace function app_now() returns timestamptz
language sql stable parallel safe
as $$
  select pg_catalog.date_trunc('milliseconds',
    coalesce(nullif(pg_catalog.current_setting('app.now', true), '')::timestamptz, pg_catalog.now()))
$$;
--> statement-breakpoint
-- For rows inserted by hand; the packages make their ids themselves. 48 bits of milliseconds, version 7, the rest random.
create or replace function app_uuid_v7(at timestamptz default null) returns uuid
language sql volatile parallel safe
as $$
  select pg_catalog.encode(
    pg_catalog.set_bit(
      pg_catalog.set_bit(
        overlay(
          pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
          placing substring(
            pg_catalog.int8send((extract(epoch from coalesce(
              at, nullif(pg_catalog.current_setting('app.now', true), '')::timestamptz, pg_catalog.clock_timestamp()
            )) * 1000)::bigint) from 3)
          from 1 for 6),
        52, 1),
      53, 1),
    'hex')::uuid
$$;
--> statement-breakpoint
-- Enters a tenant until the transaction ends. By SET LOCAL, because Citus does not propagate set_config(), and as a function,
-- because SET takes no bind parameters. It costs about as much as set_config.
--
-- The ids are those that toTenantId of db-core takes, by code points and not by [[:cntrl:]] or \s, which mean other things
-- in other collations. U+FFFD is what clients send for text that is no Unicode: two such ids would become one.
create or replace function app_set_tenant(tenant text, actor text default null, at timestamptz default null) returns void
language plpgsql
as $$
begin
  if tenant is null or tenant = '' or pg_catalog.length(tenant) > 128 or tenant ~
    '[\u0001-\u001f\u007f-\u009f\u2028\u2029\ufffd]|^[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff]|[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff]$'
  then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'app_set_tenant: the tenant id is empty, longer than 128 characters, begins or ends with white space, or holds control characters, line separators or U+FFFD';
  end if;
  execute pg_catalog.format('set local app.tenant = %L', tenant);
  -- Each SET is a third of this function's cost; what the last transaction set has ended with it.
  if actor is not null then
    execute pg_catalog.format('set local app.actor = %L', actor);
  end if;
  if at is not null then
    execute pg_catalog.format('set local app.now = %L', at::text);
  end if;
  set local role app_tenant;
end
$$;
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"request_digest" text NOT NULL,
	"response" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_pk" PRIMARY KEY("tenant_id","scope","key"),
	CONSTRAINT "idempotency_keys_tenant_id_check" CHECK ("idempotency_keys"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "outbox_events" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"topic" text NOT NULL,
	"subject_id" text NOT NULL,
	"payload" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "outbox_events_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "outbox_events_tenant_id_check" CHECK ("outbox_events"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "tenant_work" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"kind" text NOT NULL,
	"work_key" text DEFAULT '' NOT NULL,
	"request_id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"due_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"fencing_token" bigint DEFAULT 0 NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"dead_at" timestamp (3) with time zone,
	"last_error_code" text,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "tenant_work_pk" PRIMARY KEY("tenant_id","kind","work_key","request_id"),
	CONSTRAINT "tenant_work_tenant_id_check" CHECK ("tenant_work"."tenant_id" <> ''),
	CONSTRAINT "tenant_work_kind_check" CHECK (length("tenant_work"."kind") between 1 and 64),
	CONSTRAINT "tenant_work_work_key_check" CHECK (length("tenant_work"."work_key") between 0 and 256),
	CONSTRAINT "tenant_work_last_error_code_check" CHECK (length("tenant_work"."last_error_code") between 1 and 64),
	CONSTRAINT "tenant_work_attempts_check" CHECK ("tenant_work"."attempts" >= 0),
	CONSTRAINT "tenant_work_fencing_token_check" CHECK ("tenant_work"."fencing_token" between 0 and 9007199254740991),
	CONSTRAINT "tenant_work_times_check" CHECK (isfinite("tenant_work"."due_at") and isfinite("tenant_work"."leased_until") and isfinite("tenant_work"."dead_at") and isfinite("tenant_work"."created_at"))
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"display_name" text,
	"status" text DEFAULT 'active' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "tenants_pk" PRIMARY KEY("tenant_id"),
	CONSTRAINT "tenants_tenant_id_check" CHECK ("tenants"."tenant_id" <> ''),
	CONSTRAINT "tenants_status_check" CHECK ("tenants"."status" in ('active', 'suspended', 'archived'))
);
--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry_idx" ON "idempotency_keys" USING btree ("tenant_id","expires_at");
--> statement-breakpoint
CREATE UNIQUE INDEX "tenant_work_run_key" ON "tenant_work" USING btree ("tenant_id","kind","work_key") WHERE attempts > 0 and dead_at is null;
--> statement-breakpoint
CREATE INDEX "tenant_work_due_idx" ON "tenant_work" USING btree ("kind","tenant_id","due_at","work_key") WHERE dead_at is null;
--> statement-breakpoint
CREATE INDEX "tenant_work_head_idx" ON "tenant_work" USING btree ("tenant_id","kind","work_key") WHERE dead_at is null;
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "outbox_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "tenant_work" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "tenants" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "idempotency_keys_tenant_policy" ON "idempotency_keys" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "outbox_events_tenant_policy" ON "outbox_events" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "tenant_work_tenant_policy" ON "tenant_work" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "tenant_work_dispatcher_policy" ON "tenant_work" AS PERMISSIVE FOR SELECT TO public USING (current_user = 'app_dispatcher');
--> statement-breakpoint
CREATE POLICY "tenants_tenant_policy" ON "tenants" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "tenants_dispatcher_policy" ON "tenants" AS PERMISSIVE FOR SELECT TO public USING (current_user = 'app_dispatcher');
--> statement-breakpoint
ALTER TABLE "idempotency_keys" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "idempotency_keys" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "idempotency_keys" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "outbox_events" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "outbox_events" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "outbox_events" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "tenant_work" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "tenant_work" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "tenant_work" TO app_readonly;
--> statement-breakpoint
GRANT SELECT ON "tenant_work" TO app_dispatcher;
--> statement-breakpoint
ALTER TABLE "tenants" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "tenants" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "tenants" TO app_readonly;
--> statement-breakpoint
GRANT SELECT ON "tenants" TO app_dispatcher;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('idempotency_keys'),
        ('outbox_events'),
        ('tenant_work'),
        ('tenants')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('idempotency_keys', 'idempotency_keys_pk'),
        ('idempotency_keys', 'idempotency_keys_tenant_id_check'),
        ('migration_history', 'migration_history_pk'),
        ('outbox_events', 'outbox_events_pk'),
        ('outbox_events', 'outbox_events_tenant_id_check'),
        ('tenant_work', 'tenant_work_attempts_check'),
        ('tenant_work', 'tenant_work_fencing_token_check'),
        ('tenant_work', 'tenant_work_kind_check'),
        ('tenant_work', 'tenant_work_last_error_code_check'),
        ('tenant_work', 'tenant_work_pk'),
        ('tenant_work', 'tenant_work_tenant_id_check'),
        ('tenant_work', 'tenant_work_times_check'),
        ('tenant_work', 'tenant_work_work_key_check'),
        ('tenants', 'tenants_pk'),
        ('tenants', 'tenants_status_check'),
        ('tenants', 'tenants_tenant_id_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: function ' || made.name
      from (values
        ('app_now()'),
        ('app_set_tenant(tenant text, actor text, at timestamp with time zone)'),
        ('app_uuid_v7(at timestamp with time zone)')
      ) as made(name)
     where not exists (select from pg_catalog.pg_proc p where p.pronamespace = 'public'::pg_catalog.regnamespace
                        and pg_catalog.replace(pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', 'public.', '') = made.name)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('idempotency_keys', 'idempotency_keys_expiry_idx'),
        ('tenant_work', 'tenant_work_due_idx'),
        ('tenant_work', 'tenant_work_head_idx'),
        ('tenant_work', 'tenant_work_run_key')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('idempotency_keys', 'idempotency_keys_tenant_policy'),
        ('outbox_events', 'outbox_events_tenant_policy'),
        ('tenant_work', 'tenant_work_dispatcher_policy'),
        ('tenant_work', 'tenant_work_tenant_policy'),
        ('tenants', 'tenants_dispatcher_policy'),
        ('tenants', 'tenants_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'missing: table ' || made.name
      from (values
        ('migration_history')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name))
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('idempotency_keys', 'app_tenant', 'delete, insert, select, update'),
        ('outbox_events', 'app_tenant', 'delete, insert, select, update'),
        ('tenant_work', 'app_tenant', 'delete, insert, select, update'),
        ('tenants', 'app_tenant', 'delete, insert, select, update'),
        ('idempotency_keys', 'app_readonly', 'select'),
        ('outbox_events', 'app_readonly', 'select'),
        ('tenant_work', 'app_dispatcher', 'select'),
        ('tenant_work', 'app_readonly', 'select'),
        ('tenants', 'app_dispatcher', 'select'),
        ('tenants', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '001_initial_schema.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('001_initial_schema.sql') on conflict (migration_name) do nothing;
end
$record$;
