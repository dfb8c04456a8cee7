-- 006_training_runs: what @mcp-hub/training keeps. Composed by db:generate: change packages/training, not this file.
-- composed-from: @mcp-hub/training

CREATE TABLE "hyperparameter_studies" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"status" text DEFAULT 'running' NOT NULL,
	"search_space" jsonb NOT NULL,
	"objectives" jsonb NOT NULL,
	"sampler" jsonb NOT NULL,
	"pruner" jsonb,
	"seed" bigint NOT NULL,
	"max_trials" integer,
	"deadline_at" timestamp (3) with time zone,
	"max_attempts" integer DEFAULT 1 NOT NULL,
	"lease_ms" integer NOT NULL,
	"next_trial_number" integer DEFAULT 0 NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"deleted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "hyperparameter_studies_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "hyperparameter_studies_name_key" UNIQUE("tenant_id","name"),
	CONSTRAINT "hyperparameter_studies_tenant_id_check" CHECK ("hyperparameter_studies"."tenant_id" <> ''),
	CONSTRAINT "hyperparameter_studies_name_check" CHECK (length("hyperparameter_studies"."name") between 1 and 256),
	CONSTRAINT "hyperparameter_studies_status_check" CHECK ("hyperparameter_studies"."status" in ('running', 'stopped')),
	CONSTRAINT "hyperparameter_studies_max_trials_check" CHECK ("hyperparameter_studies"."max_trials" >= 1),
	CONSTRAINT "hyperparameter_studies_max_attempts_check" CHECK ("hyperparameter_studies"."max_attempts" >= 1)
);
--> statement-breakpoint
CREATE TABLE "training_events" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"change_number" bigint NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"attempt" integer NOT NULL,
	"from_status" text,
	"to_status" text,
	"reason" text,
	"model_name" text,
	"model_version" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "training_events_pk" PRIMARY KEY("tenant_id","run_id","change_number"),
	CONSTRAINT "training_events_tenant_id_check" CHECK ("training_events"."tenant_id" <> ''),
	CONSTRAINT "training_events_kind_check" CHECK ("training_events"."kind" in ('created', 'started', 'retried', 'succeeded', 'failed', 'cancelled', 'stale', 'renamed', 'deleted', 'restored', 'purged', 'model_linked', 'model_unlinked')),
	CONSTRAINT "training_events_from_status_check" CHECK ("training_events"."from_status" in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'stale')),
	CONSTRAINT "training_events_to_status_check" CHECK ("training_events"."to_status" in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'stale'))
);
--> statement-breakpoint
CREATE TABLE "training_metrics" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"key_id" integer NOT NULL,
	"step" bigint NOT NULL,
	"at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"value" double precision NOT NULL,
	CONSTRAINT "training_metrics_pk" PRIMARY KEY("tenant_id","run_id","key_id","step","at","value"),
	CONSTRAINT "training_metrics_tenant_id_check" CHECK ("training_metrics"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "training_purges" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "training_purges_pk" PRIMARY KEY("tenant_id","run_id"),
	CONSTRAINT "training_purges_tenant_id_check" CHECK ("training_purges"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "training_runs" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"group_name" text DEFAULT 'default' NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"description" text,
	"code_version" text,
	"dataset_name" text,
	"dataset_digest" text,
	"seed" bigint,
	"environment" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"parent_run_id" uuid,
	"attempt" integer DEFAULT 1 NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"fencing_token" bigint DEFAULT 0 NOT NULL,
	"last_metric_key_id" integer DEFAULT 0 NOT NULL,
	"last_change_number" bigint DEFAULT 0 NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"error" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"deleted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "training_runs_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "training_runs_tenant_id_check" CHECK ("training_runs"."tenant_id" <> ''),
	CONSTRAINT "training_runs_name_check" CHECK (length("training_runs"."name") between 1 and 256),
	CONSTRAINT "training_runs_group_check" CHECK (length("training_runs"."group_name") between 1 and 256),
	CONSTRAINT "training_runs_status_check" CHECK ("training_runs"."status" in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'stale')),
	CONSTRAINT "training_runs_attempt_check" CHECK ("training_runs"."attempt" >= 1),
	CONSTRAINT "training_runs_parent_fk" FOREIGN KEY ("tenant_id","parent_run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "hyperparameter_trials" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"study_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"status" text NOT NULL,
	"params" jsonb,
	"fixed_params" jsonb,
	"values" double precision[],
	"attempt" integer DEFAULT 0 NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"fencing_token" bigint DEFAULT 0 NOT NULL,
	"run_id" uuid,
	"error" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "hyperparameter_trials_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "hyperparameter_trials_number_key" UNIQUE("tenant_id","study_id","number"),
	CONSTRAINT "hyperparameter_trials_tenant_id_check" CHECK ("hyperparameter_trials"."tenant_id" <> ''),
	CONSTRAINT "hyperparameter_trials_status_check" CHECK ("hyperparameter_trials"."status" in ('waiting', 'running', 'complete', 'pruned', 'failed', 'stale')),
	CONSTRAINT "hyperparameter_trials_study_fk" FOREIGN KEY ("tenant_id","study_id") REFERENCES "public"."hyperparameter_studies"("tenant_id","id") ON DELETE cascade ON UPDATE no action,
	CONSTRAINT "hyperparameter_trials_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "hyperparameter_trial_values" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"study_id" uuid NOT NULL,
	"trial_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"step" bigint NOT NULL,
	"value" double precision NOT NULL,
	"should_prune" boolean DEFAULT false NOT NULL,
	"at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "hyperparameter_trial_values_pk" PRIMARY KEY("tenant_id","trial_id","attempt","step"),
	CONSTRAINT "hyperparameter_trial_values_tenant_id_check" CHECK ("hyperparameter_trial_values"."tenant_id" <> ''),
	CONSTRAINT "hyperparameter_trial_values_trial_fk" FOREIGN KEY ("tenant_id","trial_id") REFERENCES "public"."hyperparameter_trials"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "training_artifacts" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"path" text NOT NULL,
	"kind" text DEFAULT 'file' NOT NULL,
	"uri" text,
	"bytes" bigint,
	"sha256" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "training_artifacts_pk" PRIMARY KEY("tenant_id","run_id","path"),
	CONSTRAINT "training_artifacts_tenant_id_check" CHECK ("training_artifacts"."tenant_id" <> ''),
	CONSTRAINT "training_artifacts_path_check" CHECK (length("training_artifacts"."path") between 1 and 1024),
	CONSTRAINT "training_artifacts_bytes_check" CHECK ("training_artifacts"."bytes" >= 0),
	CONSTRAINT "training_artifacts_sha256_check" CHECK ("training_artifacts"."sha256" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "training_artifacts_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "training_metric_keys" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"key" text NOT NULL,
	"key_id" integer NOT NULL,
	"point_count" bigint DEFAULT 0 NOT NULL,
	"latest_step" bigint,
	"latest_at" timestamp (3) with time zone,
	"latest_value" double precision,
	"min_value" double precision,
	"min_step" bigint,
	"min_at" timestamp (3) with time zone,
	"max_value" double precision,
	"max_step" bigint,
	"max_at" timestamp (3) with time zone,
	"goal" text,
	"best_value" double precision GENERATED ALWAYS AS (case goal when 'minimize' then min_value when 'maximize' then max_value end) STORED,
	"best_step" bigint GENERATED ALWAYS AS (case goal when 'minimize' then min_step when 'maximize' then max_step end) STORED,
	CONSTRAINT "training_metric_keys_pk" PRIMARY KEY("tenant_id","run_id","key"),
	CONSTRAINT "training_metric_keys_key_id_key" UNIQUE("tenant_id","run_id","key_id"),
	CONSTRAINT "training_metric_keys_tenant_id_check" CHECK ("training_metric_keys"."tenant_id" <> ''),
	CONSTRAINT "training_metric_keys_key_check" CHECK (length("training_metric_keys"."key") between 1 and 250),
	CONSTRAINT "training_metric_keys_goal_check" CHECK ("training_metric_keys"."goal" in ('minimize', 'maximize')),
	CONSTRAINT "training_metric_keys_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "training_params" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" text NOT NULL,
	CONSTRAINT "training_params_pk" PRIMARY KEY("tenant_id","run_id","key"),
	CONSTRAINT "training_params_tenant_id_check" CHECK ("training_params"."tenant_id" <> ''),
	CONSTRAINT "training_params_key_check" CHECK (length("training_params"."key") between 1 and 250),
	CONSTRAINT "training_params_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "training_run_models" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"role" text DEFAULT 'output' NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "training_run_models_pk" PRIMARY KEY("tenant_id","run_id","version_id","role"),
	CONSTRAINT "training_run_models_tenant_id_check" CHECK ("training_run_models"."tenant_id" <> ''),
	CONSTRAINT "training_run_models_role_check" CHECK ("training_run_models"."role" in ('output', 'input')),
	CONSTRAINT "training_run_models_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE cascade ON UPDATE no action,
	CONSTRAINT "training_run_models_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "training_tags" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"run_id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" text NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "training_tags_pk" PRIMARY KEY("tenant_id","run_id","key"),
	CONSTRAINT "training_tags_tenant_id_check" CHECK ("training_tags"."tenant_id" <> ''),
	CONSTRAINT "training_tags_key_check" CHECK (length("training_tags"."key") between 1 and 250),
	CONSTRAINT "training_tags_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE INDEX "hyperparameter_studies_created_idx" ON "hyperparameter_studies" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "hyperparameter_trial_values_step_idx" ON "hyperparameter_trial_values" USING btree ("tenant_id","study_id","step","value");
--> statement-breakpoint
CREATE INDEX "hyperparameter_trials_waiting_idx" ON "hyperparameter_trials" USING btree ("tenant_id","study_id","number") WHERE "hyperparameter_trials"."status" = 'waiting';
--> statement-breakpoint
CREATE INDEX "hyperparameter_trials_ended_idx" ON "hyperparameter_trials" USING btree ("tenant_id","study_id","status","number");
--> statement-breakpoint
CREATE INDEX "hyperparameter_trials_lease_idx" ON "hyperparameter_trials" USING btree ("tenant_id","leased_until","id") WHERE "hyperparameter_trials"."leased_until" is not null;
--> statement-breakpoint
CREATE INDEX "hyperparameter_trials_run_idx" ON "hyperparameter_trials" USING btree ("tenant_id","run_id") WHERE "hyperparameter_trials"."run_id" is not null;
--> statement-breakpoint
CREATE INDEX "training_artifacts_sha256_idx" ON "training_artifacts" USING btree ("tenant_id","sha256","run_id") WHERE "training_artifacts"."sha256" is not null;
--> statement-breakpoint
CREATE INDEX "training_run_models_version_idx" ON "training_run_models" USING btree ("tenant_id","version_id","run_id");
--> statement-breakpoint
CREATE INDEX "training_runs_parent_idx" ON "training_runs" USING btree ("tenant_id","parent_run_id","id") WHERE "training_runs"."parent_run_id" is not null;
--> statement-breakpoint
CREATE INDEX "training_runs_created_idx" ON "training_runs" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "training_runs_group_idx" ON "training_runs" USING btree ("tenant_id","group_name","created_at","id");
--> statement-breakpoint
CREATE INDEX "training_runs_queued_idx" ON "training_runs" USING btree ("tenant_id","created_at","id") WHERE "training_runs"."status" = 'queued' and "training_runs"."deleted_at" is null;
--> statement-breakpoint
CREATE INDEX "training_runs_lease_idx" ON "training_runs" USING btree ("tenant_id","leased_until","id") WHERE "training_runs"."leased_until" is not null;
--> statement-breakpoint
CREATE INDEX "training_runs_dataset_idx" ON "training_runs" USING btree ("tenant_id","dataset_digest","id") WHERE "training_runs"."dataset_digest" is not null;
--> statement-breakpoint
CREATE INDEX "training_runs_deleted_idx" ON "training_runs" USING btree ("tenant_id","deleted_at","id") WHERE "training_runs"."deleted_at" is not null;
--> statement-breakpoint
ALTER TABLE "hyperparameter_studies" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "hyperparameter_trial_values" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "hyperparameter_trials" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_artifacts" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_metric_keys" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_metrics" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_params" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_purges" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_run_models" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_runs" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "training_tags" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "hyperparameter_studies_tenant_policy" ON "hyperparameter_studies" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "hyperparameter_trial_values_tenant_policy" ON "hyperparameter_trial_values" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "hyperparameter_trials_tenant_policy" ON "hyperparameter_trials" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_artifacts_tenant_policy" ON "training_artifacts" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_events_tenant_policy" ON "training_events" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_metric_keys_tenant_policy" ON "training_metric_keys" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_metrics_tenant_policy" ON "training_metrics" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_params_tenant_policy" ON "training_params" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_purges_tenant_policy" ON "training_purges" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_run_models_tenant_policy" ON "training_run_models" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_runs_tenant_policy" ON "training_runs" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "training_tags_tenant_policy" ON "training_tags" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "hyperparameter_studies" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "hyperparameter_studies" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "hyperparameter_studies" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_events" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "training_events" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_events" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "training_events" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "training_metrics" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_metrics" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_metrics" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_purges" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_purges" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_purges" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_runs" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_runs" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_runs" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "hyperparameter_trials" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "hyperparameter_trials" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "hyperparameter_trials" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "hyperparameter_trial_values" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "hyperparameter_trial_values" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "hyperparameter_trial_values" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_artifacts" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_artifacts" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_artifacts" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_metric_keys" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_metric_keys" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_metric_keys" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_params" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_params" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_params" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_run_models" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_run_models" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_run_models" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "training_tags" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_tags" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "training_tags" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('hyperparameter_studies'),
        ('hyperparameter_trial_values'),
        ('hyperparameter_trials'),
        ('training_artifacts'),
        ('training_events'),
        ('training_metric_keys'),
        ('training_metrics'),
        ('training_params'),
        ('training_purges'),
        ('training_run_models'),
        ('training_runs'),
        ('training_tags')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('hyperparameter_studies', 'hyperparameter_studies_max_attempts_check'),
        ('hyperparameter_studies', 'hyperparameter_studies_max_trials_check'),
        ('hyperparameter_studies', 'hyperparameter_studies_name_check'),
        ('hyperparameter_studies', 'hyperparameter_studies_name_key'),
        ('hyperparameter_studies', 'hyperparameter_studies_pk'),
        ('hyperparameter_studies', 'hyperparameter_studies_status_check'),
        ('hyperparameter_studies', 'hyperparameter_studies_tenant_id_check'),
        ('hyperparameter_trial_values', 'hyperparameter_trial_values_pk'),
        ('hyperparameter_trial_values', 'hyperparameter_trial_values_tenant_id_check'),
        ('hyperparameter_trial_values', 'hyperparameter_trial_values_trial_fk'),
        ('hyperparameter_trials', 'hyperparameter_trials_number_key'),
        ('hyperparameter_trials', 'hyperparameter_trials_pk'),
        ('hyperparameter_trials', 'hyperparameter_trials_run_fk'),
        ('hyperparameter_trials', 'hyperparameter_trials_status_check'),
        ('hyperparameter_trials', 'hyperparameter_trials_study_fk'),
        ('hyperparameter_trials', 'hyperparameter_trials_tenant_id_check'),
        ('training_artifacts', 'training_artifacts_bytes_check'),
        ('training_artifacts', 'training_artifacts_path_check'),
        ('training_artifacts', 'training_artifacts_pk'),
        ('training_artifacts', 'training_artifacts_run_fk'),
        ('training_artifacts', 'training_artifacts_sha256_check'),
        ('training_artifacts', 'training_artifacts_tenant_id_check'),
        ('training_events', 'training_events_from_status_check'),
        ('training_events', 'training_events_kind_check'),
        ('training_events', 'training_events_pk'),
        ('training_events', 'training_events_tenant_id_check'),
        ('training_events', 'training_events_to_status_check'),
        ('training_metric_keys', 'training_metric_keys_goal_check'),
        ('training_metric_keys', 'training_metric_keys_key_check'),
        ('training_metric_keys', 'training_metric_keys_key_id_key'),
        ('training_metric_keys', 'training_metric_keys_pk'),
        ('training_metric_keys', 'training_metric_keys_run_fk'),
        ('training_metric_keys', 'training_metric_keys_tenant_id_check'),
        ('training_metrics', 'training_metrics_pk'),
        ('training_metrics', 'training_metrics_tenant_id_check'),
        ('training_params', 'training_params_key_check'),
        ('training_params', 'training_params_pk'),
        ('training_params', 'training_params_run_fk'),
        ('training_params', 'training_params_tenant_id_check'),
        ('training_purges', 'training_purges_pk'),
        ('training_purges', 'training_purges_tenant_id_check'),
        ('training_run_models', 'training_run_models_pk'),
        ('training_run_models', 'training_run_models_role_check'),
        ('training_run_models', 'training_run_models_run_fk'),
        ('training_run_models', 'training_run_models_tenant_id_check'),
        ('training_run_models', 'training_run_models_version_fk'),
        ('training_runs', 'training_runs_attempt_check'),
        ('training_runs', 'training_runs_group_check'),
        ('training_runs', 'training_runs_name_check'),
        ('training_runs', 'training_runs_parent_fk'),
        ('training_runs', 'training_runs_pk'),
        ('training_runs', 'training_runs_status_check'),
        ('training_runs', 'training_runs_tenant_id_check'),
        ('training_tags', 'training_tags_key_check'),
        ('training_tags', 'training_tags_pk'),
        ('training_tags', 'training_tags_run_fk'),
        ('training_tags', 'training_tags_tenant_id_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('hyperparameter_studies', 'hyperparameter_studies_created_idx'),
        ('hyperparameter_trial_values', 'hyperparameter_trial_values_step_idx'),
        ('hyperparameter_trials', 'hyperparameter_trials_ended_idx'),
        ('hyperparameter_trials', 'hyperparameter_trials_lease_idx'),
        ('hyperparameter_trials', 'hyperparameter_trials_run_idx'),
        ('hyperparameter_trials', 'hyperparameter_trials_waiting_idx'),
        ('training_artifacts', 'training_artifacts_sha256_idx'),
        ('training_run_models', 'training_run_models_version_idx'),
        ('training_runs', 'training_runs_created_idx'),
        ('training_runs', 'training_runs_dataset_idx'),
        ('training_runs', 'training_runs_deleted_idx'),
        ('training_runs', 'training_runs_group_idx'),
        ('training_runs', 'training_runs_lease_idx'),
        ('training_runs', 'training_runs_parent_idx'),
        ('training_runs', 'training_runs_queued_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('hyperparameter_studies', 'hyperparameter_studies_tenant_policy'),
        ('hyperparameter_trial_values', 'hyperparameter_trial_values_tenant_policy'),
        ('hyperparameter_trials', 'hyperparameter_trials_tenant_policy'),
        ('training_artifacts', 'training_artifacts_tenant_policy'),
        ('training_events', 'training_events_tenant_policy'),
        ('training_metric_keys', 'training_metric_keys_tenant_policy'),
        ('training_metrics', 'training_metrics_tenant_policy'),
        ('training_params', 'training_params_tenant_policy'),
        ('training_purges', 'training_purges_tenant_policy'),
        ('training_run_models', 'training_run_models_tenant_policy'),
        ('training_runs', 'training_runs_tenant_policy'),
        ('training_tags', 'training_tags_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('hyperparameter_studies', 'app_tenant', 'delete, insert, select, update'),
        ('hyperparameter_trial_values', 'app_tenant', 'delete, insert, select, update'),
        ('hyperparameter_trials', 'app_tenant', 'delete, insert, select, update'),
        ('training_artifacts', 'app_tenant', 'delete, insert, select, update'),
        ('training_metric_keys', 'app_tenant', 'delete, insert, select, update'),
        ('training_metrics', 'app_tenant', 'delete, insert, select, update'),
        ('training_params', 'app_tenant', 'delete, insert, select, update'),
        ('training_purges', 'app_tenant', 'delete, insert, select, update'),
        ('training_run_models', 'app_tenant', 'delete, insert, select, update'),
        ('training_runs', 'app_tenant', 'delete, insert, select, update'),
        ('training_tags', 'app_tenant', 'delete, insert, select, update'),
        ('training_events', 'app_tenant', 'insert, select'),
        ('hyperparameter_studies', 'app_readonly', 'select'),
        ('hyperparameter_trial_values', 'app_readonly', 'select'),
        ('hyperparameter_trials', 'app_readonly', 'select'),
        ('training_artifacts', 'app_readonly', 'select'),
        ('training_events', 'app_readonly', 'select'),
        ('training_metric_keys', 'app_readonly', 'select'),
        ('training_metrics', 'app_readonly', 'select'),
        ('training_params', 'app_readonly', 'select'),
        ('training_purges', 'app_readonly', 'select'),
        ('training_run_models', 'app_readonly', 'select'),
        ('training_runs', 'app_readonly', 'select'),
        ('training_tags', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '006_training_runs.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('006_training_runs.sql') on conflict (migration_name) do nothing;
end
$record$;
