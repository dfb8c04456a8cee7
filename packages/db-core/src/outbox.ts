import { sql } from 'drizzle-orm';
import type { Id } from './ids.ts';
import { jsonParameter } from './parameters.ts';
import { outboxEvents, tenantWork } from './schema.ts';
import { type TenantTx, tenantOf } from './tenant-tx.ts';
import { limitedText, OUTBOX_LIMITS } from './work-limits.ts';

/** The kind of the work rows that announce events to the dispatcher. Their work_key is the event's id. */
export const OUTBOX_KIND = 'outbox';

/** A lifecycle change to announce: stage, alias, run, job, experiment, alert. */
export interface NewOutboxEvent {
  /** What happened, such as `model_version.stage_changed`. */
  readonly topic: string;
  /** The id of what changed. */
  readonly subjectId: string;
  /** Facts of the change: ids, names, versions. JSON. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

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
  const tenant = tenantOf(tx);
  const topic = limitedText(event.topic, 'topic', OUTBOX_LIMITS.topicLength);
  const subjectId = limitedText(event.subjectId, 'subjectId', OUTBOX_LIMITS.subjectIdLength);
  const payload = jsonParameter(event.payload ?? {}, 'payload', OUTBOX_LIMITS.payloadBytes);
  // The id is made by the server: its clock is one for all processes, and with the microseconds behind the milliseconds
  // two events of one transaction keep their order, which random bits would not give.
  //
  // One work row an event, and not one a tenant that each event renews: all lifecycle transactions of a tenant would
  // wait for each other on that row until they commit, and deadlock with the locks they took before.
  const [row] = await tx.execute<{ id: Id<'OutboxEvent'> }>(sql`
    with moment as (
      select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros
    ), event as (
      insert into ${outboxEvents} (tenant_id, id, topic, subject_id, payload)
      select ${tenant},
             encode(
               substring(int8send(micros / 1000) from 3)
                 || int2send((28672 + (micros % 1000) * 4096 / 1000)::int2)
                 || substring(uuid_send(gen_random_uuid()) from 9),
               'hex')::uuid,
             ${topic}, ${subjectId}, ${payload}
        from moment
      returning id
    )
    insert into ${tenantWork} (tenant_id, kind, work_key, due_at)
    select ${tenant}, ${OUTBOX_KIND}, id::text, app_now() from event
    returning work_key as id`);
  if (row === undefined) throw new Error('INSERT … RETURNING gave no row.');
  return row.id;
}
