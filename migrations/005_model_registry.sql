-- 005_model_registry: what @mcp-hub/registry keeps. Composed by db:generate: change packages/registry, not this file.
-- composed-from: @mcp-hub/registry

CREATE TABLE "model_alias_moves" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"change_number" bigint NOT NULL,
	"name" text NOT NULL,
	"alias" text NOT NULL,
	"from_version_id" uuid,
	"from_version" text,
	"to_version_id" uuid,
	"to_version" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_alias_moves_pk" PRIMARY KEY("tenant_id","model_id","change_number","alias"),
	CONSTRAINT "model_alias_moves_tenant_id_check" CHECK ("model_alias_moves"."tenant_id" <> ''),
	CONSTRAINT "model_alias_moves_ends_check" CHECK (num_nonnulls("model_alias_moves"."from_version", "model_alias_moves"."to_version") > 0)
);
--> statement-breakpoint
CREATE TABLE "model_changes" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"change_number" bigint NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"version_id" uuid,
	"version" text,
	"stage" text,
	"guard" text,
	"description" text,
	"reason" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_changes_pk" PRIMARY KEY("tenant_id","model_id","change_number"),
	CONSTRAINT "model_changes_tenant_id_check" CHECK ("model_changes"."tenant_id" <> ''),
	CONSTRAINT "model_changes_kind_check" CHECK ("model_changes"."kind" in ('created', 'deleted', 'restored', 'erased', 'version_redacted', 'version_erased', 'guard_set', 'guard_removed')),
	CONSTRAINT "model_changes_stage_check" CHECK ("model_changes"."stage" in ('development', 'staging', 'production', 'archived')),
	CONSTRAINT "model_changes_subject_check" CHECK (("model_changes"."kind" in ('version_redacted', 'version_erased')) = ("model_changes"."version" is not null)
          and ("model_changes"."kind" in ('guard_set', 'guard_removed')) = ("model_changes"."guard" is not null))
);
--> statement-breakpoint
CREATE TABLE "model_registry" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"version" text NOT NULL,
	"stage" text DEFAULT 'development' NOT NULL,
	"stage_change_number" bigint DEFAULT 0 NOT NULL,
	"description" text,
	"artifact_uri" text,
	"content_digest" text,
	"artifact_bytes" bigint,
	"flavour" text,
	"input_signature" jsonb,
	"output_signature" jsonb,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"deleted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_registry_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "model_registry_version_key" UNIQUE("tenant_id","name","version"),
	CONSTRAINT "model_registry_tenant_id_check" CHECK ("model_registry"."tenant_id" <> ''),
	CONSTRAINT "model_registry_name_check" CHECK (length("model_registry"."name") between 1 and 256),
	CONSTRAINT "model_registry_version_check" CHECK (length("model_registry"."version") between 1 and 256),
	CONSTRAINT "model_registry_stage_check" CHECK ("model_registry"."stage" in ('development', 'staging', 'production', 'archived')),
	CONSTRAINT "model_registry_artifact_bytes_check" CHECK ("model_registry"."artifact_bytes" >= 0)
);
--> statement-breakpoint
CREATE TABLE "model_aliases" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"name" text NOT NULL,
	"alias" text NOT NULL,
	"version" text NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_aliases_pk" PRIMARY KEY("tenant_id","name","alias"),
	CONSTRAINT "model_aliases_tenant_id_check" CHECK ("model_aliases"."tenant_id" <> ''),
	CONSTRAINT "model_aliases_alias_check" CHECK (length("model_aliases"."alias") between 1 and 256),
	CONSTRAINT "model_aliases_version_fk" FOREIGN KEY ("tenant_id","name","version") REFERENCES "public"."model_registry"("tenant_id","name","version") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "model_renames" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"change_number" bigint NOT NULL,
	"from_name" text NOT NULL,
	"to_name" text NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_renames_pk" PRIMARY KEY("tenant_id","model_id","change_number"),
	CONSTRAINT "model_renames_tenant_id_check" CHECK ("model_renames"."tenant_id" <> '')
);
--> statement-breakpoint
CREATE TABLE "model_stage_transitions" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"change_number" bigint NOT NULL,
	"version_id" uuid NOT NULL,
	"name" text NOT NULL,
	"version" text NOT NULL,
	"from_stage" text,
	"to_stage" text,
	"reason" text,
	"undoes_change_number" bigint,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"occurred_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_stage_transitions_pk" PRIMARY KEY("tenant_id","model_id","change_number","version_id"),
	CONSTRAINT "model_stage_transitions_tenant_id_check" CHECK ("model_stage_transitions"."tenant_id" <> ''),
	CONSTRAINT "model_stage_transitions_from_stage_check" CHECK ("model_stage_transitions"."from_stage" in ('development', 'staging', 'production', 'archived')),
	CONSTRAINT "model_stage_transitions_to_stage_check" CHECK ("model_stage_transitions"."to_stage" in ('development', 'staging', 'production', 'archived')),
	CONSTRAINT "model_stage_transitions_ends_check" CHECK (num_nonnulls("model_stage_transitions"."from_stage", "model_stage_transitions"."to_stage") > 0)
);
--> statement-breakpoint
CREATE TABLE "registered_models" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"last_version_number" integer DEFAULT 0 NOT NULL,
	"last_change_number" bigint DEFAULT 0 NOT NULL,
	"last_change_at" timestamp (3) with time zone,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"deleted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "registered_models_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "registered_models_name_key" UNIQUE("tenant_id","name"),
	CONSTRAINT "registered_models_tenant_id_check" CHECK ("registered_models"."tenant_id" <> ''),
	CONSTRAINT "registered_models_name_check" CHECK (length("registered_models"."name") between 1 and 256)
);
--> statement-breakpoint
CREATE TABLE "model_tags" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"subject_id" uuid GENERATED ALWAYS AS (coalesce(model_id, version_id)) STORED NOT NULL,
	"model_id" uuid,
	"version_id" uuid,
	"key" text NOT NULL,
	"value" text NOT NULL,
	"value_start" text GENERATED ALWAYS AS (left(value, 200)) STORED NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "model_tags_pk" PRIMARY KEY("tenant_id","subject_id","key"),
	CONSTRAINT "model_tags_tenant_id_check" CHECK ("model_tags"."tenant_id" <> ''),
	CONSTRAINT "model_tags_subject_check" CHECK (num_nonnulls("model_tags"."model_id", "model_tags"."version_id") = 1),
	CONSTRAINT "model_tags_key_check" CHECK (length("model_tags"."key") between 1 and 250),
	CONSTRAINT "model_tags_model_fk" FOREIGN KEY ("tenant_id","model_id") REFERENCES "public"."registered_models"("tenant_id","id") ON DELETE cascade ON UPDATE no action,
	CONSTRAINT "model_tags_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "stage_clearances" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"id" uuid DEFAULT app_uuid_v7() NOT NULL,
	"version_id" uuid NOT NULL,
	"stage" text NOT NULL,
	"guard" text NOT NULL,
	"evidence" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"used_by_change_number" bigint,
	"revoked_at" timestamp (3) with time zone,
	"revoked_by" text,
	CONSTRAINT "stage_clearances_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "stage_clearances_tenant_id_check" CHECK ("stage_clearances"."tenant_id" <> ''),
	CONSTRAINT "stage_clearances_stage_check" CHECK ("stage_clearances"."stage" in ('development', 'staging', 'production', 'archived')),
	CONSTRAINT "stage_clearances_end_check" CHECK ("stage_clearances"."used_by_change_number" is null or "stage_clearances"."revoked_at" is null),
	CONSTRAINT "stage_clearances_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."model_registry"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE "stage_guards" (
	"tenant_id" text DEFAULT current_setting('app.tenant') NOT NULL,
	"model_id" uuid NOT NULL,
	"stage" text NOT NULL,
	"guard" text NOT NULL,
	"description" text,
	"actor" text DEFAULT nullif(current_setting('app.actor', true), ''),
	"created_at" timestamp (3) with time zone DEFAULT app_now() NOT NULL,
	CONSTRAINT "stage_guards_pk" PRIMARY KEY("tenant_id","model_id","stage","guard"),
	CONSTRAINT "stage_guards_tenant_id_check" CHECK ("stage_guards"."tenant_id" <> ''),
	CONSTRAINT "stage_guards_stage_check" CHECK ("stage_guards"."stage" in ('development', 'staging', 'production', 'archived')),
	CONSTRAINT "stage_guards_model_fk" FOREIGN KEY ("tenant_id","model_id") REFERENCES "public"."registered_models"("tenant_id","id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE INDEX "model_alias_moves_alias_idx" ON "model_alias_moves" USING btree ("tenant_id","model_id","alias","change_number");
--> statement-breakpoint
CREATE INDEX "model_aliases_version_idx" ON "model_aliases" USING btree ("tenant_id","name","version");
--> statement-breakpoint
CREATE INDEX "model_registry_stage_idx" ON "model_registry" USING btree ("tenant_id","name","stage","stage_change_number","id") WHERE "model_registry"."deleted_at" is null;
--> statement-breakpoint
CREATE INDEX "model_registry_name_idx" ON "model_registry" USING btree ("tenant_id","name","id");
--> statement-breakpoint
CREATE INDEX "model_registry_by_hand_idx" ON "model_registry" USING btree ("tenant_id","name","id") WHERE "model_registry"."stage_change_number" = 0 and "model_registry"."deleted_at" is null;
--> statement-breakpoint
CREATE INDEX "model_registry_created_idx" ON "model_registry" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "model_registry_updated_idx" ON "model_registry" USING btree ("tenant_id","updated_at","id");
--> statement-breakpoint
CREATE INDEX "model_registry_digest_idx" ON "model_registry" USING btree ("tenant_id","content_digest","id") WHERE "model_registry"."content_digest" is not null;
--> statement-breakpoint
CREATE INDEX "model_renames_from_name_idx" ON "model_renames" USING btree ("tenant_id","from_name","occurred_at","change_number");
--> statement-breakpoint
CREATE INDEX "model_stage_transitions_version_idx" ON "model_stage_transitions" USING btree ("tenant_id","version_id","change_number");
--> statement-breakpoint
CREATE INDEX "model_stage_transitions_stage_idx" ON "model_stage_transitions" USING btree ("tenant_id","model_id","to_stage","change_number");
--> statement-breakpoint
CREATE INDEX "model_stage_transitions_undo_idx" ON "model_stage_transitions" USING btree ("tenant_id","model_id","undoes_change_number") WHERE "model_stage_transitions"."undoes_change_number" is not null;
--> statement-breakpoint
CREATE INDEX "model_tags_model_idx" ON "model_tags" USING btree ("tenant_id","model_id","key") WHERE "model_tags"."model_id" is not null;
--> statement-breakpoint
CREATE INDEX "model_tags_version_idx" ON "model_tags" USING btree ("tenant_id","version_id","key") WHERE "model_tags"."version_id" is not null;
--> statement-breakpoint
CREATE INDEX "model_tags_model_value_idx" ON "model_tags" USING btree ("tenant_id","key","value_start","model_id") WHERE "model_tags"."model_id" is not null;
--> statement-breakpoint
CREATE INDEX "model_tags_version_value_idx" ON "model_tags" USING btree ("tenant_id","key","value_start","version_id") WHERE "model_tags"."version_id" is not null;
--> statement-breakpoint
CREATE INDEX "registered_models_created_idx" ON "registered_models" USING btree ("tenant_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "registered_models_updated_idx" ON "registered_models" USING btree ("tenant_id","updated_at","id");
--> statement-breakpoint
CREATE INDEX "stage_clearances_standing_idx" ON "stage_clearances" USING btree ("tenant_id","version_id","stage","guard","id") WHERE "stage_clearances"."used_by_change_number" is null and "stage_clearances"."revoked_at" is null;
--> statement-breakpoint
CREATE INDEX "stage_clearances_version_idx" ON "stage_clearances" USING btree ("tenant_id","version_id");
--> statement-breakpoint
ALTER TABLE "model_alias_moves" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_aliases" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_changes" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_registry" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_renames" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_stage_transitions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "model_tags" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "registered_models" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "stage_clearances" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "stage_guards" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "model_alias_moves_tenant_policy" ON "model_alias_moves" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_aliases_tenant_policy" ON "model_aliases" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_changes_tenant_policy" ON "model_changes" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_registry_tenant_policy" ON "model_registry" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_renames_tenant_policy" ON "model_renames" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_stage_transitions_tenant_policy" ON "model_stage_transitions" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "model_tags_tenant_policy" ON "model_tags" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "registered_models_tenant_policy" ON "registered_models" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "stage_clearances_tenant_policy" ON "stage_clearances" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
CREATE POLICY "stage_guards_tenant_policy" ON "stage_guards" AS PERMISSIVE FOR ALL TO public USING (tenant_id = (select nullif(current_setting('app.tenant', true), ''))) WITH CHECK (tenant_id = (select nullif(current_setting('app.tenant', true), '')));
--> statement-breakpoint
ALTER TABLE "model_alias_moves" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "model_alias_moves" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_alias_moves" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "model_alias_moves" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "model_changes" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "model_changes" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_changes" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "model_changes" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "model_registry" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "model_registry" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_registry" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "model_aliases" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "model_aliases" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_aliases" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "model_renames" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "model_renames" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_renames" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "model_renames" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "model_stage_transitions" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT ON "model_stage_transitions" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_stage_transitions" TO app_readonly;
--> statement-breakpoint
COMMENT ON TABLE "model_stage_transitions" IS 'append-only';
--> statement-breakpoint
ALTER TABLE "registered_models" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "registered_models" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "registered_models" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "model_tags" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "model_tags" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "model_tags" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "stage_clearances" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "stage_clearances" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "stage_clearances" TO app_readonly;
--> statement-breakpoint
ALTER TABLE "stage_guards" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "stage_guards" TO app_tenant;
--> statement-breakpoint
GRANT SELECT ON "stage_guards" TO app_readonly;
--> statement-breakpoint
do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
    select 'no forced row level security: table ' || made.name
      from (values
        ('model_alias_moves'),
        ('model_aliases'),
        ('model_changes'),
        ('model_registry'),
        ('model_renames'),
        ('model_stage_transitions'),
        ('model_tags'),
        ('registered_models'),
        ('stage_clearances'),
        ('stage_guards')
      ) as made(name)
     where not exists (select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name) and c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 'missing: constraint ' || made.parent || '.' || made.name
      from (values
        ('model_alias_moves', 'model_alias_moves_ends_check'),
        ('model_alias_moves', 'model_alias_moves_pk'),
        ('model_alias_moves', 'model_alias_moves_tenant_id_check'),
        ('model_aliases', 'model_aliases_alias_check'),
        ('model_aliases', 'model_aliases_pk'),
        ('model_aliases', 'model_aliases_tenant_id_check'),
        ('model_aliases', 'model_aliases_version_fk'),
        ('model_changes', 'model_changes_kind_check'),
        ('model_changes', 'model_changes_pk'),
        ('model_changes', 'model_changes_stage_check'),
        ('model_changes', 'model_changes_subject_check'),
        ('model_changes', 'model_changes_tenant_id_check'),
        ('model_registry', 'model_registry_artifact_bytes_check'),
        ('model_registry', 'model_registry_name_check'),
        ('model_registry', 'model_registry_pk'),
        ('model_registry', 'model_registry_stage_check'),
        ('model_registry', 'model_registry_tenant_id_check'),
        ('model_registry', 'model_registry_version_check'),
        ('model_registry', 'model_registry_version_key'),
        ('model_renames', 'model_renames_pk'),
        ('model_renames', 'model_renames_tenant_id_check'),
        ('model_stage_transitions', 'model_stage_transitions_ends_check'),
        ('model_stage_transitions', 'model_stage_transitions_from_stage_check'),
        ('model_stage_transitions', 'model_stage_transitions_pk'),
        ('model_stage_transitions', 'model_stage_transitions_tenant_id_check'),
        ('model_stage_transitions', 'model_stage_transitions_to_stage_check'),
        ('model_tags', 'model_tags_key_check'),
        ('model_tags', 'model_tags_model_fk'),
        ('model_tags', 'model_tags_pk'),
        ('model_tags', 'model_tags_subject_check'),
        ('model_tags', 'model_tags_tenant_id_check'),
        ('model_tags', 'model_tags_version_fk'),
        ('registered_models', 'registered_models_name_check'),
        ('registered_models', 'registered_models_name_key'),
        ('registered_models', 'registered_models_pk'),
        ('registered_models', 'registered_models_tenant_id_check'),
        ('stage_clearances', 'stage_clearances_end_check'),
        ('stage_clearances', 'stage_clearances_pk'),
        ('stage_clearances', 'stage_clearances_stage_check'),
        ('stage_clearances', 'stage_clearances_tenant_id_check'),
        ('stage_clearances', 'stage_clearances_version_fk'),
        ('stage_guards', 'stage_guards_model_fk'),
        ('stage_guards', 'stage_guards_pk'),
        ('stage_guards', 'stage_guards_stage_check'),
        ('stage_guards', 'stage_guards_tenant_id_check')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_constraint c where c.conrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated)
    union all
    select 'missing: index ' || made.parent || '.' || made.name
      from (values
        ('model_alias_moves', 'model_alias_moves_alias_idx'),
        ('model_aliases', 'model_aliases_version_idx'),
        ('model_registry', 'model_registry_by_hand_idx'),
        ('model_registry', 'model_registry_created_idx'),
        ('model_registry', 'model_registry_digest_idx'),
        ('model_registry', 'model_registry_name_idx'),
        ('model_registry', 'model_registry_stage_idx'),
        ('model_registry', 'model_registry_updated_idx'),
        ('model_renames', 'model_renames_from_name_idx'),
        ('model_stage_transitions', 'model_stage_transitions_stage_idx'),
        ('model_stage_transitions', 'model_stage_transitions_undo_idx'),
        ('model_stage_transitions', 'model_stage_transitions_version_idx'),
        ('model_tags', 'model_tags_model_idx'),
        ('model_tags', 'model_tags_model_value_idx'),
        ('model_tags', 'model_tags_version_idx'),
        ('model_tags', 'model_tags_version_value_idx'),
        ('registered_models', 'registered_models_created_idx'),
        ('registered_models', 'registered_models_updated_idx'),
        ('stage_clearances', 'stage_clearances_standing_idx'),
        ('stage_clearances', 'stage_clearances_version_idx')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass('public.' || made.parent) and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid)
    union all
    select 'missing: policy ' || made.parent || '.' || made.name
      from (values
        ('model_alias_moves', 'model_alias_moves_tenant_policy'),
        ('model_aliases', 'model_aliases_tenant_policy'),
        ('model_changes', 'model_changes_tenant_policy'),
        ('model_registry', 'model_registry_tenant_policy'),
        ('model_renames', 'model_renames_tenant_policy'),
        ('model_stage_transitions', 'model_stage_transitions_tenant_policy'),
        ('model_tags', 'model_tags_tenant_policy'),
        ('registered_models', 'registered_models_tenant_policy'),
        ('stage_clearances', 'stage_clearances_tenant_policy'),
        ('stage_guards', 'stage_guards_tenant_policy')
      ) as made(parent, name)
     where not exists (select from pg_catalog.pg_policy p where p.polrelid = pg_catalog.to_regclass('public.' || made.parent) and pg_catalog.quote_ident(p.polname) = made.name)
    union all
    select 'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role
      from (values
        ('model_aliases', 'app_tenant', 'delete, insert, select, update'),
        ('model_registry', 'app_tenant', 'delete, insert, select, update'),
        ('model_tags', 'app_tenant', 'delete, insert, select, update'),
        ('registered_models', 'app_tenant', 'delete, insert, select, update'),
        ('stage_clearances', 'app_tenant', 'delete, insert, select, update'),
        ('stage_guards', 'app_tenant', 'delete, insert, select, update'),
        ('model_alias_moves', 'app_tenant', 'insert, select'),
        ('model_changes', 'app_tenant', 'insert, select'),
        ('model_renames', 'app_tenant', 'insert, select'),
        ('model_stage_transitions', 'app_tenant', 'insert, select'),
        ('model_alias_moves', 'app_readonly', 'select'),
        ('model_aliases', 'app_readonly', 'select'),
        ('model_changes', 'app_readonly', 'select'),
        ('model_registry', 'app_readonly', 'select'),
        ('model_renames', 'app_readonly', 'select'),
        ('model_stage_transitions', 'app_readonly', 'select'),
        ('model_tags', 'app_readonly', 'select'),
        ('registered_models', 'app_readonly', 'select'),
        ('stage_clearances', 'app_readonly', 'select'),
        ('stage_guards', 'app_readonly', 'select')
      ) as made(name, role, privileges)
     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)
     where not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = '005_model_registry.sql is not recorded, its work is not whole: ' || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
  insert into public.migration_history (migration_name) values ('005_model_registry.sql') on conflict (migration_name) do nothing;
end
$record$;
