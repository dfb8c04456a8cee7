import { type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { type StoredRule, toRuleOfAlerts } from '../rules/locked-rules.ts';
import type { EndReason } from './episode.ts';
import { readWatchedAlerts } from './known-alerts.ts';
import { settleAlerts } from './settle-alerts.ts';

/** Resolves the open alerts of a rule whose lock this transaction holds. */
export async function endAlerts(tx: TenantTx, rule: StoredRule, reason: EndReason): Promise<void> {
  const now = await readClock(tx);
  const alerts = await readWatchedAlerts(tx, [rule.id], now);
  await settleAlerts(
    tx,
    alerts
      .filter(({ episode }) => episode.status !== 'resolved')
      .map((alert) => ({
        rule: toRuleOfAlerts(rule),
        fingerprint: alert.fingerprint,
        labels: alert.labels,
        alert,
        event: { kind: 'ended', at: now.getTime(), reason } as const,
      })),
  );
}

/** The context's clock. */
export async function readClock(tx: TenantTx): Promise<Date> {
  const [row] = await tx.execute<{ ms: number }>(sql`select (extract(epoch from app_now()) * 1000)::float8 as ms`);
  if (row === undefined) throw new TypeError('A query without a table gives one row');
  return new Date(Math.floor(row.ms));
}
