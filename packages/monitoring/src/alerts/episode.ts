import type { Severity } from './severity.ts';

export const alertStatuses = ['pending', 'firing', 'acknowledged', 'resolved'] as const;
export type AlertStatus = (typeof alertStatuses)[number];

/** What a series without an alert is called where states are listed. */
export type SeriesStatus = AlertStatus | 'inactive';

/** What is done where a condition has no data. */
export const missingDataPolicies = ['keep', 'alert', 'resolve'] as const;
export type MissingDataPolicy = (typeof missingDataPolicies)[number];

/** The part of a rule that the life of its alerts goes by. Times in milliseconds. */
export interface LifeCycleSettings {
  /** How long the condition holds before the alert fires; 0: at once. */
  readonly forMs: number;
  /** How long the alert goes on firing when the condition no longer holds. */
  readonly keepFiringForMs: number;
  /** How long after a resolve no new alert is opened. */
  readonly cooldownMs: number;
  /** How often a firing alert is told of again; null: never. */
  readonly repeatMs: number | null;
  readonly missingData: MissingDataPolicy;
  readonly severity: Severity;
}

/**
 * One life of an alert, from when its condition held to when it was resolved. Times are milliseconds since 1970.
 *
 * It is what its transitions come to, and nothing else: `evolve` makes it from them.
 */
export interface Episode {
  readonly status: AlertStatus;
  /** Only grows while the episode lasts. */
  readonly severity: Severity;
  /** The value that the last transition was made by; null where there was none. */
  readonly value: number | null;
  /** Since when the condition held. */
  readonly activeAt: number;
  readonly firedAt: number | null;
  /** Since when it fires although the condition no longer holds. */
  readonly keptSince: number | null;
  readonly acknowledgedAt: number | null;
  readonly resolvedAt: number | null;
  /** Until when no new episode begins: counted from the resolve. */
  readonly cooldownUntil: number | null;
  /** How often the condition came true while the alert cooled down. */
  readonly suppressedCount: number;
  /** It is true at this moment, and suppressed. */
  readonly isSuppressing: boolean;
  /** The worst severity that somebody was told of, or acknowledged. */
  readonly knownSeverity: Severity | null;
  /** When the receivers were told last that it fires; null: never. */
  readonly toldAt: number | null;
  /** The receivers were told of it, and not yet that it is resolved. */
  readonly owesResolution: boolean;
}

/** What a rule's condition says of one series at one time. */
export type Outcome =
  /** Beyond the threshold. */
  | 'fires'
  /** Not beyond it, and not recovered either: between the two thresholds of a hysteresis. */
  | 'holds'
  | 'clear'
  /** There are no data to say it by. */
  | 'missing';

export const endReasons = ['recovered', 'missing_data', 'by_hand', 'rule_disabled', 'rule_removed'] as const;
export type EndReason = (typeof endReasons)[number];

/** What happens to a series. */
export type AlertEvent =
  | {
      readonly kind: 'observed';
      readonly at: number;
      readonly outcome: Outcome;
      /** Null where the outcome is missing, and for conditions without a number. */
      readonly value: number | null;
      readonly severity: Severity;
    }
  | { readonly kind: 'acknowledged'; readonly at: number }
  | { readonly kind: 'ended'; readonly at: number; readonly reason: EndReason }
  /** Asks whether somebody is to be told; `isMuted` by a silence or an inhibition. */
  | { readonly kind: 'told'; readonly at: number; readonly isMuted: boolean };

export const transitionKinds = [
  'opened',
  'fired',
  'keeping',
  'relapsed',
  'escalated',
  'acknowledged',
  'resolved',
  'suppressed',
  'unsuppressed',
  'told',
] as const;
export type TransitionKind = (typeof transitionKinds)[number];

export const tidings = ['firing', 'escalated', 'repeated', 'resolved'] as const;
/** What receivers are told. */
export type Tiding = (typeof tidings)[number];

/** A step of an episode; with those before it, all that the episode is. */
export interface Transition {
  readonly kind: TransitionKind;
  readonly at: number;
  readonly value: number | null;
  /** Of the alert from here on. */
  readonly severity: Severity;
  /** Why it was resolved. */
  readonly reason: EndReason | null;
  /** What was told. */
  readonly tiding: Tiding | null;
  /** Until when a resolved alert cools down. */
  readonly cooldownUntil: number | null;
}
