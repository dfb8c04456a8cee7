import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { mlTelemetryRetention } from './schema.ts';

/**
 * The time before which events are gone, as a scalar of SQL: by pruneTelemetry for this tenant, or by db:maintain for all.
 * Aggregates before it stay what they are; made from what is left they would lose what they know.
 *
 * db:maintain drops partitions and leaves one in their place, from MINVALUE up to the one id that its bound names. Read it in the statement that
 * reads the events: its locks keep the partitions from being dropped meanwhile.
 */
export const eventsHorizon = (tx: TenantTx): SQL => sql`
  coalesce(greatest(
    (select r.events_from from ${mlTelemetryRetention} r where r.tenant_id = ${tenantOf(tx)}),
    (select to_timestamp(('x' || translate(left(bound, 13), '-', ''))::bit(48)::bigint / 1000::float8)
       from (select substring(pg_get_expr(c.relpartbound, c.oid) from '[0-9a-f-]{36}') as bound
               from pg_catalog.pg_class c
              where c.oid = to_regclass('public.ml_telemetry_events_past')) past)), '-infinity')`;
