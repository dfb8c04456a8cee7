import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { endAlerts } from '../alerts/end-alerts.ts';
import { scheduleEvaluation } from '../monitor/schedule-evaluation.ts';
import { refuseMeetingLabels, ruleFields, ruleId } from './alert-rule-input.ts';
import { recordRuleChange, withoutUndefined } from './create-alert-rule.ts';
import { lockRule, type StoredRule } from './locked-rules.ts';
import { alertRules } from './schema.ts';

export const UpdateAlertRuleInput = z.strictObject({
  ruleId,
  /** Refuses to change another revision than this. */
  expectedRevision: z.int().min(1).optional(),
  ...z.strictObject(ruleFields).partial().shape,
});
export type UpdateAlertRuleInput = Readonly<z.input<typeof UpdateAlertRuleInput>>;

/** Of a rule as a whole, because what is given meets what is there. */
const WholeRule = z.object(ruleFields).superRefine(refuseMeetingLabels);

/**
 * Changes what is given of a rule; what stays the same is no change. Open alerts live on under the new rule: one that fires
 * goes on firing, however long `forMs` has become, and the next evaluation says what of the rest.
 *
 * A rule that is disabled is no longer evaluated, and its open alerts are resolved. Up to five round trips; the rule's lock.
 * Announces `alert_rule.changed`, `.enabled` or `.disabled`.
 *
 * @throws DomainError `invalid_input` with the path of what is wrong, `conflict` for another revision, `already_exists` for
 *   the name, `not_found`.
 */
export async function updateAlertRule(
  tx: TenantTx,
  input: UpdateAlertRuleInput,
): Promise<{ readonly revision: number }> {
  const { ruleId: id, expectedRevision, ...changes } = parseInput(UpdateAlertRuleInput, input);
  const stored = await lockRule(tx, id);
  if (expectedRevision !== undefined && expectedRevision !== stored.revision) {
    throw new DomainError('conflict', 'The rule was changed since. Read it again.', {
      details: { revision: stored.revision },
    });
  }
  const before = definitionOf(stored);
  const rule = { ...before, ...withoutUndefined(changes) };
  parseInput(WholeRule, rule);
  if (JSON.stringify(canonical(rule)) === JSON.stringify(canonical(before))) return { revision: stored.revision };
  const revision = stored.revision + 1;
  const isSwitched = rule.isEnabled !== before.isEnabled;
  const kind = !isSwitched ? 'changed' : rule.isEnabled ? 'enabled' : 'disabled';
  await Promise.all([
    tx
      .update(alertRules)
      .set({ ...rule, revision, updatedAt: sql`app_now()` })
      .where(and(eq(alertRules.tenantId, tenantOf(tx)), eq(alertRules.id, stored.id))),
    recordRuleChange(tx, { id: stored.id, revision, kind, rule }),
    ...(rule.isEnabled ? [scheduleEvaluation(tx)] : []),
  ]);
  if (kind === 'disabled') await endAlerts(tx, stored, 'rule_disabled');
  return { revision };
}

export const definitionOf = ({
  id: _id,
  revision: _revision,
  createdAt: _createdAt,
  updatedAt: _updatedAt,
  evaluatedAt: _evaluatedAt,
  errorCode: _errorCode,
  ...rule
}: StoredRule) => rule;

/** Keys in their order, as jsonb gives them in another. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, one]) => [key, canonical(one)]);
};
