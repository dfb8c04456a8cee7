import {
  type Database,
  DomainError,
  idFloor,
  parseInput,
  type TenantTx,
  tenantOf,
  timeParameter,
  uuidArray,
  withTenant,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { eventsHorizon } from './events-horizon.ts';
import { TELEMETRY_LIMITS } from './limits.ts';
import {
  mlTelemetryAggregates,
  mlTelemetryDirtyBuckets,
  mlTelemetryEvents,
  mlTelemetryMetrics,
  mlTelemetryRetention,
  mlTelemetrySeries,
  type TelemetryGrain,
} from './schema.ts';

export const PruneTelemetryInput = z.strictObject({
  /**
   * Deletes events before the beginning of this day (UTC), which has begun. Their aggregates stay, and are not made anew from
   * then on.
   */
  eventsBefore: z.date().optional(),
  /** Deletes aggregates of minutes; no later than events are gone. */
  minutesBefore: z.date().optional(),
  hoursBefore: z.date().optional(),
  daysBefore: z.date().optional(),
  /** Rows of one transaction. Default 5,000. */
  batchSize: z.int().min(1).max(TELEMETRY_LIMITS.pruneBatchSize).optional(),
});
export type PruneTelemetryInput = Readonly<z.input<typeof PruneTelemetryInput>>;

export interface PrunedTelemetry {
  readonly events: number;
  readonly aggregates: number;
  /** Series that had nothing left. Their label sets no longer count against the limit. */
  readonly series: number;
}

export interface PruneTelemetryOptions {
  /** Ends it after the transaction that runs. */
  readonly signal?: AbortSignal;
  /** What `app_now()` answers in its transactions. Default: the database's clock. */
  readonly now?: () => Date;
}

/**
 * Deletes what a tenant keeps no longer, in small transactions and as often as it takes: a tenant's rule that is shorter
 * than that of the deployment, which drops months for all. May be ended at any point by `signal` and run again. Nobody who
 * records waits, but for series that are deleted in that moment.
 *
 * @throws DomainError `failed_precondition` for aggregates whose events are still there: they would be made again;
 *   `invalid_input` for a day that has not begun: what is recorded until then would never be aggregated.
 */
export async function pruneTelemetry(
  db: Database,
  tenant: string,
  input: PruneTelemetryInput,
  options: PruneTelemetryOptions = {},
): Promise<PrunedTelemetry> {
  const {
    eventsBefore,
    minutesBefore,
    hoursBefore,
    daysBefore,
    batchSize = 5_000,
  } = parseInput(PruneTelemetryInput, input);
  const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
    withTenant(db, tenant, work, options.now === undefined ? {} : { now: options.now() });
  const isEnded = () => options.signal?.aborted === true;
  const drain = async (batch: (tx: TenantTx) => Promise<number>): Promise<number> => {
    for (let total = 0; ; ) {
      if (isEnded()) return total;
      const deleted = await inTenant(batch);
      total += deleted;
      if (deleted < batchSize) return total;
    }
  };
  // First and by itself: whoever sees events gone sees that they are, and makes no aggregate without them.
  const grains = { minute: minutesBefore, hour: hoursBefore, day: daysBefore };
  await inTenant((tx) => raiseHorizon(tx, eventsBefore, Object.values(grains)));
  const events =
    eventsBefore === undefined ? 0 : await drain((tx) => deleteEvents(tx, beginningOfDay(eventsBefore), batchSize));
  let aggregates = 0;
  for (const [grain, before] of Object.entries(grains) as [TelemetryGrain, Date | undefined][]) {
    if (before !== undefined) aggregates += await drain((tx) => deleteAggregates(tx, grain, before, batchSize));
  }
  let series = 0;
  for (const metric of await inTenant(listMetricNames)) {
    series += await drain((tx) => deleteUnusedSeries(tx, metric, batchSize));
  }
  return { events, aggregates, series };
}

/** So that an hour or a day is made from all of its minutes, or from none. */
const beginningOfDay = (at: Date) => new Date(Math.floor(at.getTime() / 86_400_000) * 86_400_000);

async function raiseHorizon(tx: TenantTx, before: Date | undefined, aggregates: readonly (Date | undefined)[]) {
  const tenant = tenantOf(tx);
  if (before !== undefined) {
    const from = timeParameter(beginningOfDay(before));
    const [raised] = await tx.execute<{ begun: boolean }>(sql`
      with raised as (
        insert into ${mlTelemetryRetention} as r (tenant_id, events_from)
        select ${tenant}, ${from} where ${from} <= app_now()
            on conflict (tenant_id) do update
           set events_from = excluded.events_from, updated_at = app_now()
         where r.events_from < excluded.events_from
      )
      select ${from} <= app_now() as begun`);
    if (raised?.begun !== true) throw dayToCome();
  }
  const latest = Math.max(...aggregates.map((at) => at?.getTime() ?? 0));
  const [row] = await tx.execute<{ fits: boolean }>(sql`
    select ${timeParameter(new Date(latest))} <= ${eventsHorizon(tx)} as fits`);
  if (latest === 0 || row?.fits === true) return;
  throw new DomainError(
    'failed_precondition',
    'Aggregates are deleted only where their events are gone: they would be made again. Give an eventsBefore that is as late.',
  );
}

/** It would not come back: the horizon is never lowered, because nobody could tell what is missing behind it. */
const dayToCome = () =>
  new DomainError('invalid_input', 'eventsBefore must be a day that has begun.', {
    details: { field: 'eventsBefore' },
  });

async function deleteEvents(tx: TenantTx, before: Date, limit: number): Promise<number> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute(sql`
    delete from ${mlTelemetryEvents}
     where tenant_id = ${tenant} and id < ${idFloor(before)}::uuid
       and id = any (array(select id from ${mlTelemetryEvents}
                            where tenant_id = ${tenant} and id < ${idFloor(before)}::uuid
                            order by id
                            limit ${limit}))
    returning 1`);
  return rows.length;
}

async function deleteAggregates(tx: TenantTx, grain: TelemetryGrain, before: Date, limit: number): Promise<number> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute(sql`
    delete from ${mlTelemetryAggregates}
     where tenant_id = ${tenant}
       and ctid = any (array(
             select a.row
               from ${mlTelemetrySeries} s,
                    lateral (select ctid as row from ${mlTelemetryAggregates}
                              where tenant_id = ${tenant} and series_id = s.id and grain = ${grain}
                                and bucket_at < ${timeParameter(before)}) a
              where s.tenant_id = ${tenant}
              limit ${limit}))
       -- A row that was updated since has another ctid, and one of another bucket may have taken its place.
       and grain = ${grain} and bucket_at < ${timeParameter(before)}
    returning 1`);
  return rows.length;
}

const listMetricNames = async (tx: TenantTx): Promise<readonly string[]> => {
  const rows = await tx.execute<{ metric: string }>(sql`
    select metric from ${mlTelemetryMetrics} where tenant_id = ${tenantOf(tx)} order by metric`);
  return rows.map(({ metric }) => metric);
};

/**
 * The rows are locked first, then looked at by a later statement: whoever recorded in them meanwhile held them FOR KEY
 * SHARE, so they are passed over, or has committed what that statement sees. Others wait for the lock and make the series
 * anew.
 */
async function deleteUnusedSeries(tx: TenantTx, metric: string, limit: number): Promise<number> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    select from ${mlTelemetryMetrics} where tenant_id = ${tenant} and metric = ${metric} for no key update`);
  const locked = await tx.execute<{ id: string }>(sql`
    select s.id from ${mlTelemetrySeries} s
     where s.tenant_id = ${tenant} and s.metric = ${metric} and ${isUnused(tx)}
     order by s.id
     limit ${limit}
       for update skip locked`);
  if (locked.length === 0) return 0;
  const rows = await tx.execute(sql`
    delete from ${mlTelemetrySeries} s
     where s.tenant_id = ${tenant} and s.id = any (${uuidArray(locked.map(({ id }) => id))}) and ${isUnused(tx)}
    returning 1`);
  await tx.execute(sql`
    update ${mlTelemetryMetrics} m
       set label_set_count = (select count(distinct s.labels_key) from ${mlTelemetrySeries} s
                               where s.tenant_id = ${tenant} and s.metric = ${metric}),
           updated_at      = app_now()
     where m.tenant_id = ${tenant} and m.metric = ${metric}`);
  return rows.length;
}

const isUnused = (tx: TenantTx): SQL =>
  sql.join(
    [mlTelemetryAggregates, mlTelemetryDirtyBuckets, mlTelemetryEvents].map(
      (table) => sql`not exists (select from ${table} x where x.tenant_id = ${tenantOf(tx)} and x.series_id = s.id)`,
    ),
    sql` and `,
  );
