import { isDomainError, type TenantTx } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { toTransition } from '../../src/alerts/get-alert.ts';
import { findKnownAlert } from '../../src/alerts/known-alerts.ts';
import {
  acknowledgeAlert,
  evaluateRule,
  getAlert,
  getAlertRule,
  listAlerts,
  removeAlertRule,
  replayTransitions,
  resolveAlert,
  updateAlertRule,
} from '../../src/index.ts';
import { above, bySubject, minute, ofMinutes, statusesOf, stepsOf, tellStory } from '../support/telemetry-world.ts';
import { untilBlocked } from '../support/until-blocked.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();

const onlyAlert = async (tx: TenantTx) => {
  const { items } = await listAlerts(tx);
  const [alert] = items;
  if (alert === undefined || items.length > 1) throw new Error('There is one alert.');
  return alert;
};

describe('evaluateRule', () => {
  it('pends, fires, and resolves by the values of its window', async () => {
    const values = ofMinutes([100, 300, 300, 300, 100, 100]);
    const story = await tellStory(monitoring, freshTenant(), values, { forMs: 120_000 });
    expect(await story.evaluate([1, 2, 3, 4, 5, 6])).toEqual([
      ...['1 ', '2 pending', '3 pending', '4 firing', '5 resolved', '6 resolved'],
    ]);
    expect(await stepsOf(monitoring, story.tenant)).toEqual([
      ...['2 opened', '4 fired', '4 told firing', '5 resolved', '5 told resolved'],
    ]);
  });

  it('keeps its hysteresis, what misses, and its cooldown apart', async () => {
    const values = ofMinutes([300, 180, null, 140, 300, 300, 300]);
    const story = await tellStory(monitoring, freshTenant(), values, {
      condition: above(200, { recover: 150 }),
      cooldownMs: 120_000,
    });
    expect(await story.evaluate([1, 2, 3, 4, 5, 6])).toEqual([
      ...['1 firing', '2 firing', '3 firing', '4 resolved', '5 resolved', '6 firing resolved'],
    ]);
    expect(await stepsOf(monitoring, story.tenant)).toEqual([
      ...['1 opened', '1 fired', '1 told firing', '4 resolved', '4 told resolved', '5 suppressed'],
    ]);
  });

  it('has an alert a series, each with its own life', async () => {
    const values = [...ofMinutes([300, 300, 100]), ...ofMinutes([100, 300, 300], { subject: 'search' })];
    const story = await tellStory(monitoring, freshTenant(), values, {
      condition: bySubject(200),
      labels: { team: 'web' },
    });
    expect(await story.evaluate([1, 2, 3])).toEqual([
      ...['1 checkout:firing', '2 checkout:firing search:firing', '3 checkout:resolved search:firing'],
    ]);
    const { items } = await monitoring.run(story.tenant, (tx) => listAlerts(tx, { filter: "status = 'firing'" }));
    expect(items).toMatchObject([{ ruleName: 'slow', value: 300, labels: { subject: 'search', team: 'web' } }]);
  });

  it('the same time again does nothing, and one before it is refused', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 100]));
    const evaluate = (n: number, now = n) =>
      monitoring.run(story.tenant, (tx) => evaluateRule(tx, { ruleId: story.ruleId, at: minute(n) }), {
        now: minute(now),
      });
    expect(await evaluate(1)).toEqual({ evaluated: 1, failed: 0, series: 1, changed: 1 });
    expect(await evaluate(1)).toEqual({ evaluated: 0, failed: 0, series: 0, changed: 0 });
    expect(await evaluate(1, 5)).toEqual({ evaluated: 0, failed: 0, series: 0, changed: 0 });
    await evaluate(2);
    expect(isDomainError(await failureOf(evaluate(1, 5)), 'conflict')).toBe(true);
    expect(isDomainError(await failureOf(evaluate(9, 3)), 'invalid_input')).toBe(true);
    expect(await stepsOf(monitoring, story.tenant)).toHaveLength(5);
  });

  it('writes nothing but its clock where nothing changes', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300, 300]));
    const rows = () =>
      monitoring.run(story.tenant, async (tx) => {
        const tables = ['alert_rules', 'monitoring_alerts', 'monitoring_alert_transitions', 'outbox_events'];
        const found: unknown[] = [];
        for (const table of tables) {
          found.push(
            ...(await tx.execute(sql`select xmin::text, ctid::text from ${sql.identifier(table)} order by 2`)),
          );
        }
        return found;
      });
    await story.evaluate([1]);
    const before = await rows();
    await story.evaluate([2, 3]);
    expect(await rows()).toEqual(before);
    const rule = await monitoring.run(story.tenant, (tx) => getAlertRule(tx, { ruleId: story.ruleId }));
    expect(rule.evaluatedAt).toEqual(minute(3));
  });

  it('of two at the same time for one time, one evaluates and the other finds it done', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300]));
    const [isHeld, letGo] = [barrier(), barrier()];
    const input = { ruleId: story.ruleId, at: minute(1) };
    const first = monitoring.run(
      story.tenant,
      async (tx) => {
        const report = await evaluateRule(tx, input);
        isHeld.open();
        await letGo.passed;
        return report;
      },
      { now: minute(1) },
    );
    await isHeld.passed;
    const second = monitoring.run(story.tenant, (tx) => evaluateRule(tx, input), { now: minute(1) });
    await untilBlocked(monitoring);
    letGo.open();
    expect((await first).changed).toBe(1);
    expect(await second).toEqual({ evaluated: 0, failed: 0, series: 0, changed: 0 });
    expect(await statusesOf(monitoring, story.tenant)).toBe('firing');
  });

  it('one for a later time that waits for another goes on from what that one left', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300]), { forMs: 60_000 });
    const [isHeld, letGo] = [barrier(), barrier()];
    const first = monitoring.run(
      story.tenant,
      async (tx) => {
        await evaluateRule(tx, { ruleId: story.ruleId, at: minute(1) });
        isHeld.open();
        await letGo.passed;
      },
      { now: minute(1) },
    );
    await isHeld.passed;
    const second = story.evaluate([2]);
    await untilBlocked(monitoring);
    letGo.open();
    await first;
    expect(await second).toEqual(['2 firing']);
  });

  it('a rule that is disabled by one whom it waited for opens nothing', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300]));
    const [isHeld, letGo] = [barrier(), barrier()];
    const first = monitoring.run(story.tenant, async (tx) => {
      await updateAlertRule(tx, { ruleId: story.ruleId, isEnabled: false });
      isHeld.open();
      await letGo.passed;
    });
    await isHeld.passed;
    const second = failureOf(story.evaluate([1]));
    await untilBlocked(monitoring);
    letGo.open();
    await first;
    expect(isDomainError(await second, 'failed_precondition')).toBe(true);
    expect(await statusesOf(monitoring, story.tenant)).toBe('');
  });

  it('the database itself refuses a second open alert of a series', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300]));
    await story.evaluate([1]);
    const copied = monitoring.run(story.tenant, (tx) =>
      tx.execute(sql`
        insert into monitoring_alerts
        select (jsonb_populate_record(a, jsonb_build_object('id', app_uuid_v7(), 'status', 'pending'))).* from monitoring_alerts a`),
    );
    expect(isDomainError(await failureOf(copied), 'already_exists')).toBe(true);
  });

  it('replaying the transitions gives each alert as it is stored', async () => {
    const values = ofMinutes([300, 500, 180, null, 100, 300, 100, 100, 300, 900, 100]);
    const story = await tellStory(monitoring, freshTenant(), values, {
      condition: above(200, { recover: 150, levels: [{ severity: 'critical', value: 400 }] }),
      ...{ keepFiringForMs: 60_000, cooldownMs: 120_000, repeatMs: 60_000 },
    });
    await story.evaluate([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await monitoring.run(story.tenant, async (tx) => {
      const { items } = await listAlerts(tx);
      expect(items.length).toBeGreaterThan(0);
      for (const { id } of items) {
        const { transitions } = await getAlert(tx, { alertId: id });
        expect(transitions.map(({ number }) => number)).toEqual(transitions.map((_, index) => index + 1));
        const known = await findKnownAlert(tx, id);
        expect(replayTransitions(transitions.map(toTransition))).toEqual(known?.episode);
        expect(known?.transitionNumber).toBe(transitions.length);
      }
    });
  });

  it('a rule of more than a thousand series says nothing, and its alerts stay as they are', async () => {
    const many = Array.from({ length: 1_001 }, (_, n) => ({ minute: 1, value: 1, subject: `s${n}` }));
    const story = await tellStory(monitoring, freshTenant(), [...ofMinutes([300]), ...many], {
      condition: bySubject(200),
    });
    const report = await monitoring.run(
      story.tenant,
      (tx) => evaluateRule(tx, { ruleId: story.ruleId, at: minute(1) }),
      { now: minute(1) },
    );
    expect(report).toEqual({ evaluated: 1, failed: 1, series: 0, changed: 0 });
    const rule = await monitoring.run(story.tenant, (tx) => getAlertRule(tx, { ruleId: story.ruleId }));
    expect(rule.errorCode).toBe('too_many_series');
  });
});

describe('an alert by hand', () => {
  it('is acknowledged once, which stops repeats, and ends with the episode', async () => {
    const values = ofMinutes([300, 300, 300, 100, 300, 300]);
    const story = await tellStory(monitoring, freshTenant(), values, { repeatMs: 60_000 });
    await story.evaluate([1]);
    const options = { actor: 'ada', now: new Date(minute(1).getTime() + 1) };
    await monitoring.run(
      story.tenant,
      async (tx) => {
        const { id: alertId } = await onlyAlert(tx);
        await acknowledgeAlert(tx, { alertId, comment: 'looking' });
        await acknowledgeAlert(tx, { alertId });
        const { transitions, status } = await getAlert(tx, { alertId });
        expect(status).toBe('acknowledged');
        expect(transitions.at(-1)).toMatchObject({ kind: 'acknowledged', actor: 'ada', comment: 'looking' });
      },
      options,
    );
    expect(await story.evaluate([2, 3, 4, 5, 6])).toEqual([
      ...['2 acknowledged', '3 acknowledged', '4 resolved', '5 firing resolved', '6 firing resolved'],
    ]);
    expect(await stepsOf(monitoring, story.tenant, 1)).toEqual([
      ...['5 opened', '5 fired', '5 told firing', '6 told repeated'],
    ]);
  });

  it('is not acknowledged while it pends or when it is over', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 100]), { forMs: 600_000 });
    const acknowledge = () =>
      failureOf(
        monitoring.run(story.tenant, async (tx) => acknowledgeAlert(tx, { alertId: (await onlyAlert(tx)).id })),
      );
    await story.evaluate([1]);
    expect(isDomainError(await acknowledge(), 'failed_precondition')).toBe(true);
    await story.evaluate([2]);
    expect(isDomainError(await acknowledge(), 'failed_precondition')).toBe(true);
  });

  it('an acknowledgement that waits for the evaluation that resolves it comes too late', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 100]));
    await story.evaluate([1]);
    const { id: alertId } = await monitoring.run(story.tenant, onlyAlert);
    const [isHeld, letGo] = [barrier(), barrier()];
    const resolving = monitoring.run(
      story.tenant,
      async (tx) => {
        await evaluateRule(tx, { ruleId: story.ruleId, at: minute(2) });
        isHeld.open();
        await letGo.passed;
      },
      { now: minute(2) },
    );
    await isHeld.passed;
    const acknowledging = failureOf(monitoring.run(story.tenant, (tx) => acknowledgeAlert(tx, { alertId })));
    await untilBlocked(monitoring);
    letGo.open();
    await resolving;
    expect(isDomainError(await acknowledging, 'failed_precondition')).toBe(true);
  });

  it('is resolved by hand, and opened again by the next evaluation where the condition holds', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300]));
    await story.evaluate([1]);
    const { id: alertId } = await monitoring.run(story.tenant, onlyAlert);
    await monitoring.run(story.tenant, (tx) => resolveAlert(tx, { alertId }), { now: minute(1) });
    await monitoring.run(story.tenant, (tx) => resolveAlert(tx, { alertId }));
    expect(await story.evaluate([2])).toEqual(['2 firing resolved']);
  });
});

describe('a rule that ends', () => {
  it.each(['disabled', 'removed'] as const)('resolves its open alerts, and they stay, when it is %s', async (how) => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300]));
    await story.evaluate([1]);
    await monitoring.run(
      story.tenant,
      async (tx) => {
        if (how === 'removed') await removeAlertRule(tx, { ruleId: story.ruleId });
        else await updateAlertRule(tx, { ruleId: story.ruleId, isEnabled: false });
        const { transitions, status } = await getAlert(tx, { alertId: (await onlyAlert(tx)).id });
        expect(status).toBe('resolved');
        expect(transitions.map(({ tiding, reason }) => tiding ?? reason)).toEqual([
          ...[null, null, 'firing', `rule_${how}`, 'resolved'],
        ]);
      },
      { now: minute(1) },
    );
  });

  it('fires on where only its for is raised', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300]));
    await story.evaluate([1]);
    await monitoring.run(story.tenant, (tx) => updateAlertRule(tx, { ruleId: story.ruleId, forMs: 600_000 }));
    expect(await story.evaluate([2])).toEqual(['2 firing']);
  });
});
