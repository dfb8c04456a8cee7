-- 008_predictions: what @mcp-hub/predictions keeps. Composed by db:generate: change packages/predictions, not this file.
-- composed-from: @mcp-hub/predictions

CREATE TABLE "batch_job_events" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"job_id" uuid NOT NULL,
	"change_number" bigint NOT NULL,
	"kind" text NOT NULL,
	"job_name" text NOT NULL,
	"from_status" text,
	"to_status" text,
	"reason" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "batch_job_events_pk" PRIMARY KEY("tenant_id","job_id","change_number"),
	CONSTRAINT "batch_job_events_tenant_id_check" CHECK ("batch_job_events"."tenant_id" <> ''),
	CONSTRAINT "batch_job_events_kind_check" CHECK ("batch_job_events"."kind" in ('submitted', 'started', 'paused', 'resumed', 'succeeded', 'failed', 'cancelled', 'retried', 'deleted')),
	CONSTRAINT "batch_job_events_to_status_check" CHECK ("batch_job_events"."to_status" in ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "batch_jobs" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"model_version_id" uuid NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"priority" integer DEFAULT 0 NOT NULL,
	"chunk_rows" integer NOT NULL,
	"chunk_count" integer DEFAULT 0 NOT NULL,
	"row_count" bigint DEFAULT 0 NOT NULL,
	"max_running_chunks" integer,
	"max_attempts" integer DEFAULT 5 NOT NULL,
	"backoff_base_ms" bigint DEFAULT 1000 NOT NULL,
	"backoff_max_ms" bigint DEFAULT 300000 NOT NULL,
	"last_change_number" bigint DEFAULT 0 NOT NULL,
	"submitted_at" timestamp (3) with time zone,
	"submission_until" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"active_ms" double precision DEFAULT 0 NOT NULL,
	"active_since" timestamp (3) with time zone,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "batch_jobs_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "batch_jobs_tenant_id_check" CHECK ("batch_jobs"."tenant_id" <> ''),
	CONSTRAINT "batch_jobs_status_check" CHECK ("batch_jobs"."status" in ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
	CONSTRAINT "batch_jobs_max_running_chunks_check" CHECK ("batch_jobs"."max_running_chunks" >= 1),
	CONSTRAINT "batch_jobs_version_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "batch_dead_letters" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"job_id" uuid NOT NULL,
	"row_number" bigint NOT NULL,
	"chunk_number" integer NOT NULL,
	"kind" text NOT NULL,
	"reason" text NOT NULL,
	"input" jsonb NOT NULL,
	"at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "batch_dead_letters_pk" PRIMARY KEY("tenant_id","job_id","row_number"),
	CONSTRAINT "batch_dead_letters_tenant_id_check" CHECK ("batch_dead_letters"."tenant_id" <> ''),
	CONSTRAINT "batch_dead_letters_kind_check" CHECK ("batch_dead_letters"."kind" in ('row', 'chunk')),
	CONSTRAINT "batch_dead_letters_job_fk" FOREIGN KEY ("tenant_id","job_id") REFERENCES "public"."batch_jobs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "batch_job_chunks" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"job_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"row_count" integer NOT NULL,
	"rows" jsonb,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"fencing_token" bigint DEFAULT 0 NOT NULL,
	"error" text,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "batch_job_chunks_pk" PRIMARY KEY("tenant_id","job_id","number"),
	CONSTRAINT "batch_job_chunks_tenant_id_check" CHECK ("batch_job_chunks"."tenant_id" <> ''),
	CONSTRAINT "batch_job_chunks_status_check" CHECK ("batch_job_chunks"."status" in ('queued', 'running', 'succeeded', 'dead')),
	CONSTRAINT "batch_job_chunks_rows_check" CHECK (("batch_job_chunks"."rows" is null) = ("batch_job_chunks"."status" in ('succeeded', 'dead'))),
	CONSTRAINT "batch_job_chunks_job_fk" FOREIGN KEY ("tenant_id","job_id") REFERENCES "public"."batch_jobs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "batch_job_tallies" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"job_id" uuid NOT NULL,
	"slot" integer NOT NULL,
	"chunks_succeeded" bigint DEFAULT 0 NOT NULL,
	"chunks_dead" bigint DEFAULT 0 NOT NULL,
	"rows_succeeded" bigint DEFAULT 0 NOT NULL,
	"rows_dead" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "batch_job_tallies_pk" PRIMARY KEY("tenant_id","job_id","slot"),
	CONSTRAINT "batch_job_tallies_tenant_id_check" CHECK ("batch_job_tallies"."tenant_id" <> ''),
	CONSTRAINT "batch_job_tallies_job_fk" FOREIGN KEY ("tenant_id","job_id") REFERENCES "public"."batch_jobs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "batch_limits" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"max_running_chunks" integer,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "batch_limits_pk" PRIMARY KEY("tenant_id"),
	CONSTRAINT "batch_limits_tenant_id_check" CHECK ("batch_limits"."tenant_id" <> ''),
	CONSTRAINT "batch_limits_max_running_chunks_check" CHECK ("batch_limits"."max_running_chunks" >= 1)
);
--> statement-breakpoint
CREATE TABLE "prediction_cache_policies" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_version_id" uuid NOT NULL,
	"ttl_ms" bigint,
	"max_bytes" bigint NOT NULL,
	"max_entries" integer NOT NULL,
	"generation" bigint NOT NULL,
	"hits" bigint DEFAULT 0 NOT NULL,
	"misses" bigint DEFAULT 0 NOT NULL,
	"saved_ms" double precision DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "prediction_cache_policies_pk" PRIMARY KEY("tenant_id","model_version_id"),
	CONSTRAINT "prediction_cache_policies_tenant_id_check" CHECK ("prediction_cache_policies"."tenant_id" <> ''),
	CONSTRAINT "prediction_cache_policies_limits_check" CHECK ("prediction_cache_policies"."ttl_ms" >= 1 and "prediction_cache_policies"."max_bytes" >= 1 and "prediction_cache_policies"."max_entries" >= 1),
	CONSTRAINT "prediction_cache_policies_version_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "prediction_cache" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_version_id" uuid NOT NULL,
	"key" "bytea" NOT NULL,
	"generation" bigint NOT NULL,
	"status" text NOT NULL,
	"claim" uuid,
	"output" text,
	"output_bytes" integer DEFAULT 0 NOT NULL,
	"compute_ms" double precision,
	"last_used_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "prediction_cache_pk" PRIMARY KEY("tenant_id","model_version_id","key"),
	CONSTRAINT "prediction_cache_tenant_id_check" CHECK ("prediction_cache"."tenant_id" <> ''),
	CONSTRAINT "prediction_cache_status_check" CHECK ("prediction_cache"."status" in ('computing', 'ready')),
	CONSTRAINT "prediction_cache_key_check" CHECK (octet_length("prediction_cache"."key") = 32),
	CONSTRAINT "prediction_cache_state_check" CHECK (case "prediction_cache"."status" when 'computing' then "prediction_cache"."claim" is not null and "prediction_cache"."expires_at" is not null
                           else "prediction_cache"."claim" is null and "prediction_cache"."output" is not null end),
	CONSTRAINT "prediction_cache_policy_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."prediction_cache_policies"("tenant_id","model_version_id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "prediction_day_marks" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_version_id" uuid NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "prediction_day_marks_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "prediction_day_marks_tenant_id_check" CHECK ("prediction_day_marks"."tenant_id" <> ''),
	CONSTRAINT "prediction_day_marks_day_check" CHECK ("prediction_day_marks"."day" >= '2000-01-01' and "prediction_day_marks"."day" < '2100-01-01')
);
--> statement-breakpoint
CREATE TABLE "prediction_label_history" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"subject" text NOT NULL,
	"observed_at" timestamp (3) with time zone NOT NULL,
	"label" text,
	"value" double precision,
	"actor" text,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	"replaced_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "prediction_label_history_pk" PRIMARY KEY("tenant_id","model_id","subject","observed_at"),
	CONSTRAINT "prediction_label_history_tenant_id_check" CHECK ("prediction_label_history"."tenant_id" <> ''),
	CONSTRAINT "prediction_label_history_truth_check" CHECK (("prediction_label_history"."label" is null) <> ("prediction_label_history"."value" is null))
);
--> statement-breakpoint
CREATE TABLE "prediction_labels" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"subject" text NOT NULL,
	"label" text,
	"value" double precision,
	"observed_at" timestamp (3) with time zone NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"recorded_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "prediction_labels_pk" PRIMARY KEY("tenant_id","model_id","subject"),
	CONSTRAINT "prediction_labels_tenant_id_check" CHECK ("prediction_labels"."tenant_id" <> ''),
	CONSTRAINT "prediction_labels_subject_check" CHECK (length("prediction_labels"."subject") between 1 and 256),
	CONSTRAINT "prediction_labels_truth_check" CHECK (("prediction_labels"."label" is null) <> ("prediction_labels"."value" is null)),
	CONSTRAINT "prediction_labels_observed_at_check" CHECK ("prediction_labels"."observed_at" >= '2000-01-01Z' and "prediction_labels"."observed_at" < '2100-01-01Z')
);
--> statement-breakpoint
CREATE TABLE "prediction_models" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "prediction_models_pk" PRIMARY KEY("tenant_id","model_id"),
	CONSTRAINT "prediction_models_tenant_id_check" CHECK ("prediction_models"."tenant_id" <> ''),
	CONSTRAINT "prediction_models_model_fk" FOREIGN KEY ("tenant_id","model_id") REFERENCES "public"."registered_models"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "prediction_ledgers" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_version_id" uuid NOT NULL,
	"model_id" uuid NOT NULL,
	"number_features" text[] DEFAULT '{}' NOT NULL,
	"category_features" text[] DEFAULT '{}' NOT NULL,
	"marks_days" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "prediction_ledgers_pk" PRIMARY KEY("tenant_id","model_version_id"),
	CONSTRAINT "prediction_ledgers_tenant_id_check" CHECK ("prediction_ledgers"."tenant_id" <> ''),
	CONSTRAINT "prediction_ledgers_features_check" CHECK (cardinality("prediction_ledgers"."number_features") <= 2000 and
          cardinality("prediction_ledgers"."category_features") <= 2000),
	CONSTRAINT "prediction_ledgers_version_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action,
	CONSTRAINT "prediction_ledgers_model_fk" FOREIGN KEY ("tenant_id","model_id") REFERENCES "public"."prediction_models"("tenant_id","model_id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "predictions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_version_id" uuid NOT NULL,
	"subject" text NOT NULL,
	"label" text,
	"score" double precision,
	"output" jsonb,
	"numbers" double precision[] DEFAULT '{}' NOT NULL,
	"categories" text[] DEFAULT '{}' NOT NULL,
	"latency_ms" double precision,
	"source" text DEFAULT 'online' NOT NULL,
	"batch_job_id" uuid,
	"run_id" uuid,
	"experiment" text,
	"variant" text,
	"predicted_at" timestamp (3) with time zone GENERATED ALWAYS AS (to_timestamp(('x' || encode(substring(uuid_send(id) from 1 for 6), 'hex'))::bit(48)::bigint / 1000::float8)) STORED NOT NULL,
	CONSTRAINT "predictions_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "predictions_tenant_id_check" CHECK ("predictions"."tenant_id" <> ''),
	CONSTRAINT "predictions_predicted_at_check" CHECK (get_byte(uuid_send("predictions"."id"), 6) >> 4 = 7 and "predictions"."predicted_at" >= '2000-01-01Z' and "predictions"."predicted_at" < '2100-01-01Z'),
	CONSTRAINT "predictions_subject_check" CHECK (length("predictions"."subject") between 1 and 256),
	CONSTRAINT "predictions_source_check" CHECK ("predictions"."source" in ('online', 'batch', 'replay'))
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "predictions_default" PARTITION OF "predictions" DEFAULT;
--> statement-breakpoint
ALTER TABLE "predictions_default" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "predictions_default" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE INDEX "batch_job_chunks_queued_idx" ON "batch_job_chunks" USING btree ("tenant_id","job_id","due_at","number") WHERE "batch_job_chunks"."status" = 'queued';
--> statement-breakpoint
CREATE INDEX "batch_job_chunks_running_idx" ON "batch_job_chunks" USING btree ("tenant_id","job_id","number") WHERE "batch_job_chunks"."status" = 'running';
--> statement-breakpoint
CREATE INDEX "batch_jobs_open_idx" ON "batch_jobs" USING btree ("tenant_id","priority" DESC NULLS LAST,"id") WHERE "batch_jobs"."status" in ('queued', 'running') and "batch_jobs"."submitted_at" is not null;
--> statement-breakpoint
CREATE INDEX "batch_jobs_created_idx" ON "batch_jobs" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "batch_jobs_version_idx" ON "batch_jobs" USING btree ("tenant_id","model_version_id","id");
--> statement-breakpoint
CREATE INDEX "prediction_cache_expires_idx" ON "prediction_cache" USING btree ("tenant_id","expires_at") WHERE "prediction_cache"."expires_at" is not null;
--> statement-breakpoint
CREATE INDEX "prediction_day_marks_day_idx" ON "prediction_day_marks" USING btree ("tenant_id","model_version_id","day");
--> statement-breakpoint
CREATE INDEX "prediction_labels_observed_idx" ON "prediction_labels" USING btree ("tenant_id","model_id","observed_at","subject");
--> statement-breakpoint
CREATE INDEX "prediction_ledgers_model_idx" ON "prediction_ledgers" USING btree ("tenant_id","model_id","model_version_id");
--> statement-breakpoint
CREATE INDEX "predictions_version_idx" ON "predictions" USING btree ("tenant_id","model_version_id","id");
--> statement-breakpoint
CREATE INDEX "predictions_subject_idx" ON "predictions" USING btree ("tenant_id","subject","id");
--> statement-breakpoint
ALTER TABLE "batch_dead_letters" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch_job_chunks" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch_job_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch_job_tallies" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch_jobs" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch_limits" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_cache" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_cache_policies" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_day_marks" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_label_history" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_labels" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_ledgers" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "prediction_models" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "predictions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "batch_dead_letters_tenant_policy" ON "batch_dead_letters" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "batch_job_chunks_tenant_policy" ON "batch_job_chunks" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "batch_job_events_tenant_policy" ON "batch_job_events" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "batch_job_tallies_tenant_policy" ON "batch_job_tallies" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "batch_jobs_tenant_policy" ON "batch_jobs" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "batch_limits_tenant_policy" ON "batch_limits" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_cache_tenant_policy" ON "prediction_cache" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_cache_policies_tenant_policy" ON "prediction_cache_policies" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_day_marks_tenant_policy" ON "prediction_day_marks" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_label_history_tenant_policy" ON "prediction_label_history" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_labels_tenant_policy" ON "prediction_labels" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_ledgers_tenant_policy" ON "prediction_ledgers" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "prediction_models_tenant_policy" ON "prediction_models" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "predictions_tenant_policy" ON "predictions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "batch_job_events" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "batch_job_events" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "batch_job_events" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "batch_job_events" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "batch_jobs" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch_jobs" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "batch_jobs" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "batch_dead_letters" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch_dead_letters" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "batch_dead_letters" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "batch_job_chunks" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch_job_chunks" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "batch_job_chunks" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "batch_job_tallies" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch_job_tallies" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "batch_job_tallies" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "batch_limits" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch_limits" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "batch_limits" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_cache_policies" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_cache_policies" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_cache_policies" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_cache" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_cache" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_cache" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_day_marks" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_day_marks" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_day_marks" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_label_history" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_label_history" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_label_history" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_labels" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_labels" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_labels" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_models" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_models" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_models" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "prediction_ledgers" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "prediction_ledgers" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "prediction_ledgers" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "predictions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "predictions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "predictions" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('batch_dead_letters'),
        ('batch_job_chunks'),
        ('batch_job_events'),
        ('batch_job_tallies'),
        ('batch_jobs'),
        ('batch_limits'),
        ('prediction_cache'),
        ('prediction_cache_policies'),
        ('prediction_day_marks'),
        ('prediction_label_history'),
        ('prediction_labels'),
        ('prediction_ledgers'),
        ('prediction_models'),
        ('predictions'),
        ('predictions_default')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('batch_dead_letters', 'batch_dead_letters_job_fk'),
        ('batch_dead_letters', 'batch_dead_letters_kind_check'),
        ('batch_dead_letters', 'batch_dead_letters_pk'),
        ('batch_dead_letters', 'batch_dead_letters_tenant_id_check'),
        ('batch_job_chunks', 'batch_job_chunks_job_fk'),
        ('batch_job_chunks', 'batch_job_chunks_pk'),
        ('batch_job_chunks', 'batch_job_chunks_rows_check'),
        ('batch_job_chunks', 'batch_job_chunks_status_check'),
        ('batch_job_chunks', 'batch_job_chunks_tenant_id_check'),
        ('batch_job_events', 'batch_job_events_kind_check'),
        ('batch_job_events', 'batch_job_events_pk'),
        ('batch_job_events', 'batch_job_events_tenant_id_check'),
        ('batch_job_events', 'batch_job_events_to_status_check'),
        ('batch_job_tallies', 'batch_job_tallies_job_fk'),
        ('batch_job_tallies', 'batch_job_tallies_pk'),
        ('batch_job_tallies', 'batch_job_tallies_tenant_id_check'),
        ('batch_jobs', 'batch_jobs_max_running_chunks_check'),
        ('batch_jobs', 'batch_jobs_pk'),
        ('batch_jobs', 'batch_jobs_status_check'),
        ('batch_jobs', 'batch_jobs_tenant_id_check'),
        ('batch_jobs', 'batch_jobs_version_fk'),
        ('batch_limits', 'batch_limits_max_running_chunks_check'),
        ('batch_limits', 'batch_limits_pk'),
        ('batch_limits', 'batch_limits_tenant_id_check'),
        ('prediction_cache', 'prediction_cache_key_check'),
        ('prediction_cache', 'prediction_cache_pk'),
        ('prediction_cache', 'prediction_cache_policy_fk'),
        ('prediction_cache', 'prediction_cache_state_check'),
        ('prediction_cache', 'prediction_cache_status_check'),
        ('prediction_cache', 'prediction_cache_tenant_id_check'),
        ('prediction_cache_policies', 'prediction_cache_policies_limits_check'),
        ('prediction_cache_policies', 'prediction_cache_policies_pk'),
        ('prediction_cache_policies', 'prediction_cache_policies_tenant_id_check'),
        ('prediction_cache_policies', 'prediction_cache_policies_version_fk'),
        ('prediction_day_marks', 'prediction_day_marks_day_check'),
        ('prediction_day_marks', 'prediction_day_marks_pk'),
        ('prediction_day_marks', 'prediction_day_marks_tenant_id_check'),
        ('prediction_label_history', 'prediction_label_history_pk'),
        ('prediction_label_history', 'prediction_label_history_tenant_id_check'),
        ('prediction_label_history', 'prediction_label_history_truth_check'),
        ('prediction_labels', 'prediction_labels_observed_at_check'),
        ('prediction_labels', 'prediction_labels_pk'),
        ('prediction_labels', 'prediction_labels_subject_check'),
        ('prediction_labels', 'prediction_labels_tenant_id_check'),
        ('prediction_labels', 'prediction_labels_truth_check'),
        ('prediction_ledgers', 'prediction_ledgers_features_check'),
        ('prediction_ledgers', 'prediction_ledgers_model_fk'),
        ('prediction_ledgers', 'prediction_ledgers_pk'),
        ('prediction_ledgers', 'prediction_ledgers_tenant_id_check'),
        ('prediction_ledgers', 'prediction_ledgers_version_fk'),
        ('prediction_models', 'prediction_models_model_fk'),
        ('prediction_models', 'prediction_models_pk'),
        ('prediction_models', 'prediction_models_tenant_id_check'),
        ('predictions', 'predictions_pk'),
        ('predictions', 'predictions_predicted_at_check'),
        ('predictions', 'predictions_source_check'),
        ('predictions', 'predictions_subject_check'),
        ('predictions', 'predictions_tenant_id_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('batch_job_chunks', 'batch_job_chunks_queued_idx'),
        ('batch_job_chunks', 'batch_job_chunks_running_idx'),
        ('batch_jobs', 'batch_jobs_created_idx'),
        ('batch_jobs', 'batch_jobs_open_idx'),
        ('batch_jobs', 'batch_jobs_version_idx'),
        ('prediction_cache', 'prediction_cache_expires_idx'),
        ('prediction_day_marks', 'prediction_day_marks_day_idx'),
        ('prediction_labels', 'prediction_labels_observed_idx'),
        ('prediction_ledgers', 'prediction_ledgers_model_idx'),
        ('predictions', 'predictions_subject_idx'),
        ('predictions', 'predictions_version_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('batch_dead_letters', 'batch_dead_letters_tenant_policy'),
        ('batch_job_chunks', 'batch_job_chunks_tenant_policy'),
        ('batch_job_events', 'batch_job_events_tenant_policy'),
        ('batch_job_tallies', 'batch_job_tallies_tenant_policy'),
        ('batch_jobs', 'batch_jobs_tenant_policy'),
        ('batch_limits', 'batch_limits_tenant_policy'),
        ('prediction_cache', 'prediction_cache_tenant_policy'),
        ('prediction_cache_policies', 'prediction_cache_policies_tenant_policy'),
        ('prediction_day_marks', 'prediction_day_marks_tenant_policy'),
        ('prediction_label_history', 'prediction_label_history_tenant_policy'),
        ('prediction_labels', 'prediction_labels_tenant_policy'),
        ('prediction_ledgers', 'prediction_ledgers_tenant_policy'),
        ('prediction_models', 'prediction_models_tenant_policy'),
        ('predictions', 'predictions_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('batch_dead_letters', 'app_tenant', 'delete, insert, select, update'),
        ('batch_job_chunks', 'app_tenant', 'delete, insert, select, update'),
        ('batch_job_tallies', 'app_tenant', 'delete, insert, select, update'),
        ('batch_jobs', 'app_tenant', 'delete, insert, select, update'),
        ('batch_limits', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_cache', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_cache_policies', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_day_marks', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_label_history', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_labels', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_ledgers', 'app_tenant', 'delete, insert, select, update'),
        ('prediction_models', 'app_tenant', 'delete, insert, select, update'),
        ('predictions', 'app_tenant', 'delete, insert, select, update'),
        ('batch_job_events', 'app_tenant', 'insert, select'),
        ('batch_dead_letters', 'app_readonly', 'select'),
        ('batch_job_chunks', 'app_readonly', 'select'),
        ('batch_job_events', 'app_readonly', 'select'),
        ('batch_job_tallies', 'app_readonly', 'select'),
        ('batch_jobs', 'app_readonly', 'select'),
        ('batch_limits', 'app_readonly', 'select'),
        ('prediction_cache', 'app_readonly', 'select'),
        ('prediction_cache_policies', 'app_readonly', 'select'),
        ('prediction_day_marks', 'app_readonly', 'select'),
        ('prediction_label_history', 'app_readonly', 'select'),
        ('prediction_labels', 'app_readonly', 'select'),
        ('prediction_ledgers', 'app_readonly', 'select'),
        ('prediction_models', 'app_readonly', 'select'),
        ('predictions', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '008_predictions.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('008_predictions.sql') on conflict (migration_name) do nothing;
end
$record$;
