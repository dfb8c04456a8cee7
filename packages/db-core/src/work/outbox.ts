import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type TenantTx, tenantOf } from '../context/tenant-tx.ts';
import { OUTBOX_LIMITS } from '../limits.ts';
import { outboxEvents, tenantWork } from '../schema.ts';
import type { Id } from '../value/ids.ts';
import { textArray } from '../value/parameters.ts';
import { parseInput } from '../value/parse-input.ts';
import { jsonText } from '../value/strict-json.ts';
import { lineInput } from './checked-inputs.ts';

/** The kind of the work rows that announce events to the dispatcher. Their work_key is the event's id. */
export const OUTBOX_KIND = 'outbox';

/** A lifecycle change to announce: stage, alias, run, job, experiment, alert. */
export const NewOutboxEvent = z.strictObject({
  /** What happened, such as `model_version.stage_changed`. */
  topic: lineInput(OUTBOX_LIMITS.topicLength),
  /** The id of what changed. */
  subjectId: lineInput(OUTBOX_LIMITS.subjectIdLength),
  /** Facts of the change: ids, names, versions. JSON. */
  payload: z.custom<Readonly<Record<string, unknown>>>().optional(),
});
export type NewOutboxEvent = Readonly<z.input<typeof NewOutboxEvent>>;

/**
 * Writes an event that leaves the database when, and only when, this transaction commits: one statement, no lock that
 * another transaction waits for.
 *
 * Call it after the statement that locks what changes: events whose transactions follow each other are delivered in
 * that order, those of transactions that run side by side in any.
 *
 * @throws DomainError `invalid_input` for a topic, subject or payload outside the limits.
 */
export async function recordEvent(tx: TenantTx, event: NewOutboxEvent): Promise<Id<'OutboxEvent'>> {
  const [id] = await recordEvents(tx, [event]);
  if (id === undefined) throw new Error('INSERT … RETURNING gave no row.');
  return id;
}

/** As recordEvent for any number of events, delivered in the order given: one statement, and none for no event. */
export async function recordEvents(
  tx: TenantTx,
  events: readonly NewOutboxEvent[],
): Promise<readonly Id<'OutboxEvent'>[]> {
  const tenant = tenantOf(tx);
  const given = parseInput(NewOutboxEvents, events);
  if (given.length === 0) return [];
  const payloads = given.map(({ payload }) => jsonText(payload ?? {}, 'payload', OUTBOX_LIMITS.payloadBytes));
  // The ids are made by the server: its clock is one for all processes, and with the microseconds behind the
  // milliseconds two events of one transaction keep their order, which random bits would not give. Those of one
  // statement are a microsecond apart, which is less than the server takes to write one.
  //
  // One work row an event, and not one a tenant that each event renews: all lifecycle transactions of a tenant would
  // wait for each other on that row until they commit, and deadlock with the locks they took before.
  const rows = await tx.execute<{ id: Id<'OutboxEvent'> }>(sql`
    with moment as (
      select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros
    ), given as (
      select topic, subject_id, payload, moment.micros + place as micros
        from moment,
             unnest(${textArray(given.map(({ topic }) => topic))},
                    ${textArray(given.map(({ subjectId }) => subjectId))},
                    ${textArray(payloads)}) with ordinality as given (topic, subject_id, payload, place)
    ), event as (
      insert into ${outboxEvents} (tenant_id, id, topic, subject_id, payload)
      select ${tenant},
             encode(
               substring(int8send(micros / 1000) from 3)
                 || int2send((28672 + (micros % 1000) * 4096 / 1000)::int2)
                 || substring(uuid_send(gen_random_uuid()) from 9),
               'hex')::uuid,
             topic, subject_id, payload::jsonb
        from given
      returning id
    ), work as (
      insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
      select ${tenant}, ${OUTBOX_KIND}, id::text, app_now() from event
    )
    select id from event order by id`);
  return rows.map(({ id }) => id);
}

const NewOutboxEvents = z.array(NewOutboxEvent);
