import type { Analysis, HealthCheck, MetricResult } from '../analysis/analysis.ts';
import { type AnalysisDefinition, type AnalysisMetric, treatmentsOf } from '../analysis/analysis-definition.ts';
import { numberText, shareText } from '../analysis/text.ts';
import { DECISION_VERSION, type Decision, type DecisionReason, type TreatmentDecision } from './decision.ts';
import { judgeGuardrail, judgeMetric, type MetricJudgement, type Reading } from './judge-metrics.ts';

export interface DecideOptions {
  /** How often the experiment has been looked at, this time included. */
  readonly looks: number;
  /** Whether no more units will come. Default false. */
  readonly isOver?: boolean;
}

/**
 * What to do with an experiment, by its analysis. Pure. The rules, for each treatment:
 *
 * 1. Nothing is said to differ below the minimum of units in an arm.
 * 2. A sequential test is read by what is valid at every look. A fixed one is read once, with the planned units or more,
 *    by its first look; at every other look only harm is looked for, by what is valid at every look.
 * 3. `stop` where the primary metric is worse, or a guardrail harmed.
 * 4. `ship` where the primary metric is better, all guardrails are kept, and no check of health has failed.
 * 5. `keep` where a fixed test was read and did not ship; where a sequential one excludes the least effect that matters;
 *    where the experiment is over. Else `continue`.
 *
 * Of several treatments that may ship, the one with the greatest gain in the primary metric is shipped; else harm of any
 * stops; else the experiment goes on while one may.
 */
export function decide(definition: AnalysisDefinition, analysis: Analysis, options: DecideOptions): Decision {
  const { reading, reasons: ofReading } = readingOf(definition, analysis, options);
  const failed = analysis.health.filter(({ check, verdict }) => verdict === 'failed' && check !== 'minimum_units');
  const reasons = [...ofReading, ...failed.map(healthReason)];
  if (options.isOver === true) reasons.push({ because: 'experiment_over', text: 'No more units will come.' });
  const judged = treatmentsOf(definition).map(({ id, key }) => {
    const found = judgeTreatment({ definition, analysis, reading, failed, isOver: options.isOver === true }, id);
    return { variantId: id, variantKey: key, ...found };
  });
  const [best] = judged.filter(({ verdict }) => verdict === 'ship').toSorted((a, b) => b.gain - a.gain);
  const harmful = judged.find(({ verdict }) => verdict === 'stop');
  const chosen = best ?? harmful;
  const goesOn = judged.some(({ verdict }) => verdict === 'continue');
  return {
    codeVersion: DECISION_VERSION,
    verdict: chosen?.verdict ?? (goesOn ? 'continue' : 'keep'),
    variantId: chosen?.variantId ?? null,
    reasons,
    treatments: judged.map(({ gain: _, ...treatment }) => treatment),
  };
}

function readingOf(
  { test, plannedUnits }: AnalysisDefinition,
  { units }: Analysis,
  { looks }: DecideOptions,
): { readonly reading: Reading; readonly reasons: DecisionReason[] } {
  if (test === 'sequential') return { reading: 'valid', reasons: [] };
  const reasons: DecisionReason[] = [];
  const total = units.reduce((sum, variant) => sum + variant.units, 0);
  if (looks > 1) {
    const text = `A fixed test is read once, and this one was looked at ${looks} times: its p values err more often than they say. A sequential test may be looked at as often as one likes.`;
    reasons.push({ because: 'looked_at_again', text });
  }
  if (total < plannedUnits) {
    const text = `${numberText(total)} of the ${numberText(plannedUnits)} planned units have come: a fixed test is read when all have.`;
    reasons.push({ because: 'sample_not_reached', text });
  }
  return { reading: reasons.length === 0 ? 'fixed' : 'harm', reasons };
}

const healthReason = ({ check, text }: HealthCheck): DecisionReason => ({
  because: 'health_failed',
  text: `${check}: ${text}`,
});

interface Judging {
  readonly definition: AnalysisDefinition;
  readonly analysis: Analysis;
  readonly reading: Reading;
  readonly failed: readonly HealthCheck[];
  readonly isOver: boolean;
}

type Judged = Pick<TreatmentDecision, 'verdict' | 'reasons'> & { readonly gain: number };

function judgeTreatment(judging: Judging, variantId: string): Judged {
  const { definition, analysis, reading, failed, isOver } = judging;
  const open = isOver || (reading === 'fixed' && failed.length === 0) ? 'keep' : 'continue';
  const few = tooFew(definition, analysis, variantId);
  if (few !== undefined) return { verdict: isOver ? 'keep' : 'continue', gain: 0, reasons: [few] };
  const primaries = definition.metrics.filter(({ role }) => role === 'primary');
  if (primaries.length === 0) {
    const text = 'No metric is primary: there is nothing to decide by.';
    return { verdict: isOver ? 'keep' : 'continue', gain: 0, reasons: [{ because: 'no_primary', text }] };
  }
  const pairOf = (metric: AnalysisMetric) => pairFor(definition, analysis, metric, variantId);
  const primary = primaries.map((metric) => {
    const { control, result } = pairOf(metric);
    return { metric, ...judgeMetric(definition, metric, control, result, reading) };
  });
  const guardrails = definition.metrics
    .filter(({ role }) => role === 'guardrail')
    .map((metric) => {
      const { control, result } = pairOf(metric);
      return judgeGuardrail(definition, metric, control, result, reading);
    });
  const excluded = reading === 'valid' ? primary.flatMap(excludedEffect) : [];
  const reasons = [
    ...primary.map(primaryReason(reading)),
    ...excluded,
    ...guardrails.map(({ reason }) => reason),
    ...secondaryReasons(judging, pairOf),
  ];
  const gain = Math.max(...primary.map(({ estimate }) => estimate));
  if (primary.some(({ state }) => state === 'worse') || guardrails.some(({ state }) => state === 'harmed')) {
    return { verdict: 'stop', gain, reasons };
  }
  const isBetter = reading !== 'harm' && primary.some(({ state }) => state === 'better');
  if (isBetter && failed.length === 0 && guardrails.every(({ state }) => state === 'kept')) {
    return { verdict: 'ship', gain, reasons };
  }
  return { verdict: excluded.length === primary.length ? 'keep' : open, gain, reasons };
}

function tooFew(
  { variants, minimumUnits }: AnalysisDefinition,
  { units }: Analysis,
  variantId: string,
): DecisionReason | undefined {
  const pair = variants.filter(({ id, isControl }) => isControl || id === variantId);
  const counts = pair.map(({ id, key }) => ({ key, units: units.find((of) => of.variantId === id)?.units ?? 0 }));
  const few = counts.filter((count) => count.units < minimumUnits);
  if (few.length === 0) return undefined;
  const list = few.map((count) => `${count.key} has ${numberText(count.units)}`).join(', ');
  const text = `${list} of the ${numberText(minimumUnits)} units below which nothing is said to differ.`;
  return { because: 'too_few_units', text };
}

function pairFor(
  { variants }: AnalysisDefinition,
  { results }: Analysis,
  { id }: AnalysisMetric,
  variantId: string,
): { readonly control: MetricResult; readonly result: MetricResult } {
  const controlId = variants.find(({ isControl }) => isControl)?.id;
  const of = (variant: string | undefined) =>
    results.find((row) => row.metricId === id && row.variantId === variant && row.slice === null);
  const [control, result] = [of(controlId), of(variantId)];
  if (control === undefined || result === undefined) {
    throw new TypeError('The analysis is of another definition than the one given.');
  }
  return { control, result };
}

type Primary = MetricJudgement & { readonly metric: AnalysisMetric };

const primaryReason =
  (reading: Reading) =>
  ({ state, text, metric }: Primary): DecisionReason => {
    // Where only harm is looked for, better is not said.
    const shown = reading === 'harm' && state === 'better' ? 'undecided' : state;
    return { because: `primary_${shown}`, text, metricKey: metric.key };
  };

/** The whole interval lies below the least effect that matters: that there is none that would is shown. */
function excludedEffect({ state, reach, metric }: Primary): readonly DecisionReason[] {
  const { minimumEffect, key } = metric;
  if (minimumEffect === null || reach === undefined || state === 'better' || reach.most >= minimumEffect) return [];
  const text = `${key}: a gain of ${shareText(minimumEffect)}, the least that matters, is excluded: the interval ends at ${shareText(reach.most)}.`;
  return [{ because: 'effect_excluded', text, metricKey: key }];
}

function secondaryReasons(
  { definition, reading }: Judging,
  pairOf: (metric: AnalysisMetric) => { readonly control: MetricResult; readonly result: MetricResult },
): readonly DecisionReason[] {
  if (reading === 'harm') return [];
  return definition.metrics
    .filter(({ role }) => role === 'secondary')
    .flatMap((metric) => {
      const { control, result } = pairOf(metric);
      const { state, text } = judgeMetric(definition, metric, control, result, reading);
      return state === 'better' || state === 'worse'
        ? [{ because: 'secondary_differs' as const, text: `${text} It is ${state}.`, metricKey: metric.key }]
        : [];
    });
}
