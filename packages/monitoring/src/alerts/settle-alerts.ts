import { newId, type TenantTx } from '@mcp-hub/db-core';
import { readAudience } from '../notifications/read-audience.ts';
import type { AlertLabels } from '../rules/schema.ts';
import { decide } from './decide.ts';
import type { AlertEvent, Episode, LifeCycleSettings, Transition } from './episode.ts';
import type { KnownAlert } from './known-alerts.ts';
import { writeAlerts } from './write-alerts.ts';

/** The part of a rule that its alerts need. */
export interface RuleOfAlerts {
  readonly id: string;
  readonly name: string;
  /** Given to alerts that it opens. */
  readonly labels: AlertLabels;
  readonly summary: string | null;
  readonly settings: LifeCycleSettings;
}

/** What happens to one series. */
export interface SeriesEvent {
  readonly rule: RuleOfAlerts;
  readonly fingerprint: string;
  readonly labels: AlertLabels;
  /** Its last episode, as far as it is watched. */
  readonly alert: KnownAlert | undefined;
  /** With `told` alone it is only seen whether somebody is to be told. */
  readonly event: AlertEvent;
  readonly comment?: string | undefined;
}

/** An alert with the transitions that are to be written. */
export interface ChangedAlert extends KnownAlert {
  readonly rule: RuleOfAlerts;
  readonly transitions: readonly Transition[];
  readonly comment: string | undefined;
}

/**
 * Lets events happen to series whose rules this transaction has locked: decides what follows, sees who is to be told, and
 * writes it. No round trip where nothing follows; one for who is to be told, if anybody might be; one to write.
 */
export async function settleAlerts(tx: TenantTx, events: readonly SeriesEvent[]): Promise<readonly ChangedAlert[]> {
  const stepped = events.flatMap((given) => {
    const changed = step(given);
    return changed === undefined ? [] : [changed];
  });
  const couldBeTold = stepped.filter((alert) => tellings(alert, false).length > 0);
  const audience =
    couldBeTold.length === 0
      ? undefined
      : await readAudience(tx, {
          resolvedIds: couldBeTold.filter(({ episode }) => episode.status === 'resolved').map(({ id }) => id),
        });
  const isTold = new Set(couldBeTold);
  const isMuted = audience?.muting(stepped);
  const changed = stepped
    .map((alert) => (isMuted === undefined || !isTold.has(alert) ? alert : tell(alert, isMuted(alert))))
    .filter(({ transitions }) => transitions.length > 0);
  if (changed.length > 0) {
    await writeAlerts(tx, changed, audience?.channelsOf ?? (() => []));
  }
  return changed;
}

type Stepped = ChangedAlert & { readonly at: number };

function step({ rule, fingerprint, labels, alert, event, comment }: SeriesEvent): Stepped | undefined {
  const { transitions, episode } =
    event.kind === 'told' ? { transitions: [], episode: alert?.episode } : decide(alert?.episode, event, rule.settings);
  if (episode === undefined) return undefined;
  const isNew = transitions[0]?.kind === 'opened';
  const known = isNew ? undefined : alert;
  return {
    id: known?.id ?? newId<'Alert'>(),
    fingerprint,
    ruleId: rule.id,
    ruleName: known?.ruleName ?? rule.name,
    labels: known?.labels ?? { ...rule.labels, ...labels },
    transitionNumber: known?.transitionNumber ?? 0,
    ...{ episode, rule, transitions, comment, at: event.at },
  };
}

const tellings = ({ episode, at, rule }: Stepped, isMuted: boolean): readonly Transition[] =>
  decide(episode, { kind: 'told', at, isMuted }, rule.settings).transitions;

function tell(alert: Stepped, isMuted: boolean): Stepped {
  const { transitions, episode } = decide(alert.episode, { kind: 'told', at: alert.at, isMuted }, alert.rule.settings);
  return { ...alert, episode: episode as Episode, transitions: [...alert.transitions, ...transitions] };
}
