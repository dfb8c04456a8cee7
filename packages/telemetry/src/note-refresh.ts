import { type TenantTx, workRequest } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';

/** Of the work rows that say: this tenant has events that its aggregates do not know of yet. */
export const TELEMETRY_REFRESH_KIND = 'telemetry.refresh';

/** Events wait for others to be refreshed with: the minute that they fall into is read once for all of them. */
export const refreshTime = sql`app_now() + interval '10 seconds'`;

/** The part of a writing statement by which the dispatcher finds the tenant, where `recorded` has rows. */
export const noteRefresh = (tx: TenantTx, recorded: SQL): SQL =>
  workRequest(tx, { kind: TELEMETRY_REFRESH_KIND, dueAt: refreshTime }, sql`exists (select from ${recorded})`);
