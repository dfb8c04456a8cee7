import { DomainError, parseInput, type TenantTx, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';
import { alertNotFound } from '../not-found.ts';
import { findLockedRule, toRuleOfAlerts } from '../rules/locked-rules.ts';
import { readClock } from './end-alerts.ts';
import type { AlertEvent } from './episode.ts';
import { findKnownAlert, type KnownAlert } from './known-alerts.ts';
import { type RuleOfAlerts, settleAlerts } from './settle-alerts.ts';

export const AcknowledgeAlertInput = z.strictObject({
  alertId: z.uuid(),
  comment: textInput(MONITORING_LIMITS.commentLength).optional(),
});
export type AcknowledgeAlertInput = Readonly<z.input<typeof AcknowledgeAlertInput>>;

/**
 * Says that somebody looks after a firing alert: it is not told again while the episode lasts, unless it gets worse. One
 * that is acknowledged stays as it is. Up to five round trips; the rule's lock. Announces `alert.acknowledged`.
 *
 * @throws DomainError `failed_precondition` for an alert that does not fire, `not_found`.
 */
export async function acknowledgeAlert(tx: TenantTx, input: AcknowledgeAlertInput): Promise<void> {
  const { alertId, comment } = parseInput(AcknowledgeAlertInput, input);
  const { alert, rule, at } = await lockAlert(tx, alertId);
  if (alert.episode.status === 'acknowledged') return;
  if (alert.episode.status !== 'firing' || rule === undefined) {
    throw new DomainError(
      'failed_precondition',
      `The alert is ${alert.episode.status}; only one that fires can be acknowledged.`,
    );
  }
  await settle(tx, { alert, rule, comment, event: { kind: 'acknowledged', at } });
}

export const ResolveAlertInput = z.strictObject(AcknowledgeAlertInput.shape);
export type ResolveAlertInput = Readonly<z.input<typeof ResolveAlertInput>>;

/**
 * Ends an open alert by hand, such as one whose series is gone for good. Where the condition still holds, the next evaluation
 * opens another, after the cooldown. One that is resolved stays as it is. Up to five round trips; the rule's lock. Announces
 * `alert.resolved`.
 *
 * @throws DomainError `not_found`.
 */
export async function resolveAlert(tx: TenantTx, input: ResolveAlertInput): Promise<void> {
  const { alertId, comment } = parseInput(ResolveAlertInput, input);
  const { alert, rule, at } = await lockAlert(tx, alertId);
  if (alert.episode.status === 'resolved' || rule === undefined) return;
  await settle(tx, { alert, rule, comment, event: { kind: 'ended', at, reason: 'by_hand' } });
}

interface LockedAlert {
  readonly alert: KnownAlert;
  /** Undefined where it was removed, and its alerts resolved with it. */
  readonly rule: RuleOfAlerts | undefined;
  readonly at: number;
}

/** The alert under its rule's lock: read before, to know the rule, and again. */
async function lockAlert(tx: TenantTx, alertId: string): Promise<LockedAlert> {
  const [seen, now] = await Promise.all([findKnownAlert(tx, alertId), readClock(tx)]);
  if (seen === undefined) throw alertNotFound();
  const [rule, alert] = await Promise.all([findLockedRule(tx, seen.ruleId), findKnownAlert(tx, alertId)]);
  if (alert === undefined) throw alertNotFound();
  return { alert, rule: rule === undefined ? undefined : toRuleOfAlerts(rule), at: now.getTime() };
}

interface Happening {
  readonly alert: KnownAlert;
  readonly rule: RuleOfAlerts;
  readonly event: AlertEvent;
  readonly comment: string | undefined;
}

async function settle(tx: TenantTx, { alert, rule, event, comment }: Happening): Promise<void> {
  const { fingerprint, labels } = alert;
  await settleAlerts(tx, [{ rule, fingerprint, labels, alert, event, comment }]);
}
