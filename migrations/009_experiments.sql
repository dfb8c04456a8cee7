-- 009_experiments: what @mcp-hub/experiments keeps. Composed by db:generate: change packages/experiments, not this file.
-- composed-from: @mcp-hub/experiments

-- FNV-1a of 32 bits over the UTF-16 code units of a text, as JavaScript has them: a character beyond U+FFFF is two. The
-- database has to be UTF8, as ascii() gives the code point only there.
--
-- Four bytes of ASCII an assignment, because what costs is the statement and not the arithmetic: a hash of version 2 of 27
-- characters takes 7 us so, 13 us one character at a time, 11 us from bytes decoded by hand, 118 us by a recursive query and
-- 242 us by an aggregate over the characters (PostgreSQL 18).
create or replace function app_ab_fnv(given text) returns bigint
language plpgsql immutable strict parallel safe
as $$
declare
  bytes     constant bytea := pg_catalog.convert_to(given, 'UTF8');
  size      constant int   := pg_catalog.length(bytes);
  place     int    := 0;
  hash      bigint := 2166136261;
  code      bigint;
  character text;
begin
  if size = pg_catalog.length(given) then
    while place + 4 <= size loop
      hash := (((((((hash
              # pg_catalog.get_byte(bytes, place))     * 16777619 & 4294967295)
              # pg_catalog.get_byte(bytes, place + 1)) * 16777619 & 4294967295)
              # pg_catalog.get_byte(bytes, place + 2)) * 16777619 & 4294967295)
              # pg_catalog.get_byte(bytes, place + 3)) * 16777619 & 4294967295;
      place := place + 4;
    end loop;
    while place < size loop
      hash  := (hash # pg_catalog.get_byte(bytes, place)) * 16777619 & 4294967295;
      place := place + 1;
    end loop;
    return hash;
  end if;
  foreach character in array pg_catalog.string_to_array(given, null) loop
    code := pg_catalog.ascii(character);
    if code > 65535 then
      hash := (hash # (55296 + ((code - 65536) >> 10))) * 16777619 & 4294967295;
      code := 56320 + ((code - 65536) & 1023);
    end if;
    hash := (hash # code) * 16777619 & 4294967295;
  end loop;
  return hash;
end
$$;
--> statement-breakpoint
-- The place of a unit in [0, 1): hashUnit of @mcp-hub/stats, bit for bit.
create or replace function app_ab_hash(seed text, unit text, version int) returns double precision
language plpgsql immutable strict parallel safe
as $$
begin
  case version
    when 1 then
      return (app_ab_fnv(unit || seed) % 1000) / 1000::double precision;
    when 2 then
      return (app_ab_fnv(app_ab_fnv(seed || unit)::text) % 10000) / 10000::double precision;
    else
      raise exception using
        errcode = 'invalid_parameter_value',
        message = 'The version of a hash must be 1 or 2.';
  end case;
end
$$;
--> statement-breakpoint
CREATE TABLE "ab_assignments" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"unit" text NOT NULL,
	"variant_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"forced" boolean DEFAULT false NOT NULL,
	"assigned_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"written_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	CONSTRAINT "ab_assignments_pk" PRIMARY KEY("tenant_id","experiment_id","unit"),
	CONSTRAINT "ab_assignments_tenant_id_check" CHECK ("ab_assignments"."tenant_id" <> ''),
	CONSTRAINT "ab_assignments_unit_check" CHECK (length("ab_assignments"."unit") between 1 and 256)
);
--> statement-breakpoint
CREATE TABLE "ab_decisions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"experiment_id" uuid NOT NULL,
	"experiment_key" text NOT NULL,
	"snapshot_id" uuid NOT NULL,
	"snapshot_number" integer NOT NULL,
	"looks" integer NOT NULL,
	"is_over" boolean NOT NULL,
	"code_version" integer NOT NULL,
	"verdict" text NOT NULL,
	"variant_id" uuid,
	"variant_key" text,
	"reasons" jsonb NOT NULL,
	"treatments" jsonb NOT NULL,
	"note" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_decisions_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_decisions_tenant_id_check" CHECK ("ab_decisions"."tenant_id" <> ''),
	CONSTRAINT "ab_decisions_verdict_check" CHECK ("ab_decisions"."verdict" in ('ship', 'keep', 'stop', 'continue'))
);
--> statement-breakpoint
CREATE TABLE "ab_experiment_events" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"change_number" integer NOT NULL,
	"kind" text NOT NULL,
	"experiment_key" text NOT NULL,
	"from_status" text,
	"to_status" text,
	"reason" text,
	"detail" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_experiment_events_pk" PRIMARY KEY("tenant_id","experiment_id","change_number"),
	CONSTRAINT "ab_experiment_events_tenant_id_check" CHECK ("ab_experiment_events"."tenant_id" <> ''),
	CONSTRAINT "ab_experiment_events_kind_check" CHECK ("ab_experiment_events"."kind" in ('created', 'updated', 'started', 'paused', 'resumed', 'stopped', 'archived', 'reallocated', 'reseeded', 'deleted', 'assignment_forced', 'assignment_unforced'))
);
--> statement-breakpoint
CREATE TABLE "ab_exposure_transitions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"unit" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"variant_id" uuid NOT NULL,
	CONSTRAINT "ab_exposure_transitions_pk" PRIMARY KEY("tenant_id","experiment_id","unit","at","variant_id"),
	CONSTRAINT "ab_exposure_transitions_tenant_id_check" CHECK ("ab_exposure_transitions"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "ab_exposures" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"unit" text NOT NULL,
	"variant_id" uuid NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	"count" integer DEFAULT 1 NOT NULL,
	"slices" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"written_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	CONSTRAINT "ab_exposures_pk" PRIMARY KEY("tenant_id","experiment_id","unit","variant_id"),
	CONSTRAINT "ab_exposures_tenant_id_check" CHECK ("ab_exposures"."tenant_id" <> ''),
	CONSTRAINT "ab_exposures_unit_check" CHECK (length("ab_exposures"."unit") between 1 and 256),
	CONSTRAINT "ab_exposures_count_check" CHECK ("ab_exposures"."count" > 0 and "ab_exposures"."first_at" <= "ab_exposures"."last_at"),
	CONSTRAINT "ab_exposures_first_at_check" CHECK ("ab_exposures"."first_at" >= '2000-01-01Z' and "ab_exposures"."last_at" < '2100-01-01Z'),
	CONSTRAINT "ab_exposures_slices_check" CHECK (jsonb_typeof("ab_exposures"."slices") = 'object')
);
--> statement-breakpoint
CREATE TABLE "ab_holdouts" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"key" text NOT NULL,
	"seed" text NOT NULL,
	"share" double precision NOT NULL,
	"description" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_holdouts_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_holdouts_key_key" UNIQUE("tenant_id","key"),
	CONSTRAINT "ab_holdouts_tenant_id_check" CHECK ("ab_holdouts"."tenant_id" <> ''),
	CONSTRAINT "ab_holdouts_key_check" CHECK (length("ab_holdouts"."key") between 1 and 100),
	CONSTRAINT "ab_holdouts_seed_check" CHECK (length("ab_holdouts"."seed") between 1 and 256),
	CONSTRAINT "ab_holdouts_share_check" CHECK ("ab_holdouts"."share" > 0 and "ab_holdouts"."share" < 1)
);
--> statement-breakpoint
CREATE TABLE "ab_layers" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"key" text NOT NULL,
	"seed" text NOT NULL,
	"description" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_layers_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_layers_key_key" UNIQUE("tenant_id","key"),
	CONSTRAINT "ab_layers_tenant_id_check" CHECK ("ab_layers"."tenant_id" <> ''),
	CONSTRAINT "ab_layers_key_check" CHECK (length("ab_layers"."key") between 1 and 100),
	CONSTRAINT "ab_layers_seed_check" CHECK (length("ab_layers"."seed") between 1 and 256)
);
--> statement-breakpoint
CREATE TABLE "ab_experiments" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"key" text NOT NULL,
	"hypothesis" text NOT NULL,
	"status" text DEFAULT 'draft' NOT NULL,
	"seed" text NOT NULL,
	"hash_version" smallint DEFAULT 2 NOT NULL,
	"targeting" jsonb,
	"layer_id" uuid,
	"layer_start" double precision,
	"layer_end" double precision,
	"test" text DEFAULT 'sequential' NOT NULL,
	"alpha" double precision DEFAULT 0.05 NOT NULL,
	"correction" text DEFAULT 'holm' NOT NULL,
	"planned_units" integer DEFAULT 5000 NOT NULL,
	"minimum_units" integer DEFAULT 150 NOT NULL,
	"epoch" integer DEFAULT 1 NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"last_change_number" integer DEFAULT 0 NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"stopped_at" timestamp (3) with time zone,
	CONSTRAINT "ab_experiments_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_experiments_key_key" UNIQUE("tenant_id","key"),
	CONSTRAINT "ab_experiments_tenant_id_check" CHECK ("ab_experiments"."tenant_id" <> ''),
	CONSTRAINT "ab_experiments_key_check" CHECK (length("ab_experiments"."key") between 1 and 100),
	CONSTRAINT "ab_experiments_seed_check" CHECK (length("ab_experiments"."seed") between 1 and 256),
	CONSTRAINT "ab_experiments_hypothesis_check" CHECK (length("ab_experiments"."hypothesis") between 1 and 4000),
	CONSTRAINT "ab_experiments_hash_version_check" CHECK ("ab_experiments"."hash_version" in (1, 2)),
	CONSTRAINT "ab_experiments_alpha_check" CHECK ("ab_experiments"."alpha" > 0 and "ab_experiments"."alpha" < 1),
	CONSTRAINT "ab_experiments_minimum_units_check" CHECK ("ab_experiments"."minimum_units" >= 2 and "ab_experiments"."planned_units" >= 2),
	CONSTRAINT "ab_experiments_layer_check" CHECK (case when "ab_experiments"."layer_id" is null then "ab_experiments"."layer_start" is null and "ab_experiments"."layer_end" is null
          else "ab_experiments"."layer_start" >= 0 and "ab_experiments"."layer_start" < "ab_experiments"."layer_end" and "ab_experiments"."layer_end" <= 1 end),
	CONSTRAINT "ab_experiments_status_check" CHECK ("ab_experiments"."status" in ('draft', 'running', 'paused', 'stopped', 'archived')),
	CONSTRAINT "ab_experiments_test_check" CHECK ("ab_experiments"."test" in ('fixed', 'sequential')),
	CONSTRAINT "ab_experiments_correction_check" CHECK ("ab_experiments"."correction" in ('none', 'holm', 'benjamini_hochberg')),
	CONSTRAINT "ab_experiments_layer_fk" FOREIGN KEY ("tenant_id","layer_id") REFERENCES "public"."ab_layers"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_allocations" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"seed" text NOT NULL,
	"hash_version" smallint NOT NULL,
	"coverage" double precision NOT NULL,
	"weights" double precision[] NOT NULL,
	"ranges" jsonb NOT NULL,
	"sdk_compatible" boolean NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_allocations_pk" PRIMARY KEY("tenant_id","experiment_id","epoch"),
	CONSTRAINT "ab_allocations_tenant_id_check" CHECK ("ab_allocations"."tenant_id" <> ''),
	CONSTRAINT "ab_allocations_coverage_check" CHECK ("ab_allocations"."coverage" between 0 and 1),
	CONSTRAINT "ab_allocations_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."ab_experiments"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_analysis_snapshots" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"experiment_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"look" integer NOT NULL,
	"as_of" timestamp (3) with time zone NOT NULL,
	"revision" integer NOT NULL,
	"code_version" integer NOT NULL,
	"definition" jsonb NOT NULL,
	"input" jsonb NOT NULL,
	"input_hash" text NOT NULL,
	"analysis_hash" text NOT NULL,
	"units" bigint NOT NULL,
	"multiple_units" bigint NOT NULL,
	"forced_units" bigint NOT NULL,
	"exposed_before_assignment" bigint NOT NULL,
	"outcomes" bigint NOT NULL,
	"health" jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"taken_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_analysis_snapshots_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_analysis_snapshots_number_key" UNIQUE("tenant_id","experiment_id","number"),
	CONSTRAINT "ab_analysis_snapshots_tenant_id_check" CHECK ("ab_analysis_snapshots"."tenant_id" <> ''),
	CONSTRAINT "ab_analysis_snapshots_look_check" CHECK ("ab_analysis_snapshots"."look" between 1 and "ab_analysis_snapshots"."number"),
	CONSTRAINT "ab_analysis_snapshots_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."ab_experiments"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_holdout_experiments" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"holdout_id" uuid NOT NULL,
	CONSTRAINT "ab_holdout_experiments_pk" PRIMARY KEY("tenant_id","experiment_id","holdout_id"),
	CONSTRAINT "ab_holdout_experiments_tenant_id_check" CHECK ("ab_holdout_experiments"."tenant_id" <> ''),
	CONSTRAINT "ab_holdout_experiments_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."ab_experiments"("tenant_id","id") ON DELETE cascade ON UPDATE no action,
	CONSTRAINT "ab_holdout_experiments_holdout_fk" FOREIGN KEY ("tenant_id","holdout_id") REFERENCES "public"."ab_holdouts"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_metrics" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"experiment_id" uuid NOT NULL,
	"key" text NOT NULL,
	"position" smallint NOT NULL,
	"role" text NOT NULL,
	"kind" text NOT NULL,
	"outcome" text NOT NULL,
	"denominator" text,
	"quantile" double precision,
	"direction" text DEFAULT 'increase' NOT NULL,
	"minimum_effect" double precision,
	"alpha" double precision,
	"delay_ms" bigint DEFAULT 0 NOT NULL,
	"window_ms" bigint,
	"cuped_ms" bigint,
	CONSTRAINT "ab_metrics_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_metrics_key_key" UNIQUE("tenant_id","experiment_id","key"),
	CONSTRAINT "ab_metrics_tenant_id_check" CHECK ("ab_metrics"."tenant_id" <> ''),
	CONSTRAINT "ab_metrics_key_check" CHECK (length("ab_metrics"."key") between 1 and 100),
	CONSTRAINT "ab_metrics_outcome_check" CHECK (length("ab_metrics"."outcome") between 1 and 250),
	CONSTRAINT "ab_metrics_denominator_check" CHECK (("ab_metrics"."denominator" is not null) = ("ab_metrics"."kind" = 'ratio') and length("ab_metrics"."denominator") between 1 and 250),
	CONSTRAINT "ab_metrics_quantile_check" CHECK (("ab_metrics"."quantile" is not null) = ("ab_metrics"."kind" = 'quantile') and "ab_metrics"."quantile" > 0 and "ab_metrics"."quantile" < 1),
	CONSTRAINT "ab_metrics_judged_check" CHECK ("ab_metrics"."alpha" > 0 and "ab_metrics"."alpha" < 1 and "ab_metrics"."minimum_effect" > 0),
	CONSTRAINT "ab_metrics_window_check" CHECK ("ab_metrics"."delay_ms" >= 0 and "ab_metrics"."window_ms" > 0 and "ab_metrics"."cuped_ms" > 0),
	CONSTRAINT "ab_metrics_role_check" CHECK ("ab_metrics"."role" in ('primary', 'secondary', 'guardrail')),
	CONSTRAINT "ab_metrics_kind_check" CHECK ("ab_metrics"."kind" in ('mean', 'proportion', 'ratio', 'quantile')),
	CONSTRAINT "ab_metrics_direction_check" CHECK ("ab_metrics"."direction" in ('increase', 'decrease')),
	CONSTRAINT "ab_metrics_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."ab_experiments"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_outcomes" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"outcome" text NOT NULL,
	"unit" text NOT NULL,
	"value" double precision DEFAULT 1 NOT NULL,
	"occurred_at" timestamp (3) with time zone GENERATED ALWAYS AS (to_timestamp(('x' || encode(substring(uuid_send(id) from 1 for 6), 'hex'))::bit(48)::bigint / 1000::float8)) STORED NOT NULL,
	"written_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	CONSTRAINT "ab_outcomes_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_outcomes_tenant_id_check" CHECK ("ab_outcomes"."tenant_id" <> ''),
	CONSTRAINT "ab_outcomes_occurred_at_check" CHECK (get_byte(uuid_send("ab_outcomes"."id"), 6) >> 4 = 7 and "ab_outcomes"."occurred_at" >= '2000-01-01Z' and "ab_outcomes"."occurred_at" < '2100-01-01Z'),
	CONSTRAINT "ab_outcomes_outcome_check" CHECK (length("ab_outcomes"."outcome") between 1 and 250),
	CONSTRAINT "ab_outcomes_unit_check" CHECK (length("ab_outcomes"."unit") between 1 and 256),
	CONSTRAINT "ab_outcomes_value_check" CHECK ("ab_outcomes"."value" between -1e140 and 1e140)
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "ab_outcomes_default" PARTITION OF "ab_outcomes" DEFAULT;
--> statement-breakpoint
ALTER TABLE "ab_outcomes_default" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_outcomes_default" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE TABLE "ab_snapshot_pins" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"change_number" integer NOT NULL,
	"snapshot_id" uuid,
	"reason" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "ab_snapshot_pins_pk" PRIMARY KEY("tenant_id","experiment_id","change_number"),
	CONSTRAINT "ab_snapshot_pins_tenant_id_check" CHECK ("ab_snapshot_pins"."tenant_id" <> ''),
	CONSTRAINT "ab_snapshot_pins_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."ab_experiments"("tenant_id","id") ON DELETE cascade ON UPDATE no action,
	CONSTRAINT "ab_snapshot_pins_snapshot_fk" FOREIGN KEY ("tenant_id","snapshot_id") REFERENCES "public"."ab_analysis_snapshots"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_snapshot_results" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"snapshot_id" uuid NOT NULL,
	"metric_id" uuid NOT NULL,
	"variant_id" uuid NOT NULL,
	"dimension" text DEFAULT '' NOT NULL,
	"value" text DEFAULT '' NOT NULL,
	"position" integer NOT NULL,
	"metric_key" text NOT NULL,
	"variant_key" text NOT NULL,
	"role" text NOT NULL,
	"kind" text NOT NULL,
	"is_control" boolean NOT NULL,
	"n" bigint NOT NULL,
	"non_zero" bigint NOT NULL,
	"mean" double precision,
	"variance" double precision,
	"absolute_estimate" double precision,
	"absolute_standard_error" double precision,
	"absolute_degrees_of_freedom" double precision,
	"absolute_lower" double precision,
	"absolute_upper" double precision,
	"absolute_p" double precision,
	"absolute_valid_lower" double precision,
	"absolute_valid_upper" double precision,
	"absolute_valid_p" double precision,
	"absolute_reason" text,
	"relative_estimate" double precision,
	"relative_standard_error" double precision,
	"relative_degrees_of_freedom" double precision,
	"relative_lower" double precision,
	"relative_upper" double precision,
	"relative_p" double precision,
	"relative_valid_lower" double precision,
	"relative_valid_upper" double precision,
	"relative_valid_p" double precision,
	"relative_reason" text,
	"adjusted_p" double precision,
	"adjusted_valid_p" double precision,
	"chance_to_win" double precision,
	"risk_of_control" double precision,
	"risk_of_treatment" double precision,
	"theta" double precision,
	"unadjusted" jsonb,
	"reason" text,
	CONSTRAINT "ab_snapshot_results_pk" PRIMARY KEY("tenant_id","snapshot_id","metric_id","variant_id","dimension","value"),
	CONSTRAINT "ab_snapshot_results_tenant_id_check" CHECK ("ab_snapshot_results"."tenant_id" <> ''),
	CONSTRAINT "ab_snapshot_results_role_check" CHECK ("ab_snapshot_results"."role" in ('primary', 'secondary', 'guardrail')),
	CONSTRAINT "ab_snapshot_results_kind_check" CHECK ("ab_snapshot_results"."kind" in ('mean', 'proportion', 'ratio', 'quantile')),
	CONSTRAINT "ab_snapshot_results_snapshot_fk" FOREIGN KEY ("tenant_id","snapshot_id") REFERENCES "public"."ab_analysis_snapshots"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "ab_unit_days" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"day" date NOT NULL,
	"epoch" integer NOT NULL,
	"variant_id" uuid NOT NULL,
	"units" bigint NOT NULL,
	"with_several" bigint NOT NULL,
	CONSTRAINT "ab_unit_days_pk" PRIMARY KEY("tenant_id","experiment_id","day","epoch","variant_id"),
	CONSTRAINT "ab_unit_days_tenant_id_check" CHECK ("ab_unit_days"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "ab_unit_refreshes" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"as_of" timestamp (3) with time zone,
	"seen_before" "xid8",
	"cluster" text,
	"definition" text,
	"units" bigint DEFAULT 0 NOT NULL,
	"several" bigint DEFAULT 0 NOT NULL,
	"forced" bigint DEFAULT 0 NOT NULL,
	"early" bigint DEFAULT 0 NOT NULL,
	"outcomes" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "ab_unit_refreshes_pk" PRIMARY KEY("tenant_id","experiment_id"),
	CONSTRAINT "ab_unit_refreshes_tenant_id_check" CHECK ("ab_unit_refreshes"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "ab_unit_sums" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"variant_id" uuid NOT NULL,
	"dimension" text NOT NULL,
	"value" text NOT NULL,
	"place" smallint NOT NULL,
	"observed" bigint NOT NULL,
	"non_zero" bigint NOT NULL,
	"sum_y" numeric NOT NULL,
	"sum_yy" numeric NOT NULL,
	"sum_x" numeric NOT NULL,
	"sum_xx" numeric NOT NULL,
	"sum_xy" numeric NOT NULL,
	CONSTRAINT "ab_unit_sums_pk" PRIMARY KEY("tenant_id","experiment_id","variant_id","dimension","value","place"),
	CONSTRAINT "ab_unit_sums_tenant_id_check" CHECK ("ab_unit_sums"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "ab_units" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"experiment_id" uuid NOT NULL,
	"unit" text NOT NULL,
	"state" text NOT NULL,
	"variant_id" uuid,
	"first_at" timestamp (3) with time zone,
	"epoch" integer,
	"slices" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"seen" jsonb,
	"early" smallint DEFAULT 0 NOT NULL,
	"outcomes" integer DEFAULT 0 NOT NULL,
	"places" smallint[] DEFAULT '{}' NOT NULL,
	"y" numeric[] DEFAULT '{}' NOT NULL,
	"x" numeric[] DEFAULT '{}' NOT NULL,
	"next_at" timestamp (3) with time zone,
	CONSTRAINT "ab_units_pk" PRIMARY KEY("tenant_id","experiment_id","unit"),
	CONSTRAINT "ab_units_tenant_id_check" CHECK ("ab_units"."tenant_id" <> ''),
	CONSTRAINT "ab_units_state_check" CHECK ("ab_units"."state" in ('counted', 'several', 'forced', 'ahead'))
);
--> statement-breakpoint
CREATE TABLE "ab_variants" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"experiment_id" uuid NOT NULL,
	"key" text NOT NULL,
	"position" smallint NOT NULL,
	"is_control" boolean DEFAULT false NOT NULL,
	"model_version_id" uuid,
	"description" text,
	CONSTRAINT "ab_variants_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "ab_variants_key_key" UNIQUE("tenant_id","experiment_id","key"),
	CONSTRAINT "ab_variants_tenant_id_check" CHECK ("ab_variants"."tenant_id" <> ''),
	CONSTRAINT "ab_variants_key_check" CHECK (length("ab_variants"."key") between 1 and 100),
	CONSTRAINT "ab_variants_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."ab_experiments"("tenant_id","id") ON DELETE cascade ON UPDATE no action,
	CONSTRAINT "ab_variants_version_fk" FOREIGN KEY ("tenant_id","model_version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE no action ON UPDATE no action
);
--> statement-breakpoint
CREATE INDEX "ab_assignments_written_idx" ON "ab_assignments" USING btree ("tenant_id","experiment_id","written_by");
--> statement-breakpoint
CREATE INDEX "ab_decisions_experiment_idx" ON "ab_decisions" USING btree ("tenant_id","experiment_id","id");
--> statement-breakpoint
CREATE INDEX "ab_experiments_created_idx" ON "ab_experiments" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "ab_experiments_layer_idx" ON "ab_experiments" USING btree ("tenant_id","layer_id","id");
--> statement-breakpoint
CREATE INDEX "ab_exposures_written_idx" ON "ab_exposures" USING btree ("tenant_id","experiment_id","written_by");
--> statement-breakpoint
CREATE INDEX "ab_holdout_experiments_holdout_idx" ON "ab_holdout_experiments" USING btree ("tenant_id","holdout_id","experiment_id");
--> statement-breakpoint
CREATE INDEX "ab_outcomes_unit_idx" ON "ab_outcomes" USING btree ("tenant_id","unit","id");
--> statement-breakpoint
CREATE INDEX "ab_outcomes_written_idx" ON "ab_outcomes" USING btree ("tenant_id","written_by");
--> statement-breakpoint
CREATE INDEX "ab_snapshot_pins_snapshot_idx" ON "ab_snapshot_pins" USING btree ("tenant_id","snapshot_id") WHERE "ab_snapshot_pins"."snapshot_id" is not null;
--> statement-breakpoint
CREATE INDEX "ab_units_next_idx" ON "ab_units" USING btree ("tenant_id","experiment_id","next_at") WHERE "ab_units"."next_at" is not null;
--> statement-breakpoint
CREATE UNIQUE INDEX "ab_variants_control_key" ON "ab_variants" USING btree ("tenant_id","experiment_id") WHERE "ab_variants"."is_control";
--> statement-breakpoint
CREATE INDEX "ab_variants_version_idx" ON "ab_variants" USING btree ("tenant_id","model_version_id","id");
--> statement-breakpoint
ALTER TABLE "ab_allocations" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_analysis_snapshots" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_assignments" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_decisions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_experiment_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_experiments" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_exposure_transitions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_exposures" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_holdout_experiments" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_holdouts" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_layers" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_metrics" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_outcomes" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_snapshot_pins" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_snapshot_results" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_unit_days" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_unit_refreshes" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_unit_sums" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_units" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "ab_variants" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "ab_allocations_tenant_policy" ON "ab_allocations" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_analysis_snapshots_tenant_policy" ON "ab_analysis_snapshots" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_assignments_tenant_policy" ON "ab_assignments" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_decisions_tenant_policy" ON "ab_decisions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_experiment_events_tenant_policy" ON "ab_experiment_events" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_experiments_tenant_policy" ON "ab_experiments" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_exposure_transitions_tenant_policy" ON "ab_exposure_transitions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_exposures_tenant_policy" ON "ab_exposures" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_holdout_experiments_tenant_policy" ON "ab_holdout_experiments" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_holdouts_tenant_policy" ON "ab_holdouts" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_layers_tenant_policy" ON "ab_layers" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_metrics_tenant_policy" ON "ab_metrics" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_outcomes_tenant_policy" ON "ab_outcomes" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_snapshot_pins_tenant_policy" ON "ab_snapshot_pins" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_snapshot_results_tenant_policy" ON "ab_snapshot_results" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_unit_days_tenant_policy" ON "ab_unit_days" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_unit_refreshes_tenant_policy" ON "ab_unit_refreshes" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_unit_sums_tenant_policy" ON "ab_unit_sums" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_units_tenant_policy" ON "ab_units" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "ab_variants_tenant_policy" ON "ab_variants" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "ab_assignments" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_assignments" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_assignments" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_decisions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "ab_decisions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_decisions" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "ab_decisions" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "ab_experiment_events" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "ab_experiment_events" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_experiment_events" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "ab_experiment_events" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "ab_exposure_transitions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_exposure_transitions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_exposure_transitions" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_exposures" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_exposures" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_exposures" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_holdouts" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_holdouts" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_holdouts" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_layers" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_layers" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_layers" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_experiments" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_experiments" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_experiments" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_allocations" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "ab_allocations" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_allocations" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "ab_allocations" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "ab_analysis_snapshots" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "ab_analysis_snapshots" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_analysis_snapshots" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "ab_analysis_snapshots" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "ab_holdout_experiments" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_holdout_experiments" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_holdout_experiments" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_metrics" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_metrics" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_metrics" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_outcomes" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_outcomes" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_outcomes" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_snapshot_pins" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "ab_snapshot_pins" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_snapshot_pins" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "ab_snapshot_pins" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "ab_snapshot_results" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "ab_snapshot_results" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_snapshot_results" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "ab_snapshot_results" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "ab_unit_days" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_unit_days" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_unit_days" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_unit_refreshes" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_unit_refreshes" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_unit_refreshes" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_unit_sums" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_unit_sums" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_unit_sums" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_units" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_units" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_units" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "ab_variants" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "ab_variants" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "ab_variants" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('ab_allocations'),
        ('ab_analysis_snapshots'),
        ('ab_assignments'),
        ('ab_decisions'),
        ('ab_experiment_events'),
        ('ab_experiments'),
        ('ab_exposure_transitions'),
        ('ab_exposures'),
        ('ab_holdout_experiments'),
        ('ab_holdouts'),
        ('ab_layers'),
        ('ab_metrics'),
        ('ab_outcomes'),
        ('ab_outcomes_default'),
        ('ab_snapshot_pins'),
        ('ab_snapshot_results'),
        ('ab_unit_days'),
        ('ab_unit_refreshes'),
        ('ab_unit_sums'),
        ('ab_units'),
        ('ab_variants')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('ab_allocations', 'ab_allocations_coverage_check'),
        ('ab_allocations', 'ab_allocations_experiment_fk'),
        ('ab_allocations', 'ab_allocations_pk'),
        ('ab_allocations', 'ab_allocations_tenant_id_check'),
        ('ab_analysis_snapshots', 'ab_analysis_snapshots_experiment_fk'),
        ('ab_analysis_snapshots', 'ab_analysis_snapshots_look_check'),
        ('ab_analysis_snapshots', 'ab_analysis_snapshots_number_key'),
        ('ab_analysis_snapshots', 'ab_analysis_snapshots_pk'),
        ('ab_analysis_snapshots', 'ab_analysis_snapshots_tenant_id_check'),
        ('ab_assignments', 'ab_assignments_pk'),
        ('ab_assignments', 'ab_assignments_tenant_id_check'),
        ('ab_assignments', 'ab_assignments_unit_check'),
        ('ab_decisions', 'ab_decisions_pk'),
        ('ab_decisions', 'ab_decisions_tenant_id_check'),
        ('ab_decisions', 'ab_decisions_verdict_check'),
        ('ab_experiment_events', 'ab_experiment_events_kind_check'),
        ('ab_experiment_events', 'ab_experiment_events_pk'),
        ('ab_experiment_events', 'ab_experiment_events_tenant_id_check'),
        ('ab_experiments', 'ab_experiments_alpha_check'),
        ('ab_experiments', 'ab_experiments_correction_check'),
        ('ab_experiments', 'ab_experiments_hash_version_check'),
        ('ab_experiments', 'ab_experiments_hypothesis_check'),
        ('ab_experiments', 'ab_experiments_key_check'),
        ('ab_experiments', 'ab_experiments_key_key'),
        ('ab_experiments', 'ab_experiments_layer_check'),
        ('ab_experiments', 'ab_experiments_layer_fk'),
        ('ab_experiments', 'ab_experiments_minimum_units_check'),
        ('ab_experiments', 'ab_experiments_pk'),
        ('ab_experiments', 'ab_experiments_seed_check'),
        ('ab_experiments', 'ab_experiments_status_check'),
        ('ab_experiments', 'ab_experiments_tenant_id_check'),
        ('ab_experiments', 'ab_experiments_test_check'),
        ('ab_exposure_transitions', 'ab_exposure_transitions_pk'),
        ('ab_exposure_transitions', 'ab_exposure_transitions_tenant_id_check'),
        ('ab_exposures', 'ab_exposures_count_check'),
        ('ab_exposures', 'ab_exposures_first_at_check'),
        ('ab_exposures', 'ab_exposures_pk'),
        ('ab_exposures', 'ab_exposures_slices_check'),
        ('ab_exposures', 'ab_exposures_tenant_id_check'),
        ('ab_exposures', 'ab_exposures_unit_check'),
        ('ab_holdout_experiments', 'ab_holdout_experiments_experiment_fk'),
        ('ab_holdout_experiments', 'ab_holdout_experiments_holdout_fk'),
        ('ab_holdout_experiments', 'ab_holdout_experiments_pk'),
        ('ab_holdout_experiments', 'ab_holdout_experiments_tenant_id_check'),
        ('ab_holdouts', 'ab_holdouts_key_check'),
        ('ab_holdouts', 'ab_holdouts_key_key'),
        ('ab_holdouts', 'ab_holdouts_pk'),
        ('ab_holdouts', 'ab_holdouts_seed_check'),
        ('ab_holdouts', 'ab_holdouts_share_check'),
        ('ab_holdouts', 'ab_holdouts_tenant_id_check'),
        ('ab_layers', 'ab_layers_key_check'),
        ('ab_layers', 'ab_layers_key_key'),
        ('ab_layers', 'ab_layers_pk'),
        ('ab_layers', 'ab_layers_seed_check'),
        ('ab_layers', 'ab_layers_tenant_id_check'),
        ('ab_metrics', 'ab_metrics_denominator_check'),
        ('ab_metrics', 'ab_metrics_direction_check'),
        ('ab_metrics', 'ab_metrics_experiment_fk'),
        ('ab_metrics', 'ab_metrics_judged_check'),
        ('ab_metrics', 'ab_metrics_key_check'),
        ('ab_metrics', 'ab_metrics_key_key'),
        ('ab_metrics', 'ab_metrics_kind_check'),
        ('ab_metrics', 'ab_metrics_outcome_check'),
        ('ab_metrics', 'ab_metrics_pk'),
        ('ab_metrics', 'ab_metrics_quantile_check'),
        ('ab_metrics', 'ab_metrics_role_check'),
        ('ab_metrics', 'ab_metrics_tenant_id_check'),
        ('ab_metrics', 'ab_metrics_window_check'),
        ('ab_outcomes', 'ab_outcomes_occurred_at_check'),
        ('ab_outcomes', 'ab_outcomes_outcome_check'),
        ('ab_outcomes', 'ab_outcomes_pk'),
        ('ab_outcomes', 'ab_outcomes_tenant_id_check'),
        ('ab_outcomes', 'ab_outcomes_unit_check'),
        ('ab_outcomes', 'ab_outcomes_value_check'),
        ('ab_snapshot_pins', 'ab_snapshot_pins_experiment_fk'),
        ('ab_snapshot_pins', 'ab_snapshot_pins_pk'),
        ('ab_snapshot_pins', 'ab_snapshot_pins_snapshot_fk'),
        ('ab_snapshot_pins', 'ab_snapshot_pins_tenant_id_check'),
        ('ab_snapshot_results', 'ab_snapshot_results_kind_check'),
        ('ab_snapshot_results', 'ab_snapshot_results_pk'),
        ('ab_snapshot_results', 'ab_snapshot_results_role_check'),
        ('ab_snapshot_results', 'ab_snapshot_results_snapshot_fk'),
        ('ab_snapshot_results', 'ab_snapshot_results_tenant_id_check'),
        ('ab_unit_days', 'ab_unit_days_pk'),
        ('ab_unit_days', 'ab_unit_days_tenant_id_check'),
        ('ab_unit_refreshes', 'ab_unit_refreshes_pk'),
        ('ab_unit_refreshes', 'ab_unit_refreshes_tenant_id_check'),
        ('ab_unit_sums', 'ab_unit_sums_pk'),
        ('ab_unit_sums', 'ab_unit_sums_tenant_id_check'),
        ('ab_units', 'ab_units_pk'),
        ('ab_units', 'ab_units_state_check'),
        ('ab_units', 'ab_units_tenant_id_check'),
        ('ab_variants', 'ab_variants_experiment_fk'),
        ('ab_variants', 'ab_variants_key_check'),
        ('ab_variants', 'ab_variants_key_key'),
        ('ab_variants', 'ab_variants_pk'),
        ('ab_variants', 'ab_variants_tenant_id_check'),
        ('ab_variants', 'ab_variants_version_fk')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: function ' || made.name
      from (values
        ('app_ab_fnv(given text)'),
        ('app_ab_hash(seed text, unit text, version integer)')
      ) as made(name)
     where not exists (select from pg_catalog.pg_proc p where p.pronamespace = 'public'::pg_catalog.regnamespace
                        and pg_catalog.replace(pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', 'public.', '') = made.name)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('ab_assignments', 'ab_assignments_written_idx'),
        ('ab_decisions', 'ab_decisions_experiment_idx'),
        ('ab_experiments', 'ab_experiments_created_idx'),
        ('ab_experiments', 'ab_experiments_layer_idx'),
        ('ab_exposures', 'ab_exposures_written_idx'),
        ('ab_holdout_experiments', 'ab_holdout_experiments_holdout_idx'),
        ('ab_outcomes', 'ab_outcomes_unit_idx'),
        ('ab_outcomes', 'ab_outcomes_written_idx'),
        ('ab_snapshot_pins', 'ab_snapshot_pins_snapshot_idx'),
        ('ab_units', 'ab_units_next_idx'),
        ('ab_variants', 'ab_variants_control_key'),
        ('ab_variants', 'ab_variants_version_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('ab_allocations', 'ab_allocations_tenant_policy'),
        ('ab_analysis_snapshots', 'ab_analysis_snapshots_tenant_policy'),
        ('ab_assignments', 'ab_assignments_tenant_policy'),
        ('ab_decisions', 'ab_decisions_tenant_policy'),
        ('ab_experiment_events', 'ab_experiment_events_tenant_policy'),
        ('ab_experiments', 'ab_experiments_tenant_policy'),
        ('ab_exposure_transitions', 'ab_exposure_transitions_tenant_policy'),
        ('ab_exposures', 'ab_exposures_tenant_policy'),
        ('ab_holdout_experiments', 'ab_holdout_experiments_tenant_policy'),
        ('ab_holdouts', 'ab_holdouts_tenant_policy'),
        ('ab_layers', 'ab_layers_tenant_policy'),
        ('ab_metrics', 'ab_metrics_tenant_policy'),
        ('ab_outcomes', 'ab_outcomes_tenant_policy'),
        ('ab_snapshot_pins', 'ab_snapshot_pins_tenant_policy'),
        ('ab_snapshot_results', 'ab_snapshot_results_tenant_policy'),
        ('ab_unit_days', 'ab_unit_days_tenant_policy'),
        ('ab_unit_refreshes', 'ab_unit_refreshes_tenant_policy'),
        ('ab_unit_sums', 'ab_unit_sums_tenant_policy'),
        ('ab_units', 'ab_units_tenant_policy'),
        ('ab_variants', 'ab_variants_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('ab_assignments', 'app_tenant', 'delete, insert, select, update'),
        ('ab_experiments', 'app_tenant', 'delete, insert, select, update'),
        ('ab_exposure_transitions', 'app_tenant', 'delete, insert, select, update'),
        ('ab_exposures', 'app_tenant', 'delete, insert, select, update'),
        ('ab_holdout_experiments', 'app_tenant', 'delete, insert, select, update'),
        ('ab_holdouts', 'app_tenant', 'delete, insert, select, update'),
        ('ab_layers', 'app_tenant', 'delete, insert, select, update'),
        ('ab_metrics', 'app_tenant', 'delete, insert, select, update'),
        ('ab_outcomes', 'app_tenant', 'delete, insert, select, update'),
        ('ab_unit_days', 'app_tenant', 'delete, insert, select, update'),
        ('ab_unit_refreshes', 'app_tenant', 'delete, insert, select, update'),
        ('ab_unit_sums', 'app_tenant', 'delete, insert, select, update'),
        ('ab_units', 'app_tenant', 'delete, insert, select, update'),
        ('ab_variants', 'app_tenant', 'delete, insert, select, update'),
        ('ab_allocations', 'app_tenant', 'insert, select'),
        ('ab_analysis_snapshots', 'app_tenant', 'insert, select'),
        ('ab_decisions', 'app_tenant', 'insert, select'),
        ('ab_experiment_events', 'app_tenant', 'insert, select'),
        ('ab_snapshot_pins', 'app_tenant', 'insert, select'),
        ('ab_snapshot_results', 'app_tenant', 'insert, select'),
        ('ab_allocations', 'app_readonly', 'select'),
        ('ab_analysis_snapshots', 'app_readonly', 'select'),
        ('ab_assignments', 'app_readonly', 'select'),
        ('ab_decisions', 'app_readonly', 'select'),
        ('ab_experiment_events', 'app_readonly', 'select'),
        ('ab_experiments', 'app_readonly', 'select'),
        ('ab_exposure_transitions', 'app_readonly', 'select'),
        ('ab_exposures', 'app_readonly', 'select'),
        ('ab_holdout_experiments', 'app_readonly', 'select'),
        ('ab_holdouts', 'app_readonly', 'select'),
        ('ab_layers', 'app_readonly', 'select'),
        ('ab_metrics', 'app_readonly', 'select'),
        ('ab_outcomes', 'app_readonly', 'select'),
        ('ab_snapshot_pins', 'app_readonly', 'select'),
        ('ab_snapshot_results', 'app_readonly', 'select'),
        ('ab_unit_days', 'app_readonly', 'select'),
        ('ab_unit_refreshes', 'app_readonly', 'select'),
        ('ab_unit_sums', 'app_readonly', 'select'),
        ('ab_units', 'app_readonly', 'select'),
        ('ab_variants', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '009_experiments.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('009_experiments.sql') on conflict (migration_name) do nothing;
end
$record$;
