-- 010_monitoring: what @mcp-hub/monitoring keeps. Composed by db:generate: change packages/monitoring, not this file.
-- composed-from: @mcp-hub/monitoring

CREATE TABLE "monitoring_baselines" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_version_id" uuid NOT NULL,
	"revision" integer NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "monitoring_baselines_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "monitoring_baselines_revision_key" UNIQUE("tenant_id","model_version_id","revision"),
	CONSTRAINT "monitoring_baselines_tenant_id_check" CHECK ("monitoring_baselines"."tenant_id" <> ''),
	CONSTRAINT "monitoring_baselines_version_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
ALTER TABLE "monitoring_baselines" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "monitoring_baselines_tenant_policy" ON "monitoring_baselines" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "monitoring_baselines" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "monitoring_baselines" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_baselines" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('monitoring_baselines')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('monitoring_baselines', 'monitoring_baselines_pk'),
        ('monitoring_baselines', 'monitoring_baselines_revision_key'),
        ('monitoring_baselines', 'monitoring_baselines_tenant_id_check'),
        ('monitoring_baselines', 'monitoring_baselines_version_fk')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('monitoring_baselines', 'monitoring_baselines_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('monitoring_baselines', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_baselines', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '010_monitoring.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('010_monitoring.sql') on conflict (migration_name) do nothing;
end
$record$;
