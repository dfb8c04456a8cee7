import { isDomainError, type TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  createAlertRule,
  createInhibition,
  createSilence,
  evaluateRule,
  expireSilence,
  getSilence,
  listInhibitions,
  listSilences,
  type Matcher,
  removeInhibition,
} from '../../src/index.ts';
import { matches } from '../../src/silences/matcher.ts';
import { above, bySubject, minute, ofMinutes, plain, stepsOf, tellStory } from '../support/telemetry-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const is = (label: string, value: string): Matcher => ({ label, op: '=', value });
const silenced = (tenant: string, from: number, to: number, matchers: readonly Matcher[] = [is('rule', 'slow')]) =>
  monitoring.run(tenant, (tx) => createSilence(tx, { matchers, startsAt: minute(from), endsAt: minute(to) }), {
    now: minute(0),
    actor: 'ada',
  });

describe('a matcher', () => {
  const alert = { ruleName: 'slow', severity: 'warning', labels: { team: 'web', region: 'eu-west' } } as const;
  it.each<[Matcher, boolean]>([
    [is('rule', 'slow'), true],
    [is('severity', 'critical'), false],
    [is('team', 'web'), true],
    [is('none', ''), true],
    [is('toString', ''), true],
    [{ label: 'team', op: '!=', value: 'web' }, false],
    [{ label: 'none', op: '!=', value: 'web' }, true],
    [{ label: 'team', op: 'in', value: ['app', 'web'] }, true],
    [{ label: 'team', op: 'not in', value: ['app', 'web'] }, false],
    [{ label: 'region', op: 'starts with', value: 'eu-' }, true],
    [{ label: 'region', op: 'starts with', value: 'us-' }, false],
  ])('%j: %s', (matcher, expected) => {
    expect(matches(alert, [matcher])).toBe(expected);
  });
  it('matches where all do', () => {
    expect(matches(alert, [is('team', 'web'), is('rule', 'fast')])).toBe(false);
  });
});

describe('a silence', () => {
  it('holds what is to be told while the state goes on; when it ends and the alert still fires, it is told', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300, 300, 300, 100]));
    await silenced(story.tenant, 0, 3);
    expect(await story.evaluate([1, 2])).toEqual(['1 firing', '2 firing']);
    expect(await stepsOf(monitoring, story.tenant)).toEqual(['1 opened', '1 fired']);
    await story.evaluate([3, 4, 5]);
    expect(await stepsOf(monitoring, story.tenant)).toEqual([
      ...['1 opened', '1 fired', '3 told firing', '5 resolved', '5 told resolved'],
    ]);
  });

  it('what begins and ends under it is told to nobody, and recorded all the same', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 100, 100, 100]));
    await silenced(story.tenant, 0, 3);
    await story.evaluate([1, 2, 3, 4]);
    expect(await stepsOf(monitoring, story.tenant)).toEqual(['1 opened', '1 fired', '2 resolved']);
  });

  it('a resolve that was held is told when it ends, also where the series fires anew meanwhile', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 100, 300, 300]));
    await story.evaluate([1]);
    await silenced(story.tenant, 2, 4);
    await story.evaluate([2, 3]);
    expect(await stepsOf(monitoring, story.tenant)).toEqual(['1 opened', '1 fired', '1 told firing', '2 resolved']);
    await story.evaluate([4]);
    expect((await stepsOf(monitoring, story.tenant)).at(-1)).toBe('4 told resolved');
    expect(await stepsOf(monitoring, story.tenant, 1)).toEqual(['3 opened', '3 fired', '4 told firing']);
  });

  it('ends where it is ended by hand', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300, 300]));
    const { silenceId } = await silenced(story.tenant, 0, 1_000);
    await story.evaluate([1]);
    const expire = (tx: TenantTx) => expireSilence(tx, { silenceId });
    await monitoring.run(story.tenant, expire, { now: minute(2) });
    await monitoring.run(story.tenant, expire, { now: minute(3) });
    await story.evaluate([2]);
    expect((await stepsOf(monitoring, story.tenant)).at(-1)).toBe('2 told firing');
    const silence = await monitoring.run(story.tenant, (tx) => getSilence(tx, { silenceId }));
    expect(silence).toMatchObject({ startsAt: minute(0), endsAt: minute(2), actor: 'ada' });
  });

  it('that matches another alert, or has not begun, holds nothing', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300]), { labels: { team: 'web' } });
    await silenced(story.tenant, 0, 9, [is('rule', 'slow'), is('team', 'app')]);
    await silenced(story.tenant, 5, 9);
    await story.evaluate([1]);
    expect((await stepsOf(monitoring, story.tenant)).at(-1)).toBe('1 told firing');
  });

  it('is refused without a matcher, over already, the wrong way round, or longer than a year', async () => {
    const tenant = freshTenant();
    const refusal = async (input: object) =>
      String(
        await failureOf(
          monitoring.run(
            tenant,
            (tx) => createSilence(tx, { matchers: [is('rule', 'x')], endsAt: minute(9), ...input }),
            { now: minute(0) },
          ),
        ),
      );
    expect(await refusal({ matchers: [] })).toContain('matchers must have at least 1 items');
    expect(await refusal({ endsAt: minute(0) })).toContain('endsAt must lie ahead');
    expect(await refusal({ startsAt: minute(9) })).toContain('endsAt must be later than startsAt');
    expect(await refusal({ endsAt: minute(600_000) })).toContain(
      'endsAt must be at most 31536000000 ms after startsAt',
    );
    expect(await refusal({ matchers: [{ label: 'a', op: 'in', value: 'b' }] })).toContain(
      'matchers[0].value must be a list',
    );
    expect((await monitoring.run(tenant, (tx) => listSilences(tx))).items).toEqual([]);
  });
});

describe('an inhibition', () => {
  it('holds what is to be told of a series while the other alert of the same subject fires', async () => {
    const tenant = freshTenant();
    const values = [...ofMinutes([300, 300, 100, 100]), ...ofMinutes([300, 300, 300, 300], { subject: 'search' })];
    const story = await tellStory(monitoring, tenant, values, { name: 'slow', condition: bySubject(200) });
    const { ruleId } = await monitoring.run(tenant, async (tx) => {
      await createInhibition(tx, {
        ...{ name: 'down', equal: ['subject'] },
        sourceMatchers: [is('rule', 'down')],
        targetMatchers: [is('rule', 'slow')],
      });
      const of = {
        source: 'telemetry',
        metric: 'latency_ms',
        statistic: 'mean',
        subject: 'checkout',
        by: ['subject'],
      } as const;
      return await createAlertRule(tx, { ...plain, name: 'down', condition: { ...above(250), of } });
    });
    for (const n of [1, 2, 3]) {
      await monitoring.run(tenant, (tx) => evaluateRule(tx, { ruleId, at: minute(n) }), { now: minute(n) });
      await story.evaluate([n]);
    }
    const all = await Promise.all([0, 1, 2].map((index) => stepsOf(monitoring, tenant, index)));
    // The source of checkout, which inhibits; the target of checkout, held until it is over; search, which nothing holds.
    expect(all.map((steps) => steps.join(', ')).sort()).toEqual([
      '1 opened, 1 fired, 1 told firing',
      '1 opened, 1 fired, 1 told firing, 3 resolved, 3 told resolved',
      '1 opened, 1 fired, 3 resolved',
    ]);
  });

  it('does not hold an alert that is on both of its sides', async () => {
    const story = await tellStory(monitoring, freshTenant(), ofMinutes([300]));
    await monitoring.run(story.tenant, (tx) =>
      createInhibition(tx, {
        name: 'all',
        sourceMatchers: [is('rule', 'slow')],
        targetMatchers: [is('severity', 'warning')],
      }),
    );
    await story.evaluate([1]);
    expect((await stepsOf(monitoring, story.tenant)).at(-1)).toBe('1 told firing');
  });

  it('is listed, removed, and has a name of its own', async () => {
    await monitoring.run(freshTenant(), async (tx) => {
      const input = { name: 'all', sourceMatchers: [is('rule', 'a')], targetMatchers: [is('rule', 'b')] };
      const { inhibitionId } = await createInhibition(tx, input);
      const again = await failureOf(tx.transaction((inner) => createInhibition(inner, input)));
      expect(isDomainError(again, 'already_exists')).toBe(true);
      expect(await listInhibitions(tx)).toMatchObject([{ id: inhibitionId, equal: [] }]);
      await removeInhibition(tx, { inhibitionId });
      expect(isDomainError(await failureOf(removeInhibition(tx, { inhibitionId })), 'not_found')).toBe(true);
    });
  });
});
