import {
  DomainError,
  float8Array,
  int8Array,
  jsonArray,
  newId,
  parseInput,
  type TenantTx,
  tenantOf,
  textArray,
  timeOfId,
  uuidArray,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { labelRecord, measuredValue, metricName, subjectName, unitName } from './field-inputs.ts';
import { TELEMETRY_LIMITS } from './limits.ts';
import { makeSeries, type WantedSeries } from './make-series.ts';
import { noteRefresh } from './note-refresh.ts';
import { mlTelemetryDirtyBuckets, mlTelemetryEvents, mlTelemetryMetrics, mlTelemetrySeries } from './schema.ts';

export const RecordTelemetryInput = z.strictObject({
  events: z
    .array(
      z.strictObject({
        /** What was measured, such as the id of a model version, or an endpoint. */
        subject: subjectName,
        metric: metricName,
        /** At most 1e140 in size, or NaN, Infinity, -Infinity. */
        value: measuredValue,
        /** When, to the millisecond. Default: the time of `id`, else that of the transaction. */
        at: z.date().optional(),
        /**
         * A v7 id made by the caller for this event, `newId(at)`: a client that sends it again after a failure does not
         * record it twice. It carries the event's time, so `at` is the same or left out.
         */
        id: z.uuidv7().optional(),
        unit: unitName.optional(),
        labels: labelRecord.optional(),
      }),
    )
    .max(TELEMETRY_LIMITS.batchSize)
    .readonly(),
});
export type RecordTelemetryInput = Readonly<z.input<typeof RecordTelemetryInput>>;

export interface RecordedTelemetry {
  readonly recorded: number;
  /** Events whose id was recorded before, in this call or another. */
  readonly repeated: number;
}

interface Batch {
  readonly series: readonly WantedSeries[];
  /** In the order of their ids, so that two calls with the same ids do not wait for each other in a circle. */
  readonly events: readonly PreparedEvent[];
  readonly latest: Date;
}

interface PreparedEvent {
  readonly index: number;
  /** null: made by the database, with the time of the transaction. */
  readonly id: string | null;
  /** Of its series in the batch, from 1. */
  readonly series: number;
  readonly value: number;
}

/**
 * Records measured values, all or none. One round trip where all series are known, five where some are new.
 *
 * It waits for no other transaction that records, but where both make series of one metric or send the same ids. The
 * aggregates know of the events after the next refresh, which the dispatcher runs some seconds after the commit.
 *
 * @throws DomainError, naming the event's index: `invalid_input` for a value outside the limits, a time outside of 2000 to
 *   2099 or more than a day ahead, an id of another time than `at`, one label set too many; `conflict` for another unit
 *   than the metric has, and for an id that was recorded with another series or value.
 */
export async function recordTelemetry(tx: TenantTx, input: RecordTelemetryInput): Promise<RecordedTelemetry> {
  const batch = prepare(parseInput(RecordTelemetryInput, input).events);
  if (batch.events.length === 0) return { recorded: 0, repeated: 0 };
  // A series that pruneTelemetry deletes between making and using it is made once more.
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const outcome = await insertEvents(tx, batch);
    refuseTimesAhead(batch, new Date(outcome.now_ms));
    if (!outcome.complete) {
      await makeSeries(tx, batch.series);
      continue;
    }
    const { recorded } = outcome;
    const repeated = batch.events.length - recorded;
    if (repeated > 0) await refuseOtherContent(tx, batch);
    return { recorded, repeated };
  }
  throw new DomainError('conflict', 'Series of this batch were deleted while they were recorded. Try again.', {
    details: { retryable: true },
  });
}

function prepare(given: z.output<typeof RecordTelemetryInput>['events']): Batch {
  const numbers = new Map<string, number>();
  const series: WantedSeries[] = [];
  let latestMs = 0;
  const events = given.map(({ subject, metric, labels = {}, unit, value, ...rest }, index): PreparedEvent => {
    const at = timeOf(rest, index);
    if (at !== undefined) latestMs = Math.max(latestMs, at.getTime());
    const id = rest.id?.toLowerCase() ?? (at === undefined ? null : newId(at));
    // Names hold no control characters. The same labels in another order are the same series all the same.
    const key = `${subject}\0${metric}\0${unit ?? ''}\0${JSON.stringify(labels)}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = series.push({ subject, metric, labels, unit, index });
      numbers.set(key, number);
    }
    return { index, id, series: number, value };
  });
  events.sort(({ id: one }, { id: other }) => (one === other ? 0 : (one ?? '') < (other ?? '') ? -1 : 1));
  return { series, events, latest: new Date(latestMs) };
}

const earliest = Date.UTC(2000);
const end = Date.UTC(2100);

function timeOf({ id, at }: { readonly id?: string | undefined; readonly at?: Date | undefined }, index: number) {
  const time = id === undefined ? at : timeOfId(id);
  if (time === undefined) return undefined;
  const field = id === undefined ? 'at' : 'id';
  if (at !== undefined && at.getTime() !== time.getTime()) {
    throw badTime(index, 'id', 'must carry the time that at says, to the millisecond: make it by newId(at)');
  }
  if (time.getTime() < earliest || time.getTime() >= end) {
    throw badTime(index, field, 'must be a time of the years 2000 to 2099');
  }
  return time;
}

function badTime(index: number, field: 'id' | 'at', rule: string): DomainError {
  const path = `events[${index}].${field}`;
  return new DomainError('invalid_input', `${path} ${rule}.`, { details: { field: path, index } });
}

/** By the database's clock, which the events are read by. */
function refuseTimesAhead({ events, latest }: Batch, now: Date): void {
  const limit = now.getTime() + TELEMETRY_LIMITS.aheadMs;
  if (latest.getTime() <= limit) return;
  const ahead = events.filter(({ id }) => id !== null && timeOfId(id).getTime() > limit);
  const index = Math.min(...ahead.map((event) => event.index));
  throw badTime(index, 'at', `must be at most ${TELEMETRY_LIMITS.aheadMs} ms ahead of the clock`);
}

interface Outcome extends Record<string, unknown> {
  /** False where series are missing; then nothing was written. */
  readonly complete: boolean;
  readonly recorded: number;
  readonly now_ms: number;
}

const givenEvents = (events: readonly PreparedEvent[]): SQL => sql`
  unnest(${uuidArray(events.map(({ id }) => id))}, ${int8Array(events.map(({ series }) => series))},
         ${float8Array(events.map(({ value }) => value))}, ${int8Array(events.map(({ index }) => index))})
      as given (id, series, value, index)`;

const seriesIds = (tx: TenantTx, series: readonly WantedSeries[], lock: SQL): SQL => sql`
  wanted as materialized (
    select number, subject, metric, md5(labels::text)::uuid as labels_key, unit
      from unnest(${textArray(series.map(({ subject }) => subject))},
                  ${textArray(series.map(({ metric }) => metric))},
                  ${jsonArray(series.map(({ labels }) => labels))},
                  ${textArray(series.map(({ unit }) => unit ?? null))})
           with ordinality as w (subject, metric, labels, unit, number)
  ), found as materialized (
    select w.number, s.id
      from wanted w
      join ${mlTelemetrySeries} s
        on s.tenant_id = ${tenantOf(tx)} and s.metric = w.metric and s.subject = w.subject
       and s.labels_key = w.labels_key
      join ${mlTelemetryMetrics} m
        on m.tenant_id = ${tenantOf(tx)} and m.metric = w.metric and m.unit is not distinct from coalesce(w.unit, m.unit)
     order by s.id
     ${lock}
  ), series as materialized (
    -- An array, because joined to 10,000 events under an estimate of 10 it was a nested loop.
    select array_agg(id order by number) as ids, count(*) = (select count(*) from wanted) as complete from found
  )`;

async function insertEvents(tx: TenantTx, { series, events, latest }: Batch): Promise<Outcome> {
  const tenant = tenantOf(tx);
  const [outcome] = await tx.execute<Outcome>(sql`
    with ${seriesIds(tx, series, sql`for key share of s`)}, recorded as (
      insert into ${mlTelemetryEvents} (tenant_id, id, series_id, value)
      select ${tenant}, coalesce(given.id, app_uuid_v7(app_now())), series.ids[given.series], given.value
        from series, ${givenEvents(events)}
       where series.complete
         and ${latest.getTime()}::float8 <= extract(epoch from app_now()) * 1000 + ${TELEMETRY_LIMITS.aheadMs}::float8
       order by given.id
          on conflict (tenant_id, id) do nothing
      returning series_id, recorded_at
    ), marked as (
      insert into ${mlTelemetryDirtyBuckets} (tenant_id, id, series_id, bucket_at)
      select ${tenant}, app_uuid_v7(), series_id, bucket_at
        from (select distinct series_id, date_trunc('minute', recorded_at, 'UTC') as bucket_at from recorded) b
       order by series_id, bucket_at
    ), ${noteRefresh(tx, sql`recorded`)}
    select complete, (select count(*) from recorded)::int as recorded,
           (extract(epoch from app_now()) * 1000)::float8 as now_ms
      from series`);
  if (outcome !== undefined) return outcome;
  throw new TypeError('An aggregate without groups gives one row');
}

/** A repeated id that means something else is a defect of the caller's, which would lose an event in silence. */
async function refuseOtherContent(tx: TenantTx, { series, events }: Batch): Promise<void> {
  const [other] = await tx.execute<{ index: number }>(sql`
    with ${seriesIds(tx, series, sql``)}
    select given.index::int as index
      from series, ${givenEvents(events)}
      join ${mlTelemetryEvents} e on e.tenant_id = ${tenantOf(tx)} and e.id = given.id
     where e.series_id <> series.ids[given.series] or e.value <> given.value
     order by given.index
     limit 1`);
  if (other === undefined) return;
  const field = `events[${other.index}].id`;
  throw new DomainError(
    'conflict',
    `${field} was recorded before, with another series or value. Each event has an id of its own.`,
    { details: { field, index: other.index } },
  );
}
