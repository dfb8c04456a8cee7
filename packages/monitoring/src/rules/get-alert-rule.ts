import {
  booleanField,
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { severities } from '../alerts/severity.ts';
import { ruleNotFound } from '../not-found.ts';
import { ruleId } from './alert-rule-input.ts';
import { ofItsClock, readRules, ruleColumns, type StoredRule } from './locked-rules.ts';
import { alertRuleClocks, alertRuleHistory, alertRules } from './schema.ts';

/** A rule, with the time of its last evaluation, and why that said nothing where it did. */
export type AlertRule = StoredRule;

export const GetAlertRuleInput = z.strictObject({ ruleId });
export type GetAlertRuleInput = Readonly<z.input<typeof GetAlertRuleInput>>;

/** As findAlertRule. @throws DomainError `not_found` where it gives undefined. */
export async function getAlertRule(tx: TenantTx, input: GetAlertRuleInput): Promise<AlertRule> {
  const rule = await findAlertRule(tx, input);
  if (rule === undefined) throw ruleNotFound();
  return rule;
}

/** A rule, or undefined where it is not there. One statement, no lock. */
export async function findAlertRule(tx: TenantTx, input: GetAlertRuleInput): Promise<AlertRule | undefined> {
  const [rule] = await readRules(tx, [parseInput(GetAlertRuleInput, input).ruleId]);
  return rule;
}

const fields = defineFilterFields({
  id: uuidField(alertRules.id),
  name: textField(alertRules.name),
  severity: enumField(alertRules.severity, severities),
  is_enabled: booleanField(alertRules.isEnabled),
  interval_ms: numberField(alertRules.intervalMs),
  created_at: timeField(alertRules.createdAt),
  evaluated_at: timeField(alertRuleClocks.evaluatedAt),
});

export const ListAlertRulesInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `severity = 'critical' AND name LIKE 'drift%'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: by name. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListAlertRulesInput = Readonly<z.input<typeof ListAlertRulesInput>>;

const ruleList = defineList({
  name: 'monitoring.alertRules',
  from: alertRules,
  joins: sql`join ${alertRuleClocks} on ${ofItsClock}`,
  columns: ruleColumns,
  order: defineOrder({ fields, byDefault: [{ field: 'name', direction: 'asc' }], tieBreaker: fields.fields.id }),
});

/**
 * The tenant's rules, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listAlertRules(tx: TenantTx, input: ListAlertRulesInput = {}): Promise<Page<AlertRule>> {
  return await readPage(tx, ruleList, parseInput(ListAlertRulesInput, input));
}

/** A revision of a rule. */
export type AlertRuleRevision = Readonly<Omit<typeof alertRuleHistory.$inferSelect, 'tenantId'>>;

export const ListAlertRuleHistoryInput = z.strictObject({ ruleId, ...PageInput.shape });
export type ListAlertRuleHistoryInput = Readonly<z.input<typeof ListAlertRuleHistoryInput>>;

const { tenantId: _tenantId, ...historyColumns } = getTableColumns(alertRuleHistory);
const historyFields = defineFilterFields({ revision: numberField(alertRuleHistory.revision) });
const historyList = defineList({
  name: 'monitoring.alertRuleHistory',
  from: alertRuleHistory,
  columns: historyColumns,
  order: defineOrder({
    fields: historyFields,
    byDefault: [{ field: 'revision', direction: 'asc' }],
    tieBreaker: historyFields.fields.revision,
  }),
});

/** What a rule said in each revision, and who made it, in order, by pages; also of a rule that was removed. No lock. */
export async function listAlertRuleHistory(
  tx: TenantTx,
  input: ListAlertRuleHistoryInput,
): Promise<Page<AlertRuleRevision>> {
  const { ruleId: id, ...page } = parseInput(ListAlertRuleHistoryInput, input);
  return await readPage(tx, historyList, { ...page, within: { condition: eq(alertRuleHistory.ruleId, id), of: [id] } });
}
