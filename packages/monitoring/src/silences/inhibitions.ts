import { DomainError, type Id, nameInput, parseInput, recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';
import { inhibitionNotFound } from '../not-found.ts';
import { Matchers } from './matcher.ts';
import { recordSettingEvent } from './record-setting-event.ts';
import { alertInhibitions } from './schema.ts';

export const CreateInhibitionInput = z.strictObject({
  name: nameInput(MONITORING_LIMITS.nameLength),
  /** While an alert that all of these match fires … */
  sourceMatchers: Matchers,
  /** … those that all of these match are not told … */
  targetMatchers: Matchers,
  /** … where both have the same values under these labels. Default: none. */
  equal: z.array(nameInput(MONITORING_LIMITS.labelKeyLength)).max(MONITORING_LIMITS.byKeys).readonly().optional(),
});
export type CreateInhibitionInput = Readonly<z.input<typeof CreateInhibitionInput>>;

/**
 * Keeps alerts from being told while another fires, such as those of each feature while the source of all is down. Their
 * states go on. An alert that matches both sides is told. Two round trips, no lock. Announces `alert_inhibition.created`.
 *
 * @throws DomainError `already_exists` for the name, `invalid_input`, also for more than 100 inhibitions.
 */
export async function createInhibition(
  tx: TenantTx,
  input: CreateInhibitionInput,
): Promise<{ readonly inhibitionId: Id<'AlertInhibition'> }> {
  const { equal = [], ...given } = parseInput(CreateInhibitionInput, input);
  const [[made], [count]] = await Promise.all([
    tx
      .insert(alertInhibitions)
      .values({ ...given, equal: [...equal] })
      .returning({ id: alertInhibitions.id }),
    tx
      .select({ all: sql<number>`count(*)::int` })
      .from(alertInhibitions)
      .where(eq(alertInhibitions.tenantId, tenantOf(tx))),
  ]);
  if (made === undefined || count === undefined) throw new TypeError('INSERT … RETURNING gives a row');
  if (count.all > MONITORING_LIMITS.inhibitions) {
    throw new DomainError(
      'invalid_input',
      `A tenant has at most ${MONITORING_LIMITS.inhibitions} inhibitions. Remove some.`,
      {
        details: { limit: MONITORING_LIMITS.inhibitions },
      },
    );
  }
  await Promise.all([
    recordSettingEvent(tx, { subject: 'inhibition', subjectId: made.id, kind: 'created', facts: { ...given, equal } }),
    recordEvent(tx, { topic: 'alert_inhibition.created', subjectId: made.id, payload: { name: given.name } }),
  ]);
  return { inhibitionId: made.id };
}

export const RemoveInhibitionInput = z.strictObject({ inhibitionId: z.uuid() });
export type RemoveInhibitionInput = Readonly<z.input<typeof RemoveInhibitionInput>>;

/** Removes an inhibition. Two round trips. Announces `alert_inhibition.removed`. @throws DomainError `not_found`. */
export async function removeInhibition(tx: TenantTx, input: RemoveInhibitionInput): Promise<void> {
  const { inhibitionId } = parseInput(RemoveInhibitionInput, input);
  const [removed] = await tx
    .delete(alertInhibitions)
    .where(
      and(eq(alertInhibitions.tenantId, tenantOf(tx)), eq(alertInhibitions.id, inhibitionId as Id<'AlertInhibition'>)),
    )
    .returning({ name: alertInhibitions.name });
  if (removed === undefined) throw inhibitionNotFound();
  await Promise.all([
    recordSettingEvent(tx, { subject: 'inhibition', subjectId: inhibitionId, kind: 'removed', facts: { ...removed } }),
    recordEvent(tx, { topic: 'alert_inhibition.removed', subjectId: inhibitionId, payload: { ...removed } }),
  ]);
}

/** A row of alert_inhibitions. */
export type AlertInhibition = Readonly<Omit<typeof alertInhibitions.$inferSelect, 'tenantId'>>;

/** All of the tenant's, by name; 100 at the most. One statement, no lock. */
export async function listInhibitions(tx: TenantTx): Promise<readonly AlertInhibition[]> {
  const { tenantId: _tenantId, ...columns } = getTableColumns(alertInhibitions);
  return await tx
    .select(columns)
    .from(alertInhibitions)
    .where(eq(alertInhibitions.tenantId, tenantOf(tx)))
    .orderBy(asc(alertInhibitions.name));
}
