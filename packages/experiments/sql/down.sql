drop function if exists app_ab_hash(text, text, integer);
--> statement-breakpoint
drop function if exists app_ab_fnv(text);
