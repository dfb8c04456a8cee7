import {
  DomainError,
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  type Id,
  jsonParameter,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  recordEvent,
  type TenantTx,
  tenantOf,
  textField,
  textInput,
  timeField,
  timeParameter,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';
import { silenceNotFound } from '../not-found.ts';
import { Matchers } from './matcher.ts';
import { recordSettingEvent } from './record-setting-event.ts';
import { alertSilences } from './schema.ts';

export const CreateSilenceInput = z
  .strictObject({
    /** All of them have to match. */
    matchers: Matchers,
    /** Default: now. */
    startsAt: z.date().optional(),
    /** Not included. */
    endsAt: z.date(),
    comment: textInput(MONITORING_LIMITS.commentLength).optional(),
  })
  .refine(({ startsAt, endsAt }) => startsAt === undefined || startsAt < endsAt, {
    path: ['endsAt'],
    error: 'must be later than startsAt',
  });
export type CreateSilenceInput = Readonly<z.input<typeof CreateSilenceInput>>;

/**
 * Keeps alerts from being told while it lasts. Their states go on; those that still fire when it ends are told with the next
 * evaluation of their rule, and so is the resolve of one that was told before. Two round trips, no lock. Announces
 * `alert_silence.created`.
 *
 * @throws DomainError `invalid_input`, also for an end that is over, more than a year, or more than 1,000 silences that are
 *   not over.
 */
export async function createSilence(
  tx: TenantTx,
  input: CreateSilenceInput,
): Promise<{ readonly silenceId: Id<'AlertSilence'> }> {
  const { matchers, startsAt, endsAt, comment = null } = parseInput(CreateSilenceInput, input);
  const tenant = tenantOf(tx);
  const from = startsAt === undefined ? sql`app_now()` : timeParameter(startsAt);
  const year = sql`interval '1 millisecond' * ${MONITORING_LIMITS.silenceMs}::float8`;
  const [made] = await tx.execute<{ id: Id<'AlertSilence'> | null; is_over: boolean; is_long: boolean }>(sql`
    with asked as (
      select ${timeParameter(endsAt)} <= greatest(${from}, app_now()) as is_over,
             ${timeParameter(endsAt)} > ${from} + ${year} as is_long,
             (select count(*) from ${alertSilences}
               where tenant_id = ${tenant} and ends_at > (select app_now())) >= ${MONITORING_LIMITS.silences} as is_full
    ), made as (
      insert into ${alertSilences} (tenant_id, matchers, starts_at, ends_at, comment)
      select ${tenant}, ${jsonParameter(matchers)}, ${from}, ${timeParameter(endsAt)}, ${comment}
        from asked
       where not (is_over or is_long or is_full)
      returning id
    )
    select (select id from made) as id, is_over, is_long from asked`);
  if (made?.id == null) throw refusedSilence(made?.is_over === true, made?.is_long === true);
  const facts = { matchers, startsAt: startsAt?.toISOString() ?? null, endsAt: endsAt.toISOString() };
  await Promise.all([
    recordSettingEvent(tx, { subject: 'silence', subjectId: made.id, kind: 'created', facts: { ...facts, comment } }),
    recordEvent(tx, { topic: 'alert_silence.created', subjectId: made.id, payload: { endsAt: facts.endsAt } }),
  ]);
  return { silenceId: made.id };
}

function refusedSilence(isOver: boolean, isLong: boolean): DomainError {
  const [field, rule] = isOver
    ? ['endsAt', 'must lie ahead']
    : isLong
      ? ['endsAt', `must be at most ${MONITORING_LIMITS.silenceMs} ms after startsAt`]
      : [
          'matchers',
          `are one too many: a tenant has at most ${MONITORING_LIMITS.silences} silences that are not over. End some`,
        ];
  return new DomainError('invalid_input', `${field} ${rule}.`, { details: { field } });
}

export const ExpireSilenceInput = z.strictObject({ silenceId: z.uuid() });
export type ExpireSilenceInput = Readonly<z.input<typeof ExpireSilenceInput>>;

/**
 * Ends a silence now, also one that has not begun. One that is over stays as it is. Two round trips; the silence's lock.
 * Announces `alert_silence.expired`.
 *
 * @throws DomainError `not_found`.
 */
export async function expireSilence(tx: TenantTx, input: ExpireSilenceInput): Promise<void> {
  const { silenceId } = parseInput(ExpireSilenceInput, input);
  const [found] = await tx.execute<{ is_ended: boolean }>(sql`
    with held as materialized (
      select id, ends_at from ${alertSilences}
       where tenant_id = ${tenantOf(tx)} and id = ${silenceId}::uuid
         for no key update
    ), ended as (
      update ${alertSilences} s
         set ends_at = app_now(), starts_at = least(s.starts_at, app_now())
        from held
       where s.tenant_id = ${tenantOf(tx)} and s.id = held.id and held.ends_at > app_now()
      returning 1
    )
    select exists (select from ended) as is_ended from held`);
  if (found === undefined) throw silenceNotFound();
  if (!found.is_ended) return;
  await Promise.all([
    recordSettingEvent(tx, { subject: 'silence', subjectId: silenceId, kind: 'expired', facts: {} }),
    recordEvent(tx, { topic: 'alert_silence.expired', subjectId: silenceId }),
  ]);
}

const { tenantId: _tenantId, ...columns } = getTableColumns(alertSilences);

/** A row of alert_silences. */
export type AlertSilence = Readonly<Omit<typeof alertSilences.$inferSelect, 'tenantId'>>;

export const GetSilenceInput = z.strictObject(ExpireSilenceInput.shape);
export type GetSilenceInput = Readonly<z.input<typeof GetSilenceInput>>;

/** A silence by its id. One statement, no lock. @throws DomainError `not_found`. */
export async function getSilence(tx: TenantTx, input: GetSilenceInput): Promise<AlertSilence> {
  const { silenceId } = parseInput(GetSilenceInput, input);
  const [silence] = await tx
    .select(columns)
    .from(alertSilences)
    .where(and(eq(alertSilences.tenantId, tenantOf(tx)), eq(alertSilences.id, silenceId as Id<'AlertSilence'>)));
  if (silence === undefined) throw silenceNotFound();
  return silence;
}

const fields = defineFilterFields({
  id: uuidField(alertSilences.id),
  comment: textField(alertSilences.comment),
  actor: textField(alertSilences.actor),
  starts_at: timeField(alertSilences.startsAt),
  ends_at: timeField(alertSilences.endsAt),
});

export const ListSilencesInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `ends_at > '2026-05-04T10:00:00Z'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: those that end last first. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListSilencesInput = Readonly<z.input<typeof ListSilencesInput>>;

const silenceList = defineList({
  name: 'monitoring.silences',
  from: alertSilences,
  columns,
  order: defineOrder({ fields, byDefault: [{ field: 'ends_at', direction: 'desc' }], tieBreaker: fields.fields.id }),
});

/** The tenant's silences, over or not, by pages. One statement, no lock. */
export async function listSilences(tx: TenantTx, input: ListSilencesInput = {}): Promise<Page<AlertSilence>> {
  return await readPage(tx, silenceList, parseInput(ListSilencesInput, input));
}
