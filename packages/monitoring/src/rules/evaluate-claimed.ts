import { type TenantTx, tenantOf, textArray, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { coolsDown } from '../alerts/decide.ts';
import { fingerprintOf } from '../alerts/fingerprint.ts';
import { type KnownAlert, readWatchedAlerts } from '../alerts/known-alerts.ts';
import { type SeriesEvent, settleAlerts } from '../alerts/settle-alerts.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import type { Verdict } from './evaluate-condition.ts';
import { type StoredRule, toRuleOfAlerts } from './locked-rules.ts';
import { planReadings, type SeriesVerdict } from './plan-readings.ts';
import { readSources } from './read-sources.ts';
import { alertRuleClocks } from './schema.ts';

/** A rule at the time that its clock was set to by this transaction, which holds it. */
export interface ClaimedRule {
  readonly rule: StoredRule;
  readonly at: number;
}

export interface EvaluationReport {
  /** Rules. */
  readonly evaluated: number;
  /** Of these, those that say nothing, because they have too many series: their alerts stay as they are. */
  readonly failed: number;
  /** Series that were looked at. */
  readonly series: number;
  /** Alerts that changed. */
  readonly changed: number;
}

/**
 * Evaluates rules whose clocks this transaction holds: one flight that reads their sources and alerts, and nothing more
 * where nothing changes.
 */
export async function evaluateClaimed(tx: TenantTx, claimed: readonly ClaimedRule[]): Promise<EvaluationReport> {
  if (claimed.length === 0) return { evaluated: 0, failed: 0, series: 0, changed: 0 };
  const tenant = tenantOf(tx);
  const evaluations = claimed.map(({ rule, at }) => ({
    ...{ condition: rule.condition, severity: rule.severity, delayMs: rule.delayMs, at },
  }));
  const plan = planReadings(evaluations);
  const earliest = new Date(Math.min(...claimed.map(({ at }) => at)));
  const [readings, watched] = await Promise.all([
    readSources(tx, plan.wanted),
    readWatchedAlerts(
      tx,
      claimed.map(({ rule }) => rule.id),
      earliest,
    ),
  ]);
  const alertsOf = groupByRule(watched);
  const failed: StoredRule[] = [];
  const recovered: StoredRule[] = [];
  let series = 0;
  const events = plan.verdicts(readings).flatMap((verdicts, index) => {
    const one = claimed[index];
    const evaluation = evaluations[index];
    if (one === undefined || evaluation === undefined) throw new TypeError('There are verdicts for each evaluation');
    if (verdicts.length > MONITORING_LIMITS.seriesOfRule) {
      failed.push(one.rule);
      return [];
    }
    if (one.rule.errorCode !== null) recovered.push(one.rule);
    series += verdicts.length;
    const alerts = alertsOf.get(one.rule.id) ?? [];
    return eventsOf(tenant, one, verdicts, alerts, () => plan.unread(evaluation));
  });
  const changed = await settleAlerts(tx, events);
  if (failed.length + recovered.length > 0) await noteErrors(tx, failed, recovered);
  return { evaluated: claimed.length, failed: failed.length, series, changed: changed.length };
}

/** What happens to the series of a rule: those that were read, and those that have alerts and were not. */
function eventsOf(
  tenant: string,
  { rule, at }: ClaimedRule,
  verdicts: readonly SeriesVerdict[],
  alerts: readonly KnownAlert[],
  unread: () => Verdict,
): readonly SeriesEvent[] {
  const ofRule = toRuleOfAlerts(rule);
  // Of one series there may be an open alert beside resolved ones that are yet to be told. One that is resolved and has
  // cooled down is over: what is observed may open a new one.
  const current = new Map<string, KnownAlert>();
  for (const alert of alerts) {
    if (alert.episode.status === 'resolved' && !coolsDown(alert.episode, at)) continue;
    const known = current.get(alert.fingerprint);
    if (known === undefined || endOf(alert) > endOf(known)) current.set(alert.fingerprint, alert);
  }
  const seen = new Set<string>();
  const observed = ({ outcome, value, severity }: Verdict) => ({
    kind: 'observed' as const,
    at,
    outcome,
    value,
    severity,
  });
  const ofRead = verdicts.map((verdict): SeriesEvent => {
    const fingerprint = fingerprintOf(tenant, rule.id, verdict.labels);
    seen.add(fingerprint);
    const { labels } = verdict;
    return { rule: ofRule, fingerprint, labels, alert: current.get(fingerprint), event: observed(verdict) };
  });
  const ofUnread = [...current.values()]
    .filter(({ fingerprint }) => !seen.has(fingerprint))
    .map((alert): SeriesEvent => {
      const { fingerprint, labels } = alert;
      return { rule: ofRule, fingerprint, labels, alert, event: observed(unread()) };
    });
  const ofOwing = alerts
    .filter((alert) => alert.episode.owesResolution && current.get(alert.fingerprint) !== alert)
    .map((alert): SeriesEvent => {
      const { fingerprint, labels } = alert;
      return { rule: ofRule, fingerprint, labels, alert, event: { kind: 'told', at, isMuted: false } };
    });
  return [...ofRead, ...ofUnread, ...ofOwing];
}

const endOf = ({ episode }: KnownAlert) => episode.resolvedAt ?? Number.POSITIVE_INFINITY;

function groupByRule(alerts: readonly KnownAlert[]): ReadonlyMap<string, readonly KnownAlert[]> {
  const groups = new Map<string, KnownAlert[]>();
  for (const alert of alerts) {
    const group = groups.get(alert.ruleId);
    if (group === undefined) groups.set(alert.ruleId, [alert]);
    else group.push(alert);
  }
  return groups;
}

async function noteErrors(
  tx: TenantTx,
  failed: readonly StoredRule[],
  recovered: readonly StoredRule[],
): Promise<void> {
  const rules = [...failed, ...recovered];
  const codes = [...failed.map(() => 'too_many_series'), ...recovered.map(() => null)];
  await tx.execute(sql`
    update ${alertRuleClocks} c
       set error_code = n.code
      from unnest(${uuidArray(rules.map(({ id }) => id))}, ${textArray(codes)}) as n (rule_id, code)
     where c.tenant_id = ${tenantOf(tx)} and c.rule_id = n.rule_id and c.error_code is distinct from n.code`);
}
