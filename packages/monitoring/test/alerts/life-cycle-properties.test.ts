import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/alerts/decide.ts';
import type { AlertEvent, Episode, LifeCycleSettings, Outcome, Transition } from '../../src/alerts/episode.ts';
import { replayTransitions } from '../../src/alerts/evolve.ts';
import { isWorse, severities } from '../../src/alerts/severity.ts';

const length = fc.constantFrom(0, 0, 10, 25, 60);
const settingsOf = fc.record<LifeCycleSettings>({
  forMs: length,
  keepFiringForMs: length,
  cooldownMs: length,
  repeatMs: fc.constantFrom(null, 15, 40),
  missingData: fc.constantFrom('keep', 'alert', 'resolve'),
  severity: fc.constant('warning'),
});
const outcome = fc.constantFrom<Outcome>('fires', 'fires', 'fires', 'holds', 'clear', 'clear', 'missing');
/** Steps of a clock: an evaluation each, with a silence or not, and now and then an acknowledgement. */
const steps = fc.array(
  fc.record({
    after: fc.integer({ min: 1, max: 20 }),
    outcome,
    severity: fc.constantFrom(...severities),
    isMuted: fc.boolean(),
    isAcknowledged: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  { maxLength: 60 },
);

interface Told {
  readonly at: number;
  readonly transition: Transition;
  readonly isMuted: boolean;
}

function run(settings: LifeCycleSettings, given: typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never) {
  let at = 0;
  let last: Episode | undefined;
  const episodes: Transition[][] = [];
  const told: Told[] = [];
  const history: { at: number; outcome: Outcome; status: string }[] = [];
  const apply = (event: AlertEvent) => {
    const decision = decide(last, event, settings);
    for (const transition of decision.transitions) {
      if (transition.kind === 'opened') episodes.push([]);
      episodes.at(-1)?.push(transition);
      if (transition.tiding !== null) told.push({ at, transition, isMuted: event.kind === 'told' && event.isMuted });
    }
    last = decision.episode;
    const replayed = episodes.at(-1);
    if (replayed !== undefined) expect(replayTransitions(replayed)).toEqual(last);
  };
  for (const { after, outcome: seen, severity, isMuted, isAcknowledged } of given) {
    at += after;
    apply({ kind: 'observed', at, outcome: seen, severity, value: seen === 'missing' ? null : at });
    history.push({ at, outcome: seen, status: last?.status ?? 'inactive' });
    if (isAcknowledged) apply({ kind: 'acknowledged', at });
    apply({ kind: 'told', at, isMuted });
  }
  return { episodes, told, history };
}

/**
 * The state after each observation said by the history alone, without any state of its own: an alert fires where the run
 * of observations that hold is as long as for says, and so on. Quadratic, and written from the rules' words.
 */
function expectedStatuses(settings: LifeCycleSettings, history: readonly { at: number; outcome: Outcome }[]) {
  const policy = { keep: undefined, alert: 'fires', resolve: 'clear' } as const;
  const seen = history.map(({ at, outcome: given }) => ({
    at,
    said: given === 'missing' ? policy[settings.missingData] : given,
  }));
  const statuses: string[] = [];
  let from = 0; // Where what is looked at begins: after the last end.
  let coolUntil = Number.NEGATIVE_INFINITY;
  let over = 'inactive';
  seen.forEach(({ at }, now) => {
    const window = seen.slice(from, now + 1).filter(({ said }) => said !== undefined);
    // The first run of 'fires' that lasts long enough, among observations after the cooldown.
    const warm = window.filter((one) => one.at >= coolUntil);
    let begin: number | undefined;
    let firedAt: number | undefined;
    let status = over;
    for (const one of warm) {
      if (one.said === 'fires') {
        begin ??= one.at;
        if (one.at - begin >= settings.forMs) firedAt = one.at;
        status = 'pending';
      } else {
        if (begin !== undefined) status = 'resolved';
        begin = undefined;
      }
      if (firedAt !== undefined) break;
    }
    if (firedAt !== undefined) {
      status = 'firing';
      const after = warm.filter((one) => one.at > (firedAt ?? 0));
      // The last stretch of 'clear', if that is how the window ends.
      const lastUp = after.findLastIndex(({ said }) => said !== 'clear');
      const [down] = after.slice(lastUp + 1);
      const isNowSaid = seen[now]?.said !== undefined;
      if (down !== undefined && isNowSaid && at - down.at >= settings.keepFiringForMs) {
        status = 'resolved';
        from = now + 1;
        coolUntil = settings.cooldownMs === 0 ? coolUntil : at + settings.cooldownMs;
        over = 'resolved';
      }
    }
    statuses.push(status);
  });
  return statuses;
}

const withoutAcknowledgement = (status: string) => (status === 'acknowledged' ? 'firing' : status);

describe('whatever is observed, acknowledged and silenced', () => {
  it('replaying the transitions gives the state, and the state is what the history of observations says', () => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, given) => {
        const { history } = run(settings, given);
        expect(history.map(({ status }) => withoutAcknowledgement(status))).toEqual(
          expectedStatuses(settings, history),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('receivers hear firing once, then worse or again, then resolved once, and nothing while it is muted', () => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, given) => {
        const { episodes, told } = run(settings, given);
        expect(told.filter(({ isMuted }) => isMuted)).toEqual([]);
        for (const transitions of episodes) {
          const words = transitions.flatMap(({ tiding }) => (tiding === null ? [] : [tiding])).join(' ');
          expect(words).toMatch(/^(?:(?:firing|escalated)(?: escalated| repeated)*(?: resolved)?)?$/);
          const acknowledged = transitions.findIndex(({ kind }) => kind === 'acknowledged');
          if (acknowledged >= 0) {
            expect(transitions.slice(acknowledged).map(({ tiding }) => tiding)).not.toContain('repeated');
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('an episode opens and resolves once, its severity never falls, and none opens while the last cools down', () => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, given) => {
        const { episodes } = run(settings, given);
        let coolUntil = 0;
        for (const transitions of episodes) {
          const kinds = transitions.map(({ kind }) => kind);
          expect(kinds.filter((kind) => kind === 'opened')).toHaveLength(1);
          expect(kinds.filter((kind) => kind === 'resolved').length).toBeLessThanOrEqual(1);
          expect(transitions[0]?.at).toBeGreaterThanOrEqual(coolUntil);
          const firstFired = transitions.findIndex(({ kind }) => kind === 'fired');
          const burning = transitions.slice(Math.max(0, firstFired));
          burning.forEach(({ severity }, index) => {
            expect(isWorse(burning[index - 1]?.severity ?? severity, severity)).toBe(false);
          });
          coolUntil = transitions.find(({ kind }) => kind === 'resolved')?.cooldownUntil ?? coolUntil;
        }
      }),
      { numRuns: 300 },
    );
  });
});
