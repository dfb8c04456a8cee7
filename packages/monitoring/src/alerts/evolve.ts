import type { AlertStatus, Episode, Transition } from './episode.ts';
import { worst } from './severity.ts';

/** The episode after one more transition; the first opens it. Pure. */
export function evolve(before: Episode | undefined, step: Transition): Episode {
  const { at } = step;
  if (step.kind === 'opened') return openedBy(step);
  if (before === undefined) throw new TypeError('An episode begins with the transition that opens it');
  const episode: Episode = { ...before, severity: step.severity, value: step.value };
  switch (step.kind) {
    case 'fired':
      return { ...episode, status: 'firing', firedAt: at };
    case 'keeping':
      return { ...episode, keptSince: at };
    case 'relapsed':
      return { ...episode, keptSince: null };
    case 'escalated':
      return episode;
    case 'acknowledged': {
      const knownSeverity = worst(episode.knownSeverity ?? episode.severity, episode.severity);
      return { ...episode, status: 'acknowledged', acknowledgedAt: at, knownSeverity };
    }
    case 'resolved':
      return {
        ...episode,
        status: 'resolved',
        keptSince: null,
        resolvedAt: at,
        cooldownUntil: step.cooldownUntil,
        owesResolution: episode.toldAt !== null,
      };
    case 'suppressed':
      return { ...episode, isSuppressing: true, suppressedCount: episode.suppressedCount + 1 };
    case 'unsuppressed':
      return { ...episode, isSuppressing: false };
    case 'told':
      return step.tiding === 'resolved'
        ? { ...episode, owesResolution: false }
        : { ...episode, toldAt: at, knownSeverity: worst(episode.knownSeverity ?? step.severity, step.severity) };
  }
}

/** What all transitions of an alert, in order, come to; undefined of none. */
export function replayTransitions(transitions: readonly Transition[]): Episode | undefined {
  return transitions.reduce<Episode | undefined>(evolve, undefined);
}

const openedBy = ({ at, severity, value }: Transition): Episode => ({
  status: 'pending' satisfies AlertStatus,
  severity,
  value,
  activeAt: at,
  firedAt: null,
  keptSince: null,
  acknowledgedAt: null,
  resolvedAt: null,
  cooldownUntil: null,
  suppressedCount: 0,
  isSuppressing: false,
  knownSeverity: null,
  toldAt: null,
  owesResolution: false,
});
