import type { TenantTx } from '@mcp-hub/db-core';
import * as exported from '../../src/index.ts';
import { above, measure, minute, ofMinutes, plain } from './telemetry-world.ts';

// What a new export of rules, alerts, silences and notifications has to be told to: the world that it is called in, and its
// input there. Isolation and the README's table are held against all of them.

/** What a caller can name. */
export interface AlertWorld {
  /** Is enabled and has an alert that fires. */
  readonly ruleId: string;
  readonly alertId: string;
  readonly silenceId: string;
  readonly inhibitionId: string;
  readonly channelId: string;
  /** Is dead. */
  readonly deliveryId: string;
}

/** When functions are called: the rule was evaluated a minute before. */
export const at = minute(2);
const matchers = [{ label: 'team', op: '=', value: 'web' } as const];
const secret = 'a secret of thirty-two characters';

/** Entered at the time above. */
export async function makeAlertWorld(tx: TenantTx): Promise<AlertWorld> {
  await measure(tx, ofMinutes([300, 300]));
  const { channelId } = await exported.createAlertChannel(tx, { name: 'hook', url: 'https://example.com/a', secret });
  const { ruleId } = await exported.createAlertRule(tx, { ...plain, name: 'slow', condition: above(200) });
  await exported.evaluateRule(tx, { ruleId, at: minute(1) });
  const { items } = await exported.listAlerts(tx);
  const { silenceId } = await exported.createSilence(tx, { matchers, endsAt: minute(60) });
  const { inhibitionId } = await exported.createInhibition(tx, {
    ...{ name: 'all', sourceMatchers: matchers, targetMatchers: matchers },
  });
  const { items: deliveries } = await exported.listAlertDeliveries(tx);
  const [alert, delivery] = [items[0], deliveries[0]];
  if (alert === undefined || delivery === undefined)
    throw new Error('The rule fires, and the channel is to hear of it.');
  await tx.execute(`update alert_deliveries set status = 'dead', ended_at = app_now()`);
  return { ruleId, alertId: alert.id, silenceId, inhibitionId, channelId, deliveryId: delivery.id };
}

const nobodysId = '01890000-0000-7000-8000-000000000000';

/** What nobody has, in the place of what the world has. */
export const nobodysWorld: AlertWorld = {
  ...{ ruleId: nobodysId, alertId: nobodysId, silenceId: nobodysId, inhibitionId: nobodysId, channelId: nobodysId },
  deliveryId: nobodysId,
};

/** An input for each function that names what is in the world. */
export function alertInputsIn(world: AlertWorld): Readonly<Record<string, unknown>> {
  const { ruleId, alertId, silenceId, inhibitionId, channelId, deliveryId } = world;
  return {
    acknowledgeAlert: { alertId },
    backtestAlertRule: { condition: above(200), from: minute(0), to: minute(2) },
    createAlertChannel: { name: 'other', url: 'https://example.com/b', secret },
    createAlertRule: { name: 'other', condition: above(1) },
    createInhibition: { name: 'other', sourceMatchers: matchers, targetMatchers: matchers },
    createSilence: { matchers, endsAt: minute(9) },
    evaluateDueRules: {},
    evaluateRule: { ruleId, at },
    expireSilence: { silenceId },
    findAlert: { alertId },
    findAlertRule: { ruleId },
    getAlert: { alertId },
    getAlertRule: { ruleId },
    getSilence: { silenceId },
    listAlertChannels: undefined,
    listAlertDeliveries: { filter: `alert_id = '${alertId}'` },
    listAlertRuleHistory: { ruleId },
    listAlertRules: { filter: `id = '${ruleId}'` },
    listAlerts: { filter: `rule_id = '${ruleId}'` },
    listInhibitions: undefined,
    listSilences: { filter: `id = '${silenceId}'` },
    pruneAlertDeliveries: { before: minute(3) },
    removeAlertChannel: { channelId },
    removeAlertRule: { ruleId },
    removeInhibition: { inhibitionId },
    resolveAlert: { alertId },
    retryAlertDelivery: { deliveryId },
    updateAlertChannel: { channelId, name: 'renamed' },
    updateAlertRule: { ruleId, severity: 'critical' },
  };
}

export const alertFunctions: readonly string[] = Object.keys(alertInputsIn(nobodysWorld));

type Callable = (tx: TenantTx, input: unknown) => Promise<unknown>;

export async function callAlertFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return await (found as Callable)(tx, input);
}
