import { scheduleWork, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';

/** Of the work rows that say: this tenant's days are to be profiled again at their time. */
export const PROFILES_KIND = 'monitoring.profiles';

export const scheduleProfiles = (tx: TenantTx, afterMs: number) =>
  scheduleWork(tx, { kind: PROFILES_KIND, dueAt: sql`app_now() + interval '1 millisecond' * ${afterMs}::float8` });
