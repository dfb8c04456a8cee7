import { dispatchWork, type TenantTx } from '@mcp-hub/db-core';
import { allRows, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../../src/index.ts';
import {
  type AlertWorld,
  alertFunctions,
  alertInputsIn,
  at,
  callAlertFunction,
  makeAlertWorld,
  nobodysWorld,
} from '../support/alert-functions.ts';
import { minute, statusesOf } from '../support/telemetry-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const options = { now: at, actor: 'ada' };

const contentOf = (tenant: string) =>
  monitoring.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

/** Ids are made anew by each call. */
const withoutIds = (outcome: unknown) =>
  JSON.stringify(outcome).replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'id');

describe("tenant B, using tenant A's ids", () => {
  let owner: string;
  let world: AlertWorld;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    world = await monitoring.run(owner, makeAlertWorld, options);
    before = await contentOf(owner);
  });

  const call = async (tenant: string, name: string, ids: AlertWorld) =>
    withoutIds(
      await outcomeOf(monitoring.run(tenant, (tx) => callAlertFunction(tx, name, alertInputsIn(ids)[name]), options)),
    );

  it.each(alertFunctions)('%s cannot tell them from what nobody has', async (name) => {
    expect(await call(freshTenant(), name, world)).toEqual(await call(freshTenant(), name, nobodysWorld));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of alertFunctions) {
      const undo = new Error('undo');
      let outcome = '';
      const asOwner = monitoring.run(
        owner,
        async (tx: TenantTx) => {
          const called = tx.transaction((inner) => callAlertFunction(inner, name, alertInputsIn(world)[name]));
          outcome = withoutIds(await outcomeOf(called));
          throw undo;
        },
        options,
      );
      await asOwner.catch((error: unknown) => expect(error).toBe(undo));
      if (outcome === (await call(freshTenant(), name, nobodysWorld))) same.push(name);
    }
    // These name nothing that is there, or there is nothing for them: deliveries of an alert that is open stay.
    expect(same).toEqual([
      ...['createAlertChannel', 'createAlertRule', 'createInhibition', 'createSilence', 'pruneAlertDeliveries'],
    ]);
  });

  it('is told of its own alerts alone: same names, other channels, other silences', async () => {
    const other = freshTenant();
    const own = await monitoring.run(other, makeAlertWorld, options);
    const silence = { matchers: [{ label: 'rule', op: '=', value: 'slow' } as const], endsAt: minute(60) };
    await monitoring.run(other, (tx) => exported.createSilence(tx, silence), options);
    const third = freshTenant();
    await monitoring.run(third, makeAlertWorld, options);
    const { items } = await monitoring.run(third, (tx) => exported.listAlertDeliveries(tx));
    expect(items).toHaveLength(1);
    expect(items[0]?.channelId).not.toBe(own.channelId);
    expect(await contentOf(owner)).toEqual(before);
  });

  it('is evaluated by the monitor in a turn of its own', async () => {
    const [one, other] = [freshTenant(), freshTenant()];
    for (const tenant of [one, other]) {
      await monitoring.run(tenant, makeAlertWorld, options);
    }
    await monitoring.run(one, (tx) => tx.execute(sql`update alert_rules set is_enabled = false`));
    const held = await contentOf(one);
    const now = () => minute(3);
    await dispatchWork(monitoring.db, { ...exported.evaluationHandler({ now }), now });
    const rule = await monitoring.run(other, (tx) => exported.listAlertRules(tx));
    expect(rule.items[0]?.evaluatedAt).toEqual(minute(3));
    expect(await statusesOf(monitoring, other)).toBe('firing');
    const alerts = (content: readonly unknown[]) => JSON.stringify(content.slice(0, content.indexOf('tenant_work')));
    expect(alerts(await contentOf(one))).toBe(alerts(held));
  });
});
