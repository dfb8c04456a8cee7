import { type Id, parseInput, recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { z } from 'zod';
import { scheduleEvaluation } from '../monitor/schedule-evaluation.ts';
import { refuseMeetingLabels, ruleDefaults, ruleFields } from './alert-rule-input.ts';
import { type AlertRuleChange, alertRuleClocks, alertRuleHistory, alertRules } from './schema.ts';

const { name, condition, ...settings } = ruleFields;

export const CreateAlertRuleInput = z
  .strictObject({ name, condition, ...z.strictObject(settings).partial().shape })
  .superRefine(refuseMeetingLabels);
export type CreateAlertRuleInput = Readonly<z.input<typeof CreateAlertRuleInput>>;

/**
 * Makes a rule, to be evaluated by runMonitor from now on. Two round trips, no lock. Announces `alert_rule.created`.
 *
 * Defaults: severity `warning`; each minute, 15 seconds behind; fires at once and resolves at once; told again each four
 * hours; missing data keep the state.
 *
 * @throws DomainError `invalid_input` with the path of what is wrong in the condition, `already_exists` for the name.
 */
export async function createAlertRule(
  tx: TenantTx,
  input: CreateAlertRuleInput,
): Promise<{ readonly ruleId: Id<'AlertRule'> }> {
  const given = parseInput(CreateAlertRuleInput, input);
  const rule = { ...ruleDefaults, ...withoutUndefined(given), name: given.name, condition: given.condition };
  const [made] = await tx
    .insert(alertRules)
    .values({ tenantId: tenantOf(tx), ...rule, revision: 1 })
    .returning({ id: alertRules.id });
  if (made === undefined) throw new TypeError('INSERT … RETURNING gives a row');
  await Promise.all([
    tx.insert(alertRuleClocks).values({ ruleId: made.id }),
    recordRuleChange(tx, { id: made.id, revision: 1, kind: 'created', rule }),
    ...(rule.isEnabled ? [scheduleEvaluation(tx)] : []),
  ]);
  return { ruleId: made.id };
}

/** Of fields that are named and undefined, the default holds. */
export const withoutUndefined = <Given extends object>(
  given: Given,
): { [Key in keyof Given]: Exclude<Given[Key], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;

interface RuleChange {
  readonly id: Id<'AlertRule'>;
  readonly revision: number;
  readonly kind: AlertRuleChange;
  readonly rule: { readonly name: string };
}

/** Writes the row of alert_rule_history and announces `alert_rule.<kind>`. The only place that does. */
export async function recordRuleChange(tx: TenantTx, { id, revision, kind, rule }: RuleChange): Promise<void> {
  const { name: ruleName, ...definition } = rule;
  await Promise.all([
    tx.insert(alertRuleHistory).values({ ruleId: id, revision, kind, name: ruleName, definition }),
    recordEvent(tx, { topic: `alert_rule.${kind}`, subjectId: id, payload: { name: ruleName, revision } }),
  ]);
}
