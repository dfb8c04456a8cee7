import { connect, dispatchWork, type TenantTx } from '@mcp-hub/db-core';
import { recordTelemetry, refreshAggregates } from '@mcp-hub/telemetry';
import { barrier, freshTenant, startProgram } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acknowledgeAlert,
  backtestAlertRule,
  createAlertChannel,
  createAlertRule,
  evaluateDueRules,
  evaluationHandler,
  getAlertRule,
  listAlerts,
  runMonitor,
  updateAlertRule,
} from '../../src/index.ts';
import {
  above,
  MINUTE,
  measure,
  minute,
  ofMinutes,
  plain,
  start,
  statusesOf,
  stepsOf,
} from '../support/telemetry-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';
import { useWebhookReceiver } from '../support/webhook-receiver.ts';

const monitoring = useMonitoring();
const receiver = useWebhookReceiver();
let owner: postgres.Sql;

/** Each evaluation leaves a row here: by itself it writes its rule's clock alone. */
beforeAll(async () => {
  owner = postgres(monitoring.ownerUrl, { max: 2, onnotice: () => {} });
  await owner.unsafe(`
    create table evaluation_log (rule_id uuid, at timestamptz, actor text);
    grant insert on evaluation_log to app_tenant;
    create function log_evaluation() returns trigger language plpgsql as $$
    begin
      insert into evaluation_log values (new.rule_id, new.evaluated_at, current_setting('app.actor', true));
      return null;
    end $$;
    create trigger log_evaluation after update of evaluated_at on alert_rule_clocks
       for each row execute function log_evaluation();`);
});
afterAll(async () => {
  await owner.end();
});

const logOf = async (ruleIds: readonly string[]) =>
  await owner<{ rule_id: string; at: Date; actor: string }[]>`
    select rule_id, at, actor from evaluation_log where rule_id = any (${ruleIds as string[]}) order by at, rule_id`;

const isTwice = (log: readonly { readonly rule_id: string; readonly at: Date }[]) => {
  const keys = log.map(({ rule_id, at }) => `${rule_id} ${at.toISOString()}`);
  return keys.length !== new Set(keys).size;
};

async function rulesOf(tx: TenantTx, count: number, more: object = {}): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { ruleId } = await createAlertRule(tx, { ...plain, name: `rule ${n}`, condition: above(200), ...more });
    ids.push(ruleId);
  }
  return ids;
}

const turn = (n: number, db = monitoring.db) => {
  const now = () => minute(n);
  return dispatchWork(db, { ...evaluationHandler({ now }), now });
};

describe('turns', () => {
  it('come at the multiples of each rule’s interval, and what was missed is left out', async () => {
    const tenant = freshTenant();
    const [often = '', seldom = ''] = await monitoring.run(
      tenant,
      async (tx) => [...(await rulesOf(tx, 1)), ...(await rulesOf(tx, 1, { name: 'seldom', intervalMs: 5 * MINUTE }))],
      { now: minute(0) },
    );
    for (const n of [0.5, 1, 1.2, 2, 3, 8.7, 9]) await turn(n);
    const minutesOf = async (id: string) =>
      (await logOf([id])).map(({ at }) => (at.getTime() - start.getTime()) / MINUTE);
    expect(await minutesOf(often)).toEqual([0, 1, 2, 3, 8, 9]);
    expect(await minutesOf(seldom)).toEqual([0, 5]);
  });

  it('a rule that is disabled has none, and one that is enabled again has the next', async () => {
    const tenant = freshTenant();
    const [ruleId = ''] = await monitoring.run(tenant, (tx) => rulesOf(tx, 1), { now: minute(0) });
    const enable = (isEnabled: boolean, n: number) =>
      monitoring.run(tenant, (tx) => updateAlertRule(tx, { ruleId, isEnabled }), { now: minute(n) });
    await turn(1);
    await enable(false, 1);
    await turn(2);
    await enable(true, 2.5);
    await turn(2.5);
    expect((await logOf([ruleId])).map(({ at }) => at)).toEqual([minute(1), minute(2)]);
  });

  it('of two monitors at the same time, again and again, no rule is evaluated twice for one time', async () => {
    const tenant = freshTenant();
    const values = ofMinutes([300, 100, 300, 100, 300, 100]);
    await monitoring.run(tenant, (tx) => measure(tx, values), { now: minute(6) });
    const ids = await monitoring.run(tenant, (tx) => rulesOf(tx, 25), { now: minute(0) });
    const other = await connect({ url: monitoring.serviceUrl, max: 4 });
    for (const n of [1, 2, 3, 4, 5, 6]) {
      // Of the work row only one gets hold. Beside it, straight at the rules:
      const evaluate = () => monitoring.run(tenant, (tx) => evaluateDueRules(tx, { limit: 10 }), { now: minute(n) });
      await Promise.all([turn(n), turn(n, other), evaluate(), evaluate()]);
      await turn(n);
    }
    await other.close();
    const log = await logOf(ids);
    expect(isTwice(log)).toBe(false);
    expect(log).toHaveLength(25 * 6);
    const { items } = await monitoring.run(tenant, (tx) => listAlerts(tx, { limit: 1_000 }));
    expect(items).toHaveLength(25 * 3);
  });

  it('rules that another transaction holds are passed over, and are evaluated in the next', async () => {
    const tenant = freshTenant();
    const ids = await monitoring.run(tenant, (tx) => rulesOf(tx, 3), { now: minute(0) });
    const [isHeld, letGo] = [barrier(), barrier()];
    const holding = monitoring.run(
      tenant,
      async (tx) => {
        const report = await evaluateDueRules(tx, { limit: 2 });
        isHeld.open();
        await letGo.passed;
        return report;
      },
      { now: minute(1) },
    );
    await isHeld.passed;
    const evaluate = () => monitoring.run(tenant, (tx) => evaluateDueRules(tx), { now: minute(1) });
    expect(await evaluate()).toMatchObject({ evaluated: 1, more: false });
    expect(await evaluate()).toMatchObject({ evaluated: 0 });
    letGo.open();
    expect(await holding).toMatchObject({ evaluated: 2, more: true });
    expect(await evaluate()).toMatchObject({ evaluated: 0 });
    expect(await logOf(ids)).toHaveLength(3);
  });

  it('each by a process of its own give what one gives: nothing of an alert’s state is in a process', async () => {
    const tenant = freshTenant();
    const values = ofMinutes([300, 300, 300, 100, 300, 100, 100, 300, 300, 300, 500, 100, 100]);
    const rule = {
      ...{ ...plain, condition: above(200, { levels: [{ severity: 'critical', value: 400 }] }) },
      ...{ forMs: MINUTE, keepFiringForMs: MINUTE, cooldownMs: MINUTE, repeatMs: MINUTE },
    } as const;
    await monitoring.run(
      tenant,
      async (tx) => {
        await measure(tx, values);
        await createAlertRule(tx, { ...rule, name: 'slow' });
      },
      { now: minute(60) },
    );
    await monitoring.run(tenant, (tx) => tx.execute(sql`update tenant_work set due_at = ${minute(0).toISOString()}`));
    for (let n = 0; n <= 13; n += 1) {
      const fresh = await connect({ url: monitoring.serviceUrl, max: 2 });
      await turn(n, fresh);
      await fresh.close();
    }
    const { alerts } = await monitoring.run(tenant, (tx) =>
      backtestAlertRule(tx, { ...rule, from: minute(0), to: minute(13) }),
    );
    const steps = await Promise.all(alerts.map((_, index) => stepsOf(monitoring, tenant, index)));
    expect(steps.map((one) => one.length)).toEqual(alerts.map(({ transitions }) => transitions.length));
    expect(alerts.length).toBeGreaterThan(1);
    expect(await statusesOf(monitoring, tenant)).toBe(
      alerts
        .map(({ status }) => status)
        .sort()
        .join(' '),
    );
  });
});

describe('runMonitor', () => {
  /** Values of the last ten minutes by the database's clock, and rules over them that are due each second. */
  async function liveWorld(tenant: string, count: number): Promise<readonly string[]> {
    return await monitoring.run(tenant, async (tx) => {
      const at = (minutesAgo: number) => new Date(Date.now() - minutesAgo * MINUTE);
      await recordTelemetry(tx, {
        events: [2, 3, 4, 5].map((ago) => ({ subject: 'checkout', metric: 'latency_ms', value: 300, at: at(ago) })),
      });
      await refreshAggregates(tx, {});
      const condition = above(200, { windowMs: 10 * MINUTE });
      return await rulesOf(tx, count, { condition, intervalMs: 1_000 });
    });
  }

  it('evaluates and delivers until it is stopped, and reports what it did', async () => {
    const tenant = freshTenant();
    const path = `/${tenant}`;
    await monitoring.run(tenant, (tx) =>
      createAlertChannel(tx, { name: 'hook', url: receiver.url(path), secret: 'a secret of many characters' }),
    );
    await liveWorld(tenant, 2);
    const stop = new AbortController();
    const running = runMonitor(monitoring.db, { signal: stop.signal, idleMs: 20, delivery: { allowPrivate: true } });
    await expect.poll(() => receiver.received(path).length, { timeout: 20_000, interval: 50 }).toBe(2);
    stop.abort();
    const { evaluation, delivery } = await running;
    expect(evaluation.completed).toBeGreaterThan(0);
    expect(delivery?.completed).toBeGreaterThan(0);
  }, 30_000);

  it('a process that is killed in the middle of an evaluation leaves nothing half done, and another goes on', async () => {
    const tenant = freshTenant();
    const ids = await liveWorld(tenant, 20);
    await monitoring.run(tenant, async (tx) => {
      for (const ruleId of ids) await updateAlertRule(tx, { ruleId, forMs: 2_000 });
    });
    const file = new URL('../programs/run-monitor.ts', import.meta.url);
    const begin = (name: string) =>
      startProgram({ file, environment: { SERVICE_URL: monitoring.serviceUrl, NAME: name, LEASE_MS: '1500' } });
    const victim = begin('victim');
    await victim.nextLine();
    // It stands still where it writes the transitions to firing, with the clocks set and the alerts written.
    await expect.poll(() => statusesOf(monitoring, tenant), { timeout: 20_000, interval: 20 }).toContain('pending');
    const [isLocked, letGo] = [barrier(), barrier()];
    const locking = owner.begin(async (lock) => {
      await lock`lock table monitoring_alert_transitions in share mode`;
      isLocked.open();
      await letGo.passed;
    });
    await isLocked.passed;
    const waiting = async () =>
      (await owner`select from pg_locks where relation = 'monitoring_alert_transitions'::regclass and not granted`)
        .length;
    await expect.poll(waiting, { timeout: 20_000, interval: 20 }).toBeGreaterThan(0);
    victim.signal('SIGKILL');
    expect((await victim.ended).signal).toBe('SIGKILL');
    letGo.open();
    await locking;
    const heir = begin('heir');
    await heir.nextLine();
    const firing = async () => {
      const { items } = await monitoring.run(tenant, (tx) => listAlerts(tx, { limit: 100 }));
      return items.filter(({ status }) => status === 'firing').length;
    };
    await expect.poll(firing, { timeout: 30_000, interval: 50 }).toBe(20);
    heir.signal('SIGTERM');
    expect((await heir.ended).exitCode).toBe(0);
    const log = await logOf(ids);
    expect(isTwice(log)).toBe(false);
    expect(new Set(log.map(({ actor }) => actor))).toEqual(new Set(['victim', 'heir']));
    const { items } = await monitoring.run(tenant, (tx) => listAlerts(tx, { limit: 100 }));
    expect(items).toHaveLength(20);
    expect(await stepsKinds(tenant)).toEqual(['fired 20', 'opened 20', 'told 20']);
    // And whoever looks after one of them can say so.
    const { id: alertId } = items[0] ?? { id: '' };
    await monitoring.run(tenant, (tx) => acknowledgeAlert(tx, { alertId }));
    const rule = await monitoring.run(tenant, (tx) => getAlertRule(tx, { ruleId: items[0]?.ruleId ?? '' }));
    expect(rule.evaluatedAt).not.toBeNull();
  }, 90_000);

  const stepsKinds = (tenant: string) =>
    monitoring.run(tenant, async (tx) => {
      const rows = await tx.execute<{ line: string }>(sql`
        select kind || ' ' || count(*) as line from monitoring_alert_transitions group by kind order by 1`);
      return rows.map(({ line }) => line);
    });
});
