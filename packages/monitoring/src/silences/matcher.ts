import { nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import type { Severity } from '../alerts/severity.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import type { AlertLabels } from '../rules/schema.ts';

/** A condition on one label of an alert. A label that it does not have is ''. */
export const Matcher = z
  .strictObject({
    /** A key of the alert's labels, or `rule` or `severity`. */
    label: nameInput(MONITORING_LIMITS.labelKeyLength),
    op: z.enum(['=', '!=', 'in', 'not in', 'starts with']),
    value: z.union([
      textInput(MONITORING_LIMITS.labelValueLength),
      z.array(textInput(MONITORING_LIMITS.labelValueLength)).min(1).max(MONITORING_LIMITS.matchers).readonly(),
    ]),
  })
  .refine(({ op, value }) => Array.isArray(value) === (op === 'in' || op === 'not in'), {
    path: ['value'],
    error: 'must be a list for in and not in, and text for the others',
  });
export type Matcher = Readonly<z.output<typeof Matcher>>;

/** All of them have to match. At least one, so that nobody silences everything by leaving them out. */
export const Matchers = z.array(Matcher).min(1).max(MONITORING_LIMITS.matchers).readonly();

export interface Matched {
  readonly ruleName: string;
  readonly severity: Severity;
  readonly labels: AlertLabels;
}

/** Keys that are no labels of a rule or series, because alerts have them by themselves. */
export const ownLabels: readonly string[] = ['rule', 'severity'];

export const labelOf = ({ ruleName, severity, labels }: Matched, label: string): string => {
  if (label === 'rule') return ruleName;
  if (label === 'severity') return severity;
  return Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
};

/** Whether all matchers match. Pure. */
export const matches = (alert: Matched, matchers: readonly Matcher[]): boolean =>
  matchers.every(({ label, op, value }) => {
    const found = labelOf(alert, label);
    const values = Array.isArray(value) ? (value as readonly string[]) : [value as string];
    if (op === 'starts with') return values.some((one) => found.startsWith(one));
    return values.includes(found) === (op === '=' || op === 'in');
  });
