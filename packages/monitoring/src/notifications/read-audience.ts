import { type Id, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { Tiding } from '../alerts/episode.ts';
import { monitoringAlerts } from '../alerts/schema.ts';
import type { ChangedAlert } from '../alerts/settle-alerts.ts';
import type { Severity } from '../alerts/severity.ts';
import type { AlertLabels } from '../rules/schema.ts';
import { labelOf, type Matched, type Matcher, matches } from '../silences/matcher.ts';
import { alertInhibitions, alertSilences } from '../silences/schema.ts';
import { alertChannels, alertDeliveries } from './schema.ts';

/** Who hears of alerts at this moment. */
export interface Audience {
  /** Whether nobody is told of one of these alerts, by a silence or because another alert fires, theirs among them. */
  readonly muting: (alerts: readonly ChangedAlert[]) => (alert: ChangedAlert) => boolean;
  /** Where it is told. A resolve goes to where the alert was told before, and nowhere else. */
  readonly channelsOf: (alert: ChangedAlert, tiding: Tiding) => readonly Id<'AlertChannel'>[];
}

interface Firing extends Record<string, unknown> {
  readonly id: string;
  readonly rule_name: string;
  readonly severity: Severity;
  readonly labels: AlertLabels;
}

/**
 * Reads the silences, inhibitions and channels of the tenant, what fires where there are inhibitions, and which channels were
 * told of the alerts that are resolved. One flight, no lock: a silence that is made at this moment may come too late.
 */
export async function readAudience(
  tx: TenantTx,
  { resolvedIds }: { readonly resolvedIds: readonly string[] },
): Promise<Audience> {
  const tenant = tenantOf(tx);
  const [silences, inhibitions, firing, channels, toldOf] = await Promise.all([
    tx
      .select({ matchers: alertSilences.matchers })
      .from(alertSilences)
      .where(
        and(
          eq(alertSilences.tenantId, tenant),
          sql`${alertSilences.endsAt} > (select app_now()) and ${alertSilences.startsAt} <= (select app_now())`,
        ),
      ),
    tx.select().from(alertInhibitions).where(eq(alertInhibitions.tenantId, tenant)),
    tx.execute<Firing>(sql`
      select id, rule_name, severity, labels
        from ${monitoringAlerts}
       where tenant_id = ${tenant} and status in ('firing', 'acknowledged')
         and exists (select from ${alertInhibitions} where tenant_id = ${tenant})`),
    tx
      .select({ id: alertChannels.id, matchers: alertChannels.matchers })
      .from(alertChannels)
      .where(and(eq(alertChannels.tenantId, tenant), eq(alertChannels.isEnabled, true))),
    tx.execute<{ alert_id: string; channel_id: string }>(sql`
      select distinct alert_id, channel_id
        from ${alertDeliveries}
       where tenant_id = ${tenant} and alert_id = any (${uuidArray(resolvedIds)})`),
  ]);
  const heard = new Set(toldOf.map(({ alert_id, channel_id }) => `${alert_id} ${channel_id}`));
  return {
    muting: (alerts) => {
      const burning = new Map<string, Matched>(
        firing.map(({ id, rule_name, severity, labels }) => [id, { ruleName: rule_name, severity, labels }]),
      );
      for (const alert of alerts) {
        const isBurning = alert.episode.status === 'firing' || alert.episode.status === 'acknowledged';
        if (isBurning) burning.set(alert.id, matchedOf(alert));
        else burning.delete(alert.id);
      }
      const inhibits = inhibitions.map((inhibition) => ({
        ...inhibition,
        sources: [...burning.values()].filter((source) => matches(source, inhibition.sourceMatchers)),
      }));
      return (alert) => {
        const matched = matchedOf(alert);
        return (
          silences.some(({ matchers }) => matches(matched, matchers)) ||
          inhibits.some((one) => isInhibited(matched, one))
        );
      };
    },
    channelsOf: (alert, tiding) =>
      channels
        .filter(({ id, matchers }) =>
          tiding === 'resolved' ? heard.has(`${alert.id} ${id}`) : matches(matchedOf(alert), matchers),
        )
        .map(({ id }) => id),
  };
}

interface Inhibition {
  readonly sources: readonly Matched[];
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  readonly equal: readonly string[];
}

/** As Alertmanager has it, an alert that matches both sides is not inhibited: two such would silence each other. */
const isInhibited = (alert: Matched, { sources, sourceMatchers, targetMatchers, equal }: Inhibition): boolean =>
  matches(alert, targetMatchers) &&
  !matches(alert, sourceMatchers) &&
  sources.some((source) => equal.every((label) => labelOf(source, label) === labelOf(alert, label)));

const matchedOf = ({ ruleName, labels, episode }: ChangedAlert): Matched => ({
  ruleName,
  labels,
  severity: episode.severity,
});
