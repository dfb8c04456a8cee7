import type { AlertEvent, EndReason, Episode, LifeCycleSettings, SeriesStatus, Tiding, Transition } from './episode.ts';
import { evolve, replayTransitions } from './evolve.ts';
import { isWorse } from './severity.ts';

/** What an event brings about. */
export interface Decision {
  /** The first of them opens a new episode where its kind is `opened`; else they go on with the one that was given. */
  readonly transitions: readonly Transition[];
  /** The episode after them; undefined where there was none and is none. */
  readonly episode: Episode | undefined;
}

type Observed = Extract<AlertEvent, { kind: 'observed' }>;
type Rule<Event extends AlertEvent> = (
  episode: Episode,
  event: Event,
  settings: LifeCycleSettings,
) => readonly Transition[];
type Table = {
  readonly [Status in Exclude<SeriesStatus, 'inactive'>]: {
    readonly [Kind in AlertEvent['kind']]: Rule<Extract<AlertEvent, { kind: Kind }>>;
  };
};

const nothing = () => [];

/**
 * The life of an alert: by state and event, the transitions that follow. A series that has no episode, or whose last one is
 * over and has cooled down, is inactive; only an observation moves it.
 *
 * Prometheus' rules (rules/alerting.go), and what it has not: hysteresis, cooldown, acknowledgement, severity that grows.
 */
const table: Table = {
  pending: {
    observed: (episode, event, settings) => {
      const outcome = seenOutcome(event, settings);
      if (outcome === undefined) return [];
      // Between the two thresholds nothing is recovered from yet, and the time until it fires begins anew.
      if (outcome !== 'fires') return [resolved(episode, event, endReason(event))];
      return event.at - episode.activeAt >= settings.forMs ? [fired(event)] : [];
    },
    acknowledged: nothing,
    ended: (episode, { at, reason }) => [resolved(episode, { ...episode, at }, reason)],
    told: nothing,
  },
  firing: {
    observed: burning,
    acknowledged: (episode, { at }) => [{ ...step(episode, at), kind: 'acknowledged' }],
    ended: (episode, { at, reason }, settings) => [resolved(episode, { ...episode, at }, reason, settings)],
    told: (episode, { at, isMuted }, { repeatMs }) => {
      if (isMuted) return [];
      const news = newsOf(episode);
      if (news !== undefined) return [told(episode, at, news)];
      const isDue = repeatMs !== null && episode.toldAt !== null && at - episode.toldAt >= repeatMs;
      return isDue ? [told(episode, at, 'repeated')] : [];
    },
  },
  acknowledged: {
    observed: burning,
    acknowledged: nothing,
    ended: (episode, { at, reason }, settings) => [resolved(episode, { ...episode, at }, reason, settings)],
    // Whoever acknowledged knows of it, but of nothing worse.
    told: (episode, { at, isMuted }) => {
      const news = newsOf(episode);
      return isMuted || news === undefined ? [] : [told(episode, at, news)];
    },
  },
  resolved: {
    // While it cools down: afterwards the series is inactive.
    observed: (episode, event, settings) => {
      const outcome = seenOutcome(event, settings);
      if (outcome === 'fires' && !episode.isSuppressing) {
        return [{ ...step(episode, event.at), kind: 'suppressed', value: event.value }];
      }
      if (outcome === 'clear' && episode.isSuppressing) {
        return [{ ...step(episode, event.at), kind: 'unsuppressed', value: event.value }];
      }
      return [];
    },
    acknowledged: nothing,
    ended: nothing,
    told: (episode, { at, isMuted }) => (isMuted || !episode.owesResolution ? [] : [told(episode, at, 'resolved')]),
  },
};

/** What an event does to a series whose last episode, if any, is given. Pure. */
export function decide(episode: Episode | undefined, event: AlertEvent, settings: LifeCycleSettings): Decision {
  const isOver =
    episode === undefined ||
    (event.kind === 'observed' && episode.status === 'resolved' && !coolsDown(episode, event.at));
  if (isOver) return event.kind === 'observed' ? opening(episode, event, settings) : { transitions: [], episode };
  const rule = table[episode.status][event.kind] as Rule<AlertEvent>;
  const transitions = rule(episode, event, settings);
  return { transitions, episode: transitions.reduce<Episode>(evolve, episode) };
}

export const coolsDown = ({ cooldownUntil }: Episode, at: number): boolean =>
  cooldownUntil !== null && at < cooldownUntil;

function opening(last: Episode | undefined, event: Observed, settings: LifeCycleSettings): Decision {
  if (seenOutcome(event, settings) !== 'fires') return { transitions: [], episode: last };
  const { at, value, severity } = event;
  const opened: Transition = { ...step({ severity, value }, at), kind: 'opened' };
  const transitions = settings.forMs === 0 ? [opened, fired(event)] : [opened];
  return { transitions, episode: replayTransitions(transitions) };
}

/** Firing or acknowledged: the same but for who is told. */
function burning(episode: Episode, event: Observed, settings: LifeCycleSettings): readonly Transition[] {
  const outcome = seenOutcome(event, settings);
  if (outcome === undefined) return [];
  if (outcome === 'clear') {
    if (settings.keepFiringForMs === 0) return [resolved(episode, event, endReason(event), settings)];
    if (episode.keptSince === null) return [{ ...step(episode, event.at), kind: 'keeping', value: event.value }];
    if (event.at - episode.keptSince < settings.keepFiringForMs) return [];
    return [resolved(episode, event, endReason(event), settings)];
  }
  const { at, value, severity } = event;
  const isEscalated = outcome === 'fires' && isWorse(severity, episode.severity);
  return [
    ...(episode.keptSince === null ? [] : [{ ...step(episode, at), kind: 'relapsed' as const, value }]),
    ...(isEscalated ? [{ ...step({ severity, value }, at), kind: 'escalated' as const }] : []),
  ];
}

/** What the observation counts as under the policy for missing data; undefined: as none. */
function seenOutcome({ outcome }: Observed, { missingData }: LifeCycleSettings) {
  if (outcome !== 'missing') return outcome;
  const policies = { keep: undefined, alert: 'fires', resolve: 'clear' } as const;
  return policies[missingData];
}

const endReason = ({ outcome }: Observed): EndReason => (outcome === 'missing' ? 'missing_data' : 'recovered');

/** What nobody was told of or acknowledged yet. */
function newsOf({ severity, knownSeverity }: Episode): Tiding | undefined {
  if (knownSeverity === null) return 'firing';
  return isWorse(severity, knownSeverity) ? 'escalated' : undefined;
}

const step = ({ severity, value }: Pick<Transition, 'severity' | 'value'>, at: number) => ({
  at,
  severity,
  value,
  reason: null,
  tiding: null,
  cooldownUntil: null,
});

const fired = ({ at, severity, value }: Observed): Transition => ({ ...step({ severity, value }, at), kind: 'fired' });

const told = (episode: Episode, at: number, tiding: Tiding): Transition => ({
  ...step(episode, at),
  kind: 'told',
  tiding,
});

/** With the settings, of an alert that fired: one that only pended leaves nothing to cool down from. */
const resolved = (
  { severity }: Episode,
  { at, value }: { readonly at: number; readonly value: number | null },
  reason: EndReason,
  settings?: LifeCycleSettings,
): Transition => ({
  ...step({ severity, value }, at),
  kind: 'resolved',
  reason,
  cooldownUntil: settings === undefined || settings.cooldownMs === 0 ? null : at + settings.cooldownMs,
});
