import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { coolsDown, decide } from '../alerts/decide.ts';
import type { AlertStatus, Episode, Transition } from '../alerts/episode.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { refuseMeetingLabels, ruleDefaults, ruleFields } from './alert-rule-input.ts';
import { withoutUndefined } from './create-alert-rule.ts';
import { settingsOf } from './locked-rules.ts';
import { planReadings, seriesText } from './plan-readings.ts';
import { readSources } from './read-sources.ts';
import type { AlertLabels } from './schema.ts';

const { condition, name: _name, summary: _summary, isEnabled: _isEnabled, ...settings } = ruleFields;

export const BacktestAlertRuleInput = z
  .strictObject({
    condition,
    ...z.strictObject(settings).partial().shape,
    from: z.date(),
    /** Included, where it is a turn of the rule. */
    to: z.date(),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'must be later than from' })
  .superRefine(refuseMeetingLabels);
export type BacktestAlertRuleInput = Readonly<z.input<typeof BacktestAlertRuleInput>>;

/** An alert that the rule would have opened. */
export interface BacktestedAlert {
  /** Of the series. With the id of a rule that is there, an alert of it would have another. */
  readonly labels: AlertLabels;
  /** At the end of the back-test. */
  readonly status: AlertStatus;
  readonly activeAt: Date;
  readonly firedAt: Date | null;
  readonly resolvedAt: Date | null;
  readonly transitions: readonly Transition[];
}

export interface Backtest {
  /** Turns that were evaluated. */
  readonly evaluations: number;
  /** In the order in which they would have been opened. */
  readonly alerts: readonly BacktestedAlert[];
}

/** Turns whose sources are read by one statement. */
const TURNS_A_READ = 500;

/**
 * What a rule would have said over data that are stored: each of its turns in the window by the same reading, condition and
 * life cycle as its evaluations, with nobody muted and nobody acknowledging. A statement for 500 turns and each kind of
 * source; nothing is written, no lock.
 *
 * It sees what came late, which the evaluations at the time did not.
 *
 * @throws DomainError `invalid_input` with the path of what is wrong, for more than 10,000 turns, or 1,000 series.
 */
export async function backtestAlertRule(tx: TenantTx, input: BacktestAlertRuleInput): Promise<Backtest> {
  const { from, to, ...given } = parseInput(BacktestAlertRuleInput, input);
  const rule = { ...ruleDefaults, ...withoutUndefined(given), condition: given.condition };
  const turns = turnsOf(from, to, rule.intervalMs);
  const life = settingsOf(rule);
  const latest = new Map<string, { readonly labels: AlertLabels; episode: Episode | undefined }>();
  const alerts: { labels: AlertLabels; transitions: Transition[]; episode: Episode }[] = [];
  const open = new Map<string, (typeof alerts)[number]>();
  for (let first = 0; first < turns.length; first += TURNS_A_READ) {
    const evaluations = turns.slice(first, first + TURNS_A_READ).map((at) => ({ ...rule, at }));
    const plan = planReadings(evaluations);
    const said = plan.verdicts(await readSources(tx, plan.wanted));
    said.forEach((verdicts, index) => {
      const evaluation = evaluations[index];
      if (evaluation === undefined) throw new TypeError('There are verdicts for each evaluation');
      const { at } = evaluation;
      const read = new Map(verdicts.map((verdict) => [seriesText(verdict.labels), verdict]));
      for (const [text, { labels }] of read) if (!latest.has(text)) latest.set(text, { labels, episode: undefined });
      if (latest.size > MONITORING_LIMITS.seriesOfRule) throw tooManySeries();
      for (const [text, series] of latest) {
        const verdict = read.get(text);
        // As evaluations have it: what is no longer read is looked at while an alert of it is.
        if (verdict === undefined && !isWatched(series.episode, at)) continue;
        const { outcome, value, severity } = verdict ?? plan.unread(evaluation);
        const { transitions, episode } = decide(
          series.episode,
          { kind: 'observed', at, outcome, value, severity },
          life,
        );
        let alert = open.get(text);
        if (transitions[0]?.kind === 'opened' && episode !== undefined) {
          alert = { labels: series.labels, transitions: [], episode };
          alerts.push(alert);
          open.set(text, alert);
        }
        const told =
          episode === undefined || alert === undefined
            ? undefined
            : decide(episode, { kind: 'told', at, isMuted: false }, life);
        series.episode = told?.episode ?? episode;
        if (alert === undefined) continue;
        alert.transitions.push(...transitions, ...(told?.transitions ?? []));
        alert.episode = series.episode ?? alert.episode;
      }
    });
  }
  return { evaluations: turns.length, alerts: alerts.map(toAlert) };
}

const isWatched = (episode: Episode | undefined, at: number) =>
  episode !== undefined && (episode.status !== 'resolved' || coolsDown(episode, at));

const toAlert = ({
  labels,
  transitions,
  episode,
}: {
  labels: AlertLabels;
  transitions: Transition[];
  episode: Episode;
}) => ({
  ...{ labels, transitions, status: episode.status, activeAt: new Date(episode.activeAt) },
  firedAt: episode.firedAt === null ? null : new Date(episode.firedAt),
  resolvedAt: episode.resolvedAt === null ? null : new Date(episode.resolvedAt),
});

function turnsOf(from: Date, to: Date, intervalMs: number): readonly number[] {
  const first = Math.ceil(from.getTime() / intervalMs) * intervalMs;
  const count = Math.max(0, Math.floor((to.getTime() - first) / intervalMs) + 1);
  if (count > MONITORING_LIMITS.backtestSteps) {
    throw new DomainError(
      'invalid_input',
      `The window has ${count} turns of the rule; at most ${MONITORING_LIMITS.backtestSteps} are tested at once. Take a shorter window or a longer interval.`,
      { details: { limit: MONITORING_LIMITS.backtestSteps, got: count } },
    );
  }
  return Array.from({ length: count }, (_, index) => first + index * intervalMs);
}

const tooManySeries = () =>
  new DomainError(
    'invalid_input',
    `The condition has more than ${MONITORING_LIMITS.seriesOfRule} series. Name fewer keys in by, or labels.`,
    {
      details: { limit: MONITORING_LIMITS.seriesOfRule },
    },
  );
