-- 010_monitoring: what @mcp-hub/monitoring keeps. Composed by db:generate: change packages/monitoring, not this file.
-- composed-from: @mcp-hub/monitoring

CREATE TABLE "monitoring_baselines" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_version_id" uuid NOT NULL,
	"revision" integer NOT NULL,
	"source" text NOT NULL,
	"window_from" timestamp (3) with time zone,
	"window_to" timestamp (3) with time zone,
	"time_zone" text DEFAULT 'UTC' NOT NULL,
	"row_count" bigint NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "monitoring_baselines_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "monitoring_baselines_revision_key" UNIQUE("tenant_id","model_version_id","revision"),
	CONSTRAINT "monitoring_baselines_tenant_id_check" CHECK ("monitoring_baselines"."tenant_id" <> ''),
	CONSTRAINT "monitoring_baselines_source_check" CHECK ("monitoring_baselines"."source" in ('window', 'rows', 'query', 'given')),
	CONSTRAINT "monitoring_baselines_row_count_check" CHECK ("monitoring_baselines"."row_count" >= 0),
	CONSTRAINT "monitoring_baselines_version_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "monitoring_baseline_fields" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"baseline_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"field" text NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"kind" text NOT NULL,
	"edges" double precision[] DEFAULT '{}' NOT NULL,
	"categories" text[] DEFAULT '{}' NOT NULL,
	"others" text[] DEFAULT '{}' NOT NULL,
	"is_complete" boolean DEFAULT true NOT NULL,
	"counts" bigint[] NOT NULL,
	"nulls" bigint NOT NULL,
	"nans" bigint NOT NULL,
	"finite" bigint NOT NULL,
	"mean" double precision,
	"m2" double precision,
	"min" double precision,
	"max" double precision,
	"singletons" bigint,
	CONSTRAINT "monitoring_baseline_fields_pk" PRIMARY KEY("tenant_id","baseline_id","number"),
	CONSTRAINT "monitoring_baseline_fields_name_key" UNIQUE("tenant_id","baseline_id","field","name"),
	CONSTRAINT "monitoring_baseline_fields_tenant_id_check" CHECK ("monitoring_baseline_fields"."tenant_id" <> ''),
	CONSTRAINT "monitoring_baseline_fields_field_check" CHECK ("monitoring_baseline_fields"."field" in ('feature', 'score', 'label')),
	CONSTRAINT "monitoring_baseline_fields_kind_check" CHECK ("monitoring_baseline_fields"."kind" in ('number', 'category')),
	CONSTRAINT "monitoring_baseline_fields_name_check" CHECK (("monitoring_baseline_fields"."field" = 'feature') = ("monitoring_baseline_fields"."name" <> '')),
	CONSTRAINT "monitoring_baseline_fields_counts_check" CHECK (cardinality("monitoring_baseline_fields"."counts") = case "monitoring_baseline_fields"."kind" when 'number' then cardinality("monitoring_baseline_fields"."edges") + 1
                                                    else cardinality("monitoring_baseline_fields"."categories") + 2 end),
	CONSTRAINT "monitoring_baseline_fields_baseline_fk" FOREIGN KEY ("tenant_id","baseline_id") REFERENCES "public"."monitoring_baselines"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "monitoring_drift_checks" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_version_id" uuid NOT NULL,
	"baseline_id" uuid NOT NULL,
	"baseline_revision" integer NOT NULL,
	"from_day" date NOT NULL,
	"to_day" date NOT NULL,
	"alpha" double precision NOT NULL,
	"seed" integer NOT NULL,
	"row_count" bigint NOT NULL,
	"test_count" integer NOT NULL,
	"drift_count" integer NOT NULL,
	"false_checks_a_month" double precision,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "monitoring_drift_checks_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "monitoring_drift_checks_tenant_id_check" CHECK ("monitoring_drift_checks"."tenant_id" <> ''),
	CONSTRAINT "monitoring_drift_checks_days_check" CHECK ("monitoring_drift_checks"."from_day" <= "monitoring_drift_checks"."to_day"),
	CONSTRAINT "monitoring_drift_checks_baseline_fk" FOREIGN KEY ("tenant_id","baseline_id") REFERENCES "public"."monitoring_baselines"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "data_drift" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"check_id" uuid NOT NULL,
	"model_version_id" uuid NOT NULL,
	"baseline_revision" integer NOT NULL,
	"from_day" date NOT NULL,
	"to_day" date NOT NULL,
	"field" text NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"test" text NOT NULL,
	"verdict" text NOT NULL,
	"statistic" double precision,
	"p" double precision,
	"adjusted_p" double precision,
	"distance" double precision,
	"threshold" double precision,
	"floor" double precision,
	"reference_count" bigint NOT NULL,
	"current_count" bigint NOT NULL,
	"bins" integer,
	"resolution" double precision,
	"reason" text,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "data_drift_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "data_drift_test_key" UNIQUE("tenant_id","check_id","field","name","test"),
	CONSTRAINT "data_drift_tenant_id_check" CHECK ("data_drift"."tenant_id" <> ''),
	CONSTRAINT "data_drift_field_check" CHECK ("data_drift"."field" in ('feature', 'score', 'label')),
	CONSTRAINT "data_drift_test_check" CHECK ("data_drift"."test" in ('psi', 'jensen_shannon', 'hellinger', 'chi_square', 'ks', 'wasserstein', 'null_rate', 'new_category')),
	CONSTRAINT "data_drift_verdict_check" CHECK ("data_drift"."verdict" in ('drift', 'negligible', 'stable', 'undefined')),
	CONSTRAINT "data_drift_reason_check" CHECK (("data_drift"."verdict" = 'undefined') = ("data_drift"."reason" is not null)),
	CONSTRAINT "data_drift_result_check" CHECK (("data_drift"."verdict" = 'undefined') = ("data_drift"."distance" is null)),
	CONSTRAINT "data_drift_check_fk" FOREIGN KEY ("tenant_id","check_id") REFERENCES "public"."monitoring_drift_checks"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "monitoring_profiles" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"baseline_id" uuid NOT NULL,
	"day" date NOT NULL,
	"field_number" integer NOT NULL,
	"row_count" bigint NOT NULL,
	"counts" bigint[] NOT NULL,
	"nulls" bigint NOT NULL,
	"nans" bigint NOT NULL,
	"finite" bigint NOT NULL,
	"mean" double precision,
	"m2" double precision,
	"min" double precision,
	"max" double precision,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "monitoring_profiles_pk" PRIMARY KEY("tenant_id","baseline_id","day","field_number"),
	CONSTRAINT "monitoring_profiles_tenant_id_check" CHECK ("monitoring_profiles"."tenant_id" <> ''),
	CONSTRAINT "monitoring_profiles_row_count_check" CHECK ("monitoring_profiles"."row_count" >= 0),
	CONSTRAINT "monitoring_profiles_field_fk" FOREIGN KEY ("tenant_id","baseline_id","field_number") REFERENCES "public"."monitoring_baseline_fields"("tenant_id","baseline_id","number") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "performance_drift" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_version_id" uuid NOT NULL,
	"evaluation_id" uuid NOT NULL,
	"from_day" date NOT NULL,
	"to_day" date NOT NULL,
	"time_zone" text NOT NULL,
	"metric" text NOT NULL,
	"basis" text NOT NULL,
	"age_ms" bigint,
	"prediction_count" bigint NOT NULL,
	"labelled_count" bigint NOT NULL,
	"value" double precision,
	"lower" double precision,
	"upper" double precision,
	"baseline_value" double precision,
	"p" double precision,
	"adjusted_p" double precision,
	"floor" double precision NOT NULL,
	"verdict" text NOT NULL,
	"reason" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "performance_drift_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "performance_drift_tenant_id_check" CHECK ("performance_drift"."tenant_id" <> ''),
	CONSTRAINT "performance_drift_basis_check" CHECK ("performance_drift"."basis" in ('realised', 'estimated')),
	CONSTRAINT "performance_drift_verdict_check" CHECK ("performance_drift"."verdict" in ('degraded', 'negligible', 'stable', 'improved', 'immature', 'undefined')),
	CONSTRAINT "performance_drift_days_check" CHECK ("performance_drift"."from_day" <= "performance_drift"."to_day"),
	CONSTRAINT "performance_drift_age_check" CHECK (("performance_drift"."basis" = 'realised') = ("performance_drift"."age_ms" is not null)),
	CONSTRAINT "performance_drift_reason_check" CHECK (("performance_drift"."value" is null) = ("performance_drift"."reason" is not null) or "performance_drift"."verdict" = 'immature'),
	CONSTRAINT "performance_drift_evaluation_fk" FOREIGN KEY ("tenant_id","evaluation_id") REFERENCES "public"."evaluations"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE INDEX "data_drift_version_idx" ON "data_drift" USING btree ("tenant_id","model_version_id","to_day","field","name");
--> statement-breakpoint
CREATE INDEX "monitoring_drift_checks_version_idx" ON "monitoring_drift_checks" USING btree ("tenant_id","model_version_id","to_day","id");
--> statement-breakpoint
CREATE INDEX "monitoring_drift_checks_baseline_idx" ON "monitoring_drift_checks" USING btree ("tenant_id","baseline_id");
--> statement-breakpoint
CREATE INDEX "performance_drift_version_idx" ON "performance_drift" USING btree ("tenant_id","model_version_id","metric","to_day","id");
--> statement-breakpoint
CREATE INDEX "performance_drift_evaluation_idx" ON "performance_drift" USING btree ("tenant_id","evaluation_id");
--> statement-breakpoint
ALTER TABLE "data_drift" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "monitoring_baseline_fields" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "monitoring_baselines" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "monitoring_drift_checks" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "monitoring_profiles" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "performance_drift" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "data_drift_tenant_policy" ON "data_drift" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "monitoring_baseline_fields_tenant_policy" ON "monitoring_baseline_fields" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "monitoring_baselines_tenant_policy" ON "monitoring_baselines" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "monitoring_drift_checks_tenant_policy" ON "monitoring_drift_checks" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "monitoring_profiles_tenant_policy" ON "monitoring_profiles" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "performance_drift_tenant_policy" ON "performance_drift" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "monitoring_baselines" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "monitoring_baselines" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_baselines" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "monitoring_baseline_fields" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "monitoring_baseline_fields" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_baseline_fields" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "monitoring_drift_checks" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "monitoring_drift_checks" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_drift_checks" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "data_drift" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "data_drift" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "data_drift" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "monitoring_profiles" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "monitoring_profiles" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_profiles" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "performance_drift" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "performance_drift" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "performance_drift" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('data_drift'),
        ('monitoring_baseline_fields'),
        ('monitoring_baselines'),
        ('monitoring_drift_checks'),
        ('monitoring_profiles'),
        ('performance_drift')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('data_drift', 'data_drift_check_fk'),
        ('data_drift', 'data_drift_field_check'),
        ('data_drift', 'data_drift_pk'),
        ('data_drift', 'data_drift_reason_check'),
        ('data_drift', 'data_drift_result_check'),
        ('data_drift', 'data_drift_tenant_id_check'),
        ('data_drift', 'data_drift_test_check'),
        ('data_drift', 'data_drift_test_key'),
        ('data_drift', 'data_drift_verdict_check'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_baseline_fk'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_counts_check'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_field_check'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_kind_check'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_name_check'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_name_key'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_pk'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_tenant_id_check'),
        ('monitoring_baselines', 'monitoring_baselines_pk'),
        ('monitoring_baselines', 'monitoring_baselines_revision_key'),
        ('monitoring_baselines', 'monitoring_baselines_row_count_check'),
        ('monitoring_baselines', 'monitoring_baselines_source_check'),
        ('monitoring_baselines', 'monitoring_baselines_tenant_id_check'),
        ('monitoring_baselines', 'monitoring_baselines_version_fk'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_baseline_fk'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_days_check'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_pk'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_tenant_id_check'),
        ('monitoring_profiles', 'monitoring_profiles_field_fk'),
        ('monitoring_profiles', 'monitoring_profiles_pk'),
        ('monitoring_profiles', 'monitoring_profiles_row_count_check'),
        ('monitoring_profiles', 'monitoring_profiles_tenant_id_check'),
        ('performance_drift', 'performance_drift_age_check'),
        ('performance_drift', 'performance_drift_basis_check'),
        ('performance_drift', 'performance_drift_days_check'),
        ('performance_drift', 'performance_drift_evaluation_fk'),
        ('performance_drift', 'performance_drift_pk'),
        ('performance_drift', 'performance_drift_reason_check'),
        ('performance_drift', 'performance_drift_tenant_id_check'),
        ('performance_drift', 'performance_drift_verdict_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('data_drift', 'data_drift_version_idx'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_baseline_idx'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_version_idx'),
        ('performance_drift', 'performance_drift_evaluation_idx'),
        ('performance_drift', 'performance_drift_version_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('data_drift', 'data_drift_tenant_policy'),
        ('monitoring_baseline_fields', 'monitoring_baseline_fields_tenant_policy'),
        ('monitoring_baselines', 'monitoring_baselines_tenant_policy'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_tenant_policy'),
        ('monitoring_profiles', 'monitoring_profiles_tenant_policy'),
        ('performance_drift', 'performance_drift_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('data_drift', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_baseline_fields', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_baselines', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_drift_checks', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_profiles', 'app_tenant', 'delete, insert, select, update'),
        ('performance_drift', 'app_tenant', 'delete, insert, select, update'),
        ('data_drift', 'app_readonly', 'select'),
        ('monitoring_baseline_fields', 'app_readonly', 'select'),
        ('monitoring_baselines', 'app_readonly', 'select'),
        ('monitoring_drift_checks', 'app_readonly', 'select'),
        ('monitoring_profiles', 'app_readonly', 'select'),
        ('performance_drift', 'app_readonly', 'select')
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
