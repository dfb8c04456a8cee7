import { isDomainError } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toTransition } from '../../src/alerts/get-alert.ts';
import { backtestAlertRule, type CreateAlertRuleInput, getAlert, listAlerts } from '../../src/index.ts';
import { above, bySubject, measure, minute, ofMinutes, plain, tellStory } from '../support/telemetry-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();

describe('a back-test', () => {
  it('says what the rule says minute by minute, whatever the rule and the values, and writes nothing', async () => {
    const value = fc.constantFrom(100, 100, 180, 300, 300, 500, null);
    const rule = fc.record({
      recover: fc.constantFrom(undefined, 150),
      forMs: fc.constantFrom(0, 120_000),
      keepFiringForMs: fc.constantFrom(0, 120_000),
      cooldownMs: fc.constantFrom(0, 180_000),
      repeatMs: fc.constantFrom(null, 120_000),
      missingData: fc.constantFrom('keep' as const, 'alert' as const, 'resolve' as const),
      isBySubject: fc.boolean(),
    });
    const lists = fc.tuple(
      fc.array(value, { minLength: 12, maxLength: 12 }),
      fc.array(value, { minLength: 12, maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(rule, lists, async ({ recover, isBySubject, ...settings }, [one, other]) => {
        const levels = [{ severity: 'critical', value: 400 }] as const;
        const more = { levels, ...(recover === undefined ? {} : { recover }) };
        const condition = isBySubject ? bySubject(200, more) : above(200, more);
        const given = { ...settings, condition, delayMs: 0 } satisfies Partial<CreateAlertRuleInput>;
        const values = [...ofMinutes(one), ...ofMinutes(other, { subject: 'search' })];
        const story = await tellStory(monitoring, freshTenant(), values, given);
        await story.evaluate(Array.from({ length: 13 }, (_, n) => n));
        await monitoring.run(story.tenant, async (tx) => {
          const { items } = await listAlerts(tx, { orderBy: 'active_at, id' });
          const stored: string[] = [];
          for (const { id } of items) {
            const { labels, status, transitions } = await getAlert(tx, { alertId: id });
            const steps = transitions.map((transition) => {
              const { kind, at, tiding, value: of, severity } = toTransition(transition);
              return { kind, at, tiding, of, severity };
            });
            stored.push(JSON.stringify({ labels, status, steps }));
          }
          const before = await tx.execute(sql`select count(*) from monitoring_alert_transitions`);
          const { alerts, evaluations } = await backtestAlertRule(tx, { ...given, from: minute(0), to: minute(12) });
          const tested = alerts.map(({ labels, status, transitions }) => {
            const steps = transitions.map(({ kind, at, tiding, value: of, severity }) => ({
              kind,
              at,
              tiding,
              of,
              severity,
            }));
            return JSON.stringify({ labels, status, steps });
          });
          expect(evaluations).toBe(13);
          expect(tested.sort()).toEqual(stored.sort());
          expect(await tx.execute(sql`select count(*) from monitoring_alert_transitions`)).toEqual(before);
        });
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  it('is refused for more turns than it may have, and for a condition with the path of what is wrong', async () => {
    const run = (more: object) =>
      failureOf(
        monitoring.run(freshTenant(), (tx) =>
          backtestAlertRule(tx, { ...plain, condition: above(1), from: minute(0), to: minute(20_000), ...more }),
        ),
      );
    const refusal = await run({});
    expect(isDomainError(refusal, 'invalid_input')).toBe(true);
    expect(String(refusal)).toContain('20001 turns');
    expect(String(await run({ condition: above(1, { windowMs: 1 }) }))).toContain('condition.windowMs');
  });

  it('tests a day, minute by minute', async () => {
    const tenant = freshTenant();
    await monitoring.run(
      tenant,
      async (tx) => {
        await measure(tx, ofMinutes(Array.from({ length: 1_440 }, (_, n) => (n >= 700 && n < 720 ? 300 : 100))));
        const { alerts, evaluations } = await backtestAlertRule(tx, {
          ...{ ...plain, condition: above(200), forMs: 300_000, from: minute(0), to: minute(1_440) },
        });
        expect(evaluations).toBe(1_441);
        expect(alerts).toMatchObject([{ activeAt: minute(701), firedAt: minute(706), resolvedAt: minute(721) }]);
      },
      { now: minute(10_000) },
    );
  });
});
