drop function if exists app_set_tenant(text, text, timestamptz);
--> statement-breakpoint
drop function if exists app_uuid_v7(timestamptz);
--> statement-breakpoint
drop function if exists app_now();
