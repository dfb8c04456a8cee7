import { type Id, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import type { LifeCycleSettings } from '../alerts/episode.ts';
import type { RuleOfAlerts } from '../alerts/settle-alerts.ts';
import { ruleNotFound } from '../not-found.ts';
import { alertRuleClocks, alertRules } from './schema.ts';

/** A rule with its clock. */
export type StoredRule = Readonly<
  Omit<typeof alertRules.$inferSelect, 'tenantId'> &
    Pick<typeof alertRuleClocks.$inferSelect, 'evaluatedAt' | 'errorCode'>
>;

const { tenantId: _tenantId, ...columns } = getTableColumns(alertRules);
export const ruleColumns = {
  ...columns,
  evaluatedAt: alertRuleClocks.evaluatedAt,
  errorCode: alertRuleClocks.errorCode,
};

export const ofItsClock = and(
  eq(alertRuleClocks.tenantId, alertRules.tenantId),
  eq(alertRuleClocks.ruleId, alertRules.id),
);

/** Rules as they are at this moment, in the order of their ids. No lock. */
export async function readRules(tx: TenantTx, ruleIds: readonly string[]): Promise<readonly StoredRule[]> {
  return await tx
    .select(ruleColumns)
    .from(alertRules)
    .innerJoin(alertRuleClocks, ofItsClock)
    .where(and(eq(alertRules.tenantId, tenantOf(tx)), sql`${alertRules.id} = any (${uuidArray(ruleIds)})`))
    .orderBy(alertRules.id);
}

/**
 * Takes the lock of a rule and its alerts, and reads the rule as it is then: two statements, because the first may have
 * waited for one who changed it. One flight.
 */
export async function findLockedRule(tx: TenantTx, ruleId: string): Promise<StoredRule | undefined> {
  const [, [rule]] = await Promise.all([lockClock(tx, ruleId), readRules(tx, [ruleId])]);
  return rule;
}

/** As findLockedRule. @throws DomainError `not_found`. */
export async function lockRule(tx: TenantTx, ruleId: string): Promise<StoredRule> {
  const rule = await findLockedRule(tx, ruleId);
  if (rule === undefined) throw ruleNotFound();
  return rule;
}

async function lockClock(tx: TenantTx, ruleId: string): Promise<void> {
  await tx
    .select({ ruleId: alertRuleClocks.ruleId })
    .from(alertRuleClocks)
    .where(and(eq(alertRuleClocks.tenantId, tenantOf(tx)), eq(alertRuleClocks.ruleId, ruleId as Id<'AlertRule'>)))
    .for('no key update');
}

export const settingsOf = (rule: LifeCycleSettings): LifeCycleSettings => ({
  forMs: rule.forMs,
  keepFiringForMs: rule.keepFiringForMs,
  cooldownMs: rule.cooldownMs,
  repeatMs: rule.repeatMs,
  missingData: rule.missingData,
  severity: rule.severity,
});

export const toRuleOfAlerts = (rule: StoredRule): RuleOfAlerts => ({
  id: rule.id,
  name: rule.name,
  labels: rule.labels,
  summary: rule.summary,
  settings: settingsOf(rule),
});
