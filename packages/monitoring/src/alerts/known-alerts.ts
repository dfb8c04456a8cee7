import { type Id, type TenantTx, tenantOf, timeParameter, uuidArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import type { AlertLabels } from '../rules/schema.ts';
import type { Episode } from './episode.ts';
import { monitoringAlerts } from './schema.ts';

/** An alert as evaluations have it. */
export interface KnownAlert {
  readonly id: Id<'Alert'>;
  readonly fingerprint: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly labels: AlertLabels;
  /** Of its last transition. */
  readonly transitionNumber: number;
  readonly episode: Episode;
}

interface Row extends Record<string, unknown> {
  readonly id: Id<'Alert'>;
  readonly fingerprint: string;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly labels: AlertLabels;
  readonly transition_number: number;
  readonly status: Episode['status'];
  readonly severity: Episode['severity'];
  readonly value: number | null;
  readonly active_ms: number;
  readonly fired_ms: number | null;
  readonly kept_ms: number | null;
  readonly acknowledged_ms: number | null;
  readonly resolved_ms: number | null;
  readonly cooldown_ms: number | null;
  readonly suppressed_count: number;
  readonly is_suppressing: boolean;
  readonly known_severity: Episode['severity'] | null;
  readonly told_ms: number | null;
  readonly owes_resolution: boolean;
}

const milliseconds = (column: string): SQL => sql`(extract(epoch from ${sql.raw(column)}) * 1000)::float8`;

/** What evaluations of these rules from a time on have to look at: open, cooling down, or not told of its resolve. */
export async function readWatchedAlerts(
  tx: TenantTx,
  ruleIds: readonly string[],
  from: Date,
): Promise<readonly KnownAlert[]> {
  return await readAlerts(tx, sql`rule_id = any (${uuidArray(ruleIds)}) and watched_until > ${timeParameter(from)}`);
}

/** One alert by its id. The rule's lock is the caller's matter. */
export async function findKnownAlert(tx: TenantTx, alertId: string): Promise<KnownAlert | undefined> {
  const [alert] = await readAlerts(tx, sql`id = ${alertId}::uuid`);
  return alert;
}

async function readAlerts(tx: TenantTx, condition: SQL): Promise<readonly KnownAlert[]> {
  const rows = await tx.execute<Row>(sql`
    select id, fingerprint, rule_id, rule_name, labels, transition_number, status, severity, value, suppressed_count,
           is_suppressing, known_severity, owes_resolution,
           ${milliseconds('active_at')} as active_ms, ${milliseconds('fired_at')} as fired_ms,
           ${milliseconds('kept_since')} as kept_ms, ${milliseconds('acknowledged_at')} as acknowledged_ms,
           ${milliseconds('resolved_at')} as resolved_ms, ${milliseconds('cooldown_until')} as cooldown_ms,
           ${milliseconds('told_at')} as told_ms
      from ${monitoringAlerts}
     where tenant_id = ${tenantOf(tx)} and ${condition}`);
  return rows.map(({ id, fingerprint, rule_id, rule_name, labels, transition_number, ...row }) => ({
    ...{ id, fingerprint, ruleId: rule_id, ruleName: rule_name, labels, transitionNumber: transition_number },
    episode: {
      status: row.status,
      severity: row.severity,
      value: row.value,
      activeAt: row.active_ms,
      firedAt: row.fired_ms,
      keptSince: row.kept_ms,
      acknowledgedAt: row.acknowledged_ms,
      resolvedAt: row.resolved_ms,
      cooldownUntil: row.cooldown_ms,
      suppressedCount: row.suppressed_count,
      isSuppressing: row.is_suppressing,
      knownSeverity: row.known_severity,
      toldAt: row.told_ms,
      owesResolution: row.owes_resolution,
    },
  }));
}
