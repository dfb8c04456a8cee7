import { nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { missingDataPolicies } from '../alerts/episode.ts';
import { severities } from '../alerts/severity.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { ownLabels } from '../silences/matcher.ts';
import { Condition, keysOf } from './condition.ts';

export const ruleId = z.uuid();

const length = z.int().min(0).max(MONITORING_LIMITS.durationMs);

const labels = z
  .record(nameInput(MONITORING_LIMITS.labelKeyLength), textInput(MONITORING_LIMITS.labelValueLength))
  .refine(
    (given) => Object.keys(given).length <= MONITORING_LIMITS.ruleLabels,
    `must have at most ${MONITORING_LIMITS.ruleLabels} labels`,
  );

/** A rule as it is given; lengths in milliseconds. */
export const ruleFields = {
  name: nameInput(MONITORING_LIMITS.nameLength),
  condition: Condition,
  /** Of its alerts, where no level of the condition says worse. */
  severity: z.enum(severities),
  /** Given to its alerts, beside those of their series. */
  labels,
  /** For people, told with each notification. */
  summary: textInput(MONITORING_LIMITS.commentLength).nullable(),
  /** It is evaluated at the multiples of it, counted from 1970. */
  intervalMs: z.int().min(MONITORING_LIMITS.intervalMsMin).max(MONITORING_LIMITS.intervalMs),
  /** How far behind its time an evaluation looks, so that data have arrived. */
  delayMs: length,
  /** How long the condition holds before an alert fires. */
  forMs: length,
  /** How long an alert goes on firing when its condition no longer holds. */
  keepFiringForMs: length,
  /** How long after a resolve no new alert of the series is opened. */
  cooldownMs: length,
  /** How often it is told that an alert still fires; null: once. */
  repeatMs: length.min(1).nullable(),
  /** What is done where there are no data. */
  missingData: z.enum(missingDataPolicies),
  isEnabled: z.boolean(),
};

export const ruleDefaults = {
  severity: 'warning',
  labels: {},
  summary: null,
  intervalMs: 60_000,
  /** Telemetry refreshes its aggregates ten seconds after the values were recorded. */
  delayMs: 15_000,
  forMs: 0,
  keepFiringForMs: 0,
  cooldownMs: 0,
  repeatMs: 14_400_000,
  missingData: 'keep',
  isEnabled: true,
} as const;

interface Labelled {
  readonly condition?: Condition | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The labels of an alert come from three sides, which must not meet. */
export const refuseMeetingLabels = (
  { condition, labels: given = {} }: Labelled,
  context: z.core.$RefinementCtx<unknown>,
): void => {
  const by = condition === undefined ? [] : keysOf(condition);
  const taken = by.find((key) => ownLabels.includes(key));
  if (taken !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['condition'],
      message: 'must not tell series apart by rule or severity, which alerts have by themselves',
      input: condition,
    });
  }
  if (Object.keys(given).some((key) => by.includes(key) || ownLabels.includes(key))) {
    context.addIssue({
      ...{ code: 'custom', path: ['labels'], input: given },
      message: 'must not hold rule, severity, or a key that the condition tells series apart by',
    });
  }
};
