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
