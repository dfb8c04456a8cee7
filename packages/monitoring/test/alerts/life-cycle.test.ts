import { describe, expect, it } from 'vitest';
import { decide } from '../../src/alerts/decide.ts';
import type { AlertEvent, Episode, LifeCycleSettings, Outcome, SeriesStatus } from '../../src/alerts/episode.ts';
import { replayTransitions } from '../../src/alerts/evolve.ts';
import type { Severity } from '../../src/alerts/severity.ts';

const settings: LifeCycleSettings = {
  ...{ forMs: 0, keepFiringForMs: 0, cooldownMs: 0, repeatMs: null, missingData: 'keep', severity: 'warning' },
};
const seen = (at: number, outcome: Outcome, severity: Severity = 'warning'): AlertEvent => ({
  ...{ kind: 'observed', at, outcome, severity, value: outcome === 'missing' ? null : at },
});
const tell = (at: number, isMuted = false): AlertEvent => ({ kind: 'told', at, isMuted });
const ack = (at: number): AlertEvent => ({ kind: 'acknowledged', at });

/** What each event brings about, in words, and where the series is then. */
function story(changes: Partial<LifeCycleSettings>, events: readonly AlertEvent[]) {
  let episode: Episode | undefined;
  const lines = events.map((event) => {
    const decision = decide(episode, event, { ...settings, ...changes });
    episode = decision.episode;
    const words = decision.transitions.map(({ kind, tiding, reason }) => tiding ?? reason ?? kind);
    return `${event.at} ${[...words, `(${statusOf(episode)})`].join(' ')}`;
  });
  return { lines, episode };
}

const statusOf = (episode: Episode | undefined): SeriesStatus => episode?.status ?? 'inactive';

describe('by state and event', () => {
  const at = 100;
  const base = (status: Episode['status']): Episode => ({
    ...{
      status,
      severity: 'warning',
      value: 1,
      activeAt: 0,
      firedAt: status === 'pending' ? null : 10,
      keptSince: null,
    },
    ...{ acknowledgedAt: status === 'acknowledged' ? 20 : null, resolvedAt: status === 'resolved' ? 90 : null },
    ...{ cooldownUntil: status === 'resolved' ? 150 : null, suppressedCount: 0, isSuppressing: false },
    ...{ knownSeverity: status === 'pending' ? null : 'warning', toldAt: status === 'pending' ? null : 10 },
    owesResolution: status === 'resolved',
  });
  const events: Readonly<Record<string, AlertEvent>> = {
    fires: seen(at, 'fires'),
    worse: seen(at, 'fires', 'critical'),
    holds: seen(at, 'holds'),
    clear: seen(at, 'clear'),
    missing: seen(at, 'missing'),
    acknowledged: ack(at),
    ended: { kind: 'ended', at, reason: 'by_hand' },
    told: tell(at),
    muted: tell(at, true),
  };
  // State, event: transitions and next state. Of for 200, keep firing for 50, a repeat each 80.
  const rows: readonly (readonly [SeriesStatus, string, string, SeriesStatus])[] = [
    ['inactive', 'fires', 'opened', 'pending'],
    ['inactive', 'worse', 'opened', 'pending'],
    ['inactive', 'holds', '', 'inactive'],
    ['inactive', 'clear', '', 'inactive'],
    ['inactive', 'missing', '', 'inactive'],
    ['inactive', 'acknowledged', '', 'inactive'],
    ['inactive', 'ended', '', 'inactive'],
    ['inactive', 'told', '', 'inactive'],
    ['pending', 'fires', '', 'pending'],
    ['pending', 'worse', '', 'pending'],
    ['pending', 'holds', 'resolved', 'resolved'],
    ['pending', 'clear', 'resolved', 'resolved'],
    ['pending', 'missing', '', 'pending'],
    ['pending', 'acknowledged', '', 'pending'],
    ['pending', 'ended', 'resolved', 'resolved'],
    ['pending', 'told', '', 'pending'],
    ['firing', 'fires', '', 'firing'],
    ['firing', 'worse', 'escalated', 'firing'],
    ['firing', 'holds', '', 'firing'],
    ['firing', 'clear', 'keeping', 'firing'],
    ['firing', 'missing', '', 'firing'],
    ['firing', 'acknowledged', 'acknowledged', 'acknowledged'],
    ['firing', 'ended', 'resolved', 'resolved'],
    ['firing', 'told', 'told', 'firing'],
    ['firing', 'muted', '', 'firing'],
    ['acknowledged', 'fires', '', 'acknowledged'],
    ['acknowledged', 'worse', 'escalated', 'acknowledged'],
    ['acknowledged', 'holds', '', 'acknowledged'],
    ['acknowledged', 'clear', 'keeping', 'acknowledged'],
    ['acknowledged', 'missing', '', 'acknowledged'],
    ['acknowledged', 'acknowledged', '', 'acknowledged'],
    ['acknowledged', 'ended', 'resolved', 'resolved'],
    ['acknowledged', 'told', '', 'acknowledged'],
    ['resolved', 'fires', 'suppressed', 'resolved'],
    ['resolved', 'worse', 'suppressed', 'resolved'],
    ['resolved', 'holds', '', 'resolved'],
    ['resolved', 'clear', '', 'resolved'],
    ['resolved', 'missing', '', 'resolved'],
    ['resolved', 'acknowledged', '', 'resolved'],
    ['resolved', 'ended', '', 'resolved'],
    ['resolved', 'told', 'told', 'resolved'],
    ['resolved', 'muted', '', 'resolved'],
  ];
  it.each(rows)('%s, %s: %s → %s', (status, name, transitions, next) => {
    const event = events[name];
    if (event === undefined) throw new Error('There is no such event.');
    const given = status === 'inactive' ? undefined : base(status);
    const decision = decide(given, event, { ...settings, forMs: 200, keepFiringForMs: 50, repeatMs: 80 });
    expect(decision.transitions.map(({ kind }) => kind).join(' ')).toBe(transitions);
    expect(statusOf(decision.episode)).toBe(next);
  });
});

describe('as in Prometheus', () => {
  it('a rule without for fires with the observation that it holds by', () => {
    expect(story({}, [seen(0, 'fires')]).lines).toEqual(['0 opened fired (firing)']);
  });
  it('fires when its condition has held for as long as for says, to the millisecond', () => {
    const { lines } = story({ forMs: 60 }, [seen(0, 'fires'), seen(59, 'fires'), seen(60, 'fires')]);
    expect(lines).toEqual(['0 opened (pending)', '59 (pending)', '60 fired (firing)']);
  });
  it('one observation that does not hold sets the time that it pends back to nothing', () => {
    const events = [seen(0, 'fires'), seen(59, 'clear'), seen(60, 'fires'), seen(119, 'fires'), seen(120, 'fires')];
    const { lines } = story({ forMs: 60 }, events);
    expect(lines.slice(1)).toEqual([
      ...['59 recovered (resolved)', '60 opened (pending)', '119 (pending)', '120 fired (firing)'],
    ]);
  });
  it('goes on firing for as long as it is kept, from when the condition ended', () => {
    const { lines } = story({ keepFiringForMs: 30 }, [
      seen(0, 'fires'),
      seen(10, 'clear'),
      seen(39, 'clear'),
      seen(40, 'clear'),
    ]);
    expect(lines.slice(1)).toEqual(['10 keeping (firing)', '39 (firing)', '40 recovered (resolved)']);
  });
  it('and from anew where it came true again in between', () => {
    const events = [
      seen(0, 'fires'),
      seen(10, 'clear'),
      seen(20, 'fires'),
      seen(30, 'clear'),
      seen(59, 'clear'),
      seen(60, 'clear'),
    ];
    const { lines } = story({ keepFiringForMs: 30 }, events);
    expect(lines.slice(1)).toEqual([
      ...[
        '10 keeping (firing)',
        '20 relapsed (firing)',
        '30 keeping (firing)',
        '59 (firing)',
        '60 recovered (resolved)',
      ],
    ]);
  });
  it('nobody is told while it pends', () => {
    expect(story({ forMs: 60 }, [seen(0, 'fires'), tell(0), seen(10, 'clear'), tell(10)]).lines).toEqual([
      ...['0 opened (pending)', '0 (pending)', '10 recovered (resolved)', '10 (resolved)'],
    ]);
  });
  it('the resolve is told, once, where the firing was', () => {
    const events = [seen(0, 'fires'), tell(0), tell(1), seen(10, 'clear'), tell(10), tell(11)];
    expect(story({}, events).lines).toEqual([
      ...['0 opened fired (firing)', '0 firing (firing)', '1 (firing)', '10 recovered (resolved)'],
      ...['10 resolved (resolved)', '11 (resolved)'],
    ]);
  });
});

describe('beyond Prometheus', () => {
  it('data that miss are not health: kept by default, an alert or a resolve by policy', () => {
    const events = [seen(0, 'missing'), seen(1, 'fires'), seen(2, 'missing')];
    const under = (missingData: LifeCycleSettings['missingData']) => story({ missingData }, events).lines;
    expect(under('keep')).toEqual(['0 (inactive)', '1 opened fired (firing)', '2 (firing)']);
    expect(under('alert')).toEqual(['0 opened fired (firing)', '1 (firing)', '2 (firing)']);
    expect(under('resolve')).toEqual(['0 (inactive)', '1 opened fired (firing)', '2 missing_data (resolved)']);
  });
  it('a pending alert whose data miss neither fires nor begins anew under keep', () => {
    const { lines } = story({ forMs: 60 }, [seen(0, 'fires'), seen(60, 'missing'), seen(61, 'fires')]);
    expect(lines).toEqual(['0 opened (pending)', '60 (pending)', '61 fired (firing)']);
  });
  it('between the two thresholds a firing alert fires on, and a pending one does not pend on', () => {
    expect(story({}, [seen(0, 'fires'), seen(1, 'holds'), seen(2, 'clear')]).lines).toEqual([
      ...['0 opened fired (firing)', '1 (firing)', '2 recovered (resolved)'],
    ]);
    expect(story({ forMs: 60 }, [seen(0, 'fires'), seen(1, 'holds'), seen(2, 'holds')]).lines).toEqual([
      ...['0 opened (pending)', '1 recovered (resolved)', '2 (resolved)'],
    ]);
  });
  it('what holds again between the thresholds while it is kept firing is a relapse', () => {
    expect(story({ keepFiringForMs: 9 }, [seen(0, 'fires'), seen(1, 'clear'), seen(2, 'holds')]).lines.at(-1)).toBe(
      '2 relapsed (firing)',
    );
  });
  it('cools down from its last resolve: what comes true meanwhile is counted and opens nothing', () => {
    const events = [
      ...[
        seen(0, 'fires'),
        seen(10, 'clear'),
        seen(20, 'fires'),
        seen(30, 'fires'),
        seen(40, 'clear'),
        seen(50, 'fires'),
      ],
      ...[seen(109, 'fires'), seen(110, 'fires')],
    ];
    const { lines, episode } = story({ cooldownMs: 100 }, events);
    expect(lines.slice(1)).toEqual([
      ...['10 recovered (resolved)', '20 suppressed (resolved)', '30 (resolved)', '40 unsuppressed (resolved)'],
      ...['50 suppressed (resolved)', '109 (resolved)', '110 opened fired (firing)'],
    ]);
    expect(episode?.suppressedCount).toBe(0);
    expect(story({ cooldownMs: 100 }, events.slice(0, -1)).episode?.suppressedCount).toBe(2);
  });
  it('what only pended leaves nothing to cool down from', () => {
    expect(
      story({ forMs: 9, cooldownMs: 100 }, [seen(0, 'fires'), seen(1, 'clear'), seen(2, 'fires')]).lines.at(-1),
    ).toBe('2 opened (pending)');
  });
  it('an acknowledgement stops repeats, not an escalation, and ends with its episode', () => {
    const events = [
      ...[seen(0, 'fires'), tell(0), tell(10), ack(11), tell(20), tell(30)],
      ...[seen(40, 'fires', 'critical'), tell(40), tell(50), seen(60, 'clear'), tell(60)],
      ...[seen(70, 'fires'), tell(70), tell(80)],
    ];
    expect(story({ repeatMs: 10 }, events).lines).toEqual([
      ...['0 opened fired (firing)', '0 firing (firing)', '10 repeated (firing)', '11 acknowledged (acknowledged)'],
      ...['20 (acknowledged)', '30 (acknowledged)', '40 escalated (acknowledged)', '40 escalated (acknowledged)'],
      ...['50 (acknowledged)', '60 recovered (resolved)', '60 resolved (resolved)', '70 opened fired (firing)'],
      ...['70 firing (firing)', '80 repeated (firing)'],
    ]);
  });
  it('the severity of an episode only grows', () => {
    const events = [
      seen(0, 'fires', 'critical'),
      tell(0),
      seen(1, 'fires', 'info'),
      tell(1),
      seen(2, 'fires', 'critical'),
    ];
    const { lines, episode } = story({}, events);
    expect(lines.slice(2)).toEqual(['1 (firing)', '1 (firing)', '2 (firing)']);
    expect(episode?.severity).toBe('critical');
  });
  it('under a silence the state goes on and nobody is told; when it ends and the alert still fires, they are', () => {
    const events = [seen(0, 'fires'), tell(0, true), seen(10, 'fires'), tell(10, true), seen(20, 'fires'), tell(20)];
    expect(story({}, events).lines.at(-1)).toBe('20 firing (firing)');
  });
  it('what began and ended under a silence is told to nobody', () => {
    const events = [seen(0, 'fires'), tell(0, true), seen(10, 'clear'), tell(10, true), tell(20)];
    expect(story({}, events).lines.slice(-2)).toEqual(['10 (resolved)', '20 (resolved)']);
  });
  it('a resolve under a silence is told when it ends, where the firing was told before it', () => {
    const events = [seen(0, 'fires'), tell(0), seen(10, 'clear'), tell(10, true), tell(20)];
    expect(story({}, events).lines.slice(-2)).toEqual(['10 (resolved)', '20 resolved (resolved)']);
  });
  it('no transitions come to no episode', () => {
    expect(replayTransitions([])).toBeUndefined();
  });
});
