import {
  booleanArray,
  float8Array,
  type Id,
  int8Array,
  jsonArray,
  newId,
  recordEvents,
  type TenantTx,
  tenantOf,
  textArray,
  timestampArray,
  uuidArray,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { announceDeliveries } from '../notifications/announce-deliveries.ts';
import { alertDeliveries } from '../notifications/schema.ts';
import type { Episode, Tiding, Transition } from './episode.ts';
import { monitoringAlerts, monitoringAlertTransitions } from './schema.ts';
import type { ChangedAlert } from './settle-alerts.ts';

const timesOf = (values: readonly (number | null)[]): SQL =>
  timestampArray(values.map((value) => (value === null ? null : new Date(value))));

/** Those that others act upon; the rest is how an alert came to them. */
const announced: ReadonlySet<Transition['kind']> = new Set([
  'opened',
  'fired',
  'escalated',
  'acknowledged',
  'resolved',
]);

/**
 * Writes alerts with their transitions, the events of the outbox and what is to be told to whom, in one flight. In the
 * order of the alerts' ids, so that two who write the same do not wait for each other in a circle.
 */
export async function writeAlerts(
  tx: TenantTx,
  changed: readonly ChangedAlert[],
  channelsOf: (alert: ChangedAlert, tiding: Tiding) => readonly Id<'AlertChannel'>[],
): Promise<void> {
  const alerts = [...changed].sort((one, other) => (one.id < other.id ? -1 : 1));
  const steps = alerts.flatMap((alert) =>
    alert.transitions.map((transition, index) => ({ alert, transition, number: alert.transitionNumber + index + 1 })),
  );
  const deliveries = steps.flatMap(({ alert, transition, number }) => {
    const { tiding } = transition;
    if (tiding === null) return [];
    return channelsOf(alert, tiding).map((channelId) => ({ alert, tiding, number, channelId, transition }));
  });
  await Promise.all([
    upsertAlerts(tx, alerts),
    insertTransitions(tx, steps),
    recordEvents(
      tx,
      steps
        .filter(({ transition }) => announced.has(transition.kind))
        .map(({ alert, transition, number }) => ({
          topic: `alert.${transition.kind}`,
          subjectId: alert.id,
          payload: {
            ...{ ruleId: alert.ruleId, rule: alert.ruleName, severity: transition.severity, number },
            ...{ at: new Date(transition.at).toISOString(), reason: transition.reason },
          },
        })),
    ),
    ...(deliveries.length === 0 ? [] : [insertDeliveries(tx, deliveries), announceDeliveries(tx, deliveries)]),
  ]);
}

/** Open: until it is resolved. Resolved: while it owes a resolution, or cools down. */
const watchedUntil = ({ status, owesResolution, cooldownUntil }: Episode): string | null => {
  if (status !== 'resolved' || owesResolution) return 'infinity';
  return cooldownUntil === null ? null : new Date(cooldownUntil).toISOString();
};

async function upsertAlerts(tx: TenantTx, alerts: readonly ChangedAlert[]): Promise<void> {
  const of = <Value>(pick: (episode: Episode) => Value) => alerts.map(({ episode }) => pick(episode));
  await tx.execute(sql`
    insert into ${monitoringAlerts} (
           tenant_id, id, fingerprint, rule_id, rule_name, labels, status, severity, value, active_at, fired_at, kept_since,
           acknowledged_at, resolved_at, cooldown_until, suppressed_count, is_suppressing, known_severity, told_at,
           owes_resolution, watched_until, transition_number)
    select ${tenantOf(tx)}, *
      from unnest(${uuidArray(alerts.map(({ id }) => id))}, ${uuidArray(alerts.map(({ fingerprint }) => fingerprint))},
                  ${uuidArray(alerts.map(({ ruleId }) => ruleId))}, ${textArray(alerts.map(({ ruleName }) => ruleName))},
                  ${jsonArray(alerts.map(({ labels }) => labels))}, ${textArray(of(({ status }) => status))},
                  ${textArray(of(({ severity }) => severity))}, ${float8Array(of(({ value }) => value))},
                  ${timesOf(of(({ activeAt }) => activeAt))}, ${timesOf(of(({ firedAt }) => firedAt))},
                  ${timesOf(of(({ keptSince }) => keptSince))}, ${timesOf(of(({ acknowledgedAt }) => acknowledgedAt))},
                  ${timesOf(of(({ resolvedAt }) => resolvedAt))}, ${timesOf(of(({ cooldownUntil }) => cooldownUntil))},
                  ${int8Array(of(({ suppressedCount }) => suppressedCount))}::int4[],
                  ${booleanArray(of(({ isSuppressing }) => isSuppressing))},
                  ${textArray(of(({ knownSeverity }) => knownSeverity))}, ${timesOf(of(({ toldAt }) => toldAt))},
                  ${booleanArray(of(({ owesResolution }) => owesResolution))},
                  ${textArray(of(watchedUntil))}::timestamptz[],
                  ${int8Array(alerts.map(({ transitionNumber, transitions }) => transitionNumber + transitions.length))}::int4[])
        on conflict (tenant_id, id) do update
       set status = excluded.status, severity = excluded.severity, value = excluded.value, fired_at = excluded.fired_at,
           kept_since = excluded.kept_since, acknowledged_at = excluded.acknowledged_at,
           resolved_at = excluded.resolved_at, cooldown_until = excluded.cooldown_until,
           suppressed_count = excluded.suppressed_count, is_suppressing = excluded.is_suppressing,
           known_severity = excluded.known_severity, told_at = excluded.told_at,
           owes_resolution = excluded.owes_resolution, watched_until = excluded.watched_until,
           transition_number = excluded.transition_number`);
}

interface Step {
  readonly alert: ChangedAlert;
  readonly transition: Transition;
  readonly number: number;
}

async function insertTransitions(tx: TenantTx, steps: readonly Step[]): Promise<void> {
  const of = <Value>(pick: (transition: Transition) => Value) => steps.map(({ transition }) => pick(transition));
  // What was said goes with the first: the others are what came of it.
  const comments = steps.map(({ alert, transition }) =>
    transition === alert.transitions[0] ? (alert.comment ?? null) : null,
  );
  await tx.execute(sql`
    insert into ${monitoringAlertTransitions} (
           tenant_id, alert_id, number, kind, at, value, severity, reason, tiding, cooldown_until, comment)
    select ${tenantOf(tx)}, *
      from unnest(${uuidArray(steps.map(({ alert }) => alert.id))}, ${int8Array(steps.map(({ number }) => number))}::int4[],
                  ${textArray(of(({ kind }) => kind))}, ${timesOf(of(({ at }) => at))}, ${float8Array(of(({ value }) => value))},
                  ${textArray(of(({ severity }) => severity))}, ${textArray(of(({ reason }) => reason))},
                  ${textArray(of(({ tiding }) => tiding))}, ${timesOf(of(({ cooldownUntil }) => cooldownUntil))},
                  ${textArray(comments)})`);
}

interface Delivery extends Step {
  readonly tiding: Tiding;
  readonly channelId: Id<'AlertChannel'>;
}

async function insertDeliveries(tx: TenantTx, deliveries: readonly Delivery[]): Promise<void> {
  await tx.execute(sql`
    insert into ${alertDeliveries} (
           tenant_id, id, channel_id, alert_id, transition_number, tiding, payload, status, attempts)
    select ${tenantOf(tx)}, *, 'waiting', 0
      from unnest(${uuidArray(deliveries.map(() => newId()))}, ${uuidArray(deliveries.map(({ channelId }) => channelId))},
                  ${uuidArray(deliveries.map(({ alert }) => alert.id))},
                  ${int8Array(deliveries.map(({ number }) => number))}::int4[],
                  ${textArray(deliveries.map(({ tiding }) => tiding))}, ${jsonArray(deliveries.map(payloadOf))})`);
}

/** What a receiver gets, beside the delivery's id. */
function payloadOf({ alert, tiding, number, transition }: Delivery): Readonly<Record<string, unknown>> {
  const { episode, rule } = alert;
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    tiding,
    at: time(transition.at),
    number,
    alertId: alert.id,
    fingerprint: alert.fingerprint,
    ruleId: alert.ruleId,
    rule: alert.ruleName,
    summary: rule.summary,
    labels: alert.labels,
    status: episode.status,
    severity: episode.severity,
    // Neither is a number to JSON.
    value: episode.value === null || Number.isFinite(episode.value) ? episode.value : String(episode.value),
    activeAt: time(episode.activeAt),
    firedAt: time(episode.firedAt),
    resolvedAt: time(episode.resolvedAt),
  };
}
