import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  stateColumn,
  tenantTable,
  timeColumn,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { boolean, doublePrecision, integer, text, uuid } from 'drizzle-orm/pg-core';
import type { AlertLabels } from '../rules/schema.ts';
import { alertStatuses, endReasons, tidings, transitionKinds } from './episode.ts';
import { severities } from './severity.ts';

/**
 * One row an episode of a series: from when the condition held to its resolve. It is what its transitions come to, and is
 * written with them alone. Rule and labels are plain values, so that it outlives its rule.
 */
export const monitoringAlerts = tenantTable(
  'monitoring_alerts',
  {
    id: idColumn<'Alert'>(),
    /** A hash of tenant, rule and the labels of the series: the same for each episode. */
    fingerprint: uuid('fingerprint').notNull(),
    ruleId: uuid('rule_id').notNull(),
    ruleName: text('rule_name').notNull(),
    /** Those of the rule, when the episode was opened, and those of the series. */
    labels: jsonColumn<AlertLabels>('labels').notNull(),
    status: stateColumn('status', alertStatuses).notNull(),
    severity: stateColumn('severity', severities).notNull(),
    /** That the last transition was made by. */
    value: doublePrecision('value'),
    activeAt: timeColumn('active_at').notNull(),
    firedAt: timeColumn('fired_at'),
    keptSince: timeColumn('kept_since'),
    acknowledgedAt: timeColumn('acknowledged_at'),
    resolvedAt: timeColumn('resolved_at'),
    cooldownUntil: timeColumn('cooldown_until'),
    suppressedCount: integer('suppressed_count').notNull(),
    isSuppressing: boolean('is_suppressing').notNull(),
    knownSeverity: stateColumn('known_severity', severities),
    toldAt: timeColumn('told_at'),
    owesResolution: boolean('owes_resolution').notNull(),
    /** Until when evaluations have to look at it; infinity while it is open, null when nothing more can come of it. */
    watchedUntil: timeColumn('watched_until'),
    /** Its last one in monitoring_alert_transitions. */
    transitionNumber: integer('transition_number').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    // At most one open alert of a series.
    constraint.uniqueWhere('open', [t.fingerprint], sql`status in ('pending', 'firing', 'acknowledged')`),
    constraint.oneOf('status', t.status, alertStatuses),
    constraint.oneOf('severity', t.severity, severities),
    constraint.check('resolved_at', sql`(${t.status} = 'resolved') = (${t.resolvedAt} is not null)`),
    constraint.check('watched_until', sql`${t.status} = 'resolved' or ${t.watchedUntil} = 'infinity'`),
    // Evaluation: what is open of its rules, cools down, or owes a resolution.
    constraint.index('watched', [t.ruleId, t.watchedUntil], sql`watched_until is not null`),
    // Inhibition: what fires at this moment.
    constraint.index('firing', [t.id], sql`status in ('firing', 'acknowledged')`),
    // Lists: the newest first; those of a rule.
    constraint.index('active', [t.activeAt, t.id]),
    constraint.index('rule', [t.ruleId, t.activeAt, t.id]),
  ],
);

/** What became of an alert, in order: replayed, it is the alert. Refers to nothing. */
export const monitoringAlertTransitions = tenantTable(
  'monitoring_alert_transitions',
  {
    alertId: uuid('alert_id').notNull(),
    /** From 1. */
    number: integer('number').notNull(),
    kind: stateColumn('kind', transitionKinds).notNull(),
    /** Of the evaluation; of what people do, when they did it. */
    at: timeColumn('at').notNull(),
    value: doublePrecision('value'),
    severity: stateColumn('severity', severities).notNull(),
    reason: stateColumn('reason', endReasons),
    tiding: stateColumn('tiding', tidings),
    cooldownUntil: timeColumn('cooldown_until'),
    comment: text('comment'),
    /** Null for what an evaluation brought about, where the monitor names no actor. */
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    // The transitions of an alert, in order.
    constraint.primaryKey(t.alertId, t.number),
    constraint.oneOf('kind', t.kind, transitionKinds),
  ],
  { appendOnly: true },
);
