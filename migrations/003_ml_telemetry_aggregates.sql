-- 003_ml_telemetry_aggregates: what @mcp-hub/telemetry keeps. Composed by db:generate: change packages/telemetry, not this file.
-- composed-from: @mcp-hub/telemetry

CREATE TABLE "ml_telemetry_events" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"series_id" uuid NOT NULL,
	"value" double precision NOT NULL,
	"recorded_at" timestamp (3) with time zone GENERATED ALWAYS AS (to_timestamp(('x' || encode(substring(uuid_send(id) from 1 for 6), 'hex'))::bit(48)::bigint / 1000::float8)) STORED NOT NULL,
	CONSTRAINT "ml_telemetry_events_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ml_telemetry_events_tenant_id_check" CHECK ("ml_telemetry_events"."tenant_id" <> ''),
	CONSTRAINT "ml_telemetry_events_recorded_at_check" CHECK (get_byte(uuid_send("ml_telemetry_events"."id"), 6) >> 4 = 7 and "ml_telemetry_events"."recorded_at" >= '2000-01-01Z' and "ml_telemetry_events"."recorded_at" < '2100-01-01Z'),
	CONSTRAINT "ml_telemetry_events_value_check" CHECK ("ml_telemetry_events"."value" between -1e140 and 1e140 or "ml_telemetry_events"."value" in ('NaN', 'Infinity', '-Infinity'))
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "ml_telemetry_events_default" PARTITION OF "ml_telemetry_events" DEFAULT;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_events_default" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_events_default" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE TABLE "ml_telemetry_metrics" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"metric" text NOT NULL,
	"unit" text,
	"label_set_count" integer DEFAULT 0 NOT NULL,
	"label_set_limit" integer DEFAULT 1000 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ml_telemetry_metrics_pk" PRIMARY KEY("tenant_id","metric"),
	CONSTRAINT "ml_telemetry_metrics_tenant_id_check" CHECK ("ml_telemetry_metrics"."tenant_id" <> ''),
	CONSTRAINT "ml_telemetry_metrics_metric_check" CHECK (length("ml_telemetry_metrics"."metric") between 1 and 128),
	CONSTRAINT "ml_telemetry_metrics_unit_check" CHECK (length("ml_telemetry_metrics"."unit") between 1 and 32),
	CONSTRAINT "ml_telemetry_metrics_label_set_count_check" CHECK ("ml_telemetry_metrics"."label_set_count" >= 0),
	CONSTRAINT "ml_telemetry_metrics_label_set_limit_check" CHECK ("ml_telemetry_metrics"."label_set_limit" between 1 and 100000)
);
--> statement-breakpoint
CREATE TABLE "ml_telemetry_retention" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"events_from" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ml_telemetry_retention_pk" PRIMARY KEY("tenant_id"),
	CONSTRAINT "ml_telemetry_retention_tenant_id_check" CHECK ("ml_telemetry_retention"."tenant_id" <> ''),
	CONSTRAINT "ml_telemetry_retention_events_from_check" CHECK (isfinite("ml_telemetry_retention"."events_from"))
);
--> statement-breakpoint
CREATE TABLE "ml_telemetry_series" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"subject" text NOT NULL,
	"metric" text NOT NULL,
	"labels" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"labels_key" uuid GENERATED ALWAYS AS (md5(labels::text)::uuid) STORED NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ml_telemetry_series_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ml_telemetry_series_labels_key" UNIQUE("tenant_id","metric","subject","labels_key"),
	CONSTRAINT "ml_telemetry_series_tenant_id_check" CHECK ("ml_telemetry_series"."tenant_id" <> ''),
	CONSTRAINT "ml_telemetry_series_subject_check" CHECK (length("ml_telemetry_series"."subject") between 1 and 256),
	CONSTRAINT "ml_telemetry_series_labels_check" CHECK (jsonb_typeof("ml_telemetry_series"."labels") = 'object'),
	CONSTRAINT "ml_telemetry_series_metric_fk" FOREIGN KEY ("tenant_id","metric") REFERENCES "public"."ml_telemetry_metrics"("tenant_id","metric") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ml_telemetry_aggregates" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"series_id" uuid NOT NULL,
	"grain" text NOT NULL,
	"bucket_at" timestamp (3) with time zone NOT NULL,
	"n" bigint NOT NULL,
	"mean" double precision,
	"m2" double precision,
	"min" double precision,
	"max" double precision,
	"nan_count" bigint NOT NULL,
	"infinity_count" bigint NOT NULL,
	"negative_infinity_count" bigint NOT NULL,
	"histogram_keys" integer[] NOT NULL,
	"histogram_counts" bigint[] NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ml_telemetry_aggregates_pk" PRIMARY KEY("tenant_id","series_id","grain","bucket_at"),
	CONSTRAINT "ml_telemetry_aggregates_tenant_id_check" CHECK ("ml_telemetry_aggregates"."tenant_id" <> ''),
	CONSTRAINT "ml_telemetry_aggregates_grain_check" CHECK ("ml_telemetry_aggregates"."grain" in ('minute', 'hour', 'day')),
	CONSTRAINT "ml_telemetry_aggregates_n_check" CHECK ("ml_telemetry_aggregates"."n" >= 0 and ("ml_telemetry_aggregates"."n" > 0) = ("ml_telemetry_aggregates"."mean" is not null)),
	CONSTRAINT "ml_telemetry_aggregates_histogram_check" CHECK (cardinality("ml_telemetry_aggregates"."histogram_keys") = cardinality("ml_telemetry_aggregates"."histogram_counts")),
	CONSTRAINT "ml_telemetry_aggregates_series_fk" FOREIGN KEY ("tenant_id","series_id") REFERENCES "public"."ml_telemetry_series"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ml_telemetry_dirty_buckets" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"series_id" uuid NOT NULL,
	"bucket_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "ml_telemetry_dirty_buckets_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ml_telemetry_dirty_buckets_tenant_id_check" CHECK ("ml_telemetry_dirty_buckets"."tenant_id" <> ''),
	CONSTRAINT "ml_telemetry_dirty_buckets_bucket_at_check" CHECK ("ml_telemetry_dirty_buckets"."bucket_at" >= '2000-01-01Z' and "ml_telemetry_dirty_buckets"."bucket_at" < '2100-01-01Z'),
	CONSTRAINT "ml_telemetry_dirty_buckets_series_fk" FOREIGN KEY ("tenant_id","series_id") REFERENCES "public"."ml_telemetry_series"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE INDEX "ml_telemetry_dirty_buckets_bucket_idx" ON "ml_telemetry_dirty_buckets" USING btree ("tenant_id","series_id","bucket_at");
--> statement-breakpoint
CREATE INDEX "ml_telemetry_events_series_idx" ON "ml_telemetry_events" USING btree ("tenant_id","series_id","id");
--> statement-breakpoint
CREATE INDEX "ml_telemetry_series_label_sets_idx" ON "ml_telemetry_series" USING btree ("tenant_id","metric","labels_key");
--> statement-breakpoint
CREATE INDEX "ml_telemetry_series_subject_idx" ON "ml_telemetry_series" USING btree ("tenant_id","subject","metric");
--> statement-breakpoint
ALTER TABLE "ml_telemetry_aggregates" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_dirty_buckets" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_metrics" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_retention" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_series" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "ml_telemetry_aggregates_tenant_policy" ON "ml_telemetry_aggregates" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ml_telemetry_dirty_buckets_tenant_policy" ON "ml_telemetry_dirty_buckets" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ml_telemetry_events_tenant_policy" ON "ml_telemetry_events" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ml_telemetry_metrics_tenant_policy" ON "ml_telemetry_metrics" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ml_telemetry_retention_tenant_policy" ON "ml_telemetry_retention" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ml_telemetry_series_tenant_policy" ON "ml_telemetry_series" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "ml_telemetry_events" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_telemetry_events" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ml_telemetry_events" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_metrics" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_telemetry_metrics" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ml_telemetry_metrics" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_retention" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_telemetry_retention" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ml_telemetry_retention" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_series" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_telemetry_series" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ml_telemetry_series" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_aggregates" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_telemetry_aggregates" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ml_telemetry_aggregates" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ml_telemetry_dirty_buckets" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_telemetry_dirty_buckets" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ml_telemetry_dirty_buckets" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('ml_telemetry_aggregates'),
        ('ml_telemetry_dirty_buckets'),
        ('ml_telemetry_events'),
        ('ml_telemetry_events_default'),
        ('ml_telemetry_metrics'),
        ('ml_telemetry_retention'),
        ('ml_telemetry_series')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_grain_check'),
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_histogram_check'),
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_n_check'),
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_pk'),
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_series_fk'),
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_tenant_id_check'),
        ('ml_telemetry_dirty_buckets', 'ml_telemetry_dirty_buckets_bucket_at_check'),
        ('ml_telemetry_dirty_buckets', 'ml_telemetry_dirty_buckets_pk'),
        ('ml_telemetry_dirty_buckets', 'ml_telemetry_dirty_buckets_series_fk'),
        ('ml_telemetry_dirty_buckets', 'ml_telemetry_dirty_buckets_tenant_id_check'),
        ('ml_telemetry_events', 'ml_telemetry_events_pk'),
        ('ml_telemetry_events', 'ml_telemetry_events_recorded_at_check'),
        ('ml_telemetry_events', 'ml_telemetry_events_tenant_id_check'),
        ('ml_telemetry_events', 'ml_telemetry_events_value_check'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_label_set_count_check'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_label_set_limit_check'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_metric_check'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_pk'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_tenant_id_check'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_unit_check'),
        ('ml_telemetry_retention', 'ml_telemetry_retention_events_from_check'),
        ('ml_telemetry_retention', 'ml_telemetry_retention_pk'),
        ('ml_telemetry_retention', 'ml_telemetry_retention_tenant_id_check'),
        ('ml_telemetry_series', 'ml_telemetry_series_labels_check'),
        ('ml_telemetry_series', 'ml_telemetry_series_labels_key'),
        ('ml_telemetry_series', 'ml_telemetry_series_metric_fk'),
        ('ml_telemetry_series', 'ml_telemetry_series_pk'),
        ('ml_telemetry_series', 'ml_telemetry_series_subject_check'),
        ('ml_telemetry_series', 'ml_telemetry_series_tenant_id_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('ml_telemetry_dirty_buckets', 'ml_telemetry_dirty_buckets_bucket_idx'),
        ('ml_telemetry_events', 'ml_telemetry_events_series_idx'),
        ('ml_telemetry_series', 'ml_telemetry_series_label_sets_idx'),
        ('ml_telemetry_series', 'ml_telemetry_series_subject_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('ml_telemetry_aggregates', 'ml_telemetry_aggregates_tenant_policy'),
        ('ml_telemetry_dirty_buckets', 'ml_telemetry_dirty_buckets_tenant_policy'),
        ('ml_telemetry_events', 'ml_telemetry_events_tenant_policy'),
        ('ml_telemetry_metrics', 'ml_telemetry_metrics_tenant_policy'),
        ('ml_telemetry_retention', 'ml_telemetry_retention_tenant_policy'),
        ('ml_telemetry_series', 'ml_telemetry_series_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('ml_telemetry_aggregates', 'app_tenant', 'delete, insert, select, update'),
        ('ml_telemetry_dirty_buckets', 'app_tenant', 'delete, insert, select, update'),
        ('ml_telemetry_events', 'app_tenant', 'delete, insert, select, update'),
        ('ml_telemetry_metrics', 'app_tenant', 'delete, insert, select, update'),
        ('ml_telemetry_retention', 'app_tenant', 'delete, insert, select, update'),
        ('ml_telemetry_series', 'app_tenant', 'delete, insert, select, update'),
        ('ml_telemetry_aggregates', 'app_readonly', 'select'),
        ('ml_telemetry_dirty_buckets', 'app_readonly', 'select'),
        ('ml_telemetry_events', 'app_readonly', 'select'),
        ('ml_telemetry_metrics', 'app_readonly', 'select'),
        ('ml_telemetry_retention', 'app_readonly', 'select'),
        ('ml_telemetry_series', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '003_ml_telemetry_aggregates.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('003_ml_telemetry_aggregates.sql') on conflict (migration_name) do nothing;
end
$record$;
