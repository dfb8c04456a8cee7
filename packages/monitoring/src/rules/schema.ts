import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { bigint, boolean, integer, text, uuid } from 'drizzle-orm/pg-core';
import { missingDataPolicies } from '../alerts/episode.ts';
import { severities } from '../alerts/severity.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import type { Condition } from './condition.ts';

/** What tells alerts apart for people and matchers, such as `{ team: 'risk' }`. */
export type AlertLabels = Readonly<Record<string, string>>;

const milliseconds = (name: string) => bigint(name, { mode: 'number' });
const lengthAtMost = sql.raw(String(MONITORING_LIMITS.durationMs));

/** When alerts open, fire and resolve. */
export const alertRules = tenantTable(
  'alert_rules',
  {
    id: idColumn<'AlertRule'>(),
    name: text('name').notNull(),
    condition: jsonColumn<Condition>('condition').notNull(),
    severity: stateColumn('severity', severities).notNull(),
    labels: jsonColumn<AlertLabels>('labels').notNull(),
    /** For people, told with each notification. */
    summary: text('summary'),
    /** Evaluations are at the multiples of it, counted from 1970. */
    intervalMs: milliseconds('interval_ms').notNull(),
    /** How far behind its time an evaluation looks, so that data have arrived. */
    delayMs: milliseconds('delay_ms').notNull(),
    forMs: milliseconds('for_ms').notNull(),
    keepFiringForMs: milliseconds('keep_firing_for_ms').notNull(),
    cooldownMs: milliseconds('cooldown_ms').notNull(),
    /** Null: told once. */
    repeatMs: milliseconds('repeat_ms'),
    missingData: stateColumn('missing_data', missingDataPolicies).notNull(),
    isEnabled: boolean('is_enabled').notNull(),
    /** 1, and one more with each change. */
    revision: integer('revision').notNull(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('name', t.name),
    constraint.oneOf('severity', t.severity, severities),
    constraint.oneOf('missing_data', t.missingData, missingDataPolicies),
    constraint.check(
      'interval_ms',
      sql`${t.intervalMs} between ${sql.raw(String(MONITORING_LIMITS.intervalMsMin))} and ${sql.raw(String(MONITORING_LIMITS.intervalMs))}`,
    ),
    constraint.check(
      'lengths',
      sql`least(${t.delayMs}, ${t.forMs}, ${t.keepFiringForMs}, ${t.cooldownMs}) >= 0
          and greatest(${t.delayMs}, ${t.forMs}, ${t.keepFiringForMs}, ${t.cooldownMs}, ${t.repeatMs}) <= ${lengthAtMost}
          and ${t.repeatMs} > 0`,
    ),
    constraint.check('revision', sql`${t.revision} >= 1`),
  ],
);

/**
 * Up to when each rule was evaluated, in a row of its own that is short and in no other index: it is what an evaluation
 * writes where nothing changes. It is the lock of the rule's alerts: evaluations, acknowledgements and changes of the rule
 * take it first.
 */
export const alertRuleClocks = tenantTable(
  'alert_rule_clocks',
  {
    ruleId: referenceColumn<'AlertRule'>('rule_id').notNull(),
    /** The time that the last evaluation was of; null before the first. */
    evaluatedAt: timeColumn('evaluated_at'),
    /** Why the last evaluation said nothing; null where it did. */
    errorCode: text('error_code'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.ruleId),
    constraint.foreignKey('rule', [t.ruleId], [alertRules.id], { onDelete: 'cascade' }),
  ],
);

export const alertRuleChanges = ['created', 'changed', 'enabled', 'disabled', 'removed'] as const;
export type AlertRuleChange = (typeof alertRuleChanges)[number];

/** What each revision of a rule said, and who made it. Refers to nothing, and stays when the rule is removed. */
export const alertRuleHistory = tenantTable(
  'alert_rule_history',
  {
    ruleId: uuid('rule_id').notNull(),
    revision: integer('revision').notNull(),
    kind: stateColumn('kind', alertRuleChanges).notNull(),
    name: text('name').notNull(),
    /** All of the rule but its name. */
    definition: jsonColumn<Readonly<Record<string, unknown>>>('definition').notNull(),
    actor: actorColumn(),
    at: createdAtColumn('at'),
  },
  (t, constraint) => [constraint.primaryKey(t.ruleId, t.revision), constraint.oneOf('kind', t.kind, alertRuleChanges)],
  { appendOnly: true },
);
