import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, asc, eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { alertNotFound } from '../not-found.ts';
import { alertStatuses, type Transition } from './episode.ts';
import { monitoringAlerts, monitoringAlertTransitions } from './schema.ts';
import { severities } from './severity.ts';

const {
  tenantId: _tenantId,
  watchedUntil: _watchedUntil,
  transitionNumber: _transitionNumber,
  ...columns
} = getTableColumns(monitoringAlerts);

/** A row of monitoring_alerts: one episode of a series. */
export type Alert = Readonly<
  Omit<typeof monitoringAlerts.$inferSelect, 'tenantId' | 'watchedUntil' | 'transitionNumber'>
>;

/** A row of monitoring_alert_transitions. */
export type AlertTransition = Readonly<Omit<typeof monitoringAlertTransitions.$inferSelect, 'tenantId' | 'alertId'>>;

export interface AlertWithTransitions extends Alert {
  /** In order, from the one that opened it. */
  readonly transitions: readonly AlertTransition[];
}

export const GetAlertInput = z.strictObject({ alertId: z.uuid() });
export type GetAlertInput = Readonly<z.input<typeof GetAlertInput>>;

/** As findAlert. @throws DomainError `not_found` where it gives undefined. */
export async function getAlert(tx: TenantTx, input: GetAlertInput): Promise<AlertWithTransitions> {
  const alert = await findAlert(tx, input);
  if (alert === undefined) throw alertNotFound();
  return alert;
}

/** An alert with all its transitions; undefined where it is not there. One flight, no lock. */
export async function findAlert(tx: TenantTx, input: GetAlertInput): Promise<AlertWithTransitions | undefined> {
  const { alertId } = parseInput(GetAlertInput, input);
  const { tenantId: _ofTenant, alertId: _ofAlert, ...transitionColumns } = getTableColumns(monitoringAlertTransitions);
  const [[alert], transitions] = await Promise.all([
    tx
      .select(columns)
      .from(monitoringAlerts)
      .where(and(eq(monitoringAlerts.tenantId, tenantOf(tx)), eq(monitoringAlerts.id, alertId as Id<'Alert'>))),
    tx
      .select(transitionColumns)
      .from(monitoringAlertTransitions)
      .where(
        and(eq(monitoringAlertTransitions.tenantId, tenantOf(tx)), eq(monitoringAlertTransitions.alertId, alertId)),
      )
      .orderBy(asc(monitoringAlertTransitions.number)),
  ]);
  return alert === undefined ? undefined : { ...alert, transitions };
}

/** A stored transition as replayTransitions takes it. */
export const toTransition = ({ at, cooldownUntil, ...step }: AlertTransition): Transition => ({
  ...step,
  at: at.getTime(),
  cooldownUntil: cooldownUntil?.getTime() ?? null,
});

const fields = defineFilterFields({
  id: uuidField(monitoringAlerts.id),
  rule_id: uuidField(monitoringAlerts.ruleId),
  rule: textField(monitoringAlerts.ruleName),
  fingerprint: uuidField(monitoringAlerts.fingerprint),
  status: enumField(monitoringAlerts.status, alertStatuses),
  severity: enumField(monitoringAlerts.severity, severities),
  value: numberField(monitoringAlerts.value),
  active_at: timeField(monitoringAlerts.activeAt),
  fired_at: timeField(monitoringAlerts.firedAt),
  resolved_at: timeField(monitoringAlerts.resolvedAt),
});

export const ListAlertsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `status = 'firing' AND severity = 'critical'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListAlertsInput = Readonly<z.input<typeof ListAlertsInput>>;

const alertList = defineList({
  name: 'monitoring.alerts',
  from: monitoringAlerts,
  columns,
  order: defineOrder({
    fields,
    byDefault: [{ field: 'active_at', direction: 'desc' }],
    tieBreaker: fields.fields.id,
  }),
});

/**
 * The tenant's alerts, open and resolved, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listAlerts(tx: TenantTx, input: ListAlertsInput = {}): Promise<Page<Alert>> {
  return await readPage(tx, alertList, parseInput(ListAlertsInput, input));
}
