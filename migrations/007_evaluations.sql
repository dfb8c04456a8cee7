-- 007_evaluations: what @mcp-hub/evaluation keeps. Composed by db:generate: change packages/evaluation, not this file.
-- composed-from: @mcp-hub/evaluation

CREATE TABLE "comparison_families" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"name" text NOT NULL,
	"correction" text NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "comparison_families_pk" PRIMARY KEY("tenant_id","name"),
	CONSTRAINT "comparison_families_tenant_id_check" CHECK ("comparison_families"."tenant_id" <> ''),
	CONSTRAINT "comparison_families_correction_check" CHECK ("comparison_families"."correction" in ('holm', 'benjamini_hochberg', 'bonferroni'))
);
--> statement-breakpoint
CREATE TABLE "evaluations" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"version_id" uuid NOT NULL,
	"run_id" uuid,
	"task" text NOT NULL,
	"dataset_name" text NOT NULL,
	"dataset_digest" text NOT NULL,
	"split" text DEFAULT 'test' NOT NULL,
	"slice" text DEFAULT '' NOT NULL,
	"n" bigint NOT NULL,
	"weight" double precision NOT NULL,
	"code_version" text,
	"parameters" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "evaluations_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "evaluations_tenant_id_check" CHECK ("evaluations"."tenant_id" <> ''),
	CONSTRAINT "evaluations_task_check" CHECK ("evaluations"."task" in ('binary', 'multiclass', 'regression', 'ranking')),
	CONSTRAINT "evaluations_n_check" CHECK ("evaluations"."n" >= 0),
	CONSTRAINT "evaluations_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action,
	CONSTRAINT "evaluations_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."training_runs"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "calibration_bins" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"evaluation_id" uuid NOT NULL,
	"bin" integer NOT NULL,
	"lower" double precision NOT NULL,
	"upper" double precision NOT NULL,
	"n" bigint NOT NULL,
	"weight" double precision NOT NULL,
	"mean_score" double precision,
	"positive_rate" double precision,
	CONSTRAINT "calibration_bins_pk" PRIMARY KEY("tenant_id","evaluation_id","bin"),
	CONSTRAINT "calibration_bins_tenant_id_check" CHECK ("calibration_bins"."tenant_id" <> ''),
	CONSTRAINT "calibration_bins_evaluation_fk" FOREIGN KEY ("tenant_id","evaluation_id") REFERENCES "public"."evaluations"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "confusion_matrices" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"evaluation_id" uuid NOT NULL,
	"slice_feature" text DEFAULT '' NOT NULL,
	"slice_value" text DEFAULT '' NOT NULL,
	"true_label" text NOT NULL,
	"predicted_label" text NOT NULL,
	"n" bigint NOT NULL,
	"weight" double precision NOT NULL,
	CONSTRAINT "confusion_matrices_pk" PRIMARY KEY("tenant_id","evaluation_id","slice_feature","slice_value","true_label","predicted_label"),
	CONSTRAINT "confusion_matrices_tenant_id_check" CHECK ("confusion_matrices"."tenant_id" <> ''),
	CONSTRAINT "confusion_matrices_evaluation_fk" FOREIGN KEY ("tenant_id","evaluation_id") REFERENCES "public"."evaluations"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "evaluation_metrics" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"evaluation_id" uuid NOT NULL,
	"slice_feature" text DEFAULT '' NOT NULL,
	"slice_value" text DEFAULT '' NOT NULL,
	"metric" text NOT NULL,
	"class_label" text DEFAULT '' NOT NULL,
	"value" double precision,
	"reason" text,
	"lower" double precision,
	"upper" double precision,
	"confidence" double precision,
	"interval_method" text,
	"n" bigint NOT NULL,
	"weight" double precision NOT NULL,
	CONSTRAINT "evaluation_metrics_pk" PRIMARY KEY("tenant_id","evaluation_id","slice_feature","slice_value","metric","class_label"),
	CONSTRAINT "evaluation_metrics_tenant_id_check" CHECK ("evaluation_metrics"."tenant_id" <> ''),
	CONSTRAINT "evaluation_metrics_reason_check" CHECK (("evaluation_metrics"."value" is null) = ("evaluation_metrics"."reason" is not null)),
	CONSTRAINT "evaluation_metrics_evaluation_fk" FOREIGN KEY ("tenant_id","evaluation_id") REFERENCES "public"."evaluations"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "feature_importance" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"evaluation_id" uuid NOT NULL,
	"method" text NOT NULL,
	"feature" text NOT NULL,
	"value" double precision NOT NULL,
	"std" double precision,
	"rank" integer NOT NULL,
	"repeats" integer DEFAULT 1 NOT NULL,
	"seed" bigint,
	CONSTRAINT "feature_importance_pk" PRIMARY KEY("tenant_id","evaluation_id","method","feature"),
	CONSTRAINT "feature_importance_tenant_id_check" CHECK ("feature_importance"."tenant_id" <> ''),
	CONSTRAINT "feature_importance_evaluation_fk" FOREIGN KEY ("tenant_id","evaluation_id") REFERENCES "public"."evaluations"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "gate_approvals" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"version_id" uuid NOT NULL,
	"stage" text NOT NULL,
	"approved" boolean DEFAULT true NOT NULL,
	"comment" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), '') NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "gate_approvals_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "gate_approvals_tenant_id_check" CHECK ("gate_approvals"."tenant_id" <> ''),
	CONSTRAINT "gate_approvals_stage_check" CHECK ("gate_approvals"."stage" in ('development', 'staging', 'production', 'archived'))
);
--> statement-breakpoint
CREATE TABLE "gate_changes" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"policy_id" uuid NOT NULL,
	"model_id" uuid NOT NULL,
	"model_name" text NOT NULL,
	"stage" text NOT NULL,
	"name" text NOT NULL,
	"revision" integer NOT NULL,
	"policy" jsonb,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "gate_changes_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "gate_changes_tenant_id_check" CHECK ("gate_changes"."tenant_id" <> ''),
	CONSTRAINT "gate_changes_stage_check" CHECK ("gate_changes"."stage" in ('development', 'staging', 'production', 'archived'))
);
--> statement-breakpoint
CREATE TABLE "gate_decisions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"policy_id" uuid NOT NULL,
	"policy_name" text NOT NULL,
	"revision" integer NOT NULL,
	"version_id" uuid NOT NULL,
	"model_name" text NOT NULL,
	"version" text NOT NULL,
	"stage" text NOT NULL,
	"passed" boolean NOT NULL,
	"policy" jsonb NOT NULL,
	"inputs" jsonb NOT NULL,
	"results" jsonb NOT NULL,
	"clearance_id" uuid,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "gate_decisions_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "gate_decisions_tenant_id_check" CHECK ("gate_decisions"."tenant_id" <> ''),
	CONSTRAINT "gate_decisions_stage_check" CHECK ("gate_decisions"."stage" in ('development', 'staging', 'production', 'archived'))
);
--> statement-breakpoint
CREATE TABLE "gate_policies" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"model_id" uuid NOT NULL,
	"stage" text NOT NULL,
	"name" text NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"policy" jsonb NOT NULL,
	"description" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "gate_policies_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "gate_policies_name_key" UNIQUE("tenant_id","model_id","stage","name"),
	CONSTRAINT "gate_policies_tenant_id_check" CHECK ("gate_policies"."tenant_id" <> ''),
	CONSTRAINT "gate_policies_stage_check" CHECK ("gate_policies"."stage" in ('development', 'staging', 'production', 'archived'))
);
--> statement-breakpoint
CREATE TABLE "model_comparisons" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"baseline_version_id" uuid NOT NULL,
	"candidate_version_id" uuid NOT NULL,
	"dataset_name" text NOT NULL,
	"dataset_digest" text NOT NULL,
	"split" text DEFAULT 'test' NOT NULL,
	"slice" text DEFAULT '' NOT NULL,
	"metric" text NOT NULL,
	"higher_is_better" boolean NOT NULL,
	"test" text NOT NULL,
	"statistic" double precision,
	"p_value" double precision,
	"difference" double precision,
	"lower" double precision,
	"upper" double precision,
	"confidence" double precision NOT NULL,
	"reason" text,
	"n" bigint NOT NULL,
	"family" text,
	"adjusted_p" double precision,
	"alpha" double precision NOT NULL,
	"margin" double precision NOT NULL,
	"decision" text NOT NULL,
	"parameters" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_comparisons_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "model_comparisons_tenant_id_check" CHECK ("model_comparisons"."tenant_id" <> ''),
	CONSTRAINT "model_comparisons_decision_check" CHECK ("model_comparisons"."decision" in ('better', 'worse', 'equivalent', 'undecided')),
	CONSTRAINT "model_comparisons_test_check" CHECK ("model_comparisons"."test" in ('mcnemar_exact', 'mcnemar_mid_p', 'mcnemar_chi_square', 'delong', 'paired_t', 'paired_bootstrap')),
	CONSTRAINT "model_comparisons_family_fk" FOREIGN KEY ("tenant_id","family") REFERENCES "public"."comparison_families"("tenant_id","name") ON DELETE no action ON UPDATE no action,
	CONSTRAINT "model_comparisons_baseline_fk" FOREIGN KEY ("tenant_id","baseline_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action,
	CONSTRAINT "model_comparisons_candidate_fk" FOREIGN KEY ("tenant_id","candidate_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "threshold_analysis" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"evaluation_id" uuid NOT NULL,
	"threshold" double precision NOT NULL,
	"tp" double precision NOT NULL,
	"fp" double precision NOT NULL,
	"tn" double precision NOT NULL,
	"fn" double precision NOT NULL,
	"precision" double precision,
	"recall" double precision,
	"specificity" double precision,
	"f1" double precision,
	"cost" double precision,
	"best_f1" boolean DEFAULT false NOT NULL,
	"best_youden" boolean DEFAULT false NOT NULL,
	"best_cost" boolean DEFAULT false NOT NULL,
	CONSTRAINT "threshold_analysis_pk" PRIMARY KEY("tenant_id","evaluation_id","threshold"),
	CONSTRAINT "threshold_analysis_tenant_id_check" CHECK ("threshold_analysis"."tenant_id" <> ''),
	CONSTRAINT "threshold_analysis_evaluation_fk" FOREIGN KEY ("tenant_id","evaluation_id") REFERENCES "public"."evaluations"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE INDEX "evaluation_metrics_metric_idx" ON "evaluation_metrics" USING btree ("tenant_id","evaluation_id","metric","value");
--> statement-breakpoint
CREATE INDEX "evaluations_version_idx" ON "evaluations" USING btree ("tenant_id","version_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "evaluations_dataset_idx" ON "evaluations" USING btree ("tenant_id","dataset_digest","version_id","created_at");
--> statement-breakpoint
CREATE INDEX "evaluations_run_idx" ON "evaluations" USING btree ("tenant_id","run_id","id") WHERE "evaluations"."run_id" is not null;
--> statement-breakpoint
CREATE INDEX "evaluations_created_idx" ON "evaluations" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "gate_approvals_version_idx" ON "gate_approvals" USING btree ("tenant_id","version_id","stage","actor","created_at","id");
--> statement-breakpoint
CREATE INDEX "gate_changes_model_idx" ON "gate_changes" USING btree ("tenant_id","model_id","id");
--> statement-breakpoint
CREATE INDEX "gate_decisions_version_idx" ON "gate_decisions" USING btree ("tenant_id","version_id","id");
--> statement-breakpoint
CREATE INDEX "model_comparisons_candidate_idx" ON "model_comparisons" USING btree ("tenant_id","candidate_version_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "model_comparisons_baseline_idx" ON "model_comparisons" USING btree ("tenant_id","baseline_version_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "model_comparisons_pair_idx" ON "model_comparisons" USING btree ("tenant_id","candidate_version_id","baseline_version_id","test","metric","created_at","id");
--> statement-breakpoint
CREATE INDEX "model_comparisons_family_idx" ON "model_comparisons" USING btree ("tenant_id","family","id") WHERE "model_comparisons"."family" is not null;
--> statement-breakpoint
ALTER TABLE "calibration_bins" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "comparison_families" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "confusion_matrices" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "evaluation_metrics" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "evaluations" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "feature_importance" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "gate_approvals" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "gate_changes" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "gate_decisions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "gate_policies" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_comparisons" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "threshold_analysis" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "calibration_bins_tenant_policy" ON "calibration_bins" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "comparison_families_tenant_policy" ON "comparison_families" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "confusion_matrices_tenant_policy" ON "confusion_matrices" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "evaluation_metrics_tenant_policy" ON "evaluation_metrics" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "evaluations_tenant_policy" ON "evaluations" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "feature_importance_tenant_policy" ON "feature_importance" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "gate_approvals_tenant_policy" ON "gate_approvals" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "gate_changes_tenant_policy" ON "gate_changes" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "gate_decisions_tenant_policy" ON "gate_decisions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "gate_policies_tenant_policy" ON "gate_policies" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_comparisons_tenant_policy" ON "model_comparisons" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "threshold_analysis_tenant_policy" ON "threshold_analysis" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "comparison_families" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "comparison_families" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "comparison_families" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "evaluations" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "evaluations" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "evaluations" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "calibration_bins" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "calibration_bins" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "calibration_bins" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "confusion_matrices" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "confusion_matrices" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "confusion_matrices" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "evaluation_metrics" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "evaluation_metrics" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "evaluation_metrics" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "feature_importance" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "feature_importance" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "feature_importance" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "gate_approvals" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "gate_approvals" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "gate_approvals" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "gate_approvals" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "gate_changes" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "gate_changes" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "gate_changes" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "gate_changes" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "gate_decisions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "gate_decisions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "gate_decisions" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "gate_decisions" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "gate_policies" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "gate_policies" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "gate_policies" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "model_comparisons" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "model_comparisons" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_comparisons" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "threshold_analysis" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "threshold_analysis" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "threshold_analysis" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('calibration_bins'),
        ('comparison_families'),
        ('confusion_matrices'),
        ('evaluation_metrics'),
        ('evaluations'),
        ('feature_importance'),
        ('gate_approvals'),
        ('gate_changes'),
        ('gate_decisions'),
        ('gate_policies'),
        ('model_comparisons'),
        ('threshold_analysis')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('calibration_bins', 'calibration_bins_evaluation_fk'),
        ('calibration_bins', 'calibration_bins_pk'),
        ('calibration_bins', 'calibration_bins_tenant_id_check'),
        ('comparison_families', 'comparison_families_correction_check'),
        ('comparison_families', 'comparison_families_pk'),
        ('comparison_families', 'comparison_families_tenant_id_check'),
        ('confusion_matrices', 'confusion_matrices_evaluation_fk'),
        ('confusion_matrices', 'confusion_matrices_pk'),
        ('confusion_matrices', 'confusion_matrices_tenant_id_check'),
        ('evaluation_metrics', 'evaluation_metrics_evaluation_fk'),
        ('evaluation_metrics', 'evaluation_metrics_pk'),
        ('evaluation_metrics', 'evaluation_metrics_reason_check'),
        ('evaluation_metrics', 'evaluation_metrics_tenant_id_check'),
        ('evaluations', 'evaluations_n_check'),
        ('evaluations', 'evaluations_pk'),
        ('evaluations', 'evaluations_run_fk'),
        ('evaluations', 'evaluations_task_check'),
        ('evaluations', 'evaluations_tenant_id_check'),
        ('evaluations', 'evaluations_version_fk'),
        ('feature_importance', 'feature_importance_evaluation_fk'),
        ('feature_importance', 'feature_importance_pk'),
        ('feature_importance', 'feature_importance_tenant_id_check'),
        ('gate_approvals', 'gate_approvals_pk'),
        ('gate_approvals', 'gate_approvals_stage_check'),
        ('gate_approvals', 'gate_approvals_tenant_id_check'),
        ('gate_changes', 'gate_changes_pk'),
        ('gate_changes', 'gate_changes_stage_check'),
        ('gate_changes', 'gate_changes_tenant_id_check'),
        ('gate_decisions', 'gate_decisions_pk'),
        ('gate_decisions', 'gate_decisions_stage_check'),
        ('gate_decisions', 'gate_decisions_tenant_id_check'),
        ('gate_policies', 'gate_policies_name_key'),
        ('gate_policies', 'gate_policies_pk'),
        ('gate_policies', 'gate_policies_stage_check'),
        ('gate_policies', 'gate_policies_tenant_id_check'),
        ('model_comparisons', 'model_comparisons_baseline_fk'),
        ('model_comparisons', 'model_comparisons_candidate_fk'),
        ('model_comparisons', 'model_comparisons_decision_check'),
        ('model_comparisons', 'model_comparisons_family_fk'),
        ('model_comparisons', 'model_comparisons_pk'),
        ('model_comparisons', 'model_comparisons_tenant_id_check'),
        ('model_comparisons', 'model_comparisons_test_check'),
        ('threshold_analysis', 'threshold_analysis_evaluation_fk'),
        ('threshold_analysis', 'threshold_analysis_pk'),
        ('threshold_analysis', 'threshold_analysis_tenant_id_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('evaluation_metrics', 'evaluation_metrics_metric_idx'),
        ('evaluations', 'evaluations_created_idx'),
        ('evaluations', 'evaluations_dataset_idx'),
        ('evaluations', 'evaluations_run_idx'),
        ('evaluations', 'evaluations_version_idx'),
        ('gate_approvals', 'gate_approvals_version_idx'),
        ('gate_changes', 'gate_changes_model_idx'),
        ('gate_decisions', 'gate_decisions_version_idx'),
        ('model_comparisons', 'model_comparisons_baseline_idx'),
        ('model_comparisons', 'model_comparisons_candidate_idx'),
        ('model_comparisons', 'model_comparisons_family_idx'),
        ('model_comparisons', 'model_comparisons_pair_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('calibration_bins', 'calibration_bins_tenant_policy'),
        ('comparison_families', 'comparison_families_tenant_policy'),
        ('confusion_matrices', 'confusion_matrices_tenant_policy'),
        ('evaluation_metrics', 'evaluation_metrics_tenant_policy'),
        ('evaluations', 'evaluations_tenant_policy'),
        ('feature_importance', 'feature_importance_tenant_policy'),
        ('gate_approvals', 'gate_approvals_tenant_policy'),
        ('gate_changes', 'gate_changes_tenant_policy'),
        ('gate_decisions', 'gate_decisions_tenant_policy'),
        ('gate_policies', 'gate_policies_tenant_policy'),
        ('model_comparisons', 'model_comparisons_tenant_policy'),
        ('threshold_analysis', 'threshold_analysis_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('calibration_bins', 'app_tenant', 'delete, insert, select, update'),
        ('comparison_families', 'app_tenant', 'delete, insert, select, update'),
        ('confusion_matrices', 'app_tenant', 'delete, insert, select, update'),
        ('evaluation_metrics', 'app_tenant', 'delete, insert, select, update'),
        ('evaluations', 'app_tenant', 'delete, insert, select, update'),
        ('feature_importance', 'app_tenant', 'delete, insert, select, update'),
        ('gate_policies', 'app_tenant', 'delete, insert, select, update'),
        ('model_comparisons', 'app_tenant', 'delete, insert, select, update'),
        ('threshold_analysis', 'app_tenant', 'delete, insert, select, update'),
        ('gate_approvals', 'app_tenant', 'insert, select'),
        ('gate_changes', 'app_tenant', 'insert, select'),
        ('gate_decisions', 'app_tenant', 'insert, select'),
        ('calibration_bins', 'app_readonly', 'select'),
        ('comparison_families', 'app_readonly', 'select'),
        ('confusion_matrices', 'app_readonly', 'select'),
        ('evaluation_metrics', 'app_readonly', 'select'),
        ('evaluations', 'app_readonly', 'select'),
        ('feature_importance', 'app_readonly', 'select'),
        ('gate_approvals', 'app_readonly', 'select'),
        ('gate_changes', 'app_readonly', 'select'),
        ('gate_decisions', 'app_readonly', 'select'),
        ('gate_policies', 'app_readonly', 'select'),
        ('model_comparisons', 'app_readonly', 'select'),
        ('threshold_analysis', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '007_evaluations.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('007_evaluations.sql') on conflict (migration_name) do nothing;
end
$record$;
