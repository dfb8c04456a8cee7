import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { endAlerts } from '../alerts/end-alerts.ts';
import { ruleId } from './alert-rule-input.ts';
import { recordRuleChange } from './create-alert-rule.ts';
import { lockRule } from './locked-rules.ts';
import { alertRules } from './schema.ts';
import { definitionOf } from './update-alert-rule.ts';

export const RemoveAlertRuleInput = z.strictObject({ ruleId });
export type RemoveAlertRuleInput = Readonly<z.input<typeof RemoveAlertRuleInput>>;

/**
 * Removes a rule and resolves its open alerts, which stay with their transitions, as does the rule's history. Up to four
 * round trips; the rule's lock. Announces `alert_rule.removed`.
 *
 * @throws DomainError `not_found`.
 */
export async function removeAlertRule(tx: TenantTx, input: RemoveAlertRuleInput): Promise<void> {
  const given = parseInput(RemoveAlertRuleInput, input);
  const rule = await lockRule(tx, given.ruleId);
  await endAlerts(tx, rule, 'rule_removed');
  await Promise.all([
    tx.delete(alertRules).where(and(eq(alertRules.tenantId, tenantOf(tx)), eq(alertRules.id, rule.id))),
    recordRuleChange(tx, { id: rule.id, revision: rule.revision + 1, kind: 'removed', rule: definitionOf(rule) }),
  ]);
}
