-- 010_monitoring: what @mcp-hub/monitoring keeps. Composed by db:generate: change packages/monitoring, not this file.
-- composed-from: @mcp-hub/monitoring

CREATE TABLE "alert_channels" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"url" text NOT NULL,
	"secret" text NOT NULL,
	"matchers" jsonb NOT NULL,
	"is_enabled" boolean NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "alert_channels_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alert_channels_name_key" UNIQUE("tenant_id","name"),
	CONSTRAINT "alert_channels_tenant_id_check" CHECK ("alert_channels"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "alert_deliveries" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"channel_id" uuid NOT NULL,
	"alert_id" uuid NOT NULL,
	"transition_number" integer NOT NULL,
	"tiding" text NOT NULL,
	"payload" jsonb NOT NULL,
	"status" text NOT NULL,
	"attempts" integer NOT NULL,
	"error_code" text,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "alert_deliveries_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alert_deliveries_tenant_id_check" CHECK ("alert_deliveries"."tenant_id" <> ''),
	CONSTRAINT "alert_deliveries_status_check" CHECK ("alert_deliveries"."status" in ('waiting', 'delivered', 'dead')),
	CONSTRAINT "alert_deliveries_tiding_check" CHECK ("alert_deliveries"."tiding" in ('firing', 'escalated', 'repeated', 'resolved')),
	CONSTRAINT "alert_deliveries_channel_fk" FOREIGN KEY ("tenant_id","channel_id") REFERENCES "public"."alert_channels"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "alert_inhibitions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"source_matchers" jsonb NOT NULL,
	"target_matchers" jsonb NOT NULL,
	"equal" text[] NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "alert_inhibitions_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alert_inhibitions_name_key" UNIQUE("tenant_id","name"),
	CONSTRAINT "alert_inhibitions_tenant_id_check" CHECK ("alert_inhibitions"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "alert_rule_history" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"rule_id" uuid NOT NULL,
	"revision" integer NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"definition" jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "alert_rule_history_pk" PRIMARY KEY("tenant_id","rule_id","revision"),
	CONSTRAINT "alert_rule_history_tenant_id_check" CHECK ("alert_rule_history"."tenant_id" <> ''),
	CONSTRAINT "alert_rule_history_kind_check" CHECK ("alert_rule_history"."kind" in ('created', 'changed', 'enabled', 'disabled', 'removed'))
);
--> statement-breakpoint
CREATE TABLE "alert_rules" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"condition" jsonb NOT NULL,
	"severity" text NOT NULL,
	"labels" jsonb NOT NULL,
	"summary" text,
	"interval_ms" bigint NOT NULL,
	"delay_ms" bigint NOT NULL,
	"for_ms" bigint NOT NULL,
	"keep_firing_for_ms" bigint NOT NULL,
	"cooldown_ms" bigint NOT NULL,
	"repeat_ms" bigint,
	"missing_data" text NOT NULL,
	"is_enabled" boolean NOT NULL,
	"revision" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "alert_rules_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alert_rules_name_key" UNIQUE("tenant_id","name"),
	CONSTRAINT "alert_rules_tenant_id_check" CHECK ("alert_rules"."tenant_id" <> ''),
	CONSTRAINT "alert_rules_severity_check" CHECK ("alert_rules"."severity" in ('info', 'warning', 'critical')),
	CONSTRAINT "alert_rules_missing_data_check" CHECK ("alert_rules"."missing_data" in ('keep', 'alert', 'resolve')),
	CONSTRAINT "alert_rules_interval_ms_check" CHECK ("alert_rules"."interval_ms" between 1000 and 86400000),
	CONSTRAINT "alert_rules_lengths_check" CHECK (least("alert_rules"."delay_ms", "alert_rules"."for_ms", "alert_rules"."keep_firing_for_ms", "alert_rules"."cooldown_ms") >= 0
          and greatest("alert_rules"."delay_ms", "alert_rules"."for_ms", "alert_rules"."keep_firing_for_ms", "alert_rules"."cooldown_ms", "alert_rules"."repeat_ms") <= 2678400000
          and "alert_rules"."repeat_ms" > 0),
	CONSTRAINT "alert_rules_revision_check" CHECK ("alert_rules"."revision" >= 1)
);
--> statement-breakpoint
CREATE TABLE "alert_rule_clocks" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"rule_id" uuid NOT NULL,
	"evaluated_at" timestamp (3) with time zone,
	"error_code" text,
	CONSTRAINT "alert_rule_clocks_pk" PRIMARY KEY("tenant_id","rule_id"),
	CONSTRAINT "alert_rule_clocks_tenant_id_check" CHECK ("alert_rule_clocks"."tenant_id" <> ''),
	CONSTRAINT "alert_rule_clocks_rule_fk" FOREIGN KEY ("tenant_id","rule_id") REFERENCES "public"."alert_rules"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "alert_setting_events" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"subject" text NOT NULL,
	"subject_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"facts" jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "alert_setting_events_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alert_setting_events_tenant_id_check" CHECK ("alert_setting_events"."tenant_id" <> ''),
	CONSTRAINT "alert_setting_events_subject_check" CHECK ("alert_setting_events"."subject" in ('silence', 'inhibition', 'channel')),
	CONSTRAINT "alert_setting_events_kind_check" CHECK ("alert_setting_events"."kind" in ('created', 'changed', 'expired', 'removed'))
);
--> statement-breakpoint
CREATE TABLE "alert_silences" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"matchers" jsonb NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL,
	"comment" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "alert_silences_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alert_silences_tenant_id_check" CHECK ("alert_silences"."tenant_id" <> ''),
	CONSTRAINT "alert_silences_times_check" CHECK ("alert_silences"."ends_at" >= "alert_silences"."starts_at" and isfinite("alert_silences"."ends_at"))
);
--> statement-breakpoint
CREATE TABLE "monitoring_alert_transitions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"alert_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"value" double precision,
	"severity" text NOT NULL,
	"reason" text,
	"tiding" text,
	"cooldown_until" timestamp (3) with time zone,
	"comment" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "monitoring_alert_transitions_pk" PRIMARY KEY("tenant_id","alert_id","number"),
	CONSTRAINT "monitoring_alert_transitions_tenant_id_check" CHECK ("monitoring_alert_transitions"."tenant_id" <> ''),
	CONSTRAINT "monitoring_alert_transitions_kind_check" CHECK ("monitoring_alert_transitions"."kind" in ('opened', 'fired', 'keeping', 'relapsed', 'escalated', 'acknowledged', 'resolved', 'suppressed', 'unsuppressed', 'told'))
);
--> statement-breakpoint
CREATE TABLE "monitoring_alerts" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"fingerprint" uuid NOT NULL,
	"rule_id" uuid NOT NULL,
	"rule_name" text NOT NULL,
	"labels" jsonb NOT NULL,
	"status" text NOT NULL,
	"severity" text NOT NULL,
	"value" double precision,
	"active_at" timestamp (3) with time zone NOT NULL,
	"fired_at" timestamp (3) with time zone,
	"kept_since" timestamp (3) with time zone,
	"acknowledged_at" timestamp (3) with time zone,
	"resolved_at" timestamp (3) with time zone,
	"cooldown_until" timestamp (3) with time zone,
	"suppressed_count" integer NOT NULL,
	"is_suppressing" boolean NOT NULL,
	"known_severity" text,
	"told_at" timestamp (3) with time zone,
	"owes_resolution" boolean NOT NULL,
	"watched_until" timestamp (3) with time zone,
	"transition_number" integer NOT NULL,
	CONSTRAINT "monitoring_alerts_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "monitoring_alerts_tenant_id_check" CHECK ("monitoring_alerts"."tenant_id" <> ''),
	CONSTRAINT "monitoring_alerts_status_check" CHECK ("monitoring_alerts"."status" in ('pending', 'firing', 'acknowledged', 'resolved')),
	CONSTRAINT "monitoring_alerts_severity_check" CHECK ("monitoring_alerts"."severity" in ('info', 'warning', 'critical')),
	CONSTRAINT "monitoring_alerts_resolved_at_check" CHECK (("monitoring_alerts"."status" = 'resolved') = ("monitoring_alerts"."resolved_at" is not null)),
	CONSTRAINT "monitoring_alerts_watched_until_check" CHECK ("monitoring_alerts"."status" = 'resolved' or "monitoring_alerts"."watched_until" = 'infinity')
);
--> statement-breakpoint
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
CREATE INDEX "alert_deliveries_waiting_idx" ON "alert_deliveries" USING btree ("tenant_id","channel_id","id") WHERE status = 'waiting';
--> statement-breakpoint
CREATE INDEX "alert_deliveries_alert_idx" ON "alert_deliveries" USING btree ("tenant_id","alert_id","channel_id","transition_number");
--> statement-breakpoint
CREATE INDEX "alert_deliveries_channel_idx" ON "alert_deliveries" USING btree ("tenant_id","channel_id","id");
--> statement-breakpoint
CREATE INDEX "alert_setting_events_subject_idx" ON "alert_setting_events" USING btree ("tenant_id","subject_id","id");
--> statement-breakpoint
CREATE INDEX "alert_silences_ends_idx" ON "alert_silences" USING btree ("tenant_id","ends_at","id");
--> statement-breakpoint
CREATE INDEX "data_drift_version_idx" ON "data_drift" USING btree ("tenant_id","model_version_id","to_day","field","name");
--> statement-breakpoint
CREATE UNIQUE INDEX "monitoring_alerts_open_key" ON "monitoring_alerts" USING btree ("tenant_id","fingerprint") WHERE status in ('pending', 'firing', 'acknowledged');
--> statement-breakpoint
CREATE INDEX "monitoring_alerts_watched_idx" ON "monitoring_alerts" USING btree ("tenant_id","rule_id","watched_until") WHERE watched_until is not null;
--> statement-breakpoint
CREATE INDEX "monitoring_alerts_firing_idx" ON "monitoring_alerts" USING btree ("tenant_id","id") WHERE status in ('firing', 'acknowledged');
--> statement-breakpoint
CREATE INDEX "monitoring_alerts_active_idx" ON "monitoring_alerts" USING btree ("tenant_id","active_at","id");
--> statement-breakpoint
CREATE INDEX "monitoring_alerts_rule_idx" ON "monitoring_alerts" USING btree ("tenant_id","rule_id","active_at","id");
--> statement-breakpoint
CREATE INDEX "monitoring_drift_checks_version_idx" ON "monitoring_drift_checks" USING btree ("tenant_id","model_version_id","to_day","id");
--> statement-breakpoint
CREATE INDEX "monitoring_drift_checks_baseline_idx" ON "monitoring_drift_checks" USING btree ("tenant_id","baseline_id");
--> statement-breakpoint
CREATE INDEX "performance_drift_version_idx" ON "performance_drift" USING btree ("tenant_id","model_version_id","metric","to_day","id");
--> statement-breakpoint
CREATE INDEX "performance_drift_evaluation_idx" ON "performance_drift" USING btree ("tenant_id","evaluation_id");
--> statement-breakpoint
ALTER TABLE "alert_channels" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_deliveries" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_inhibitions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_rule_clocks" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_rule_history" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_rules" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_setting_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "alert_silences" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "data_drift" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "monitoring_alert_transitions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "monitoring_alerts" ENABLE ROW LEVEL SECURITY;
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
CREATE POLICY "alert_channels_tenant_policy" ON "alert_channels" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_deliveries_tenant_policy" ON "alert_deliveries" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_inhibitions_tenant_policy" ON "alert_inhibitions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_rule_clocks_tenant_policy" ON "alert_rule_clocks" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_rule_history_tenant_policy" ON "alert_rule_history" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_rules_tenant_policy" ON "alert_rules" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_setting_events_tenant_policy" ON "alert_setting_events" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "alert_silences_tenant_policy" ON "alert_silences" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "data_drift_tenant_policy" ON "data_drift" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "monitoring_alert_transitions_tenant_policy" ON "monitoring_alert_transitions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "monitoring_alerts_tenant_policy" ON "monitoring_alerts" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
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
ALTER TABLE "alert_channels" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_channels" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_channels" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "alert_deliveries" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_deliveries" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_deliveries" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "alert_inhibitions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_inhibitions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_inhibitions" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "alert_rule_history" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "alert_rule_history" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_rule_history" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "alert_rule_history" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "alert_rules" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_rules" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_rules" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "alert_rule_clocks" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_rule_clocks" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_rule_clocks" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "alert_setting_events" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "alert_setting_events" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_setting_events" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "alert_setting_events" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "alert_silences" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_silences" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "alert_silences" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "monitoring_alert_transitions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "monitoring_alert_transitions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_alert_transitions" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "monitoring_alert_transitions" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "monitoring_alerts" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "monitoring_alerts" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "monitoring_alerts" TO app_readonly;
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
        ('alert_channels'),
        ('alert_deliveries'),
        ('alert_inhibitions'),
        ('alert_rule_clocks'),
        ('alert_rule_history'),
        ('alert_rules'),
        ('alert_setting_events'),
        ('alert_silences'),
        ('data_drift'),
        ('monitoring_alert_transitions'),
        ('monitoring_alerts'),
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
        ('alert_channels', 'alert_channels_name_key'),
        ('alert_channels', 'alert_channels_pk'),
        ('alert_channels', 'alert_channels_tenant_id_check'),
        ('alert_deliveries', 'alert_deliveries_channel_fk'),
        ('alert_deliveries', 'alert_deliveries_pk'),
        ('alert_deliveries', 'alert_deliveries_status_check'),
        ('alert_deliveries', 'alert_deliveries_tenant_id_check'),
        ('alert_deliveries', 'alert_deliveries_tiding_check'),
        ('alert_inhibitions', 'alert_inhibitions_name_key'),
        ('alert_inhibitions', 'alert_inhibitions_pk'),
        ('alert_inhibitions', 'alert_inhibitions_tenant_id_check'),
        ('alert_rule_clocks', 'alert_rule_clocks_pk'),
        ('alert_rule_clocks', 'alert_rule_clocks_rule_fk'),
        ('alert_rule_clocks', 'alert_rule_clocks_tenant_id_check'),
        ('alert_rule_history', 'alert_rule_history_kind_check'),
        ('alert_rule_history', 'alert_rule_history_pk'),
        ('alert_rule_history', 'alert_rule_history_tenant_id_check'),
        ('alert_rules', 'alert_rules_interval_ms_check'),
        ('alert_rules', 'alert_rules_lengths_check'),
        ('alert_rules', 'alert_rules_missing_data_check'),
        ('alert_rules', 'alert_rules_name_key'),
        ('alert_rules', 'alert_rules_pk'),
        ('alert_rules', 'alert_rules_revision_check'),
        ('alert_rules', 'alert_rules_severity_check'),
        ('alert_rules', 'alert_rules_tenant_id_check'),
        ('alert_setting_events', 'alert_setting_events_kind_check'),
        ('alert_setting_events', 'alert_setting_events_pk'),
        ('alert_setting_events', 'alert_setting_events_subject_check'),
        ('alert_setting_events', 'alert_setting_events_tenant_id_check'),
        ('alert_silences', 'alert_silences_pk'),
        ('alert_silences', 'alert_silences_tenant_id_check'),
        ('alert_silences', 'alert_silences_times_check'),
        ('data_drift', 'data_drift_check_fk'),
        ('data_drift', 'data_drift_field_check'),
        ('data_drift', 'data_drift_pk'),
        ('data_drift', 'data_drift_reason_check'),
        ('data_drift', 'data_drift_result_check'),
        ('data_drift', 'data_drift_tenant_id_check'),
        ('data_drift', 'data_drift_test_check'),
        ('data_drift', 'data_drift_test_key'),
        ('data_drift', 'data_drift_verdict_check'),
        ('monitoring_alert_transitions', 'monitoring_alert_transitions_kind_check'),
        ('monitoring_alert_transitions', 'monitoring_alert_transitions_pk'),
        ('monitoring_alert_transitions', 'monitoring_alert_transitions_tenant_id_check'),
        ('monitoring_alerts', 'monitoring_alerts_pk'),
        ('monitoring_alerts', 'monitoring_alerts_resolved_at_check'),
        ('monitoring_alerts', 'monitoring_alerts_severity_check'),
        ('monitoring_alerts', 'monitoring_alerts_status_check'),
        ('monitoring_alerts', 'monitoring_alerts_tenant_id_check'),
        ('monitoring_alerts', 'monitoring_alerts_watched_until_check'),
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
        ('alert_deliveries', 'alert_deliveries_alert_idx'),
        ('alert_deliveries', 'alert_deliveries_channel_idx'),
        ('alert_deliveries', 'alert_deliveries_waiting_idx'),
        ('alert_setting_events', 'alert_setting_events_subject_idx'),
        ('alert_silences', 'alert_silences_ends_idx'),
        ('data_drift', 'data_drift_version_idx'),
        ('monitoring_alerts', 'monitoring_alerts_active_idx'),
        ('monitoring_alerts', 'monitoring_alerts_firing_idx'),
        ('monitoring_alerts', 'monitoring_alerts_open_key'),
        ('monitoring_alerts', 'monitoring_alerts_rule_idx'),
        ('monitoring_alerts', 'monitoring_alerts_watched_idx'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_baseline_idx'),
        ('monitoring_drift_checks', 'monitoring_drift_checks_version_idx'),
        ('performance_drift', 'performance_drift_evaluation_idx'),
        ('performance_drift', 'performance_drift_version_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('alert_channels', 'alert_channels_tenant_policy'),
        ('alert_deliveries', 'alert_deliveries_tenant_policy'),
        ('alert_inhibitions', 'alert_inhibitions_tenant_policy'),
        ('alert_rule_clocks', 'alert_rule_clocks_tenant_policy'),
        ('alert_rule_history', 'alert_rule_history_tenant_policy'),
        ('alert_rules', 'alert_rules_tenant_policy'),
        ('alert_setting_events', 'alert_setting_events_tenant_policy'),
        ('alert_silences', 'alert_silences_tenant_policy'),
        ('data_drift', 'data_drift_tenant_policy'),
        ('monitoring_alert_transitions', 'monitoring_alert_transitions_tenant_policy'),
        ('monitoring_alerts', 'monitoring_alerts_tenant_policy'),
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
        ('alert_channels', 'app_tenant', 'delete, insert, select, update'),
        ('alert_deliveries', 'app_tenant', 'delete, insert, select, update'),
        ('alert_inhibitions', 'app_tenant', 'delete, insert, select, update'),
        ('alert_rule_clocks', 'app_tenant', 'delete, insert, select, update'),
        ('alert_rules', 'app_tenant', 'delete, insert, select, update'),
        ('alert_silences', 'app_tenant', 'delete, insert, select, update'),
        ('data_drift', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_alerts', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_baseline_fields', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_baselines', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_drift_checks', 'app_tenant', 'delete, insert, select, update'),
        ('monitoring_profiles', 'app_tenant', 'delete, insert, select, update'),
        ('performance_drift', 'app_tenant', 'delete, insert, select, update'),
        ('alert_rule_history', 'app_tenant', 'insert, select'),
        ('alert_setting_events', 'app_tenant', 'insert, select'),
        ('monitoring_alert_transitions', 'app_tenant', 'insert, select'),
        ('alert_channels', 'app_readonly', 'select'),
        ('alert_deliveries', 'app_readonly', 'select'),
        ('alert_inhibitions', 'app_readonly', 'select'),
        ('alert_rule_clocks', 'app_readonly', 'select'),
        ('alert_rule_history', 'app_readonly', 'select'),
        ('alert_rules', 'app_readonly', 'select'),
        ('alert_setting_events', 'app_readonly', 'select'),
        ('alert_silences', 'app_readonly', 'select'),
        ('data_drift', 'app_readonly', 'select'),
        ('monitoring_alert_transitions', 'app_readonly', 'select'),
        ('monitoring_alerts', 'app_readonly', 'select'),
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
