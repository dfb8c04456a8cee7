import type { TenantTx } from '@mcp-hub/db-core';
import { recordTelemetry, refreshAggregates } from '@mcp-hub/telemetry';
import { type CreateAlertRuleInput, createAlertRule, evaluateRule, getAlert, listAlerts } from '../../src/index.ts';
import type { Monitoring } from './use-monitoring.ts';

export const MINUTE = 60_000;
/** A whole hour: the zeroth minute of each story. */
export const start = new Date('2026-05-04T10:00:00Z');
export const minute = (n: number): Date => new Date(start.getTime() + n * MINUTE);

export interface Measured {
  readonly minute: number;
  readonly value: number;
  readonly subject?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Records values in the middle of their minutes and refreshes. Entered at a time that is not before them. */
export async function measure(tx: TenantTx, values: readonly Measured[], metric = 'latency_ms'): Promise<void> {
  await recordTelemetry(tx, {
    events: values.map(({ minute: at, value, subject = 'checkout', labels = {} }) => ({
      ...{ subject, metric, value, labels, at: new Date(minute(at).getTime() + MINUTE / 2) },
    })),
  });
  while ((await refreshAggregates(tx, {})).more);
}

export const above = (value: number, more: object = {}) =>
  ({
    kind: 'threshold',
    of: { source: 'telemetry', metric: 'latency_ms', statistic: 'mean' },
    windowMs: MINUTE,
    op: '>',
    value,
    ...more,
  }) as const;

export const bySubject = (value: number, more: object = {}) => ({
  ...above(value, more),
  of: { source: 'telemetry', metric: 'latency_ms', statistic: 'mean', by: ['subject'] } as const,
});

/** Evaluates at the whole minutes, with what was measured up to then. */
export const plain = { delayMs: 0, repeatMs: null } as const;

export interface Story {
  readonly tenant: string;
  readonly ruleId: string;
  /** Minute by minute: evaluates, and says what the alerts of the rule have become. */
  readonly evaluate: (minutes: readonly number[]) => Promise<readonly string[]>;
}

/** A rule in a tenant, over values by minute. */
export async function tellStory(
  monitoring: Monitoring,
  tenant: string,
  values: readonly Measured[],
  rule: Partial<CreateAlertRuleInput> = {},
): Promise<Story> {
  const { ruleId } = await monitoring.run(
    tenant,
    async (tx) => {
      await measure(tx, values);
      return await createAlertRule(tx, { name: 'slow', condition: above(200), ...plain, ...rule });
    },
    { now: minute(10_000) },
  );
  return {
    tenant,
    ruleId,
    evaluate: async (minutes) => {
      const lines: string[] = [];
      for (const n of minutes) {
        await monitoring.run(tenant, (tx) => evaluateRule(tx, { ruleId, at: minute(n) }), { now: minute(n) });
        lines.push(`${n} ${await statusesOf(monitoring, tenant)}`);
      }
      return lines;
    },
  };
}

/** The alerts of a tenant, oldest first: `firing`, or `checkout:firing` where series are told apart. */
export async function statusesOf(monitoring: Monitoring, tenant: string): Promise<string> {
  const { items } = await monitoring.run(tenant, (tx) => listAlerts(tx, { orderBy: 'active_at, id' }));
  return items
    .map(({ labels, status }) => (labels['subject'] === undefined ? status : `${labels['subject']}:${status}`))
    .sort()
    .join(' ');
}

/** What became of the only alert of a tenant, or of its nth, in words. */
export async function stepsOf(monitoring: Monitoring, tenant: string, index = 0): Promise<readonly string[]> {
  return await monitoring.run(tenant, async (tx) => {
    const { items } = await listAlerts(tx, { orderBy: 'active_at, id' });
    const { transitions } = await getAlert(tx, { alertId: items[index]?.id ?? '' });
    return transitions.map(({ kind, tiding, at }) => {
      const n = (at.getTime() - start.getTime()) / MINUTE;
      return `${n} ${tiding === null ? kind : `told ${tiding}`}`;
    });
  });
}

/** `values[n]` is of minute n; null: none. */
export const ofMinutes = (values: readonly (number | null)[], more: Partial<Measured> = {}): readonly Measured[] =>
  values.flatMap((value, n) => (value === null ? [] : [{ minute: n, value, ...more }]));
